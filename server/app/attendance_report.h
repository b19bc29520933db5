/*
 * The sheet of one session in the forms people take it in: a table, JSON, CSV
 * (attendance_report.c), the sheet to sign and certificates as PDF (attendance_pdf.c). Out of
 * scope: where the sheet comes from (history.h), what counts (signaling/attendance).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "signaling/attendance/rules.h"
#include "signaling/attendance/seal.h"

enum { MS_PER_MIN = 60000, TIME_TEXT_MAX = 32 };
enum time_form { TIME_DAY_MINUTE, TIME_DAY_SECOND, TIME_MINUTE, TIME_SECOND };

struct attendance_report {
    const struct sheet *sheet;
    const struct sheet_session *session;
    struct attendance_rules rules;
    wall_ms now;
    bool french;
    const char *zone;                       /* of printed times, by name; NULL = not said */
    char seal[2 * ATTENDANCE_SEAL_LEN + 1]; /* "" while the session runs */
};

/* Fills in report->seal: the one that stands, or what it would be now; "" while it runs. */
void attendance_seal_of(struct attendance_report *report, const struct attendance_chain *chain);
/* A status in words. */
const char *attendance_word(bool french, unsigned status);
/* Local time (TZ of the process); "" for never. Returns out. */
const char *attendance_time(wall_ms at, enum time_form form, char out[TIME_TEXT_MAX]);
/* Day and minute as people of the report's language write them. */
const char *attendance_date(const struct attendance_report *report, wall_ms at,
                            char out[TIME_TEXT_MAX]);
/* "" once erased. */
const char *attendance_name(const struct attendee *who);
/* "09:00:00-10:30:00, ..." */
void attendance_intervals(const struct attendance_report *report, const struct attendee *who,
                          char *out, size_t cap);

/* To standard output. */
void attendance_print_table(const struct attendance_report *report);
void attendance_print_csv(const struct attendance_report *report);
void attendance_print_json(const struct attendance_report *report);

/* As JSON: the session alone, one person, everything. The caller's; NULL = out of memory. */
json_t *attendance_session(const struct attendance_report *report);
json_t *attendance_person(const struct attendance_report *report, const struct attendee *who);
json_t *attendance_json(const struct attendance_report *report);

/* The sheet with a column to sign in, into a file. 0, E_NOMEM, E_IO. */
int attendance_pdf(const struct attendance_report *report, const char *path);
/* One certificate for who into a file. 0, E_NOMEM, E_IO. */
int attendance_certificate(const struct attendance_report *report, const struct attendee *who,
                           const char *path);
