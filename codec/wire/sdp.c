#include "codec/wire/sdp.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/sdp_text.h"

static const char *const attr_names[SDP_ATTR_COUNT] = {
    [SDP_GROUP] = "group",
    [SDP_MID] = "mid",
    [SDP_RTPMAP] = "rtpmap",
    [SDP_FMTP] = "fmtp",
    [SDP_RTCP_FB] = "rtcp-fb",
    [SDP_EXTMAP] = "extmap",
    [SDP_EXTMAP_ALLOW_MIXED] = "extmap-allow-mixed",
    [SDP_SSRC] = "ssrc",
    [SDP_SSRC_GROUP] = "ssrc-group",
    [SDP_MSID] = "msid",
    [SDP_RID] = "rid",
    [SDP_SIMULCAST] = "simulcast",
    [SDP_CANDIDATE] = "candidate",
    [SDP_END_OF_CANDIDATES] = "end-of-candidates",
    [SDP_ICE_UFRAG] = "ice-ufrag",
    [SDP_ICE_PWD] = "ice-pwd",
    [SDP_ICE_OPTIONS] = "ice-options",
    [SDP_ICE_LITE] = "ice-lite",
    [SDP_FINGERPRINT] = "fingerprint",
    [SDP_SETUP] = "setup",
    [SDP_RTCP_MUX] = "rtcp-mux",
    [SDP_RTCP_RSIZE] = "rtcp-rsize",
    [SDP_BUNDLE_ONLY] = "bundle-only",
    [SDP_SENDRECV] = "sendrecv",
    [SDP_SENDONLY] = "sendonly",
    [SDP_RECVONLY] = "recvonly",
    [SDP_INACTIVE] = "inactive",
};

static struct sdp_str slice(const struct sdp_session *s, struct sdp_view v)
{
    return (struct sdp_str){.at = (uint16_t)(v.len ? v.p - s->text : 0), .len = (uint16_t)v.len};
}

static enum sdp_attr attr_of(struct sdp_view name)
{
    for (unsigned i = 1; i < SDP_ATTR_COUNT; i++) {
        if (sdp_is(name, attr_names[i])) {
            return (enum sdp_attr)i;
        }
    }
    return SDP_OTHER;
}

static struct sdp_section *current(struct sdp_session *s)
{
    return s->sections ? &s->section[s->sections - 1] : NULL;
}

/* Keeps the first value only. */
static void keep(struct sdp_str *at, struct sdp_str value)
{
    if (!at->len) {
        *at = value;
    }
}

static void set_direction(struct sdp_session *s, enum sdp_attr attr)
{
    uint8_t direction = (uint8_t)(attr - SDP_SENDRECV);
    struct sdp_section *m = current(s);
    if (m) {
        m->direction = direction;
        m->has_direction = true;
    } else {
        s->direction = direction;
    }
}

/* "sha-256 AB:..": other hash functions may stand beside it (RFC 8122 5). */
static bool is_sha256(struct sdp_view v)
{
    struct sdp_view hash;
    return sdp_token(&v, ' ', &hash) && sdp_is_nocase(hash, "sha-256");
}

static int parse_group(struct sdp_session *s, struct sdp_view v)
{
    struct sdp_view semantics;
    if (s->sections || s->has_bundle || !sdp_token(&v, ' ', &semantics) ||
        !sdp_is(semantics, "BUNDLE")) {
        return 0;
    }
    s->has_bundle = true;
    s->bundle = slice(s, v);
    return 0;
}

static int parse_mid(struct sdp_session *s, struct sdp_view v)
{
    struct sdp_section *m = current(s);
    if (!m || v.len == 0 || v.len > DESC_MID_MAX || m->mid.len) {
        return E_BAD;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] <= ' ' || v.p[i] > '~') {
            return E_BAD;
        }
    }
    m->mid = slice(s, v);
    return 0;
}

