#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/rtpext.h"
#include "codec/wire/sdp.h"
#include "codec/wire/sdp_payload.h"
#include "codec/wire/sdp_text.h"

/* Everything one answer is made from. */
struct scene {
    struct sdp_out out;
    const struct sdp_session *offer;
    const struct desc_offer *desc;
    const struct desc_answer *answer;
    sdp_codec_h codec;
    bool candidates_written;
};

static void put_attr(struct sdp_out *o, const char *name, struct sdp_view value)
{
    sdp_put(o, "a=");
    sdp_put(o, name);
    sdp_put(o, ":");
    sdp_put_view(o, value);
    sdp_put(o, "\r\n");
}

static struct sdp_view view_of(const char *text)
{
    return (struct sdp_view){.p = text, .len = strlen(text)};
}

/* ---- session ------------------------------------------------------------------------------- */

static void put_fingerprint(struct sdp_out *o, const uint8_t fingerprint[32])
{
    static const char digits[] = "0123456789ABCDEF";
    char text[96];
    for (unsigned i = 0; i < 32; i++) {
        text[3 * i] = digits[fingerprint[i] >> 4];
        text[3 * i + 1] = digits[fingerprint[i] & 15];
        text[3 * i + 2] = ':';
    }
    sdp_put(o, "a=fingerprint:sha-256 ");
    sdp_put_view(o, (struct sdp_view){.p = text, .len = 95}); /* no colon behind the last */
    sdp_put(o, "\r\n");
}

static void put_session(struct scene *c)
{
    struct sdp_out *o = &c->out;
    sdp_put(o, "v=0\r\no=- ");
    sdp_put_number(o, c->answer->ssrc_base);
    sdp_put(o, " 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\na=ice-options:trickle ice2\r\n");
    if (c->offer->has_bundle) {
        sdp_put(o, "a=group:BUNDLE");
        for (unsigned i = 0; i < c->offer->sections; i++) {
            if (c->offer->section[i].use != SDP_USE_REJECTED) {
                sdp_put(o, " ");
                sdp_put_view(o, sdp_view(c->offer, c->offer->section[i].mid));
            }
        }
        sdp_put(o, "\r\n");
    }
    if (c->offer->allow_mixed) {
        sdp_put(o, "a=extmap-allow-mixed\r\n");
    }
    sdp_put(o, "a=msid-semantic:WMS *\r\n");
}

/* In each section, as browsers write it: there are stacks that look nowhere else (RFC 9429 section
 * 5.3.1 puts it there), and others that want it in every one. */
static void put_transport(struct scene *c)
{
    struct sdp_out *o = &c->out;
    put_attr(o, "ice-ufrag", view_of(c->answer->ufrag));
    put_attr(o, "ice-pwd", view_of(c->answer->pwd));
    put_fingerprint(o, c->answer->fingerprint);
    sdp_put(o, "a=setup:passive\r\n");
}

/* ---- candidates ---------------------------------------------------------------------------- */

/* RFC 8445 5.1.2.1 with RFC 6544 4.2: a host is preferred by UDP, then by its place. */
static void put_candidate(struct sdp_out *o, unsigned index, const struct addr *addr, bool tcp)
{
    uint32_t type_preference = tcp ? 90 : 126;
    uint32_t priority = type_preference << 24 | (65535u - index) << 8 | 255u;
    struct addr bare = *addr;
    char text[ADDR_TEXT_MAX];
    bare.port = 0;
    sdp_put(o, "a=candidate:");
    sdp_put_number(o, 2 * index + (tcp ? 2 : 1));
    sdp_put(o, tcp ? " 1 tcp " : " 1 udp ");
    sdp_put_number(o, priority);
    sdp_put(o, " ");
    sdp_put(o, addr_print(&bare, text));
    sdp_put(o, " ");
    sdp_put_number(o, addr->port);
    sdp_put(o, tcp ? " typ host tcptype passive\r\n" : " typ host\r\n");
}

static void put_candidates(struct scene *c)
{
    for (unsigned i = 0; i < c->answer->candidates && i < DESC_CANDIDATES_MAX; i++) {
        const struct desc_candidate *candidate = &c->answer->candidate[i];
        if (candidate->udp) {
            put_candidate(&c->out, i, &candidate->addr, false);
        }
        if (candidate->tcp) {
            put_candidate(&c->out, i, &candidate->addr, true);
        }
    }
    sdp_put(&c->out, "a=end-of-candidates\r\n");
}

/* ---- one section --------------------------------------------------------------------------- */

/* The payload types of our choice that this section lists, in the order of the registry. */
static unsigned choose(const struct scene *c, const struct sdp_section *m,
                       const struct sdp_payloads *table, const struct sdp_payload **chosen)
{
    const struct desc_codecs *map = m->kind == SDP_VIDEO ? &c->desc->video : &c->desc->audio;
    unsigned count = 0;
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const struct sdp_codec *codec = c->codec((enum codec_id)id);
        if (codec && codec->video == (m->kind == SDP_VIDEO)) {
            const struct sdp_payload *row = sdp_payloads_of(table, c->offer, codec, map->pt[id]);
            if (row) {
                chosen[count++] = row;
            }
        }
    }
    return count;
}

