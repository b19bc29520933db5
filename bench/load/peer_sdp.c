#include "bench/load/peer_sdp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bench/load/media.h"
#include "codec/base/err.h"
#include "codec/base/text.h"
#include "codec/media/registry.h"
#include "codec/wire/sdp.h"
#include "codec/wire/sdp_payload.h"
#include "codec/wire/sdp_text.h"

/* ---- ours --------------------------------------------------------------------------------- */

static void put_transport(struct sdp_out *o, const struct peer_sdp *p)
{
    char text[256];
    char print[97];
    for (unsigned i = 0; i < 32; i++) {
        (void)snprintf(print + 3 * (size_t)i, 4, "%02X:", p->fingerprint[i]);
    }
    print[95] = '\0';
    (void)snprintf(text, sizeof(text), "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=setup:%s\r\n", p->ufrag,
                   p->pwd, p->setup);
    sdp_put(o, text);
    sdp_put(o, "a=fingerprint:sha-256 ");
    sdp_put(o, print);
    sdp_put(o, "\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
}

static void put_number(struct sdp_out *o, const char *before, uint32_t number, const char *after)
{
    sdp_put(o, before);
    sdp_put_number(o, number);
    sdp_put(o, after);
}

static void put_extensions(struct sdp_out *o, const struct peer_sdp *p, unsigned kind)
{
    if (p->sends) {
        put_number(o, "a=extmap:", MEDIA_EXT_MID, " urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
    }
    if (p->section[kind].twcc) {
        put_number(o, "a=extmap:", p->section[kind].twcc,
                   " http://www.ietf.org/id/"
                   "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n");
    }
    if (p->sends && kind == PEER_SDP_SOUND) {
        put_number(o, "a=extmap:", MEDIA_EXT_LEVEL,
                   " urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n");
    }
    if (p->sends && kind == PEER_SDP_PICTURE) {
        put_number(o, "a=extmap:", MEDIA_EXT_RID,
                   " urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
        put_number(o, "a=extmap:", MEDIA_EXT_RRID,
                   " urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n");
    }
}

static void put_picture(struct sdp_out *o, const struct peer_sdp *p)
{
    static const char *const feedback[] = {" nack\r\n", " nack pli\r\n", " ccm fir\r\n",
                                           " transport-cc\r\n"};
    const struct peer_section *s = &p->section[PEER_SDP_PICTURE];
    put_number(o, "a=rtpmap:", s->pt, " VP8/90000\r\n");
    for (unsigned i = 0; i < sizeof(feedback) / sizeof(feedback[0]); i++) {
        put_number(o, "a=rtcp-fb:", s->pt, feedback[i]);
    }
    if (s->rtx) {
        put_number(o, "a=rtpmap:", s->rtx, " rtx/90000\r\n");
        put_number(o, "a=fmtp:", s->rtx, " apt=");
        sdp_put_number(o, s->pt);
        sdp_put(o, "\r\n");
    }
    if (p->sends && p->layers > 1) {
        static const char *const names[] = {"h", "m", "l"};
        for (unsigned i = p->top; i < 3u && i < (unsigned)p->top + p->layers; i++) {
            sdp_put(o, "a=rid:");
            sdp_put(o, names[i]);
            sdp_put(o, " send\r\n");
        }
        for (unsigned i = p->top; i < 3u && i < (unsigned)p->top + p->layers; i++) {
            sdp_put(o, i == p->top ? "a=simulcast:send " : ";");
            sdp_put(o, names[i]);
        }
        sdp_put(o, "\r\n");
    }
}

static void put_ssrcs(struct sdp_out *o, const struct peer_sdp *p, unsigned kind)
{
    uint32_t rtx = kind == PEER_SDP_PICTURE && p->section[kind].rtx ? p->rtx_ssrc : 0;
    if (!p->sends || !p->ssrc[kind]) {
        return;
    }
    if (rtx) {
        put_number(o, "a=ssrc-group:FID ", p->ssrc[kind], " ");
        put_number(o, "", rtx, "\r\n");
    }
    put_number(o, "a=ssrc:", p->ssrc[kind], " cname:load\r\n");
    if (rtx) {
        put_number(o, "a=ssrc:", rtx, " cname:load\r\n");
    }
}

static void put_section(struct sdp_out *o, const struct peer_sdp *p, unsigned kind)
{
    const struct peer_section *s = &p->section[kind];
    if (!s->there) {
        return;
    }
    put_number(o, kind ? "m=video 9 UDP/TLS/RTP/SAVPF " : "m=audio 9 UDP/TLS/RTP/SAVPF ", s->pt,
               "");
    if (s->rtx) {
        put_number(o, " ", s->rtx, "");
    }
    sdp_put(o, "\r\nc=IN IP4 0.0.0.0\r\na=mid:");
    sdp_put(o, s->mid);
    sdp_put(o, p->sends ? "\r\na=sendonly\r\n" : "\r\na=recvonly\r\n");
    if (p->sends) {
        sdp_put(o, kind ? "a=msid:load picture\r\n" : "a=msid:load sound\r\n");
    }
    put_transport(o, p);
    put_extensions(o, p, kind);
    if (kind == PEER_SDP_PICTURE) {
        put_picture(o, p);
    } else {
        put_number(o, "a=rtpmap:", s->pt, " opus/48000/2\r\n");
        put_number(o, "a=rtcp-fb:", s->pt, " transport-cc\r\n");
    }
    put_ssrcs(o, p, kind);
}

int peer_sdp_write(char *out, size_t cap, const struct peer_sdp *ours)
{
    struct sdp_out o = {.p = out, .cap = cap};
    unsigned first = ours->picture_first;
    sdp_put(&o, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for (unsigned i = 0; i < PEER_SDP_KINDS; i++) {
        const struct peer_section *s = &ours->section[first ^ i];
        sdp_put(&o, s->there ? " " : "");
        sdp_put(&o, s->there ? s->mid : "");
    }
    sdp_put(&o, "\r\na=msid-semantic:WMS *\r\n");
    put_section(&o, ours, first);
    put_section(&o, ours, first ^ 1);
    if (o.bad || o.len + 1 > cap) {
        return E_FULL;
    }
    out[o.len] = '\0';
    return (int)o.len;
}

/* ---- theirs ------------------------------------------------------------------------------- */

static struct sdp_view either(const struct sdp_session *s, struct sdp_str own, struct sdp_str all)
{
    return sdp_view(s, own.len ? own : all);
}

static bool copy(char *out, size_t cap, struct sdp_view v)
{
    if (!v.len || v.len >= cap) {
        return false;
    }
    memcpy(out, v.p, v.len);
    out[v.len] = '\0';
    return true;
}

/* "sha-256 AB:CD:...". */
static bool read_print(uint8_t out[32], struct sdp_view v)
{
    struct sdp_view hash;
    struct sdp_view byte;
    if (!sdp_token(&v, ' ', &hash) || !sdp_is_nocase(hash, "sha-256")) {
        return false;
    }
    for (unsigned i = 0; i < 32; i++) {
        if (!sdp_token(&v, ':', &byte) || byte.len != 2 || text_unhex(out + i, 1, byte.p, 2) != 0) {
            return false;
        }
    }
    return true;
}

/* The first UDP candidate over IPv4, of any section. */
static bool read_candidate(struct peer_heard *out, const struct sdp_session *s)
{
    for (unsigned i = 0; i < s->lines; i++) {
        struct sdp_candidate c;
        struct sdp_view v = sdp_view(s, s->line[i].value);
        if (s->line[i].attr == SDP_CANDIDATE && sdp_candidate_parse(&c, v.p, v.len) == 0 &&
            c.proto == ADDR_UDP && c.addr.family == ADDR_V4 && c.component == 1) {
            out->candidate =
                (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(c.addr.port)};
            memcpy(&out->candidate.sin_addr, c.addr.ip, 4);
            return true;
        }
    }
    return false;
}

static void read_section(struct peer_heard *out, const struct sdp_session *s,
                         const struct sdp_section *m)
{
    static struct sdp_payloads table; /* one thread reads descriptions */
    struct peer_section *to = &out->section[m->kind == SDP_VIDEO];
    const struct sdp_codec *codec =
        registry_sdp_codec(m->kind == SDP_VIDEO ? CODEC_VP8 : CODEC_OPUS);
    sdp_payloads_read(&table, s, m, registry_sdp_codec);
    to->pt = sdp_payloads_best(&table, s, codec);
    to->rtx = to->pt ? sdp_payloads_rtx(&table, to->pt) : 0;
    to->there = to->pt && m->port && m->direction != SDP_DIR_INACTIVE &&
                copy(to->mid, sizeof(to->mid), sdp_view(s, m->mid));
    out->simulcast = out->simulcast || m->simulcast.len > 0;
    for (unsigned i = m->first; i < m->last; i++) {
        uint8_t id;
        enum sdp_direction direction;
        enum rtpext_kind kind;
        if (s->line[i].attr == SDP_EXTMAP &&
            sdp_extmap_parse(s, s->line[i].value, &id, &direction, &kind) &&
            kind == RTPEXT_TRANSPORT_CC) {
            to->twcc = id;
        }
    }
}

int peer_sdp_read(struct peer_heard *out, const char *text, size_t len, const char **why)
{
    static struct sdp_session s; /* large; one thread reads descriptions */
    *out = (struct peer_heard){.simulcast = false};
    *why = "its description is no SDP";
    if (sdp_parse(&s, text, len) != 0 || s.sections == 0) {
        return E_BAD;
    }
    const struct sdp_section *m = &s.section[0];
    *why = "its description has no credentials, SHA-256 fingerprint or IPv4 candidate";
    if (!copy(out->answer.ufrag, sizeof(out->answer.ufrag), either(&s, m->ufrag, s.ufrag)) ||
        !copy(out->answer.pwd, sizeof(out->answer.pwd), either(&s, m->pwd, s.pwd)) ||
        !read_print(out->answer.fingerprint, either(&s, m->fingerprint, s.fingerprint)) ||
        !read_candidate(out, &s)) {
        return E_BAD;
    }
    *why = "it wants to begin the DTLS handshake itself, which clients of standard doors do";
    if (sdp_is(either(&s, m->setup, s.setup), "active")) {
        return E_UNSUPPORTED;
    }
    out->picture_first = m->kind == SDP_VIDEO;
    for (unsigned i = 0; i < s.sections; i++) {
        if (s.section[i].kind <= SDP_VIDEO && !out->section[s.section[i].kind].there) {
            read_section(out, &s, &s.section[i]);
        }
    }
    *why = "its description has neither Opus nor VP8";
    return out->section[0].there || out->section[1].there ? 0 : E_UNSUPPORTED;
}
