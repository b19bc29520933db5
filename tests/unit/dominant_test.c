#include "tests/unit/support.h"

#include "server/proto/dominant.h"

enum { A, B, C, PEOPLE };

struct table {
    struct dominant_member person[PEOPLE];
    struct dominant_member *all[PEOPLE];
    int present;
    mono_us now;
    unsigned changes;
};

static void table_init(struct table *t)
{
    *t = (struct table){.present = -1, .now = US_PER_S};
    for (unsigned i = 0; i < PEOPLE; i++) {
        t->all[i] = &t->person[i];
    }
}

/* Everybody sends at his level (-dBov) for a time, a decision every 200 ms as in a room. */
static void talk(struct table *t, uint8_t a, uint8_t b, uint8_t c, unsigned ms)
{
    const uint8_t level[PEOPLE] = {a, b, c};
    for (unsigned passed = 0; passed < ms; passed += 20) {
        for (unsigned i = 0; i < PEOPLE; i++) {
            dominant_level(&t->person[i], level[i], level[i] < 60, t->now);
        }
        t->now += 20 * US_PER_MS;
        if (t->now / US_PER_MS % 200 == 0) {
            int before = t->present;
            t->present = dominant_choose(t->all, PEOPLE, t->present, t->now);
            t->changes += before != t->present;
        }
    }
}

static void nobody_until_somebody_speaks(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    talk(&t, 127, 90, 127, 5000);
    assert_int_equal(t.present, -1);
    talk(&t, 127, 30, 127, 1000);
    assert_int_equal(t.present, B);
}

static void the_floor_passes_within_a_second_and_a_half(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    talk(&t, 30, 127, 127, 3000);
    assert_int_equal(t.present, A);
    talk(&t, 127, 127, 35, 1600);
    assert_int_equal(t.present, C);
    assert_int_equal(t.changes, 2);
}

static void a_cough_takes_nothing(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    talk(&t, 35, 127, 127, 3000);
    for (unsigned i = 0; i < 10; i++) {
        talk(&t, 35, 5, 127, 60);
        talk(&t, 35, 127, 127, 740);
    }
    assert_int_equal(t.present, A);
    assert_int_equal(t.changes, 1);
}

static void a_pause_loses_nothing(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    talk(&t, 30, 127, 127, 3000);
    for (unsigned i = 0; i < 5; i++) {
        talk(&t, 127, 62, 127, 900); /* others only breathe */
        talk(&t, 30, 127, 127, 600);
    }
    talk(&t, 127, 127, 127, 20000); /* nor does silence */
    assert_int_equal(t.present, A);
    assert_int_equal(t.changes, 1);
}

static void a_dialogue_follows_the_turns(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    for (unsigned i = 0; i < 10; i++) {
        talk(&t, 30, 127, 127, 2500);
        assert_int_equal(t.present, A);
        talk(&t, 127, 30, 127, 2500);
        assert_int_equal(t.present, B);
    }
    assert_int_equal(t.changes, 20);
}

/* Who is silent sends one packet in 400 ms (DTX), or none at all: his second of speech is over when
 * it is over, not when fifty more packets have come. */
static void a_silent_encoder_does_not_keep_the_floor(void **state)
{
    (void)state;
    const unsigned every_ms[] = {20, 400, 100000};
    for (unsigned k = 0; k < 3; k++) {
        struct table t;
        mono_us taken = 0;
        table_init(&t);
        talk(&t, 30, 127, 127, 3000);
        assert_int_equal(t.present, A);
        for (unsigned passed = 20; passed <= 1600; passed += 20) {
            dominant_level(&t.person[B], 30, true, t.now);
            if (passed % every_ms[k] == 0) {
                dominant_level(&t.person[A], 127, false, t.now);
            }
            t.now += 20 * US_PER_MS;
            if (passed % 200 == 0) {
                t.present = dominant_choose(t.all, PEOPLE, t.present, t.now);
                taken = t.present == B && !taken ? passed * US_PER_MS : taken;
            }
        }
        assert_int_equal(t.present, B);
        assert_in_range(taken, 400 * US_PER_MS, 1200 * US_PER_MS);
    }
}

