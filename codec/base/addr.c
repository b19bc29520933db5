#include "codec/base/addr.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"

void addr_canonical(struct addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->family == ADDR_V6 && memcmp(a->ip, mapped, sizeof(mapped)) == 0) {
        memmove(a->ip, a->ip + 12, 4);
        memset(a->ip + 4, 0, 12);
        a->family = ADDR_V4;
    }
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

/* Reads a dotted quad that fills the rest of text. */
static int parse_v4(const char *text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        int value = 0;
        int digits = 0;
        while (*text >= '0' && *text <= '9' && digits < 4) {
            value = value * 10 + (*text++ - '0');
            digits++;
        }
        if (digits == 0 || digits > 3 || value > 255 || *text != (i < 3 ? '.' : '\0')) {
            return E_BAD;
        }
        text += i < 3;
        out[i] = (uint8_t)value;
    }
    return 0;
}

/* Reads one group of 1-4 hex digits; returns the number of digits or E_BAD. */
static int parse_group(const char *text, unsigned *value)
{
    int n = 0;
    *value = 0;
    while (n < 4 && hex_value(text[n]) >= 0) {
        *value = *value << 4 | (unsigned)hex_value(text[n]);
        n++;
    }
    return n == 0 || hex_value(text[n]) >= 0 ? E_BAD : n;
}

/* RFC 4291 section 2.2: groups, one "::", an optional dotted quad at the end. */
static int parse_v6(const char *text, uint8_t out[16])
{
    size_t len = 0;
    size_t gap = SIZE_MAX;

    if (text[0] == ':' && text[1] == ':') {
        gap = 0;
        text += 2;
    }
    while (*text && len < 16) {
        unsigned value;
        if (len <= 12 && strchr(text, '.') && !strchr(text, ':')) {
            if (parse_v4(text, out + len) != 0) {
                return E_BAD;
            }
            len += 4;
            text += strlen(text);
            break;
        }
        int digits = parse_group(text, &value);
        if (digits < 0) {
            return E_BAD;
        }
        text += digits;
        out[len++] = (uint8_t)(value >> 8);
        out[len++] = (uint8_t)value;
        if (*text == ':' && text[1] == ':' && gap == SIZE_MAX) {
            gap = len;
            text += 2;
        } else if (*text == ':' && text[1] != '\0') {
            text++;
        } else if (*text != '\0') {
            return E_BAD;
        }
    }
    if (*text || (gap == SIZE_MAX ? len != 16 : len > 14)) {
        return E_BAD;
    }
    if (gap != SIZE_MAX) {
        memmove(out + 16 - (len - gap), out + gap, len - gap);
        memset(out + gap, 0, 16 - len);
    }
    return 0;
}

int addr_parse(struct addr *out, const char *text)
{
    *out = (struct addr){0};
    if (strchr(text, ':')) {
        out->family = ADDR_V6;
        if (parse_v6(text, out->ip) != 0) {
            *out = (struct addr){0};
            return E_BAD;
        }
        addr_canonical(out);
        return 0;
    }
    out->family = ADDR_V4;
    if (parse_v4(text, out->ip) != 0) {
        *out = (struct addr){0};
        return E_BAD;
    }
    return 0;
}

/* RFC 5952: lower case, the longest run of zero groups (two or more, first wins) becomes "::". */
static void print_v6(const uint8_t ip[16], char *buf, size_t cap)
{
    unsigned group[8];
    int best = -1;
    int best_len = 1;
    for (int i = 0; i < 8; i++) {
        group[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    }
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && group[i + n] == 0) {
            n++;
        }
        if (n > best_len) {
            best = i;
            best_len = n;
        }
    }
    size_t used = 0;
    for (int i = 0; i < 8 && used < cap; i++) {
        if (i == best) {
            used += (size_t)snprintf(buf + used, cap - used, "::");
            i += best_len - 1;
            continue;
        }
        bool colon = i > 0 && i != best + best_len;
        if (best < 0 || i < best) {
            colon = i > 0;
        }
        used += (size_t)snprintf(buf + used, cap - used, "%s%x", colon ? ":" : "", group[i]);
    }
}

const char *addr_print(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
    char ip[48] = "?";
    if (a->family == ADDR_V4) {
        (void)snprintf(ip, sizeof(ip), "%u.%u.%u.%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3]);
    } else if (a->family == ADDR_V6) {
        print_v6(a->ip, ip, sizeof(ip));
    }
    if (a->port == 0) {
        (void)snprintf(buf, ADDR_TEXT_MAX, "%s", ip);
    } else {
        bool v6 = a->family == ADDR_V6;
        (void)snprintf(buf, ADDR_TEXT_MAX, "%s%s%s:%u", v6 ? "[" : "", ip, v6 ? "]" : "", a->port);
    }
    return buf;
}
