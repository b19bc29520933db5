/*
 * When a class that comes back comes back: a rule in the words of iCalendar (RFC 5545 3.3.10, a
 * part of it) and the dates it gives in a time zone. The hour on the wall stays the same, whatever
 * happens to summer time.
 *
 *   FREQ=DAILY|WEEKLY|MONTHLY  INTERVAL=n  COUNT=n or UNTIL=YYYYMMDD
 *   BYDAY=MO,TU,...            DAILY and WEEKLY: on these days
 *   BYDAY=2TU or -1FR          MONTHLY: on the second Tuesday, the last Friday; without: on the
 *                              day of the month of the first date (months without it are left out)
 *
 * Invariants: the first date is the first of the rule and always in it; dates ascend; an hour that
 * summer time leaves out is the hour behind it.
 * Out of scope: reading zone files (server/app), what happens at a date (signaling/class/dates.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/people/zone.h"

enum { RECUR_TEXT_MAX = 120, RECUR_COUNT_MAX = 260 };

enum recur_every { RECUR_DAILY, RECUR_WEEKLY, RECUR_MONTHLY };

struct recur {
    enum recur_every every;
    uint32_t interval; /* from 1 */
    uint8_t days;      /* bit 0 Sunday ... 6 Saturday; 0 = the day of the first date */
    int8_t nth;        /* MONTHLY: 1..5, -1 the last; 0 = by day of month */
    uint32_t count;    /* 0 = until */
    int32_t until;     /* YYYYMMDD in local time, that day included; 0 = count */
};

/* 0, or E_BAD: not a rule of this form, or one without an end. */
int recur_read(struct recur *out, const char *text);
/* Starts into out (cap of them); returns how many: at least 1 when cap > 0. */
size_t recur_expand(const struct recur *rule, const struct zone *zone, wall_ms first, wall_ms *out,
                    size_t cap);
/* UTC of a time of day on a local date; minutes from midnight. */
int64_t recur_utc(const struct zone *zone, int64_t local_day, int minute);