static void put_rtpmap(struct sdp_out *o, uint8_t pt, const char *name,
                       const struct sdp_codec *codec)
{
    sdp_put(o, "a=rtpmap:");
    sdp_put_number(o, pt);
    sdp_put(o, " ");
    sdp_put(o, name);
    sdp_put(o, "/");
    sdp_put_number(o, codec->clock_rate);
    if (codec->channels > 1) {
        sdp_put(o, "/");
        sdp_put_number(o, codec->channels);
    }
    sdp_put(o, "\r\n");
}

static void put_fmtp(struct sdp_out *o, uint8_t pt, struct sdp_view value)
{
    sdp_put(o, "a=fmtp:");
    sdp_put_number(o, pt);
    sdp_put(o, " ");
    sdp_put_view(o, value);
    sdp_put(o, "\r\n");
}

static void put_codec(struct scene *c, const struct sdp_payload *row, uint8_t rtx)
{
    struct sdp_out *o = &c->out;
    const struct sdp_codec *codec = c->codec((enum codec_id)row->codec);
    put_rtpmap(o, row->pt, codec->name, codec);
    for (unsigned i = 0; codec->feedback[i]; i++) {
        if (row->feedback >> i & 1u) {
            sdp_put(o, "a=rtcp-fb:");
            sdp_put_number(o, row->pt);
            sdp_put(o, " ");
            sdp_put(o, codec->feedback[i]);
            sdp_put(o, "\r\n");
        }
    }
    if (codec->fmtp) {
        put_fmtp(o, row->pt, view_of(codec->fmtp));
    } else if (row->fmtp.len) {
        put_fmtp(o, row->pt, sdp_view(c->offer, row->fmtp));
    }
    if (rtx) {
        put_rtpmap(o, rtx, "rtx", codec);
        sdp_put(o, "a=fmtp:");
        sdp_put_number(o, rtx);
        sdp_put(o, " apt=");
        sdp_put_number(o, row->pt);
        sdp_put(o, "\r\n");
    }
}

static void put_extensions(struct scene *c, const struct sdp_section *m)
{
    /* Seen from the other side. */
    static const char *const reversed[] = {"", "/recvonly", "/sendonly", "/inactive"};
    const struct desc_exts *ids = m->kind == SDP_VIDEO ? &c->desc->video_ext : &c->desc->audio_ext;
    bool done[RTPEXT_COUNT] = {false};
    for (unsigned i = m->first; i < m->last; i++) {
        uint8_t id;
        enum sdp_direction direction;
        enum rtpext_kind kind;
        if (c->offer->line[i].attr == SDP_EXTMAP &&
            sdp_extmap_parse(c->offer, c->offer->line[i].value, &id, &direction, &kind) &&
            !done[kind] && ids->id[kind] == id) {
            done[kind] = true;
            sdp_put(&c->out, "a=extmap:");
            sdp_put_number(&c->out, id);
            sdp_put(&c->out, reversed[direction]);
            sdp_put(&c->out, " ");
            sdp_put(&c->out, rtpext_uri(kind));
            sdp_put(&c->out, "\r\n");
        }
    }
}

/* The streams of "a=simulcast:send a;b,c;~d [recv ...]": the first alternative of each, no tilde.
 */
static unsigned simulcast_rids(const struct sdp_session *s, const struct sdp_section *m,
                               struct sdp_view rid[SDP_RIDS_MAX])
{
    struct sdp_view v = sdp_view(s, m->simulcast);
    struct sdp_view word;
    struct sdp_view list = {.p = NULL, .len = 0};
    while (sdp_token(&v, ' ', &word)) {
        if (sdp_is(word, "send")) {
            (void)sdp_token(&v, ' ', &list);
            break;
        }
    }
    unsigned count = 0;
    struct sdp_view item;
    while (count < SDP_RIDS_MAX && sdp_token(&list, ';', &item)) {
        struct sdp_view first;
        if (!sdp_token(&item, ',', &first)) {
            continue;
        }
        if (*first.p == '~') {
            first.p++;
            first.len--;
        }
        if (first.len) {
            rid[count++] = first;
        }
    }
    return count;
}

static void put_simulcast(struct scene *c, const struct sdp_section *m)
{
    struct sdp_view rid[SDP_RIDS_MAX];
    unsigned count = simulcast_rids(c->offer, m, rid);
    for (unsigned i = 0; i < count; i++) {
        sdp_put(&c->out, "a=rid:");
        sdp_put_view(&c->out, rid[i]);
        sdp_put(&c->out, " recv\r\n");
    }
    for (unsigned i = 0; i < count; i++) {
        sdp_put(&c->out, i ? ";" : "a=simulcast:recv ");
        sdp_put_view(&c->out, rid[i]);
    }
    sdp_put(&c->out, count ? "\r\n" : "");
}

static void put_ssrc(struct sdp_out *o, uint32_t ssrc)
{
    sdp_put(o, "a=ssrc:");
    sdp_put_number(o, ssrc);
    sdp_put(o, " cname:amphi\r\n");
}

