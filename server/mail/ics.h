/*
 * One appointment as calendars take it (RFC 5545, RFC 5546): an invitation, a change of it, or its
 * cancellation. The same uid with a higher sequence replaces what the calendar has.
 * Invariants: times are UTC, so no time zone has to be described and no clock change moves the
 * class; lines are folded at 75 octets, never inside a character; every text is escaped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/mail/text.h"

struct ics_event {
    bool cancelled;
    const char *uid;
    int64_t sequence; /* rises with every change */
    wall_ms stamp;    /* when this was written */
    wall_ms start;
    wall_ms end;
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
