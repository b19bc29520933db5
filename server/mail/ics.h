/*
 * One appointment as calendars take it (RFC 5545, RFC 5546): an invitation, a change of it, or its
 * cancellation. The same uid with a higher sequence replaces what the calendar has.
 * A class of several dates is one appointment with one uid (RFC 5545, 3.8.5): its dates are a rule
 * where they follow one and a list otherwise, a moved date is an instance of its own
 * (RECURRENCE-ID), a cancelled one is left out (EXDATE). Each mail has the whole of it, so that
 * whichever arrives last is right (RFC 5546, 3.2.2.1: the later SEQUENCE replaces what there is).
 * Invariants: times of one date are UTC; those of several are of the zone of the class, whose
 * clock changes are written out (VTIMEZONE), because a rule in UTC would move by an hour; lines are
 * folded at 75 octets, never inside a character; every text is escaped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/mail/text.h"

struct zone;

struct ics_date {
    wall_ms slot; /* when it was to be first */
    wall_ms start;
    wall_ms end;
    bool cancelled;
};

struct ics_series {
    const struct zone *zone; /* NULL = all in UTC */
    const char *zone_name;
    const struct ics_date *dates; /* slots ascend */
    size_t count;
};

struct ics_event {
    bool cancelled;
    const char *uid;
    int64_t sequence; /* rises with every change */
    wall_ms stamp;    /* when this was written */
    wall_ms start;
    wall_ms end;
    const struct ics_series *series; /* NULL = this one date */
    const char *title;
    const char *description; /* may be NULL; newlines are kept */
    const char *url;         /* may be NULL */
    const char *organizer_name;
    const char *organizer_mail;
    const char *attendee_name;
    const char *attendee_mail;
};

/* The method of the calendar and of its MIME part: "REQUEST" or "CANCEL". */
const char *ics_method(const struct ics_event *event);
/* Appends the calendar; text->bad when memory ended. */
void ics_write(struct mail_text *text, const struct ics_event *event);
