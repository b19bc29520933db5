#include "codec/wire/sdpfrag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/sdp.h"

enum { UFRAG_MIN = 4, PWD_MIN = 22, CANDIDATES_MAX = 1000 };

/* ---- reading ----------------------------------------------------------------------------------
 */

static bool begins(const char *p, size_t len, const char *with, const char **rest, size_t *left)
{
    size_t n = strlen(with);
    if (len < n || memcmp(p, with, n) != 0) {
        return false;
    }
    *rest = p + n;
    *left = len - n;
    return true;
}

/* ice-char (RFC 8839 section 5.4), the first one counts. */
static int take_text(char *out, size_t max, const char *p, size_t len, size_t min)
{
    if (len < min || len > max) {
        return E_BAD;
    }
    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '+' || c == '/')) {
            return E_BAD;
        }
    }
    if (!out[0]) {
        memcpy(out, p, len);
        out[len] = '\0';
    }
    return 0;
}

static int take_candidate(struct sdpfrag *out, const char *p, size_t len)
{
    struct sdp_candidate candidate;
    int err = sdp_candidate_parse(&candidate, p, len);
    if (err == E_BAD || out->candidates == CANDIDATES_MAX) {
        return E_BAD;
    }
    out->candidates++;
    return 0; /* a name or a transport we do not speak is its own business */
}

static int take_line(struct sdpfrag *out, const char *p, size_t len)
{
    const char *value;
    size_t left;
    if (len < 2 || p[1] != '=' || p[0] < 'a' || p[0] > 'z') {
        return E_BAD;
    }
    if (begins(p, len, "a=ice-ufrag:", &value, &left)) {
        return take_text(out->ufrag, DESC_UFRAG_MAX, value, left, UFRAG_MIN);
    }
    if (begins(p, len, "a=ice-pwd:", &value, &left)) {
        return take_text(out->pwd, DESC_PWD_MAX, value, left, PWD_MIN);
    }
    if (begins(p, len, "a=candidate:", &value, &left)) {
        return take_candidate(out, value, left);
    }
    out->end = out->end || (len == 19 && begins(p, len, "a=end-of-candidates", &value, &left));
    return 0;
}

int sdpfrag_parse(struct sdpfrag *out, const char *text, size_t len)
{
    memset(out, 0, sizeof(*out));
    if (len > SDPFRAG_MAX) {
        return E_TOOBIG;
    }
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '\n') {
            unsigned char c = (unsigned char)text[i];
            bool cr = c == '\r' && i + 1 < len && text[i + 1] == '\n';
            if (c < 0x20 && c != '\t' && !cr) {
                return E_BAD;
            }
            continue;
        }
        size_t n = i - start;
        n -= n > 0 && text[start + n - 1] == '\r';
        int err = n ? take_line(out, text + start, n) : 0;
        if (err) {
            return err;
        }
        start = i + 1;
    }
    return out->pwd[0] && !out->ufrag[0] ? E_BAD : 0;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

struct text {
    char *p;
    size_t cap;
    size_t len;
    bool bad;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->p + t->len, t->cap - t->len, format, args);
    va_end(args);
    t->bad = t->bad || n < 0 || (size_t)n >= t->cap - t->len;
    t->len += t->bad ? 0 : (size_t)n;
}

static void put_candidates(struct text *t, const struct desc_answer *a)
{
    for (unsigned i = 0; i < a->candidates; i++) {
        const struct desc_candidate *c = &a->candidate[i];
        struct addr bare = c->addr;
        char host[ADDR_TEXT_MAX];
        bare.port = 0;
        (void)addr_print(&bare, host);
        uint32_t priority = 2130706431u - (i << 8);
        if (c->udp) {
            put(t, "a=candidate:%u 1 udp %u %s %u typ host\r\n", 2 * i + 1, priority, host,
                c->addr.port);
        }
        if (c->tcp) {
            put(t, "a=candidate:%u 1 tcp %u %s %u typ host tcptype passive\r\n", 2 * i + 2,
                priority - (1u << 24), host, c->addr.port);
        }
    }
    put(t, "a=end-of-candidates\r\n");
}

int sdpfrag_write(char *out, size_t cap, const struct desc_answer *answer, const char *audio,
                  const char *video)
{
    struct text t = {.p = out, .cap = cap};
    const char *kind = audio[0] ? "audio" : "video";
    put(&t, "a=ice-lite\r\na=ice-options:trickle ice2\r\n");
    put(&t, "a=group:BUNDLE %s%s%s\r\n", audio, audio[0] && video[0] ? " " : "", video);
    /* The first section carries the transport (RFC 8843 section 8). */
    put(&t, "m=%s 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\n", kind, audio[0] ? audio : video);
    put(&t, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", answer->ufrag, answer->pwd);
    put_candidates(&t, answer);
    return t.bad ? E_FULL : (int)t.len;
}
