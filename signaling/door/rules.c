#include "signaling/door/rules.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool equal_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/* Digits at text[*at ..]; false when there is none or more than 18. */
static bool take_number(const char *text, size_t len, size_t *at, uint64_t *value)
{
    size_t start = *at;
    uint64_t v = 0;
    while (*at < len && is_digit(text[*at]) && *at - start < 19) {
        v = v * 10 + (uint64_t)(text[*at] - '0');
        (*at)++;
    }
    *value = v;
    return *at > start && *at - start <= 18;
}

int rules_length(const char *text, size_t len, uint64_t *value)
{
    size_t at = 0;
    if (len < 1 || len > 10 || !take_number(text, len, &at, value) || at != len) {
        return E_BAD;
    }
    return 0;
}

static bool segment_ok(const char *p, size_t len, bool last)
{
    if (len == 0) {
        return last;
    }
    return !(len == 1 && p[0] == '.') && !(len == 2 && p[0] == '.' && p[1] == '.');
}

bool rules_path_ok(const char *path, size_t len)
{
    if (len < 1 || path[0] != '/' || !text_utf8_ok(path, len)) {
        return false;
    }
    size_t start = 1;
    for (size_t i = 1; i <= len; i++) {
        if (i == len || path[i] == '/') {
            if (!segment_ok(path + start, i - start, i == len)) {
                return false;
            }
            start = i + 1;
        } else if ((unsigned char)path[i] <= 0x20 || path[i] == 0x7f || path[i] == '\\') {
            return false;
        }
    }
    return true;
}

bool rules_origin_is(const char *origin, size_t len, const char *scheme, const char *host)
{
    size_t s = strlen(scheme);
    size_t h = strlen(host);
    return h && len == s + 3 + h && !memcmp(origin, scheme, s) && !memcmp(origin + s, "://", 3) &&
           !memcmp(origin + s + 3, host, h);
}

int rules_forwarded(const char *text, size_t len, struct addr *out)
{
    char one[64];
    size_t end = len;
    while (end && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
        end--;
    }
    size_t start = end;
    while (start && text[start - 1] != ',' && text[start - 1] != ' ') {
        start--;
    }
    size_t n = end - start;
    if (n == 0 || n >= sizeof(one)) {
        return E_BAD;
    }
    memcpy(one, text + start, n);
    one[n] = '\0';
    char *p = one;
    char *colon = strchr(one, ':');
    if (one[0] == '[') {
        char *close = strchr(one, ']');
        if (!close) {
            return E_BAD;
        }
        *close = '\0';
        p = one + 1;
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    int err = addr_parse(out, p);
    if (!err) {
        addr_canonical(out);
    }
    return err;
}

/* Next element of a comma list, without blanks around it; false at the end. */
static bool next_element(const char *list, size_t len, size_t *at, const char **p, size_t *n)
{
    if (*at >= len) {
        return false;
    }
    size_t start = *at;
    while (start < len && (list[start] == ' ' || list[start] == '\t')) {
        start++;
    }
    size_t end = start;
    while (end < len && list[end] != ',') {
        end++;
    }
    *at = end + 1;
    while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t')) {
        end--;
    }
    *p = list + start;
    *n = end - start;
    return true;
}

bool rules_etag_in(const char *list, size_t len, const char *etag)
{
    size_t at = 0;
    const char *p;
    size_t n;
    size_t want = strlen(etag);
    while (next_element(list, len, &at, &p, &n)) {
        if (n == 1 && p[0] == '*') {
            return true;
        }
        if (n > 2 && p[0] == 'W' && p[1] == '/') {
            p += 2; /* weak comparison, RFC 9110 section 13.1.2 */
            n -= 2;
        }
        if (n == want && !memcmp(p, etag, want)) {
            return true;
        }
    }
    return false;
}

/* True for "q=0", "q=0.0", "q=0.000" behind the first ';'. */
static bool weight_is_zero(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == ';' || p[i] == '\t')) {
        i++;
    }
    if (n - i < 3 || lower(p[i]) != 'q' || p[i + 1] != '=' || p[i + 2] != '0') {
        return false;
    }
    for (i += 3; i < n; i++) {
        if (p[i] != '.' && p[i] != '0') {
            return false;
        }
    }
    return true;
}

bool rules_accepts(const char *list, size_t len, const char *coding)
{
    size_t at = 0;
    const char *p;
    size_t n;
    size_t want = strlen(coding);
    while (next_element(list, len, &at, &p, &n)) {
        if (n >= want && equal_nocase(p, coding, want) &&
            (n == want || p[want] == ';' || p[want] == ' ')) {
            return !weight_is_zero(p + want, n - want);
        }
    }
    return false;
}

enum rules_range rules_range(const char *text, size_t len, uint64_t size, uint64_t *first,
                             uint64_t *last)
{
    uint64_t a = 0;
    uint64_t b = 0;
    size_t at = 6;
    if (len < 8 || !equal_nocase(text, "bytes=", 6)) {
        return RULES_RANGE_ALL;
    }
    bool has_a = take_number(text, len, &at, &a);
    if (at >= len || text[at] != '-') {
        return RULES_RANGE_ALL;
    }
    at++;
    bool has_b = take_number(text, len, &at, &b);
    if (at != len || (!has_a && !has_b) || (has_a && has_b && b < a)) {
        return RULES_RANGE_ALL;
    }
    if (!has_a) { /* the last b bytes */
        if (b == 0 || size == 0) {
            return RULES_RANGE_NONE;
        }
        *first = b < size ? size - b : 0;
        *last = size - 1;
        return RULES_RANGE_PART;
    }
    if (a >= size) {
        return RULES_RANGE_NONE;
    }
    *first = a;
    *last = has_b && b < size - 1 ? b : size - 1;
    return RULES_RANGE_PART;
}

const char *rules_media_type(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } row[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".webp", "image/webp"},
        {".avif", "image/avif"},
        {".gif", "image/gif"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
        {".mp3", "audio/mpeg"},
        {".ogg", "audio/ogg"},
        {".opus", "audio/ogg"},
        {".wav", "audio/wav"},
        {".webm", "video/webm"},
        {".mp4", "video/mp4"},
        {".pdf", "application/pdf"},
    };
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        size_t n = strlen(row[i].ending);
        if (len > n && equal_nocase(name + len - n, row[i].ending, n)) {
            return row[i].type;
        }
    }
    return "application/octet-stream";
}