/* Attributes that may stand on both levels. */
static void parse_transport(struct sdp_session *s, enum sdp_attr attr, struct sdp_view v)
{
    struct sdp_section *m = current(s);
    struct sdp_str value = slice(s, v);
    switch ((int)attr) {
    case SDP_ICE_UFRAG:
        keep(m ? &m->ufrag : &s->ufrag, value);
        break;
    case SDP_ICE_PWD:
        keep(m ? &m->pwd : &s->pwd, value);
        break;
    case SDP_SETUP:
        keep(m ? &m->setup : &s->setup, value);
        break;
    case SDP_FINGERPRINT:
        if (is_sha256(v)) {
            keep(m ? &m->fingerprint : &s->fingerprint, value);
        }
        break;
    case SDP_ICE_LITE:
        s->ice_lite = true;
        break;
    case SDP_EXTMAP_ALLOW_MIXED:
        s->allow_mixed = true; /* on either level: all our sections are written alike */
        break;
    default:
        break;
    }
}

/* Attributes of a section. */
static void parse_section_attr(struct sdp_session *s, enum sdp_attr attr, struct sdp_view v)
{
    struct sdp_section *m = current(s);
    if (!m) {
        return;
    }
    switch ((int)attr) {
    case SDP_MSID:
        keep(&m->msid, slice(s, v));
        break;
    case SDP_SIMULCAST:
        keep(&m->simulcast, slice(s, v));
        break;
    case SDP_RTCP_MUX:
        m->rtcp_mux = true;
        break;
    case SDP_BUNDLE_ONLY:
        m->bundle_only = true;
        break;
    case SDP_END_OF_CANDIDATES:
        m->end_of_candidates = true;
        break;
    default:
        break;
    }
}

static int parse_attr(struct sdp_session *s, struct sdp_view v)
{
    struct sdp_view name;
    if (!sdp_token(&v, ':', &name)) {
        return 0;
    }
    enum sdp_attr attr = attr_of(name);
    s->line[s->lines].attr = (uint8_t)attr;
    s->line[s->lines].value = slice(s, v);
    if (attr == SDP_GROUP) {
        return parse_group(s, v);
    }
    if (attr == SDP_MID) {
        return parse_mid(s, v);
    }
    if (attr >= SDP_SENDRECV) {
        set_direction(s, attr);
        return 0;
    }
    parse_transport(s, attr, v);
    parse_section_attr(s, attr, v);
    return 0;
}

static enum sdp_kind kind_of(struct sdp_view media)
{
    static const char *const names[] = {"audio", "video", "application"};
    for (unsigned i = 0; i < 3; i++) {
        if (sdp_is(media, names[i])) {
            return (enum sdp_kind)i;
        }
    }
    return SDP_KIND_OTHER;
}

/* m=<media> <port>[/<number>] <proto> <fmt> ... (8866 5.14) */
static int parse_media(struct sdp_session *s, struct sdp_view v)
{
    struct sdp_view media;
    struct sdp_view port;
    struct sdp_view proto;
    struct sdp_view number;
    uint32_t value;
    if (!sdp_token(&v, ' ', &media) || !sdp_token(&v, ' ', &port) || !sdp_token(&v, ' ', &proto) ||
        !sdp_token(&port, '/', &number) || !sdp_number(number, 65535, &value) || !v.len) {
        return E_BAD;
    }
    if (s->sections == SDP_SECTIONS_MAX) {
        return E_LIMIT;
    }
    if (s->sections == 0) {
        s->session_last = s->lines;
    } else {
        current(s)->last = s->lines;
    }
    struct sdp_section *m = &s->section[s->sections++];
    *m = (struct sdp_section){.first = (uint16_t)(s->lines + 1), .port = (uint16_t)value};
    m->kind = (uint8_t)kind_of(media);
    m->direction = s->direction;
    m->media = slice(s, media);
    m->proto = slice(s, proto);
    m->formats = slice(s, v);
    m->secure = sdp_is(proto, "UDP/TLS/RTP/SAVPF") || sdp_is(proto, "TCP/TLS/RTP/SAVPF") ||
                sdp_is(proto, "UDP/TLS/RTP/SAVP");
    return 0;
}

