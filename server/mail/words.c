/* Heap: one text, three bytes a byte of the file at most. */
#include "server/mail/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "codec/base/mem.h"
#include "codec/base/text.h"

enum { REPLACEMENT = 0xfffd, UTF8_BYTES_MAX = 4, PER_BYTE = 3 };

/* 0x80 to 0x9f of Windows-1252; elsewhere it is Latin-1. */
static const uint16_t windows[32] = {
    0x20ac,      REPLACEMENT, 0x201a, 0x0192, 0x201e, 0x2026,      0x2020, 0x2021,
    0x02c6,      0x2030,      0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017d, REPLACEMENT,
    REPLACEMENT, 0x2018,      0x2019, 0x201c, 0x201d, 0x2022,      0x2013, 0x2014,
    0x02dc,      0x2122,      0x0161, 0x203a, 0x0153, REPLACEMENT, 0x017e, 0x0178,
};

static char *put(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

static char *from_utf16(char *to, const uint8_t *b, size_t len, bool little)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t c = little ? b[i] | (uint32_t)b[i + 1] << 8 : (uint32_t)b[i] << 8 | b[i + 1];
        bool pair = c >= 0xd800 && c < 0xdc00 && i + 3 < len;
        uint32_t low =
            pair ? little ? b[i + 2] | (uint32_t)b[i + 3] << 8 : (uint32_t)b[i + 2] << 8 | b[i + 3]
                 : 0;
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        to = put(to, c >= 0xd800 && c < 0xe000 ? REPLACEMENT : c);
    }
    return to;
}

static char *from_windows(char *to, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to = put(to, b[i] >= 0x80 && b[i] < 0xa0 ? windows[b[i] - 0x80] : b[i]);
    }
    return to;
}

/* In place: lines end in LF. */
static void lines(char *text, const char *end)
{
    char *to = text;
    for (const char *p = text; p < end; p++) {
        if (*p != '\r') {
            *to++ = *p;
        } else if (p + 1 == end || p[1] != '\n') {
            *to++ = '\n';
        }
    }
    *to = '\0';
}

char *words_plain(const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    char *out = mem_alloc(len * PER_BYTE + UTF8_BYTES_MAX);
    char *end = out;
    if (!out) {
        return NULL;
    }
    if (len >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff))) {
        end = from_utf16(out, b + 2, len - 2, b[0] == 0xff);
    } else if (!text_utf8_ok(b, len)) {
        end = from_windows(out, b, len);
    } else {
        size_t mark = len >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf ? 3 : 0;
        memcpy(out, b + mark, len - mark);
        end = out + len - mark;
    }
    lines(out, end);
    return out;
}
