/*
 * From one date of a class to the next: after a session, after a date nobody came to, into the
 * archive after the last one. State: signaling/journal/dates.h.
 */
#pragma once

#include "signaling/class/part.h"
#include "signaling/journal/dates.h"

extern const struct class_part class_dates;

/* What kind of class this is: unplanned, dated, recurring, permanent. */
const char *dates_kind(const struct state *s);
/* When the session that comes next begins; 0 = not planned. */
wall_ms dates_next(const struct state *s);
/* A session is over: the class waits for its next date, when it has one. */
void dates_go_on(struct act *act, struct id by);
/* Another list of dates; sets START and DURATION unless a session goes on. */
void dates_set(struct act *act, const struct class_date *list, size_t count);
/* Into the archive, where nobody enters, or out of it. */
void dates_archive(struct act *act, bool archive);
