#include "server/mail/ics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/mail/ics_parts.h"

enum { FOLD_OCTETS = 75 };

/* A content line, folded: a line break and a space go before the character that would not fit. */
static void line(struct mail_text *out, const char *text, size_t len)
{
    size_t column = 0;
    for (size_t i = 0; i < len;) {
        size_t n = 1;
        while (i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80) {
            n++;
        }
        if (column + n > FOLD_OCTETS) {
            mail_text_str(out, "\r\n ");
            column = 1;
        }
        mail_text_add(out, text + i, n);
        column += n;
        i += n;
    }
    mail_text_str(out, "\r\n");
}

/* RFC 5545, 3.3.11. */
static void escape(struct mail_text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            mail_text_str(out, "\\n");
        } else if (*text == '\\' || *text == ';' || *text == ',') {
            mail_text_add(out, "\\", 1);
            mail_text_add(out, text, 1);
        } else if ((unsigned char)*text >= ' ') {
            mail_text_add(out, text, 1);
        }
    }
}

static void property(struct mail_text *out, const char *name, const char *text)
{
    struct mail_text one = {0};
    mail_text_str(&one, name);
    mail_text_add(&one, ":", 1);
    escape(&one, text);
    out->bad = out->bad || one.bad;
    line(out, one.s ? one.s : "", one.len);
    mail_text_fini(&one);
}

/* A parameter value stands in quotes and cannot contain any (RFC 5545, 3.2). */
static void person(struct mail_text *out, const char *name, const char *more, const char *cn,
                   const char *mail)
{
    struct mail_text one = {0};
    mail_text_format(&one, "%s%s;CN=\"", name, more);
    for (const char *c = cn; *c; c++) {
        if (*c != '"' && (unsigned char)*c >= ' ') {
            mail_text_add(&one, c, 1);
        }
    }
    mail_text_format(&one, "\":mailto:%s", mail);
    out->bad = out->bad || one.bad;
    line(out, one.s ? one.s : "", one.len);
    mail_text_fini(&one);
}

static void moment(struct mail_text *out, const char *name, wall_ms at)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm = {0};
    (void)gmtime_r(&s, &tm);
    mail_text_format(out, "%s:%04d%02d%02dT%02d%02d%02dZ\r\n", name, tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

const char *ics_method(const struct ics_event *e)
{
    return e->cancelled ? "CANCEL" : "REQUEST";
}

void ics_part(struct mail_text *out, const struct ics_event *e, const char *when)
{
    mail_text_str(out, "BEGIN:VEVENT\r\n");
    property(out, "UID", e->uid);
    mail_text_format(out, "SEQUENCE:%" PRId64 "\r\n", e->sequence);
    moment(out, "DTSTAMP", e->stamp);
    mail_text_str(out, when);
    property(out, "SUMMARY", e->title);
    if (e->description) {
        property(out, "DESCRIPTION", e->description);
    }
    if (e->url) {
        property(out, "LOCATION", e->url);
        property(out, "URL", e->url);
    }
    person(out, "ORGANIZER", "", e->organizer_name, e->organizer_mail);
    person(out, "ATTENDEE", ";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE",
           e->attendee_name, e->attendee_mail);
    mail_text_format(out, "STATUS:%s\r\nTRANSP:OPAQUE\r\n",
                     e->cancelled ? "CANCELLED" : "CONFIRMED");
    if (!e->cancelled) {
        mail_text_str(out, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Amphi\r\n"
                           "TRIGGER:-PT15M\r\nEND:VALARM\r\n");
    }
    mail_text_str(out, "END:VEVENT\r\n");
}

void ics_write(struct mail_text *out, const struct ics_event *e)
{
    struct mail_text when = {0};
    mail_text_format(out,
                     "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Amphi//Amphi//FR\r\n"
                     "CALSCALE:GREGORIAN\r\nMETHOD:%s\r\n",
                     ics_method(e));
    if (e->series) {
        ics_series(out, e);
    } else {
        moment(&when, "DTSTART", e->start);
        moment(&when, "DTEND", e->end);
        ics_part(out, e, when.s ? when.s : "");
    }
    out->bad = out->bad || when.bad;
    mail_text_fini(&when);
    mail_text_str(out, "END:VCALENDAR\r\n");
}
