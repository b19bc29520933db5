#include "codec/wire/sdp_text.h"

#include <string.h>

bool sdp_is(struct sdp_view v, const char *text)
{
    return strlen(text) == v.len && memcmp(v.p, text, v.len) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool sdp_is_nocase(struct sdp_view v, const char *text)
{
    size_t i = 0;
    while (i < v.len && text[i] && lower(v.p[i]) == lower(text[i])) {
        i++;
    }
    return i == v.len && !text[i];
}

bool sdp_token(struct sdp_view *v, char sep, struct sdp_view *out)
{
    while (sep == ' ' && v->len && *v->p == ' ') {
        v->p++;
        v->len--;
    }
    if (!v->len) {
        return false;
    }
    const char *end = memchr(v->p, sep, v->len);
    out->p = v->p;
    out->len = end ? (size_t)(end - v->p) : v->len;
    size_t used = out->len + (end ? 1 : 0);
    v->p += used;
    v->len -= used;
    return true;
}

bool sdp_number(struct sdp_view v, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') {
            return false;
        }
        n = n * 10 + (uint64_t)(v.p[i] - '0');
        if (n > max) {
            return false;
        }
    }
    *out = (uint32_t)n;
    return v.len > 0;
}

void sdp_put_view(struct sdp_out *o, struct sdp_view v)
{
    if (o->bad || o->cap - o->len <= v.len) {
        o->bad = true; /* one byte always stays for the NUL */
        return;
    }
    memcpy(o->p + o->len, v.p, v.len);
    o->len += v.len;
}

void sdp_put(struct sdp_out *o, const char *text)
{
    sdp_put_view(o, (struct sdp_view){.p = text, .len = strlen(text)});
}

void sdp_put_number(struct sdp_out *o, uint32_t number)
{
    char digits[10];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    sdp_put_view(o, (struct sdp_view){.p = digits + at, .len = sizeof(digits) - at});
}
