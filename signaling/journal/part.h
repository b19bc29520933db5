/*
 * The features of a class as parts of its state: each owns a block of event numbers, a section of
 * the snapshot and its own memory (part.c lists them). The fold and the snapshot know only this.
 * Invariants: an event of a block folds in its part alone; a part without section in a snapshot is
 * as after init; fold_h either does the whole event or nothing.
 * Out of scope: commands and what people are told (signaling/class/part.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/journal/event.h"
#include "signaling/journal/state.h"

struct state_part {
    uint16_t tag; /* of the snapshot section; never changes, never 0 */
    uint16_t first;
    uint16_t last;
    /* 0 or E_CORRUPT; may not need memory that init_h or a reservation did not take. */
    int (*fold_h)(struct state *s, const struct event *e);
    /* Any of these may be NULL. */
    int (*init_h)(struct state *s); /* 0 or E_NOMEM */
    void (*fini_h)(struct state *s);
    /* A seat is about to be given up. */
    void (*vacate_h)(struct state *s, struct seat *seat, const struct event *e);
    /* A seat has come to another room. */
    void (*moved_h)(struct state *s, struct seat *seat, uint16_t from, const struct event *e);
    /* The session has ended; seats are gone already. */
    void (*closed_h)(struct state *s, const struct event *e);
    int (*put_h)(struct wr *w, const struct state *s, const struct sealer *sealer);
    /* Reads all of r; 0, E_CORRUPT, E_VERSION, E_NOMEM. */
    int (*get_h)(struct state *s, struct rd *r, const struct sealer *sealer);
};

/* i-th part, or NULL behind the last. */
const struct state_part *state_part(size_t i);

int parts_init(struct state *s);
void parts_fini(struct state *s);
int parts_fold(struct state *s, const struct event *e);
void parts_vacate(struct state *s, struct seat *seat, const struct event *e);
void parts_moved(struct state *s, struct seat *seat, uint16_t from, const struct event *e);
void parts_closed(struct state *s, const struct event *e);
/* Sections: u16 count, then u16 tag, u32 length, bytes each. */
int parts_put(struct wr *w, const struct state *s, const struct sealer *sealer);
int parts_get(struct state *s, struct rd *r, const struct sealer *sealer);
