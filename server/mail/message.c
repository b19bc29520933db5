#include "server/mail/message.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WORD_BYTES = 36 };

/* ---- headers
 * -------------------------------------------------------------------------------------- */

/* Encoded words of whole characters, each short enough (RFC 2047, 2 and 5). */
static void words(struct mail_text *out, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t n = len - i < WORD_BYTES ? len - i : WORD_BYTES;
        while (i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80) {
            n--;
        }
        mail_text_str(out, i ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        mail_text_base64(out, text + i, n);
        out->len -= out->bad ? 0 : 2; /* without the line break */
        mail_text_str(out, "?=");
        i += n;
    }
}

static void address(struct mail_text *out, const char *header, const char *name, const char *mail)
{
    mail_text_format(out, "%s: ", header);
    words(out, name);
    mail_text_format(out, "%s<%s>\r\n", name[0] ? "\r\n " : "", mail);
}

/* RFC 5322, 3.3; names of days and months are English whatever the locale. */
static void date(struct mail_text *out, wall_ms at)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t s = (time_t)(at / 1000);
    struct tm tm = {0};
    (void)gmtime_r(&s, &tm);
    mail_text_format(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
                     tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                     tm.tm_sec);
}

/* ---- bodies
 * --------------------------------------------------------------------------------------- */

static void text_part(struct mail_text *out, const char *text)
{
    mail_text_str(out, "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: base64\r\n\r\n");
    struct mail_text crlf = {0};
    for (; *text; text++) {
        if (*text == '\n') {
            mail_text_add(&crlf, "\r", 1);
        }
        mail_text_add(&crlf, text, 1);
    }
    out->bad = out->bad || crlf.bad;
    mail_text_base64(out, crlf.s ? crlf.s : "", crlf.len);
    mail_text_fini(&crlf);
}

static void event_parts(struct mail_text *out, const struct mail_message *m)
{
    struct mail_text ics = {0};
    ics_write(&ics, m->event);
    out->bad = out->bad || ics.bad;
    mail_text_format(out,
                     "Content-Type: multipart/mixed; boundary=\"m-%s\"\r\n\r\n--m-%s\r\n"
                     "Content-Type: multipart/alternative; boundary=\"a-%s\"\r\n\r\n--a-%s\r\n",
                     m->id, m->id, m->id, m->id);
    text_part(out, m->text);
    mail_text_format(out,
                     "--a-%s\r\nContent-Type: text/calendar; charset=utf-8; method=%s\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n",
                     m->id, ics_method(m->event));
    mail_text_base64(out, ics.s ? ics.s : "", ics.len);
    mail_text_format(out,
                     "--a-%s--\r\n--m-%s\r\nContent-Type: application/ics; name=\"amphi.ics\"\r\n"
                     "Content-Disposition: attachment; filename=\"amphi.ics\"\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n",
                     m->id, m->id);
    mail_text_base64(out, ics.s ? ics.s : "", ics.len);
    mail_text_format(out, "--m-%s--\r\n", m->id);
    mail_text_fini(&ics);
}

static void file_parts(struct mail_text *out, const struct mail_message *m)
{
    mail_text_format(out, "Content-Type: multipart/mixed; boundary=\"m-%s\"\r\n\r\n--m-%s\r\n",
                     m->id, m->id);
    text_part(out, m->text);
    mail_text_format(out,
                     "--m-%s\r\nContent-Type: %s; name=\"%s\"\r\n"
                     "Content-Disposition: attachment; filename=\"%s\"\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n",
                     m->id, m->file->type, m->file->name, m->file->name);
    mail_text_base64(out, m->file->bytes, m->file->len);
    mail_text_format(out, "--m-%s--\r\n", m->id);
}

void mail_message_write(struct mail_text *out, const struct mail_message *m)
{
    date(out, m->date);
    address(out, "From", m->from_name, m->from_mail);
    address(out, "To", m->to_name, m->to_mail);
    mail_text_str(out, "Subject: ");
    words(out, m->subject);
    mail_text_format(out, "\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n", m->id, m->host);
    mail_text_str(out, "Auto-Submitted: auto-generated\r\n");
    if (m->event) {
        event_parts(out, m);
    } else if (m->file) {
        file_parts(out, m);
    } else {
        text_part(out, m->text);
    }
}
