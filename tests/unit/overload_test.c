#include "tests/unit/support.h"

#include "server/proto/overload.h"

enum { WINDOW = 250 * US_PER_MS };

/* Feeds the same sample for a time; how many steps it went (down is negative). */
static int feed(struct overload *o, mono_us *now, uint32_t busy, mono_us delay, mono_us time)
{
    const struct overload_sample s = {.busy_permille = busy, .delay_us = delay};
    int before = o->step;
    for (mono_us end = *now + time; *now < end; *now += WINDOW) {
        int step = o->step;
        bool changed = overload_input(o, &s, *now);
        assert_int_equal(changed, o->step != step);
        assert_true(o->step - step <= 1 && step - o->step <= 1);
    }
    return o->step - before;
}

static void it_takes_heat_for_a_while(void **state)
{
    (void)state;
    struct overload o;
    mono_us now = 1000;
    overload_init(&o);
    assert_int_equal(feed(&o, &now, 700, 1000, 60 * US_PER_S), 0);
    assert_int_equal(feed(&o, &now, 900, 1000, US_PER_S), 0); /* a moment only */
    assert_int_equal(feed(&o, &now, 700, 1000, US_PER_S), 0);
    assert_int_equal(feed(&o, &now, 900, 1000, 2500 * US_PER_MS), 1);
    assert_int_equal(o.step, OVERLOAD_LAST_N);
}

static void delay_alone_is_heat_too(void **state)
{
    (void)state;
    struct overload o;
    mono_us now = 0;
    overload_init(&o);
    assert_int_equal(feed(&o, &now, 100, 90 * US_PER_MS, 9 * US_PER_S), 0); /* not our doing */
    assert_int_equal(feed(&o, &now, 500, 25 * US_PER_MS, 2500 * US_PER_MS), 1);
    assert_true(feed(&o, &now, 500, 100 * US_PER_MS, 3 * US_PER_S) >= 3);
    assert_int_equal(o.step, OVERLOAD_JOINS);
    assert_int_equal(feed(&o, &now, 1000, 100 * US_PER_MS, 10 * US_PER_S), 0); /* the last one */
}

static void calm_brings_everything_back_slowly(void **state)
{
    (void)state;
    struct overload o;
    mono_us now = 0;
    overload_init(&o);
    feed(&o, &now, 1000, 0, 10 * US_PER_S);
    assert_int_equal(o.step, OVERLOAD_JOINS);
    assert_int_equal(feed(&o, &now, 750, 1000, 60 * US_PER_S), 0); /* neither hot nor calm: stays */
    assert_int_equal(feed(&o, &now, 300, 1000, 9 * US_PER_S), 0);
    assert_int_equal(feed(&o, &now, 300, 1000, 2 * US_PER_S), -1);
    feed(&o, &now, 300, 1000, 60 * US_PER_S);
    assert_int_equal(o.step, OVERLOAD_NONE);
}

static void load_at_the_edge_does_not_flap(void **state)
{
    (void)state;
    struct overload o;
    mono_us now = 0;
    int changes = 0;
    overload_init(&o);
    for (unsigned i = 0; i < 400; i++) {
        const struct overload_sample s = {.busy_permille = i % 3 ? 840 : 870};
        changes += overload_input(&o, &s, now);
        now += WINDOW;
    }
    assert_int_equal(changes, 0);
}

static void each_step_sheds_what_the_one_before_did(void **state)
{
    (void)state;
    for (unsigned step = 1; step < OVERLOAD_STEPS; step++) {
        const struct overload_limits *a = overload_limits(step - 1);
        const struct overload_limits *b = overload_limits(step);
        assert_true(b->video_max <= a->video_max && b->temporal_max <= a->temporal_max);
        assert_true(b->new_video <= a->new_video && b->joins <= a->joins);
        assert_string_not_equal(overload_name(step), overload_name(step - 1));
    }
    assert_true(overload_limits(OVERLOAD_NONE)->joins);
    assert_false(overload_limits(OVERLOAD_JOINS)->joins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(it_takes_heat_for_a_while),
        UNIT(delay_alone_is_heat_too),
        UNIT(calm_brings_everything_back_slowly),
        UNIT(load_at_the_edge_does_not_flap),
        UNIT(each_step_sheds_what_the_one_before_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
