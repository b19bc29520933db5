/*
 * Who goes to which workshop: people into rooms by one of the rules of a trainer. Pinned people
 * stay where they are, everybody else is dealt anew, so that asking again reshuffles the rest.
 * Invariants: deterministic for a given rng; no room over its capacity unless pins put it there; a
 * person without a place left gets DIST_NONE; room sizes of the even rules differ by at most one
 * where pins and capacities allow it.
 * Out of scope: who the people are, the journal (ws_draft.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"

enum { DIST_ROOMS_MAX = 100, DIST_NONE = 0xffff };

enum dist_how {
    DIST_EVEN,  /* at random, rooms of equal size */
    DIST_LABEL, /* people of one label (group, tag) together */
    DIST_LAST,  /* as last time; whoever was not there at random */
    DIST_MIX,   /* with people one has met least so far */
};

struct dist_person {
    uint16_t pinned; /* room, or DIST_NONE */
    uint16_t last;   /* room of last time, or DIST_NONE */
    uint32_t label;  /* 0 = none */
    uint16_t room;   /* result */
};

struct dist_input {
    struct dist_person *people;
    size_t count;
    uint16_t capacity[DIST_ROOMS_MAX]; /* 0 = no limit */
    uint16_t rooms;                    /* 1 .. DIST_ROOMS_MAX */
    const uint8_t *met; /* count x count: how often i and j were together; NULL = never. DIST_MIX */
};

/* Sets people[].room. 0 or E_RANGE. */
int distribute(struct dist_input *in, enum dist_how how, const struct rng *rng);
