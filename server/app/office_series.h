/*
 * The dates of a class of several dates as those who were invited were told them: kept with its row
 * (class.plan), told again whenever it changes (class.version, enrolled.version). In calendars it
 * is one appointment.
 */
#pragma once

#include "server/app/office_call.h"
#include "server/mail/ics.h"
#include "server/mail/text.h"
#include "signaling/people/series.h"
#include "signaling/people/zone.h"

/* What a mail or a file about one person's appointment needs; office_series_close in each case. */
struct office_series {
    struct series plan;
    char *bytes; /* of the zone's file */
    struct zone zone;
    struct ics_date dates[SERIES_SLOTS_MAX];
    struct ics_series ics;
    struct mail_text when; /* the dates to come, in words, a line each */
};

/* Of a row with plan, zone. NULL when the class has one date or memory ended. */
struct office_series *office_series_open(const json_t *class_row, wall_ms now, bool french);
void office_series_close(struct office_series *series);
/* Takes over the dates that the classroom has now. */
void office_series_follow(struct office_call *call, const struct id *class_id);
