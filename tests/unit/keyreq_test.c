#include "tests/unit/support.h"

#include <stdbool.h>

#include "server/proto/keyreq.h"

enum { MS = US_PER_MS };

static void first_request_goes_out_at_once(void **state)
{
    (void)state;
    struct keyreq k = {0};
    assert_int_equal(keyreq_deadline(&k), MONO_NEVER);
    keyreq_ask(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, 5), 1);
    assert_int_equal(keyreq_poll(&k, NULL, 6), 0);
}

static void flood_is_held_to_the_limits(void **state)
{
    (void)state;
    struct keyreq k = {0};
    mono_us sent[1000];
    unsigned n = 0;
    for (mono_us now = 0; now < 40 * US_PER_S; now += MS) {
        keyreq_ask(&k, 1);
        if (keyreq_poll(&k, NULL, now)) {
            sent[n++] = now;
            keyreq_answered(&k, 0); /* the key frame comes at once: the worst case */
        }
    }
    assert_in_range(n, 38, 41);
    for (unsigned i = 1; i < n; i++) {
        assert_true(sent[i] - sent[i - 1] >= KEYREQ_GAP_US);
        assert_true(i < KEYREQ_BURST || sent[i] - sent[i - KEYREQ_BURST] >= KEYREQ_WINDOW_US);
    }
}

static void requests_of_layers_are_merged(void **state)
{
    (void)state;
    struct keyreq k = {0};
    keyreq_ask(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, 0), 1);
    keyreq_ask(&k, 2);
    keyreq_ask(&k, 4);
    assert_int_equal(keyreq_poll(&k, NULL, 100 * MS), 0);
    assert_int_equal(keyreq_deadline(&k), KEYREQ_GAP_US);
    assert_int_equal(keyreq_poll(&k, NULL, KEYREQ_GAP_US), 6);
}

static void unanswered_request_is_repeated_until_nobody_waits(void **state)
{
    (void)state;
    struct keyreq k = {0};
    keyreq_ask(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, 0), 1);
    assert_int_equal(keyreq_deadline(&k), KEYREQ_RETRY_US);
    assert_int_equal(keyreq_poll(&k, NULL, KEYREQ_RETRY_US), 1);
    keyreq_cancel(&k, 1);
    assert_int_equal(keyreq_deadline(&k), MONO_NEVER);
    assert_int_equal(keyreq_poll(&k, NULL, 10 * US_PER_S), 0);
}

/* An encoder may need its time: each repetition waits twice as long, five seconds at most. */
static void repetitions_become_rare_and_go_on(void **state)
{
    (void)state;
    static const mono_us after_ms[] = {600, 1200, 2400, 4800, 4800, 4800};
    struct keyreq k = {0};
    mono_us now = 0;
    keyreq_ask(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, now), 1);
    for (unsigned i = 0; i < sizeof(after_ms) / sizeof(after_ms[0]); i++) {
        now += after_ms[i] * MS;
        assert_int_equal(keyreq_deadline(&k), now);
        assert_int_equal(keyreq_poll(&k, NULL, now - 1), 0);
        assert_int_equal(keyreq_poll(&k, NULL, now), 1);
    }
    keyreq_answered(&k, 0);
    keyreq_ask(&k, 1); /* it was answered: the next one begins anew */
    assert_int_equal(keyreq_poll(&k, NULL, now + 1000 * MS), 1);
    assert_int_equal(keyreq_deadline(&k), now + 1600 * MS);
}

static void answered_request_is_not_repeated(void **state)
{
    (void)state;
    struct keyreq k = {0};
    keyreq_ask(&k, 3);
    assert_int_equal(keyreq_poll(&k, NULL, 0), 3);
    keyreq_answered(&k, 0);
    assert_int_equal(keyreq_poll(&k, NULL, KEYREQ_RETRY_US), 2);
}

/* Who only waits for a better picture leaves room for who has none. */
static void what_can_wait_leaves_room(void **state)
{
    (void)state;
    struct keyreq k = {0};
    bool urgent = true;
    unsigned n = 0;
    keyreq_ask_later(&k, 1);
    assert_int_equal(keyreq_poll(&k, &urgent, 0), 1); /* nothing was asked before: at once */
    assert_false(urgent);
    keyreq_answered(&k, 0);
    keyreq_ask_later(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, KEYREQ_GAP_US), 1); /* the second of a window too */
    keyreq_answered(&k, 0);
    for (mono_us now = KEYREQ_GAP_US; now < KEYREQ_GAP_US + 10 * US_PER_S; now += MS) {
        keyreq_ask_later(&k, 1);
        n += keyreq_poll(&k, NULL, now) != 0;
        keyreq_answered(&k, 0);
    }
    assert_in_range(n, 6, 7);
    keyreq_ask_later(&k, 2);
    keyreq_ask(&k, 1); /* somebody has no picture: both are asked for together */
    assert_int_equal(keyreq_poll(&k, &urgent, KEYREQ_GAP_US + 11 * US_PER_S), 3);
    assert_true(urgent);
}

