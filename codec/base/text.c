#include "codec/base/text.h"

#include "codec/base/err.h"

void text_hex(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unhex(void *out, size_t len, const char *hex, size_t hex_len)
{
    uint8_t *p = out;
    if (hex_len != 2 * len) {
        return E_BAD;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return E_BAD;
        }
        p[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

/* Groups of `bits` from the byte stream, most significant first, through an alphabet. */
static int encode_bits(char *out, size_t cap, const uint8_t *p, size_t len, unsigned bits,
                       const char *alphabet)
{
    size_t n = 0;
    unsigned have = 0;
    uint32_t acc = 0;
    if (cap < (len * 8 + bits - 1) / bits + 1 || len > INT32_MAX / 8) {
        return E_FULL;
    }
    for (size_t i = 0; i < len; i++) {
        acc = acc << 8 | p[i];
        have += 8;
        while (have >= bits) {
            have -= bits;
            out[n++] = alphabet[acc >> have & ((1U << bits) - 1)];
        }
    }
    if (have) {
        out[n++] = alphabet[acc << (bits - have) & ((1U << bits) - 1)];
    }
    out[n] = '\0';
    return (int)n;
}

int text_base64url(char *out, size_t cap, const void *data, size_t len)
{
    return encode_bits(out, cap, data, len, 6,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

int text_base32(char *out, size_t cap, const void *data, size_t len)
{
    return encode_bits(out, cap, data, len, 5, "abcdefghijklmnopqrstuvwxyz234567");
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '-') {
        return 62;
    }
    return c == '_' ? 63 : -1;
}

int text_unbase64url(void *out, size_t cap, const char *text, size_t len)
{
    uint8_t *p = out;
    size_t n = 0;
    unsigned have = 0;
    uint32_t acc = 0;
    if (len % 4 == 1 || len > INT32_MAX) {
        return E_BAD;
    }
    for (size_t i = 0; i < len; i++) {
        int v = base64url_value(text[i]);
        if (v < 0) {
            return E_BAD;
        }
        acc = acc << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (n == cap) {
                return E_FULL;
            }
            p[n++] = (uint8_t)(acc >> have);
        }
    }
    /* One spelling per value: bits that do not fill a byte must be zero. */
    if (acc & ((1U << have) - 1)) {
        return E_BAD;
    }
    return (int)n;
}

/* Length of the sequence that starts with c, and the smallest code point it may hold; 0 = bad. */
static size_t utf8_length(uint8_t c, uint32_t *first, uint32_t *min)
{
    if (c < 0x80) {
        *first = c;
        *min = 0;
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        *first = c & 0x1f;
        *min = 0x80;
        return 2;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *first = c & 0x0f;
        *min = 0x800;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *first = c & 0x07;
        *min = 0x10000;
        return 4;
    }
    return 0;
}

bool text_utf8_ok(const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len;) {
        uint32_t code;
        uint32_t min;
        size_t n = utf8_length(p[i], &code, &min);
        if (n == 0 || n > len - i) {
            return false;
        }
        for (size_t k = 1; k < n; k++) {
            if ((p[i + k] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (p[i + k] & 0x3fU);
        }
        if (code < min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        i += n;
    }
    return true;
}

size_t text_utf8_count(const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += (p[i] & 0xc0) != 0x80;
    }
    return n;
}

bool text_equal_ct(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++) {
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    }
    return diff == 0;
}
