/* Six ways into workshops: what each promises, with pins, capacities and another try. */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/distribute.h"

enum { MANY = 60 };

struct scene {
    struct rng_seeded seeded;
    struct rng rng;
    struct dist_person people[MANY];
    uint8_t met[MANY * MANY];
    struct dist_input in;
};

static void open_scene(struct scene *s, size_t count, uint16_t rooms, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    rng_seed(&s->seeded, seed);
    s->rng = rng_from_seeded(&s->seeded);
    s->in = (struct dist_input){.people = s->people, .count = count, .rooms = rooms};
    for (size_t i = 0; i < count; i++) {
        s->people[i].pinned = DIST_NONE;
        s->people[i].last = DIST_NONE;
    }
}

static void sizes(const struct scene *s, unsigned out[DIST_ROOMS_MAX])
{
    memset(out, 0, sizeof(unsigned) * DIST_ROOMS_MAX);
    for (size_t i = 0; i < s->in.count; i++) {
        if (s->people[i].room != DIST_NONE) {
            assert_true(s->people[i].room < s->in.rooms);
            out[s->people[i].room]++;
        }
    }
}

static void even_rooms_differ_by_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct scene s;
        unsigned size[DIST_ROOMS_MAX];
        open_scene(&s, 7 + seed % 50, (uint16_t)(1 + seed % 9), seed);
        assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), 0);
        sizes(&s, size);
        for (unsigned r = 0; r < s.in.rooms; r++) {
            unsigned least = (unsigned)s.in.count / s.in.rooms;
            assert_true(size[r] == least || size[r] == least + 1);
        }
    }
}

static void pins_stay_and_the_rest_is_dealt_anew(void **state)
{
    (void)state;
    struct scene s;
    uint16_t first[MANY];
    unsigned moved = 0;
    open_scene(&s, 30, 5, 3);
    s.people[4].pinned = 2;
    s.people[9].pinned = 2;
    s.people[20].pinned = 0;
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), 0);
        assert_int_equal(s.people[4].room, 2);
        assert_int_equal(s.people[9].room, 2);
        assert_int_equal(s.people[20].room, 0);
        for (size_t i = 0; i < s.in.count; i++) {
            moved += round > 0 && first[i] != s.people[i].room;
            first[i] = s.people[i].room;
        }
    }
    assert_true(moved > 40);
}

static void same_seed_same_rooms(void **state)
{
    (void)state;
    struct scene a;
    struct scene b;
    for (int how = DIST_EVEN; how <= DIST_MIX; how++) {
        open_scene(&a, 40, 6, 11);
        open_scene(&b, 40, 6, 11);
        assert_int_equal(distribute(&a.in, (enum dist_how)how, &a.rng), 0);
        assert_int_equal(distribute(&b.in, (enum dist_how)how, &b.rng), 0);
        assert_memory_equal(a.people, b.people, sizeof(a.people));
    }
}

static void labels_stay_together(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 24, 4, 5);
    for (size_t i = 0; i < 20; i++) {
        s.people[i].label = (uint32_t)(1 + i % 4);
    }
    assert_int_equal(distribute(&s.in, DIST_LABEL, &s.rng), 0);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(s.people[i].room, i % 4); /* the first group named in the first room */
    }
    unsigned size[DIST_ROOMS_MAX];
    sizes(&s, size);
    for (unsigned r = 0; r < 4; r++) {
        assert_int_equal(size[r], 6); /* who has none fills up */
    }
    /* A pinned member draws the others along. */
    s.people[5].pinned = 3;
    assert_int_equal(distribute(&s.in, DIST_LABEL, &s.rng), 0);
    for (size_t i = 1; i < 20; i += 4) {
        assert_int_equal(s.people[i].room, 3);
    }
}

static void capacity_is_kept(void **state)
{
    (void)state;
    for (int how = DIST_EVEN; how <= DIST_MIX; how++) {
        struct scene s;
        unsigned size[DIST_ROOMS_MAX];
        unsigned placed = 0;
        open_scene(&s, 20, 3, 8);
        s.in.capacity[0] = 2;
        s.in.capacity[1] = 5;
        s.in.capacity[2] = 6;
        for (size_t i = 0; i < s.in.count; i++) {
            s.people[i].label = (uint32_t)(1 + i % 2);
            s.people[i].last = 0;
        }
        assert_int_equal(distribute(&s.in, (enum dist_how)how, &s.rng), 0);
        sizes(&s, size);
        for (unsigned r = 0; r < 3; r++) {
            assert_int_equal(size[r], s.in.capacity[r]);
            placed += size[r];
        }
        assert_int_equal(placed, 13); /* the others have no place, and it says so */
    }
}

static void last_time_comes_back(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 18, 3, 9);
    for (size_t i = 0; i < 15; i++) {
        s.people[i].last = (uint16_t)(i % 3);
    }
    s.people[2].last = 7; /* a room there is no more */
    assert_int_equal(distribute(&s.in, DIST_LAST, &s.rng), 0);
    for (size_t i = 0; i < 15; i++) {
        if (i != 2) {
            assert_int_equal(s.people[i].room, i % 3);
        }
    }
    unsigned size[DIST_ROOMS_MAX];
    sizes(&s, size);
    assert_int_equal(size[0] + size[1] + size[2], 18);
    assert_int_equal(size[2], 6);
}

static unsigned again(const struct scene *s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < s->in.count; i++) {
        for (size_t j = i + 1; j < s->in.count; j++) {
            sum += s->people[i].room == s->people[j].room ? s->met[i * s->in.count + j] : 0;
        }
    }
    return sum;
}

static void mixing_lets_people_meet_others(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 16, 4, 21);
    s.in.met = s.met;
    unsigned repeats = 0;
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(distribute(&s.in, DIST_MIX, &s.rng), 0);
        repeats += again(&s);
        for (size_t i = 0; i < 16; i++) {
            for (size_t j = 0; j < 16; j++) {
                s.met[i * 16 + j] =
                    (uint8_t)(s.met[i * 16 + j] + (i != j && s.people[i].room == s.people[j].room));
            }
        }
    }
    /* Drawn at random 4 x 4 people meet again about 14 times in four rounds. */
    assert_true(repeats <= 5);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 3, 0, 1);
    assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), E_RANGE);
    s.in.rooms = DIST_ROOMS_MAX + 1;
    assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), E_RANGE);
    s.in.rooms = 1;
    s.in.count = 5000;
    assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), E_RANGE);
    s.in.count = 0;
    assert_int_equal(distribute(&s.in, DIST_EVEN, &s.rng), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(even_rooms_differ_by_one),
        UNIT(pins_stay_and_the_rest_is_dealt_anew),
        UNIT(same_seed_same_rooms),
        UNIT(labels_stay_together),
        UNIT(capacity_is_kept),
        UNIT(last_time_comes_back),
        UNIT(mixing_lets_people_meet_others),
        UNIT(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
