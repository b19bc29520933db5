/*
 * What counts as having been there (classroom.md 4.6): pure arithmetic over the stays of a sheet.
 *
 *   stays of all rooms -> union -> gaps under bridge_ms closed -> cut to the window -> sum ->
 * status
 *
 * Invariants: a correction by staff wins over arithmetic and never changes it; the same sheet and
 * rules give the same rows in the same order; times of a running session are counted up to `now`.
 * The length of a session is the planned one when it has one (classroom.md 4.6: an extension does
 * not raise the bar), else from opening to closing.
 * Out of scope: who was there (sheet.h), how it is printed (csv.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/attendance/sheet.h"

enum attendance_status {
    ATTENDANCE_ABSENT = 0,
    ATTENDANCE_PARTIAL, /* there, but below the threshold */
    ATTENDANCE_PRESENT,
    ATTENDANCE_EXCUSED, /* by a word of staff only */
    ATTENDANCE_STATUS_COUNT,
};

struct attendance_row {
    const struct attendee *who;
    wall_ms first; /* 0 = never there */
    wall_ms last;
    int64_t present_ms;
    int64_t elsewhere_ms; /* of these: in workshops */
    uint32_t intervals;   /* after bridging */
    uint8_t computed;     /* enum attendance_status, by arithmetic */
    uint8_t status;       /* what stands: computed, or the word of staff */
};

/* The rules a session stands under: those it was sealed with, else what the class says now. */
struct attendance_rules attendance_rules_of(const struct sheet *sheet,
                                            const struct sheet_session *session);
/* How much is needed to be present, milliseconds. */
int64_t attendance_needed_ms(const struct attendance_rules *rules,
                             const struct sheet_session *session, wall_ms now);
/* The row of one person. */
struct attendance_row attendance_row(const struct attendance_rules *rules,
                                     const struct sheet_session *session,
                                     const struct attendee *who, wall_ms now);
/* i-th interval of a person after union and bridging: 0 and *out, or E_NOTFOUND. */
int attendance_interval(const struct attendance_rules *rules, const struct attendee *who,
                        uint32_t i, wall_ms now, struct stay *out);
