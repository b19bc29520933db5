#include "tests/unit/support.h"

#include <stdbool.h>

#include "server/proto/twcc_gen.h"

enum { MS = US_PER_MS };

/* Parses everything in w; marks received[seq] (low 16 bits); returns how many feedbacks. */
static unsigned parse(const struct wr *w, bool *received)
{
    struct rd r = rd_init(w->start, wr_len(w));
    struct rtcp_packet p;
    unsigned n = 0;
    while (rtcp_next(&r, &p) == 1) {
        static struct twcc_status status[TWCC_STATUS_MAX];
        struct twcc_feedback fb;
        assert_int_equal(twcc_parse(&fb, status, TWCC_STATUS_MAX, &p), 0);
        for (unsigned i = 0; i < fb.count; i++) {
            received[status[i].seq] = received[status[i].seq] || status[i].received;
        }
        n++;
    }
    return n;
}

static void every_packet_is_reported_once_in_time(void **state)
{
    (void)state;
    static struct twcc_gen gen;
    static bool received[65536];
    uint8_t out[1200];
    mono_us longest = 0;
    mono_us last = 0;
    twcc_gen_init(&gen);
    assert_int_equal(twcc_gen_deadline(&gen), MONO_NEVER);
    for (mono_us now = 0; now < 5 * US_PER_S; now += MS) {
        uint16_t seq = (uint16_t)(65000 + now / MS);
        if (now / MS % 10 != 3) {
            twcc_gen_input(&gen, seq, 1, now);
        }
        if (twcc_gen_deadline(&gen) <= now) {
            struct wr w = wr_init(out, sizeof(out));
            assert_true(twcc_gen_write(&gen, &w, 9, now));
            parse(&w, received);
            longest = now - last > longest ? now - last : longest;
            last = now;
        }
    }
    assert_in_range(longest, TWCC_GEN_FAST_US, TWCC_GEN_SLOW_US + MS);
    for (unsigned i = 0; i < 4800; i++) {
        assert_int_equal(received[(65000 + i) % 65536], i % 10 != 3);
    }
}

/* Feedbacks in 5 s when a packet comes every gap_us. */
static unsigned feedbacks(mono_us gap_us)
{
    static struct twcc_gen gen;
    uint8_t out[1200];
    unsigned n = 0;
    uint16_t seq = 0;
    twcc_gen_init(&gen);
    for (mono_us now = 0; now < 5 * US_PER_S; now += MS) {
        if (now % gap_us == 0) {
            twcc_gen_input(&gen, seq++, 1, now);
        }
        if (twcc_gen_deadline(&gen) <= now) {
            struct wr w = wr_init(out, sizeof(out));
            n += twcc_gen_write(&gen, &w, 9, now);
        }
    }
    return n;
}

/* A busy path is told twenty times a second, a quiet one ten times, a still one not at all. */
static void feedback_keeps_its_pace(void **state)
{
    (void)state;
    assert_in_range(feedbacks(1 * MS), 95, 101);
    assert_in_range(feedbacks(20 * MS), 40, 51);
    assert_in_range(feedbacks(500 * MS), 9, 11);
}

static void late_packet_is_reported_after_all(void **state)
{
    (void)state;
    static struct twcc_gen gen;
    static bool received[65536];
    uint8_t out[1200];
    struct wr w = wr_init(out, sizeof(out));
    twcc_gen_init(&gen);
    for (uint16_t i = 0; i < 20; i++) {
        if (i != 7) {
            twcc_gen_input(&gen, i, 1, i * MS);
        }
    }
    twcc_gen_write(&gen, &w, 9, 100 * MS);
    parse(&w, received);
    assert_false(received[7]);
    twcc_gen_input(&gen, 7, 1, 110 * MS);
    w = wr_init(out, sizeof(out));
    assert_true(twcc_gen_write(&gen, &w, 9, 200 * MS));
    parse(&w, received);
    assert_true(received[7]);
}

static void jumps_stay_bounded(void **state)
{
    (void)state;
    static struct twcc_gen gen;
    static bool received[65536];
    uint8_t out[1200];
    twcc_gen_init(&gen);
    for (unsigned i = 0; i < 2000; i++) {
        twcc_gen_input(&gen, (uint16_t)(i * 7919), 1, i * 10);
        assert_true(gen.seq.newest - gen.first < TWCC_GEN_WINDOW);
    }
    for (unsigned i = 0; i < 10; i++) {
        struct wr w = wr_init(out, sizeof(out));
        twcc_gen_write(&gen, &w, 9, 30 * MS);
        assert_false(w.bad);
        parse(&w, received);
    }
    assert_int_equal(twcc_gen_deadline(&gen), MONO_NEVER);
}

static void feedback_that_does_not_fit_is_continued(void **state)
{
    (void)state;
    static struct twcc_gen gen;
    static bool received[65536];
    uint8_t out[40];
    twcc_gen_init(&gen);
    for (uint16_t i = 0; i < 100; i++) {
        twcc_gen_input(&gen, i, 1, i * MS);
    }
    for (unsigned n = 0; twcc_gen_deadline(&gen) <= 200 * MS; n++) {
        struct wr w = wr_init(out, sizeof(out));
        assert_true(n < 30);
        twcc_gen_write(&gen, &w, 9, 200 * MS);
        parse(&w, received);
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_true(received[i]);
    }
}

static void another_path_begins_with_what_comes(void **state)
{
    (void)state;
    static struct twcc_gen gen;
    static bool received[65536];
    static bool told[65536];
    uint8_t out[1200];
    twcc_gen_init(&gen);
    for (uint16_t i = 0; i < 20; i++) {
        twcc_gen_input(&gen, i, 1, i * MS);
    }
    struct wr w = wr_init(out, sizeof(out));
    twcc_gen_write(&gen, &w, 9, 30 * MS);
    parse(&w, received);
    twcc_gen_anew(&gen);
    for (uint16_t i = 120; i < 140; i++) {
        if (i != 130) {
            twcc_gen_input(&gen, i, 1, i * MS);
        }
    }
    w = wr_init(out, sizeof(out));
    twcc_gen_write(&gen, &w, 9, 150 * MS);
    struct rd r = rd_init(out, wr_len(&w));
    struct rtcp_packet p;
    while (rtcp_next(&r, &p) == 1) {
        static struct twcc_status status[TWCC_STATUS_MAX];
        struct twcc_feedback fb;
        assert_int_equal(twcc_parse(&fb, status, TWCC_STATUS_MAX, &p), 0);
        for (unsigned i = 0; i < fb.count; i++) {
            told[status[i].seq] = true;
        }
    }
    parse(&w, received);
    for (unsigned i = 0; i < 140; i++) {
        assert_int_equal(received[i], i < 20 || (i >= 120 && i != 130));
        assert_int_equal(told[i], i >= 120); /* 130 is missing on the new path */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_packet_is_reported_once_in_time),   UNIT(feedback_keeps_its_pace),
        UNIT(late_packet_is_reported_after_all),       UNIT(jumps_stay_bounded),
        UNIT(feedback_that_does_not_fit_is_continued), UNIT(another_path_begins_with_what_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
