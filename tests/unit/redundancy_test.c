#include "tests/unit/support.h"

#include "server/proto/redundancy.h"

enum { S = US_PER_S };

/* A second of a voice of which this share is lost. */
static unsigned second(struct redundancy *r, double loss, mono_us now)
{
    return redundancy_input(r, REDUNDANCY_REPORT, 50, 50 * loss, now);
}

static unsigned seconds(struct redundancy *r, double loss, unsigned n, mono_us *now)
{
    unsigned depth = 0;
    for (unsigned i = 0; i < n; i++) {
        depth = second(r, loss, *now += S);
    }
    return depth;
}

static void depth_follows_the_loss(void **state)
{
    (void)state;
    struct redundancy r = {0};
    mono_us now = 0;
    assert_int_equal(seconds(&r, 0, 10, &now), 0);
    assert_int_equal(seconds(&r, 0.005, 20, &now), 0);
    assert_int_equal(seconds(&r, 0.03, 10, &now), 1);
    assert_int_equal(second(&r, 0.2, now += S), 2);
}

static void one_lost_packet_is_no_share(void **state)
{
    (void)state;
    for (unsigned first = 8; first <= 80; first += 8) {
        struct redundancy r = {0};
        mono_us now = 0;
        assert_int_equal(redundancy_input(&r, REDUNDANCY_FEEDBACK, first, 1, now), 0);
        assert_int_equal(redundancy_input(&r, REDUNDANCY_REPORT, first, 1, now), 0);
        assert_int_equal(seconds(&r, 0, 60, &now), 0);
    }
    /* Nor are single ones far apart. */
    struct redundancy r = {0};
    for (mono_us now = 0; now < 300 * S; now += 5 * S) {
        assert_int_equal(redundancy_input(&r, REDUNDANCY_FEEDBACK, 250, 1, now), 0);
    }
}

static void a_bad_path_is_known_soon(void **state)
{
    (void)state;
    struct redundancy r = {0};
    mono_us now = 0;
    unsigned packets = 0;
    while (redundancy_input(&r, REDUNDANCY_FEEDBACK, 5, 1, now) < 2) {
        now += 100 * US_PER_MS;
        packets += 5;
        assert_true(packets <= 25);
    }
}

static void a_crowd_of_packets_outweighs_what_is_old(void **state)
{
    (void)state;
    struct redundancy r = {0};
    mono_us now = 0;
    assert_int_equal(redundancy_input(&r, REDUNDANCY_FEEDBACK, 1000, 200, now), 2);
    for (unsigned i = 0; i < 100; i++) { /* ten seconds of many pictures, all there */
        redundancy_input(&r, REDUNDANCY_FEEDBACK, 100, 0, now += 100 * US_PER_MS);
    }
    assert_int_equal(r.depth, 1);
}

static void it_calms_down_slowly_and_in_steps(void **state)
{
    (void)state;
    struct redundancy r = {0};
    mono_us now = 0;
    unsigned depth = seconds(&r, 0.3, 4, &now);
    mono_us calm = now;
    unsigned changes = 0;
    while (now < 90 * S) {
        unsigned next = second(&r, 0, now += S);
        assert_true(next == depth || next + 1 == depth);
        changes += next != depth;
        assert_true(now - calm > REDUNDANCY_CALM_US - S || next == 2);
        depth = next;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(changes, 2);
}

static void loss_around_the_limit_does_not_flicker(void **state)
{
    (void)state;
    struct redundancy r = {0};
    mono_us now = 0;
    unsigned changes = 0;
    unsigned depth = seconds(&r, 0.02, 10, &now);
    assert_int_equal(depth, 1);
    while (now < 300 * S) {
        now += S;
        unsigned next = second(&r, now / S % 2 ? 0.016 : 0.008, now);
        changes += next != depth;
        depth = next;
    }
    assert_int_equal(changes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(depth_follows_the_loss),
        UNIT(one_lost_packet_is_no_share),
        UNIT(a_bad_path_is_known_soon),
        UNIT(a_crowd_of_packets_outweighs_what_is_old),
        UNIT(it_calms_down_slowly_and_in_steps),
        UNIT(loss_around_the_limit_does_not_flicker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
