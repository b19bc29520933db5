#include "tests/unit/support.h"

#include <stdbool.h>

#include "server/proto/rewrite.h"

enum { MS = US_PER_MS };

static void numbers_go_on_over_a_switch(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 0xffff, 1000);
    rewrite_begin(&rw, 70000, 5000, 90000, 1, 0, 0);
    assert_true(rewrite_packet(&rw, 70000, 5000, 0, &seq, &ts));
    assert_int_equal(seq, 0x7fff);
    assert_int_equal(ts, 1000);
    assert_true(rewrite_packet(&rw, 70001, 8600, 40 * MS, &seq, &ts));
    assert_int_equal(seq, 0x8000);
    assert_int_equal(ts, 4600);
    rewrite_end(&rw);
    assert_false(rewrite_packet(&rw, 70002, 8600, 50 * MS, &seq, &ts));
    rewrite_begin(&rw, 12, 4000000000u, 90000, 1, 0, 140 * MS);
    assert_true(rewrite_packet(&rw, 12, 4000000000u, 140 * MS, &seq, &ts));
    assert_int_equal(seq, 0x8001);
    assert_int_equal(ts, 4600 + 9000); /* 100 ms */
}

static void losses_stay_visible_and_late_packets_fit(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 10, 0);
    rewrite_begin(&rw, 500, 0, 90000, 1, 0, 0);
    rewrite_packet(&rw, 500, 0, 0, &seq, &ts);
    rewrite_packet(&rw, 503, 9000, 0, &seq, &ts);
    assert_int_equal(seq, 13);
    assert_true(rewrite_packet(&rw, 502, 9000, 0, &seq, &ts));
    assert_int_equal(seq, 12);
    assert_false(rewrite_packet(&rw, 499, 0, 0, &seq, &ts));
    assert_int_equal(rw.out_top, 13);
}

static void audio_steps_are_whole_packets(void **state)
{
    (void)state;
    for (mono_us gap = 0; gap < 500 * MS; gap += 777) {
        struct rewrite rw;
        int64_t seq;
        uint32_t ts;
        uint32_t next;
        rewrite_init(&rw, 0, 77);
        rewrite_begin(&rw, 1, 123, 48000, REWRITE_AUDIO_STEP, 0, 0);
        rewrite_packet(&rw, 1, 123, 0, &seq, &ts);
        rewrite_end(&rw);
        rewrite_begin(&rw, 900, 99999, 48000, REWRITE_AUDIO_STEP, 0, gap);
        rewrite_packet(&rw, 900, 99999, gap, &seq, &next);
        assert_int_equal((next - ts) % REWRITE_AUDIO_STEP, 0);
        assert_true(next - ts >= REWRITE_AUDIO_STEP);
        int64_t error = (int64_t)(next - ts) - gap * 48 / MS;
        assert_true(error <= REWRITE_AUDIO_STEP && error >= -REWRITE_AUDIO_STEP / 2);
    }
}

static void skipped_packets_leave_no_hole(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 10, 0);
    rewrite_begin(&rw, 500, 0, 90000, 1, 0, 0);
    rewrite_packet(&rw, 500, 0, 0, &seq, &ts);
    rewrite_skip(&rw, 501);
    rewrite_packet(&rw, 502, 3000, 0, &seq, &ts);
    assert_int_equal(seq, 11);
}

static void late_packets_find_their_place_among_skipped_ones(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 10, 0);
    rewrite_begin(&rw, 500, 0, 90000, 1, 0, 0);
    rewrite_packet(&rw, 500, 0, 0, &seq, &ts);
    rewrite_skip(&rw, 502); /* 501 is missing */
    rewrite_skip(&rw, 503);
    rewrite_packet(&rw, 504, 0, 0, &seq, &ts);
    assert_int_equal(seq, 12);
    rewrite_skip(&rw, 506); /* 505 is missing */
    rewrite_packet(&rw, 507, 0, 0, &seq, &ts);
    assert_int_equal(seq, 14);
    assert_true(rewrite_packet(&rw, 505, 0, 0, &seq, &ts));
    assert_int_equal(seq, 13);
    assert_true(rewrite_packet(&rw, 501, 0, 0, &seq, &ts));
    assert_int_equal(seq, 11);
    assert_false(rewrite_packet(&rw, 502, 0, 0, &seq, &ts)); /* left out stays left out */
    assert_false(rewrite_packet(&rw, 506, 0, 0, &seq, &ts));
    assert_false(rewrite_newest(&rw, 507));
    assert_true(rewrite_newest(&rw, 508));
}

static void numbers_are_unique_however_much_is_skipped(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 40; seed++) {
        struct rewrite rw;
        uint8_t used[4096] = {0};
        int64_t held[16];
        unsigned n = 0;
        uint32_t r = seed;
        rewrite_init(&rw, 0, 0);
        rewrite_begin(&rw, 1000, 0, 90000, 1, 0, 0);
        for (int64_t in = 1000; in < 4000; in++) {
            int64_t seq = 0;
            uint32_t ts;
            r = r * 1664525u + 1013904223u;
            if ((r >> 24) < 40 && n < 16) {
                held[n++] = in; /* comes late */
            } else if ((r >> 24) < 150) {
                rewrite_skip(&rw, in);
            } else if (rewrite_packet(&rw, in, 0, 0, &seq, &ts)) {
                assert_int_equal(used[seq]++, 0);
            }
            if (n && (r >> 8 & 7) == 0 && rewrite_packet(&rw, held[--n], 0, 0, &seq, &ts)) {
                assert_int_equal(used[seq]++, 0);
            }
        }
    }
}

static void an_old_beginning_lies_before_now(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 10, 1000);
    rewrite_begin(&rw, 1, 0, 90000, 1, 0, 0);
    rewrite_packet(&rw, 1, 0, 0, &seq, &ts);
    rewrite_begin(&rw, 70, 500, 90000, 1, 800 * MS, 1000 * MS);
    rewrite_packet(&rw, 70, 500, 1000 * MS, &seq, &ts);
    assert_int_equal(ts, 1000 + 18000); /* 200 ms after the last one */
}

static void time_going_nowhere_still_moves_on(void **state)
{
    (void)state;
    struct rewrite rw;
    int64_t seq;
    uint32_t ts;
    rewrite_init(&rw, 10, 50);
    rewrite_begin(&rw, 1, 0, 90000, 1, 0, 100);
    rewrite_packet(&rw, 1, 0, 100, &seq, &ts);
    rewrite_end(&rw);
    rewrite_begin(&rw, 1, 0, 90000, 1, 0, 90);
    rewrite_packet(&rw, 1, 0, 90, &seq, &ts);
    assert_int_equal(ts, 51);
    assert_int_equal(seq, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(numbers_go_on_over_a_switch),
        UNIT(losses_stay_visible_and_late_packets_fit),
        UNIT(audio_steps_are_whole_packets),
        UNIT(skipped_packets_leave_no_hole),
        UNIT(time_going_nowhere_still_moves_on),
        UNIT(late_packets_find_their_place_among_skipped_ones),
        UNIT(numbers_are_unique_however_much_is_skipped),
        UNIT(an_old_beginning_lies_before_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
