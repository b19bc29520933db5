#include "tests/unit/support.h"

#include "server/proto/redundancy.h"

enum { S = US_PER_S };

static void depth_follows_the_loss(void **state)
{
    (void)state;
    struct redundancy r = {0};
    assert_int_equal(redundancy_input(&r, 0, 0), 0);
    assert_int_equal(redundancy_input(&r, 0.005, S), 0);
    assert_int_equal(redundancy_input(&r, 0.03, S), 1);
    assert_int_equal(redundancy_input(&r, 0.2, S), 2);
}

static void it_calms_down_slowly_and_in_steps(void **state)
{
    (void)state;
    struct redundancy r = {0};
    unsigned depth = redundancy_input(&r, 0.3, 0);
    unsigned changes = 0;
    for (mono_us now = 0; now < 60 * S; now += S) {
        unsigned next = redundancy_input(&r, 0, now);
        assert_true(next == depth || next + 1 == depth);
        changes += next != depth;
        assert_true(now > REDUNDANCY_CALM_US - S || next == 2);
        depth = next;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(changes, 2);
}

static void loss_around_the_limit_does_not_flicker(void **state)
{
    (void)state;
    struct redundancy r = {0};
    unsigned changes = 0;
    unsigned depth = redundancy_input(&r, 0.011, 0);
    for (mono_us now = 0; now < 300 * S; now += S) {
        unsigned next = redundancy_input(&r, now / S % 2 ? 0.011 : 0.007, now);
        changes += next != depth;
        depth = next;
    }
    assert_int_equal(changes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(depth_follows_the_loss),
        UNIT(it_calms_down_slowly_and_in_steps),
        UNIT(loss_around_the_limit_does_not_flicker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
