/*
 * Bearer tokens of the standard doors that were made for a class (WHIP, WHEP), and which of them
 * were withdrawn before they expire. A pure machine over the events 220-229. A token itself is
 * nowhere: it is known by its id (token_id in signaling/class/token.h).
 * Invariants: an id stands once in the list; what is withdrawn stays there until it has expired,
 * since only that keeps it out; a token nobody noted (of an earlier release) works until withdrawn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/schema/id.h"

struct state;
struct rtext;

enum { PASSES_MAX = 100 };

struct pass {
    struct id id;
    struct id owner; /* whose key its name is kept under: the publisher, or the id itself */
    wall_ms made_at;
    wall_ms expires_at;
    struct rtext *name; /* NULL: none, or erased */
    bool publish;
    bool withdrawn;
};

struct passes {
    struct pass list[PASSES_MAX];
    uint32_t count;
};

extern const struct state_part passes_part;

/* Index in the list, or -1. */
int passes_find(const struct passes *p, const struct id *id);
/* True when this token opens nothing any more. */
bool passes_withdrawn(const struct passes *p, const struct id *id);
/* True when one more can be noted at this time: expired ones make room. */
bool passes_room(const struct passes *p, wall_ms now);
/* The name a person gave a camera is erased. */
void passes_forget(struct state *s, const struct id *person);
