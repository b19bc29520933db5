/*
 * The dates of a class: one class, several sessions, each at its hour. The list is what was
 * planned, past dates included; which of them is next stands in the settings START and DURATION, as
 * for a class of one date. Also when a session that everybody has left is over. Invariants: dates
 * ascend and are at most DATES_MAX; rules (every Tuesday ...) and time zones are resolved before a
 * list comes here. Out of scope: when a class goes on to its next date (signaling/class/dates.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { DATES_MAX = 260, DATE_MINUTES_MAX = 1440 };
#define DATE_START_MAX 253402300799999 /* the last millisecond of the year 9999 */

struct state;
struct state_part;

struct class_date {
    wall_ms start;
    uint16_t minutes; /* 0 = open end */
};

struct dates {
    uint32_t count;
    struct class_date list[DATES_MAX];
    int64_t empty_due; /* class time when a session without anybody is over; 0 = somebody is here */
};

extern const struct state_part dates_part;

/* True when these can be a list of dates. */
bool dates_ok(const struct class_date *list, size_t count);
/* The first date that begins after wall, or NULL. */
const struct class_date *dates_after(const struct dates *dates, wall_ms wall);
/* The first date that is not over at wall, or NULL. */
const struct class_date *dates_at(const struct dates *dates, wall_ms wall);
/* When a date is over at the latest. */
wall_ms dates_end(wall_ms start, int64_t minutes);
