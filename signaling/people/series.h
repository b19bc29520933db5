/*
 * The dates of a class as the calendars of those who were invited know them. A class has a list of
 * dates and nothing more; a calendar wants to know which date was moved and which one is gone: each
 * date keeps the name it was first told under (its slot: RECURRENCE-ID of RFC 5545, 3.8.4.4).
 *
 *   slot   Tue 1st 14:00   Tue 8th 14:00   Tue 15th 14:00   Tue 22nd 14:00
 *   start  the same        Wed 9th 10:00   0 = cancelled    the same
 *
 * Invariants: slots ascend and differ; a date that has begun keeps its slot.
 * Out of scope: words and calendars made of it (server/mail/ics_series.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { SERIES_SLOTS_MAX = 400 };

struct series_slot {
    wall_ms slot;
    wall_ms start; /* 0 = cancelled */
    int64_t minutes;
};

struct series {
    struct series_slot slot[SERIES_SLOTS_MAX];
    size_t count;
};

/* Brings a series in line with the dates of the class (ascending; a slot is made of each new one).
 * A date that went while another came was moved there, the nearest one; when every date to come is
 * another one, it is another series from now on. True when something changed. */
bool series_follow(struct series *s, const struct series_slot *dates, size_t count, wall_ms now);