static int parse_line(struct sdp_session *s, struct sdp_view line)
{
    if (line.len == 0) {
        return 0; /* an empty line at the end is common */
    }
    if (line.len < 2 || line.p[1] != '=' || line.p[0] < 'a' || line.p[0] > 'z') {
        return E_BAD;
    }
    struct sdp_view value = {.p = line.p + 2, .len = line.len - 2};
    switch (line.p[0]) {
    case 'v':
        return s->lines == 0 && sdp_is(value, "0") ? 0 : E_BAD;
    case 'm':
        return parse_media(s, value);
    case 'a':
        return parse_attr(s, value);
    default:
        return 0;
    }
}

/* Marks the sections whose mid is in the BUNDLE group. */
static int mark_bundle(struct sdp_session *s)
{
    struct sdp_view group = sdp_view(s, s->bundle);
    struct sdp_view mid;
    for (unsigned n = 0; sdp_token(&group, ' ', &mid); n++) {
        if (n == SDP_SECTIONS_MAX) {
            return E_LIMIT;
        }
        for (unsigned i = 0; i < s->sections; i++) {
            struct sdp_section *m = &s->section[i];
            m->bundled |= m->mid.len == mid.len && memcmp(s->text + m->mid.at, mid.p, mid.len) == 0;
        }
        s->steps += s->sections;
    }
    return 0;
}

int sdp_parse(struct sdp_session *out, const char *text, size_t len)
{
    /* The lines are valid up to `lines` only: clearing them all would cost more than parsing. */
    memset(out, 0, offsetof(struct sdp_session, section));
    if (len > SDP_TEXT_MAX) {
        return E_TOOBIG;
    }
    out->text = text;
    out->len = len;
    if (len < 3 || text[0] != 'v' || memchr(text, 0, len)) {
        return E_BAD;
    }
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - (text + at)) : len - at;
        struct sdp_view line = {.p = text + at, .len = n};
        if (n && line.p[n - 1] == '\r') {
            line.len--;
        }
        if (out->lines == SDP_LINES_MAX) {
            return E_LIMIT;
        }
        out->line[out->lines] = (struct sdp_line){.attr = SDP_OTHER};
        int err = parse_line(out, line);
        if (err) {
            return err;
        }
        out->lines++;
        at += n + 1;
        out->steps += (uint32_t)n + 1;
    }
    if (!out->sections) {
        return E_BAD;
    }
    current(out)->last = out->lines;
    return mark_bundle(out);
}

/* <foundation> <component> <proto> <priority> <address> <port> typ <type> ... */
int sdp_candidate_parse(struct sdp_candidate *out, const char *value, size_t len)
{
    struct sdp_view v = {.p = value, .len = len};
    struct sdp_view field[8];
    for (unsigned i = 0; i < 8; i++) {
        if (!sdp_token(&v, ' ', &field[i])) {
            return E_BAD;
        }
    }
    uint32_t component;
    uint32_t port;
    *out = (struct sdp_candidate){.proto = ADDR_UDP};
    if (!sdp_number(field[1], 255, &component) ||
        !sdp_number(field[3], UINT32_MAX, &out->priority) || !sdp_number(field[5], 65535, &port) ||
        !sdp_is(field[6], "typ")) {
        return E_BAD;
    }
    if (sdp_is_nocase(field[2], "tcp")) {
        out->proto = ADDR_TCP;
    } else if (!sdp_is_nocase(field[2], "udp")) {
        return E_UNSUPPORTED;
    }
    char text[48];
    if (field[4].len >= sizeof(text)) {
        return E_UNSUPPORTED;
    }
    memcpy(text, field[4].p, field[4].len);
    text[field[4].len] = 0;
    if (addr_parse(&out->addr, text) != 0) {
        return E_UNSUPPORTED;
    }
    out->addr.port = (uint16_t)port;
    out->component = (uint8_t)component;
    out->host = sdp_is(field[7], "host");
    return 0;
}
