/* Named scenarios: what happens in a world, and what must be true afterwards. */
#pragma once

#include "tests/sim/sim.h"

struct scenario {
    const char *name;
    unsigned shards;
    uint32_t loudest;
    /* Plays the scenario; violations are counted in the world. */
    void (*run_h)(struct world *w);
};

extern const struct scenario scenarios[];
extern const unsigned scenarios_count;

/* A world drawn from its seed: people, links, moves; shards 1 .. 3. */
void scenario_random(struct world *w);

/* Fails unless cond; text says what was expected. */
#define EXPECT(w, cond, ...)                                                                       \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            world_fail(w, __VA_ARGS__);                                                            \
        }                                                                                          \
    } while (0)
