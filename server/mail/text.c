#include "server/mail/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/mem.h"

enum { LINE_BYTES = 57 }; /* 76 characters of base64 */

void mail_text_fini(struct mail_text *text)
{
    mem_free(text->s);
    *text = (struct mail_text){0};
}

static char *room(struct mail_text *t, size_t len)
{
    if (t->bad) {
        return NULL;
    }
    if (t->len + len + 1 > t->cap) {
        size_t cap = (t->len + len + 1) * 2;
        char *s = mem_realloc(t->s, cap);
        if (!s) {
            t->bad = true;
            return NULL;
        }
        t->s = s;
        t->cap = cap;
    }
    return t->s + t->len;
}

void mail_text_add(struct mail_text *t, const void *bytes, size_t len)
{
    char *at = room(t, len);
    if (at) {
        memcpy(at, bytes, len);
        t->len += len;
        t->s[t->len] = '\0';
    }
}

void mail_text_str(struct mail_text *t, const char *s)
{
    mail_text_add(t, s, strlen(s));
}

void mail_text_fill(struct mail_text *out, const char *text, const struct mail_value *values,
                    size_t count)
{
    while (*text) {
        size_t i = 0;
        while (i < count && strncmp(text, values[i].key, strlen(values[i].key)) != 0) {
            i++;
        }
        if (i < count) {
            mail_text_str(out, values[i].text ? values[i].text : "");
            text += strlen(values[i].key);
        } else {
            mail_text_add(out, text++, 1);
        }
    }
}

void mail_text_format(struct mail_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = len >= 0 ? room(t, (size_t)len) : NULL;
    if (at) {
        va_start(args, format);
        (void)vsnprintf(at, (size_t)len + 1, format, args);
        va_end(args);
        t->len += (size_t)len;
    }
}

static void quad(struct mail_text *t, const uint8_t *p, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t v =
        (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) | (len > 2 ? (uint32_t)p[2] : 0);
    char out[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
                   alphabet[v & 63]};
    if (len < 3) {
        out[3] = '=';
    }
    if (len < 2) {
        out[2] = '=';
    }
    mail_text_add(t, out, sizeof(out));
}

void mail_text_base64(struct mail_text *t, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i += 3) {
        if (i && i % LINE_BYTES == 0) {
            mail_text_str(t, "\r\n");
        }
        quad(t, p + i, len - i < 3 ? len - i : 3);
    }
    mail_text_str(t, "\r\n");
}
