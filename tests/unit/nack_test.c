#include "tests/unit/support.h"

#include "server/proto/nack.h"

enum { MS = US_PER_MS, KEEP = 2 * US_PER_S };

static void gap_is_asked_for_at_once_and_only_once(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    nack_init(&n, KEEP);
    nack_input(&n, 100, false, 0);
    nack_input(&n, 104, false, 10 * MS);
    assert_int_equal(nack_deadline(&n), 10 * MS);
    assert_int_equal(nack_collect(&n, out, 16, 10 * MS), 3);
    assert_int_equal(out[0], 101);
    assert_int_equal(out[2], 103);
    assert_int_equal(nack_collect(&n, out, 16, 20 * MS), 0);
    assert_true(nack_deadline(&n) > 100 * MS);
}

static void arrival_closes_the_gap_and_tells_the_round_trip(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    nack_init(&n, KEEP);
    nack_input(&n, 1, false, 0);
    for (int64_t i = 0; i < 100; i++) {
        mono_us now = i * 100 * MS;
        nack_input(&n, 2 * i + 3, false, now);
        assert_int_equal(nack_collect(&n, out, 16, now), 1);
        nack_input(&n, 2 * i + 2, true, now + 30 * MS);
        assert_int_equal(nack_deadline(&n), MONO_NEVER);
    }
    assert_in_range(n.rtt_us, 29 * MS, 32 * MS);
    assert_int_equal(nack_lost(&n), 0);
}

static void a_packet_held_up_on_its_way_tells_nothing(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    nack_init(&n, KEEP);
    nack_input(&n, 1, false, 0);
    mono_us before = n.rtt_us;
    for (int64_t i = 0; i < 40; i++) {
        mono_us now = i * 100 * MS;
        nack_input(&n, 2 * i + 3, false, now);
        assert_int_equal(nack_collect(&n, out, 16, now), 1);
        nack_input(&n, 2 * i + 2, false, now + 5 * MS);
        assert_int_equal(nack_deadline(&n), MONO_NEVER);
    }
    assert_int_equal(n.rtt_us, before);
}

/* Lost again and again: a round trip later, then twice in each, not later and later. */
static void tries_keep_the_pace_of_the_round_trip(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    mono_us last = 0;
    unsigned asked = 0;
    nack_init(&n, KEEP);
    nack_input(&n, 1, false, 0);
    for (int64_t i = 0; i < 100;
         i++) { /* a path of 50 ms; every other is a repetition of its own */
        mono_us now = i * 100 * MS;
        nack_rtt_least(&n, 48 * MS);
        nack_input(&n, 2 * i + 3, false, now);
        (void)nack_collect(&n, out, 16, now);
        nack_input(&n, 2 * i + 2, true, now + (i % 2 ? 50 : 20) * MS);
    }
    nack_input(&n, 203, false, 10 * US_PER_S);
    for (mono_us now = 10 * US_PER_S; asked < NACK_STEADY; now += MS) {
        if (nack_collect(&n, out, 16, now)) {
            assert_true(asked == 0 || now - last <= (asked == 1 ? 62 : 32) * MS);
            assert_true(asked == 0 || now - last >= (asked == 1 ? 55 : 25) * MS);
            last = now;
            asked++;
        }
    }
}

/* What is lost again and again on a path of 100 ms is asked for a dozen times at least while it is
 * of use, two thirds of them in the first second, and twenty times at most. */
static void a_lost_picture_is_asked_for_all_its_time(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    unsigned asked = 0;
    unsigned early = 0;
    nack_init(&n, KEEP);
    nack_rtt_least(&n, 98 * MS);
    nack_input(&n, 1, false, 0);
    nack_input(&n, 3, false, 0);
    for (mono_us now = 0; nack_deadline(&n) != MONO_NEVER && now < 60 * US_PER_S; now += MS) {
        asked += nack_collect(&n, out, 16, now);
        early = now < US_PER_S ? asked : early;
    }
    assert_in_range(asked, 12, 20);
    assert_true(early >= 8);
    assert_int_equal(nack_lost(&n), 1);
}

static void retries_wait_longer_and_end(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    unsigned asked = 0;
    mono_us last = 0;
    mono_us wait = 0;
    nack_init(&n, 60 * US_PER_S);
    nack_input(&n, 1, false, 0);
    nack_input(&n, 3, false, 0);
    for (mono_us now = 0; nack_deadline(&n) != MONO_NEVER && now < 60 * US_PER_S; now += MS) {
        if (nack_collect(&n, out, 16, now)) {
            assert_true(asked < 3 || now - last >= wait - MS);
            wait = now - last;
            last = now;
            asked++;
        }
    }
    assert_int_equal(asked, NACK_TRIES);
    assert_int_equal(nack_lost(&n), 1);
    assert_int_equal(nack_lost(&n), 0);
}

static void old_gaps_are_given_up_by_age(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    nack_init(&n, 500 * MS);
    nack_input(&n, 1, false, 0);
    nack_input(&n, 3, false, 0);
    assert_int_equal(nack_collect(&n, out, 16, 0), 1);
    assert_int_equal(nack_collect(&n, out, 16, 501 * MS), 0);
    assert_int_equal(nack_lost(&n), 1);
    assert_int_equal(nack_deadline(&n), MONO_NEVER);
}

static void skipped_time_is_not_asked_for(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[16];
    nack_init(&n, KEEP);
    nack_input(&n, 1, false, 0);
    nack_input(&n, 5, false, 0);
    nack_skip(&n, 30);
    assert_int_equal(nack_deadline(&n), MONO_NEVER);
    nack_input(&n, 31, false, 0);
    assert_int_equal(nack_collect(&n, out, 16, 0), 0);
    nack_input(&n, 33, false, 0);
    assert_int_equal(nack_collect(&n, out, 16, 0), 1);
    assert_int_equal(out[0], 32);
    assert_int_equal(nack_lost(&n), 0);
}

static void jump_and_overflow_stay_bounded(void **state)
{
    (void)state;
    struct nack n;
    int64_t out[NACK_MISSING_MAX];
    nack_init(&n, KEEP);
    nack_input(&n, 1, false, 0);
    nack_input(&n, 100000, false, 0);
    assert_int_equal(n.count, 0);
    assert_true(nack_lost(&n) > 0);
    for (int64_t i = 0; i < 1000; i++) {
        nack_input(&n, 100000 + 3 * i, false, 0);
        assert_true(n.count <= NACK_MISSING_MAX);
    }
    uint32_t count = nack_collect(&n, out, NACK_MISSING_MAX, 0);
    assert_true(count <= NACK_MISSING_MAX && count > NACK_MISSING_MAX - 3);
    for (uint32_t i = 1; i < count; i++) {
        assert_true(out[i] > out[i - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(gap_is_asked_for_at_once_and_only_once),
        UNIT(arrival_closes_the_gap_and_tells_the_round_trip),
        UNIT(a_packet_held_up_on_its_way_tells_nothing),
        UNIT(tries_keep_the_pace_of_the_round_trip),
        UNIT(a_lost_picture_is_asked_for_all_its_time),
        UNIT(retries_wait_longer_and_end),
        UNIT(old_gaps_are_given_up_by_age),
        UNIT(skipped_time_is_not_asked_for),
        UNIT(jump_and_overflow_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
