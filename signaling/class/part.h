/*
 * The features of a class as the classroom sees them: each owns a block of event numbers, tells
 * people of its events, adds to the snapshot, has deadlines and commands (parts.c lists them).
 * Invariants: a deadline is class time in the journal, so it is due once, before or after a
 * restart; what tick_h and settle_h emit folds like a command's events.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/class/impl.h"

/* Who a snapshot is for. */
struct viewer {
    const struct seat *seat;
    const struct person *person;
    bool staff;
    uint16_t room;
    int64_t clock;
};

struct class_part {
    uint16_t first;
    uint16_t last;
    /* Any of these may be NULL. Tells a committed event through out_log. */
    void (*note_h)(struct klass *k, const struct event *e);
    /* The same for events of other blocks that may have changed something of this part. */
    void (*other_h)(struct klass *k, const struct event *e);
    /* All events of a commit are noted: tells what they changed together. */
    void (*told_h)(struct klass *k, const struct event *events, size_t count);
    /* Adds members to the snapshot being written. */
    void (*snapshot_h)(struct jsonw *w, const struct state *s, const struct viewer *v);
    /* Earliest deadline in the state, INT64_MAX for none. */
    int64_t (*due_h)(const struct state *s, int64_t clock, wall_ms wall);
    /* Emits what is due at clock. */
    void (*tick_h)(struct act *act, int64_t clock);
    /* Emits what follows from the events of a command. */
    void (*settle_h)(struct act *act);
    command_h (*handler_h)(enum msg_type type);
};

/* i-th part, or NULL behind the last. */
const struct class_part *class_part(size_t i);
