/*
 * The minutes of a session: what those who lead note while it goes on (a decision, a task, a
 * point). Order and times of those who spoke are in the events of the floor; both together are read
 * from the journal afterwards (server/app/office_minutes.c). A pure machine over the events
 * 132-139. Invariants: an id stands once in the list; the list is that of one session, oldest
 * first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/schema/id.h"

struct state;
struct rtext;

enum minute_kind { MINUTE_DECISION = 0, MINUTE_TASK, MINUTE_POINT, MINUTE_KINDS };

enum { MINUTES_MAX = 60 };

struct minute {
    struct id id;
    struct id by;
    wall_ms at;
    uint8_t kind;
    struct rtext *name; /* of the author at that time; NULL once erased */
    struct rtext *text; /* NULL once erased */
};

struct minutes {
    struct minute list[MINUTES_MAX];
    uint32_t count;
};

extern const struct state_part minutes_part;

/* Index in the list, or -1. */
int minutes_find(const struct minutes *m, const struct id *id);
/* What a person wrote is erased, and with `whole` the name too. */
void minutes_forget(struct state *s, const struct id *person, bool whole);