/* Two who talk at once, one clearly louder now and then: the floor does not run to and fro. */
static void talking_over_each_other_passes_nothing(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    talk(&t, 32, 127, 127, 3000);
    for (unsigned i = 0; i < 20; i++) {
        talk(&t, 36, 24, 127, 500);
        talk(&t, 30, 40, 127, 500);
    }
    assert_int_equal(t.present, A);
    assert_int_equal(t.changes, 1);
    talk(&t, 127, 24, 127, 1600); /* until the other really has it for himself */
    assert_int_equal(t.present, B);
}

/* A packet of loss and jitter is not a pause: what comes in bursts scores as what comes evenly. */
static void jitter_is_no_pause(void **state)
{
    (void)state;
    struct table even;
    struct table jerky;
    table_init(&even);
    table_init(&jerky);
    for (unsigned ms = 0; ms < 3000; ms += 20) {
        even.now += 20 * US_PER_MS;
        dominant_level(&even.person[A], 30, true, even.now);
        jerky.now = even.now;
        for (unsigned n = 0; n < 8 && ms % 160 == 140; n++) {
            dominant_level(&jerky.person[A], 30, true, jerky.now);
        }
    }
    assert_int_equal(dominant_choose(even.all, PEOPLE, -1, even.now), A);
    assert_int_equal(dominant_choose(jerky.all, PEOPLE, -1, jerky.now), A);
    assert_float_equal(even.person[A].large, jerky.person[A].large, 0);
    assert_float_equal(even.person[A].medium, jerky.person[A].medium, 0);
}

static void recent_speakers_are_newest_first(void **state)
{
    (void)state;
    struct dominant_recent r = {0};
    const uint64_t turns[] = {1, 2, 3, 1, 1, 2};
    const uint64_t after[][3] = {{1}, {2, 1}, {3, 2, 1}, {1, 3, 2}, {1, 3, 2}, {2, 1, 3}};
    const unsigned count[] = {1, 2, 3, 3, 3, 3};
    for (unsigned i = 0; i < 6; i++) {
        dominant_note(&r, turns[i]);
        assert_int_equal(r.count, count[i]);
        assert_memory_equal(r.name, after[i], count[i] * sizeof(uint64_t));
    }
    dominant_forget(&r, 1);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.name[0], 2);
    assert_int_equal(r.name[1], 3);
    dominant_forget(&r, 99);
    assert_int_equal(r.count, 2);
}

static void recent_speakers_are_listed_once(void **state)
{
    (void)state;
    struct dominant_recent r = {0};
    for (uint64_t i = 1; i <= 30; i++) {
        dominant_note(&r, i % 12 + 1);
    }
    assert_int_equal(r.count, DOMINANT_RECENT);
    assert_int_equal(r.name[0], 30 % 12 + 1);
    for (unsigned i = 0; i < r.count; i++) {
        for (unsigned k = i + 1; k < r.count; k++) {
            assert_int_not_equal(r.name[i], r.name[k]);
        }
    }
    dominant_forget(&r, r.name[3]);
    assert_int_equal(r.count, DOMINANT_RECENT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(nobody_until_somebody_speaks),
        UNIT(the_floor_passes_within_a_second_and_a_half),
        UNIT(a_cough_takes_nothing),
        UNIT(a_pause_loses_nothing),
        UNIT(a_dialogue_follows_the_turns),
        UNIT(a_silent_encoder_does_not_keep_the_floor),
        UNIT(talking_over_each_other_passes_nothing),
        UNIT(jitter_is_no_pause),
        UNIT(recent_speakers_are_newest_first),
        UNIT(recent_speakers_are_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
