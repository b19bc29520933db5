/* Heap: one growing buffer per writer, reused; its size is bounded by jsonw_init. */
#include "signaling/schema/jsonw.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/mem.h"

void jsonw_init(struct jsonw *w, size_t max)
{
    *w = (struct jsonw){.max = max};
}

void jsonw_reset(struct jsonw *w)
{
    w->len = 0;
    w->comma = 0;
    w->depth = 0;
    w->after_key = false;
    w->bad = false;
}

void jsonw_fini(struct jsonw *w)
{
    mem_free(w->buf);
    *w = (struct jsonw){.bad = true};
}

/* Room for len bytes and a NUL behind them, or NULL. */
static char *reserve(struct jsonw *w, size_t len)
{
    if (w->bad || len >= w->max || w->len >= w->max - len) {
        w->bad = true;
        return NULL;
    }
    size_t need = w->len + len + 1;
    if (need > w->cap) {
        size_t cap = w->cap ? w->cap : 256;
        while (cap < need) {
            cap *= 2;
        }
        cap = cap < w->max ? cap : w->max;
        char *buf = mem_realloc(w->buf, cap);
        if (!buf) {
            w->bad = true;
            return NULL;
        }
        w->buf = buf;
        w->cap = cap;
    }
    return w->buf + w->len;
}

static void put(struct jsonw *w, const char *bytes, size_t len)
{
    char *at = reserve(w, len);
    if (at) {
        memcpy(at, bytes, len);
        w->len += len;
    }
}

const char *jsonw_text(struct jsonw *w, size_t *len)
{
    if (!reserve(w, 0)) {
        return NULL;
    }
    w->buf[w->len] = '\0';
    if (len) {
        *len = w->len;
    }
    return w->buf;
}

/* A comma where one is due; called before every value and key. */
static void separate(struct jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    uint32_t bit = 1u << w->depth;
    if (w->comma & bit) {
        put(w, ",", 1);
    }
    w->comma |= bit;
}

static void open_with(struct jsonw *w, const char *bracket)
{
    separate(w);
    put(w, bracket, 1);
    if (w->depth == JSONW_DEPTH_MAX) {
        w->bad = true;
        return;
    }
    w->depth++;
    w->comma &= ~(1u << w->depth);
}

static void close_with(struct jsonw *w, const char *bracket)
{
    if (w->depth == 0) {
        w->bad = true;
        return;
    }
    w->depth--;
    put(w, bracket, 1);
}

void jsonw_object(struct jsonw *w)
{
    open_with(w, "{");
}

void jsonw_object_end(struct jsonw *w)
{
    close_with(w, "}");
}

void jsonw_array(struct jsonw *w)
{
    open_with(w, "[");
}

void jsonw_array_end(struct jsonw *w)
{
    close_with(w, "]");
}

/* Length of the well-formed UTF-8 sequence at p, or 0 (RFC 3629 section 4). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : len;
}

static const char *short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    default:
        return NULL;
    }
}

/* Code point that must not stand as it is, or 0. */
static unsigned escape_of(const unsigned char *p, size_t len)
{
    if (len == 1) {
        return p[0] < 0x20 || p[0] == 0x7f ? p[0] | 0x10000 : 0;
    }
    if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0) {
        return p[1];
    }
    if (len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
        return 0x2000u | (p[2] - 0x80u);
    }
    return 0;
}

static void put_char(struct jsonw *w, const unsigned char *p, size_t len)
{
    if (len == 0) {
        put(w, "\xef\xbf\xbd", 3);
        return;
    }
    const char *two = len == 1 ? short_escape(p[0]) : NULL;
    if (two) {
        put(w, two, 2);
        return;
    }
    unsigned code = escape_of(p, len);
    if (code) {
        char hex[8];
        (void)snprintf(hex, sizeof(hex), "\\u%04x", code & 0xffff);
        put(w, hex, 6);
        return;
    }
    put(w, (const char *)p, len);
}

/* How many bytes from p on are printable ASCII that stands as it is: nearly all there are. */
static size_t plain_run(const unsigned char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

/* What is left of a string behind its first plain bytes, quotes not included. */
static void put_mixed(struct jsonw *w, const char *text, size_t plain_len, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t plain = 0; /* run of characters that stand as they are, copied at once */
    for (size_t i = plain_len; i < len && !w->bad;) {
        size_t n = utf8_len(p + i, len - i);
        bool as_is = n > 0 && !escape_of(p + i, n) && !(n == 1 && short_escape(p[i]));
        if (!as_is) {
            put(w, text + plain, i - plain);
            put_char(w, p + i, n);
            plain = i + (n ? n : 1);
        }
        i += n ? n : 1;
        i += plain_run(p + i, len - i);
    }
    put(w, text + plain, len - plain);
}

static void put_string(struct jsonw *w, const char *text, size_t len)
{
    size_t plain = plain_run((const unsigned char *)text, len);
    if (plain < len) {
        put(w, "\"", 1);
        put_mixed(w, text, plain, len);
        put(w, "\"", 1);
        return;
    }
    char *at = reserve(w, len + 2);
    if (at) {
        at[0] = '"';
        memcpy(at + 1, text, len);
        at[len + 1] = '"';
        w->len += len + 2;
    }
}

void jsonw_key(struct jsonw *w, const char *key)
{
    separate(w);
    put_string(w, key, strlen(key));
    put(w, ":", 1);
    w->after_key = true;
}

void jsonw_strn(struct jsonw *w, const char *text, size_t len)
{
    separate(w);
    put_string(w, text, len);
}

void jsonw_str(struct jsonw *w, const char *text)
{
    jsonw_strn(w, text, strlen(text));
}

void jsonw_int(struct jsonw *w, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRId64, value);
    separate(w);
    put(w, digits, (size_t)n);
}

void jsonw_bool(struct jsonw *w, bool value)
{
    separate(w);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_raw(struct jsonw *w, const char *json, size_t len)
{
    if (len == 0) {
        return;
    }
    separate(w);
    put(w, json, len);
}

void jsonw_key_str(struct jsonw *w, const char *key, const char *text)
{
    jsonw_key(w, key);
    jsonw_str(w, text);
}

void jsonw_key_strn(struct jsonw *w, const char *key, const char *text, size_t len)
{
    jsonw_key(w, key);
    jsonw_strn(w, text, len);
}

void jsonw_key_int(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    jsonw_int(w, value);
}

void jsonw_key_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_key(w, key);
    jsonw_bool(w, value);
}

void jsonw_plain(struct jsonw *w, const char *text)
{
    put(w, text, strlen(text));
}

void jsonw_plainf(struct jsonw *w, const char *format, ...)
{
    char line[1000];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(line)) {
        w->bad = true;
        return;
    }
    put(w, line, (size_t)n);
}
