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
        UNIT(nobody_until_somebody_speaks), UNIT(the_floor_passes_within_a_second_and_a_half),
        UNIT(a_cough_takes_nothing),        UNIT(a_pause_loses_nothing),
        UNIT(a_dialogue_follows_the_turns), UNIT(recent_speakers_are_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