/* What we send in a slot. One audio and one video belong together (WHEP); slots of a pool do not,
 * or browsers would synchronise strangers. */
static void put_slot(struct scene *c, const struct sdp_section *m, bool rtx)
{
    struct sdp_out *o = &c->out;
    uint32_t ssrc = c->answer->ssrc_base + 2u * m->slot;
    bool pair = c->desc->audio_slots <= 1 && c->desc->video_slots <= 1;
    sdp_put(o, "a=msid:amphi");
    if (!pair) {
        sdp_put_number(o, m->slot);
    }
    sdp_put(o, " slot");
    sdp_put_number(o, m->slot);
    sdp_put(o, "\r\n");
    if (rtx) {
        sdp_put(o, "a=ssrc-group:FID ");
        sdp_put_number(o, ssrc);
        sdp_put(o, " ");
        sdp_put_number(o, ssrc + 1);
        sdp_put(o, "\r\n");
    }
    put_ssrc(o, ssrc);
    if (rtx) {
        put_ssrc(o, ssrc + 1);
    }
}

static bool has_attr(const struct scene *c, const struct sdp_section *m, enum sdp_attr attr)
{
    for (unsigned i = m->first; i < m->last; i++) {
        if (c->offer->line[i].attr == attr) {
            return true;
        }
    }
    return false;
}

static void put_media_line(struct scene *c, const struct sdp_section *m, bool accepted)
{
    sdp_put(&c->out, "m=");
    sdp_put_view(&c->out, sdp_view(c->offer, m->media));
    sdp_put(&c->out, accepted ? " 9 " : " 0 ");
    sdp_put_view(&c->out, sdp_view(c->offer, m->proto));
}

static void put_rejected(struct scene *c, const struct sdp_section *m)
{
    put_media_line(c, m, false);
    sdp_put(&c->out, " ");
    sdp_put_view(&c->out, sdp_view(c->offer, m->formats));
    sdp_put(&c->out, "\r\nc=IN IP4 0.0.0.0\r\n");
    if (m->mid.len) {
        put_attr(&c->out, "mid", sdp_view(c->offer, m->mid));
    }
    sdp_put(&c->out, "a=inactive\r\n");
}

static void put_section(struct scene *c, const struct sdp_section *m)
{
    static const char *const directions[] = {
        [SDP_USE_IDLE] = "a=inactive\r\n",
        [SDP_USE_SEND] = "a=recvonly\r\n",
        [SDP_USE_SLOT] = "a=sendonly\r\n",
    };
    struct sdp_payloads table;
    const struct sdp_payload *chosen[CODEC_COUNT];
    const struct desc_codecs *map = m->kind == SDP_VIDEO ? &c->desc->video : &c->desc->audio;
    sdp_payloads_read(&table, c->offer, m, c->codec);
    unsigned count = choose(c, m, &table, chosen);
    if (m->use == SDP_USE_REJECTED || count == 0) {
        put_rejected(c, m);
        return;
    }
    bool rtx = false;
    struct sdp_out *o = &c->out;
    put_media_line(c, m, true);
    for (unsigned i = 0; i < count; i++) {
        sdp_put(o, " ");
        sdp_put_number(o, chosen[i]->pt);
        if (map->rtx[chosen[i]->codec]) {
            rtx = true;
            sdp_put(o, " ");
            sdp_put_number(o, map->rtx[chosen[i]->codec]);
        }
    }
    sdp_put(o, "\r\nc=IN IP4 0.0.0.0\r\n");
    put_transport(c);
    put_attr(o, "mid", sdp_view(c->offer, m->mid));
    sdp_put(o, directions[m->use]);
    sdp_put(o, "a=rtcp-mux\r\na=rtcp-mux-only\r\n");
    if (has_attr(c, m, SDP_RTCP_RSIZE)) {
        sdp_put(o, "a=rtcp-rsize\r\n");
    }
    put_extensions(c, m);
    for (unsigned i = 0; i < count; i++) {
        put_codec(c, chosen[i], map->rtx[chosen[i]->codec]);
    }
    if (m->use == SDP_USE_SEND) {
        put_simulcast(c, m);
    } else if (m->use == SDP_USE_SLOT) {
        put_slot(c, m, rtx);
    }
    if (!c->candidates_written) {
        c->candidates_written = true;
        put_candidates(c);
    }
}

int sdp_answer_write(char *out, size_t cap, const struct sdp_session *offer,
                     const struct desc_offer *desc, const struct desc_answer *answer,
                     sdp_codec_h codec)
{
    if (!cap) {
        return E_FULL;
    }
    struct scene c = {.offer = offer, .desc = desc, .answer = answer, .codec = codec};
    c.out = (struct sdp_out){.p = out, .cap = cap};
    put_session(&c);
    for (unsigned i = 0; i < offer->sections; i++) {
        put_section(&c, &offer->section[i]);
    }
    out[c.out.bad ? 0 : c.out.len] = 0;
    return c.out.bad ? E_FULL : (int)c.out.len;
}