/* Who does not want the better picture any more before it was asked for takes his wish back; what
 * others need is asked all the same. */
static void a_wish_for_better_is_taken_back(void **state)
{
    (void)state;
    struct keyreq k = {0};
    keyreq_ask_later(&k, 1);
    keyreq_unask_later(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, 0), 0);
    assert_true(keyreq_deadline(&k) == MONO_NEVER);
    keyreq_ask_later(&k, 3);
    keyreq_ask(&k, 1);
    keyreq_unask_later(&k, 1);
    assert_int_equal(keyreq_poll(&k, NULL, 0), 3);
    keyreq_unask_later(&k, 3); /* they are out: unanswered, they are repeated */
    assert_true(keyreq_deadline(&k) != MONO_NEVER);
}

/* Whenever the crowd comes, and whatever it asks: n seconds hold n requests and the one they begin
 * with, never more. */
static void crowd_hears_one_a_second(void **state)
{
    (void)state;
    for (mono_us comes = 0; comes < 5 * US_PER_S; comes += 70 * MS) {
        struct keyreq k = {0};
        mono_us sent[64];
        unsigned n = 0;
        unsigned before = 0;
        for (mono_us now = 0; now < 20 * US_PER_S; now += 5 * MS) {
            k.crowd = now >= comes;
            keyreq_ask(&k, (uint8_t)(1u << now / MS % 3));
            keyreq_ask_later(&k, 7);
            if (keyreq_poll(&k, NULL, now)) {
                assert_true(n < 64);
                sent[n++] = now;
                before += !k.crowd;
                keyreq_answered(&k, (unsigned)(now / MS % 2)); /* some are not answered at all */
            }
            assert_true(keyreq_deadline(&k) > now);
        }
        assert_in_range(n - before, (unsigned)((20 * US_PER_S - comes) / US_PER_S - 5), 21);
        for (unsigned i = before; i < n; i++) {
            for (unsigned back = 1; back <= i && back <= KEYREQ_BURST; back++) {
                assert_true(sent[i] - sent[i - back] >= back * (mono_us)US_PER_S);
            }
        }
    }
}

static void what_went_into_a_dead_path_is_asked_again_at_once(void **state)
{
    (void)state;
    struct keyreq k = {0};
    unsigned vain = 0;
    mono_us now = US_PER_S;
    for (; now < 9 * US_PER_S; now += 5 * MS) {
        keyreq_ask(&k, 5);
        vain += keyreq_poll(&k, NULL, now) != 0;
    }
    assert_in_range(vain, 3, 8);
    assert_true(keyreq_deadline(&k) > now + 400 * MS);
    assert_true(keyreq_asked(&k, 0) < now && keyreq_asked(&k, 1) == MONO_NEVER);
    keyreq_unheard(&k);
    assert_true(keyreq_asked(&k, 0) == MONO_NEVER);
    assert_int_equal(keyreq_poll(&k, NULL, now), 5);
    assert_true(keyreq_asked(&k, 0) == now && keyreq_asked(&k, 2) == now);
    assert_true(keyreq_deadline(&k) == now + KEYREQ_RETRY_US);
    keyreq_answered(&k, 2);
    assert_true(keyreq_asked(&k, 2) == MONO_NEVER);
    keyreq_answered(&k, 0);
    keyreq_unheard(&k); /* nobody waits: nothing to ask */
    assert_int_equal(keyreq_poll(&k, NULL, now + US_PER_S), 0);
}

static void gate_lets_three_in_ten_seconds_pass(void **state)
{
    (void)state;
    struct keyreq_gate gate = {0};
    unsigned passed = 0;
    for (mono_us now = US_PER_S; now < 31 * US_PER_S; now += 20 * MS) {
        passed += keyreq_gate_pass(&gate, now);
    }
    assert_in_range(passed, 11, 13); /* three at once, then one every 3.3 s for 30 s */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(first_request_goes_out_at_once),
        UNIT(flood_is_held_to_the_limits),
        UNIT(requests_of_layers_are_merged),
        UNIT(unanswered_request_is_repeated_until_nobody_waits),
        UNIT(repetitions_become_rare_and_go_on),
        UNIT(answered_request_is_not_repeated),
        UNIT(what_can_wait_leaves_room),
        UNIT(a_wish_for_better_is_taken_back),
        UNIT(crowd_hears_one_a_second),
        UNIT(what_went_into_a_dead_path_is_asked_again_at_once),
        UNIT(gate_lets_three_in_ten_seconds_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
