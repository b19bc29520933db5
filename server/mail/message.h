/*
 * A mail as it goes over the wire (RFC 5322, MIME): plain text and, when there is an appointment,
 * the calendar both as the part that mail programs act on and as a file to keep; or with one file.
 * Invariants: only 7-bit bytes leave, all bodies base64, all names in encoded words (RFC 2047); no
 * line break of a value reaches a header; lines end in CR LF.
 */
#pragma once

#include "server/mail/ics.h"
#include "server/mail/text.h"

struct mail_file {
    const char *name; /* letters, digits, '-', '.' */
    const char *type; /* "application/pdf" */
    const void *bytes;
    size_t len;
};

struct mail_message {
    const char *id; /* left of @ in Message-ID: kept when the same mail is tried again */
    const char *host;
    wall_ms date;
    const char *from_name;
    const char *from_mail;
    const char *to_name;
    const char *to_mail;
    const char *subject;
    const char *text;              /* UTF-8, lines end in LF */
    const struct ics_event *event; /* NULL = none */
    const struct mail_file *file;  /* NULL = none; not beside an event */
};

/* Appends the whole message. */
void mail_message_write(struct mail_text *out, const struct mail_message *message);
