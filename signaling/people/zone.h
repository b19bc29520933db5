/*
 * A time zone out of its file (TZif, RFC 8536): how far local time is from UTC at a moment. The C
 * library knows one zone per process only; each class has its own.
 *
 *   "TZif" | version | 15 unused | six counts | 32-bit block | header again | 64-bit block | rule
 *
 * Invariants: never reads past the bytes; a file that is none is E_BAD. Behind the last change that
 * is written down the last offset holds (Debian's files end in 2037).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONE_NAME_MAX = 40 };

struct zone {
    const uint8_t *times; /* 8 bytes each, big endian */
    const uint8_t *index; /* one byte each: which type from then on */
    const uint8_t *types; /* 6 bytes each: offset, daylight, name */
    uint32_t time_count;
    uint32_t type_count;
};

/* A name like Europe/Paris that can stand in a path: letters, digits, _ + - and single slashes. */
bool zone_name_ok(const char *name);
/* Borrows bytes. 0, E_BAD, E_UNSUPPORTED (only the old 32-bit form). */
int zone_read(struct zone *zone, const void *bytes, size_t len);
/* Seconds east of UTC at utc (seconds since 1970). */
int32_t zone_offset(const struct zone *zone, int64_t utc);

/* The stretch without a change of clocks around utc: how far local time is from UTC in it and was
 * just before it. */
struct zone_span {
    int64_t from;  /* INT64_MIN = always */
    int64_t until; /* INT64_MAX = for ever */
    int32_t offset;
    int32_t before;
    bool daylight;
};
struct zone_span zone_span(const struct zone *zone, int64_t utc);

/* Date and time of day of local seconds since 1970. */
struct zone_day {
    int year;
    int month; /* 1..12 */
    int day;
    int weekday; /* 0 Sunday */
    int hour;
    int minute;
};
struct zone_day zone_day(int64_t local);
