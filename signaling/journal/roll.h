/*
 * Who answers when asked whether he is there (classroom.md 4.6): the presence check that runs, and
 * when the next one comes by itself. What counts of it is folded elsewhere (signaling/attendance);
 * the other events of this block are facts for that fold and change nothing here.
 * Invariants: one check at a time; only whoever had a seat when it was asked is asked; its end is
 * class time.
 * Out of scope: commands and telling (signaling/class/roll.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/schema/id.h"

struct state;
struct person;
struct state_part;

enum roll_asked { ROLL_NOT_ASKED = 0, ROLL_ASKED, ROLL_ANSWERED };
enum { ROLL_ROUNDS = 2 }; /* who misses one is asked once more */

struct roll {
    struct id check; /* zero = none runs */
    struct id by;    /* zero = by itself */
    uint8_t round;
    int64_t due;    /* it ends */
    int64_t next;   /* the next by itself; 0 = none */
    uint32_t asked; /* checks of this session */
};

extern const struct state_part roll_part;

/* Is this person among those a check asks? */
bool roll_asks(const struct person *person);
/* People present of whom the running check asks, and how many have answered. */
void roll_tally(const struct state *state, uint32_t *asked, uint32_t *answered);
