/*
 * Golden journals: for each area of the classroom one file of events as they were stored and the
 * state they gave. Files once landed never change; a new meaning gets a new file and row.
 */
#pragma once

#include <stddef.h>

#include "signaling/journal/event.h"
#include "signaling/journal/state.h"

struct golden_area {
    const char *path;
    /* The events, numbered and dated by golden_stamp. */
    const struct event *(*events_h)(size_t *count);
    /* Text of an event, owned by the caller, or NULL. */
    struct rtext *(*text_h)(const struct event *e);
};

/* i-th area, or NULL behind the last. A new one: a row in golden.c. */
const struct golden_area *golden_area(size_t i);
struct id golden_id(uint8_t n);
/* Gives the events their seq and at. */
const struct event *golden_stamp(struct event *events, size_t count);

extern const struct golden_area golden_first;
extern const struct golden_area golden_conduct;
extern const struct golden_area golden_floor;
extern const struct golden_area golden_workshops;
extern const struct golden_area golden_stage;
extern const struct golden_area golden_roll;
extern const struct golden_area golden_office;
extern const struct golden_area golden_keep;
extern const struct golden_area golden_dates;
extern const struct golden_area golden_minutes;
extern const struct golden_area golden_passes;
