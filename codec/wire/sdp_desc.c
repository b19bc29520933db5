#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "codec/wire/sdp.h"
#include "codec/wire/sdp_payload.h"
#include "codec/wire/sdp_text.h"

enum { UFRAG_MIN = 4, PWD_MIN = 22 }; /* 8839 5.4 */

/* ---- credentials --------------------------------------------------------------------------- */

/* ice-char, RFC 8839 5.1. */
static bool is_ice_text(struct sdp_view v, size_t min, size_t max)
{
    for (size_t i = 0; i < v.len; i++) {
        char c = v.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '+' || c == '/')) {
            return false;
        }
    }
    return v.len >= min && v.len <= max;
}

static void copy_text(char *out, struct sdp_view v)
{
    memcpy(out, v.p, v.len);
    out[v.len] = 0;
}

/* "sha-256 AB:CD:..": 32 bytes (RFC 8122 5). */
static int read_fingerprint(uint8_t out[32], struct sdp_view v)
{
    struct sdp_view hash;
    struct sdp_view byte;
    if (!sdp_token(&v, ' ', &hash) || v.len != 95) {
        return E_BAD;
    }
    for (unsigned i = 0; i < 32; i++) {
        if (!sdp_token(&v, ':', &byte) || byte.len != 2 || text_unhex(out + i, 1, byte.p, 2) != 0) {
            return E_BAD;
        }
    }
    return v.len ? E_BAD : 0;
}

/* The section's own attribute, else the session's. */
static struct sdp_view either(const struct sdp_session *s, struct sdp_str own,
                              struct sdp_str common)
{
    return sdp_view(s, own.len ? own : common);
}

static int read_credentials(struct desc_offer *desc, const struct sdp_session *s,
                            const struct sdp_section *m)
{
    struct sdp_view ufrag = either(s, m->ufrag, s->ufrag);
    struct sdp_view pwd = either(s, m->pwd, s->pwd);
    struct sdp_view setup = either(s, m->setup, s->setup);
    struct sdp_view fingerprint = either(s, m->fingerprint, s->fingerprint);
    if (!is_ice_text(ufrag, UFRAG_MIN, DESC_UFRAG_MAX) ||
        !is_ice_text(pwd, PWD_MIN, DESC_PWD_MAX)) {
        return E_BAD;
    }
    /* We are always the DTLS server: the client must be willing to begin. */
    if (!fingerprint.len || sdp_is(setup, "passive") || sdp_is(setup, "holdconn")) {
        return E_UNSUPPORTED;
    }
    copy_text(desc->ufrag, ufrag);
    copy_text(desc->pwd, pwd);
    return read_fingerprint(desc->fingerprint, fingerprint);
}

/* ---- sections ------------------------------------------------------------------------------ */

/* What a section could be, before codecs are looked at. */
static enum sdp_use use_of(const struct sdp_session *s, const struct sdp_section *m)
{
    bool alone = s->sections == 1 && !s->has_bundle;
    if (m->kind > SDP_VIDEO || !m->secure || !m->mid.len || !(m->bundled || alone) ||
        (m->port == 0 && !m->bundle_only)) {
        return SDP_USE_REJECTED;
    }
    switch (m->direction) {
    case SDP_DIR_INACTIVE:
        return SDP_USE_IDLE;
    case SDP_DIR_RECVONLY:
        return SDP_USE_SLOT;
    default:
        return SDP_USE_SEND;
    }
}

static bool has_codec(const struct sdp_payloads *table, const struct sdp_session *s, bool video,
                      sdp_codec_h codec)
{
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const struct sdp_codec *c = codec((enum codec_id)id);
        /* RED alone carries nothing. */
        if (c && c->video == video && id != CODEC_RED && sdp_payloads_best(table, s, c)) {
            return true;
        }
    }
    return false;
}

/* Takes the codecs of one section into the common map of its kind. first: nothing is there yet;
 * narrow: codecs the section does not list are taken out. */
static int merge_codecs(struct desc_codecs *map, const struct sdp_payloads *table,
                        const struct sdp_session *s, sdp_codec_h codec, bool first, bool narrow)
{
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const struct sdp_codec *c = codec((enum codec_id)id);
        uint8_t best = c ? sdp_payloads_best(table, s, c) : 0;
        if (first) {
            map->pt[id] = best;
            map->rtx[id] = best ? sdp_payloads_rtx(table, best) : 0;
        } else if (c && map->pt[id] && !sdp_payloads_of(table, s, c, map->pt[id])) {
            if (best) {
                return E_UNSUPPORTED; /* one map per kind: the SFU rewrites by it */
            }
            map->pt[id] = narrow ? 0 : map->pt[id];
            map->rtx[id] = narrow ? 0 : map->rtx[id];
        }
    }
    return 0;
}

static int merge_extensions(struct desc_exts *ids, const struct sdp_session *s,
                            const struct sdp_section *m)
{
    for (unsigned i = m->first; i < m->last; i++) {
        uint8_t id;
        enum sdp_direction direction;
        enum rtpext_kind kind;
        if (s->line[i].attr != SDP_EXTMAP ||
            !sdp_extmap_parse(s, s->line[i].value, &id, &direction, &kind)) {
            continue;
        }
        if (direction == SDP_DIR_INACTIVE ||
            direction == (m->use == SDP_USE_SLOT ? SDP_DIR_SENDONLY : SDP_DIR_RECVONLY)) {
            continue;
        }
        if (ids->id[kind] && ids->id[kind] != id) {
            return E_UNSUPPORTED; /* BUNDLE wants one id per URI (RFC 8843 9.2) */
        }
        ids->id[kind] = id;
    }
    return 0;
}

/* The first SSRC, or the pair of the first FID group (RFC 5576 4.1, 4.2; RFC 4588 8.8). */
static void read_ssrcs(struct desc_offer *desc, const struct sdp_session *s,
                       const struct sdp_section *m)
{
    uint32_t *ssrc = &desc->ssrc[m->source];
    uint32_t *rtx = &desc->rtx_ssrc[m->source];
    for (unsigned i = m->first; i < m->last && !*rtx; i++) {
        struct sdp_view v = sdp_view(s, s->line[i].value);
        struct sdp_view head;
        struct sdp_view a;
        struct sdp_view b;
        if (s->line[i].attr == SDP_SSRC && !*ssrc && sdp_token(&v, ' ', &head)) {
            (void)sdp_number(head, UINT32_MAX, ssrc);
        } else if (s->line[i].attr == SDP_SSRC_GROUP && sdp_token(&v, ' ', &head) &&
                   sdp_is(head, "FID") && sdp_token(&v, ' ', &a) && sdp_token(&v, ' ', &b)) {
            (void)sdp_number(a, UINT32_MAX, ssrc);
            (void)sdp_number(b, UINT32_MAX, rtx);
        }
    }
}

/* Gives a send section its source: two of each kind, the rest is idle. */
static void place_source(struct desc_offer *desc, const struct sdp_session *s,
                         struct sdp_section *m)
{
    static const uint8_t sources[2][2] = {{SOURCE_MIC, SOURCE_SOUND},
                                          {SOURCE_CAMERA, SOURCE_SCREEN}};
    const uint8_t *choice = sources[m->kind];
    unsigned second = desc->mid[choice[0]][0] ? 1 : 0;
    if (desc->mid[choice[second]][0]) {
        m->use = SDP_USE_IDLE;
        return;
    }
    m->source = choice[second];
    copy_text(desc->mid[m->source], sdp_view(s, m->mid));
    if (!m->simulcast.len) {
        read_ssrcs(desc, s, m);
    }
}

static int place_slot(struct desc_offer *desc, struct sdp_section *m)
{
    uint8_t *count = m->kind == SDP_AUDIO ? &desc->audio_slots : &desc->video_slots;
    if (*count == (m->kind == SDP_AUDIO ? DESC_AUDIO_SLOTS_MAX : DESC_VIDEO_SLOTS_MAX)) {
        return E_LIMIT;
    }
    m->slot = (*count)++;
    return 0;
}

/* Video slots are numbered behind the audio slots; their MIDs may be numbers in a row. */
static void number_slots(struct desc_offer *desc, struct sdp_session *s)
{
    uint32_t first = DESC_MID_NONE;
    bool in_row = true;
    for (unsigned i = 0; i < s->sections; i++) {
        struct sdp_section *m = &s->section[i];
        if (m->use != SDP_USE_SLOT) {
            continue;
        }
        m->slot = (uint8_t)(m->slot + (m->kind == SDP_VIDEO ? desc->audio_slots : 0));
        struct sdp_view text = sdp_view(s, m->mid);
        uint32_t mid;
        bool number =
            sdp_number(text, DESC_MID_NONE - 1, &mid) && (text.len == 1 || *text.p != '0');
        if (first == DESC_MID_NONE && number && mid >= m->slot) {
            first = mid - m->slot;
        }
        in_row &= number && mid == first + m->slot;
    }
    desc->slot_mid_first = (uint16_t)(in_row ? first : DESC_MID_NONE);
}

/* One section of the given use: its codecs, extensions and place. */
static int take_section(struct desc_offer *desc, struct sdp_session *s, struct sdp_section *m,
                        sdp_codec_h codec, bool first, bool narrow)
{
    struct sdp_payloads table;
    bool video = m->kind == SDP_VIDEO;
    sdp_payloads_read(&table, s, m, codec);
    s->steps += table.steps + (uint32_t)(m->last - m->first);
    int err = merge_codecs(video ? &desc->video : &desc->audio, &table, s, codec, first, narrow);
    err = err ? err : merge_extensions(video ? &desc->video_ext : &desc->audio_ext, s, m);
    if (!err && m->use == SDP_USE_SEND) {
        place_source(desc, s, m);
    } else if (!err && m->use == SDP_USE_SLOT) {
        err = place_slot(desc, m);
    }
    return err;
}

/* Decides the use of every section; the first accepted one carries the transport. */
static int mark_uses(struct sdp_session *s, sdp_codec_h codec, const struct sdp_section **tagged)
{
    struct sdp_payloads table;
    for (unsigned i = 0; i < s->sections; i++) {
        struct sdp_section *m = &s->section[i];
        m->use = (uint8_t)use_of(s, m);
        m->source = 0;
        m->slot = 0;
        if (m->use == SDP_USE_REJECTED) {
            continue;
        }
        sdp_payloads_read(&table, s, m, codec);
        s->steps += table.steps;
        if (!has_codec(&table, s, m->kind == SDP_VIDEO, codec)) {
            m->use = SDP_USE_REJECTED;
            continue;
        }
        /* What they share is said by the first one alone (RFC 9143 section 7.1.3). */
        if (!m->rtcp_mux && !(m->bundle_only && *tagged)) {
            return E_UNSUPPORTED;
        }
        *tagged = *tagged ? *tagged : m;
    }
    return *tagged ? 0 : E_UNSUPPORTED;
}

/* A section that has none of the codecs agreed on carries nothing after all. */
static void prune(struct desc_offer *desc, struct sdp_session *s, sdp_codec_h codec)
{
    struct sdp_payloads table;
    for (unsigned i = 0; i < s->sections; i++) {
        struct sdp_section *m = &s->section[i];
        if (m->use != SDP_USE_SEND && m->use != SDP_USE_IDLE) {
            continue;
        }
        const struct desc_codecs *map = m->kind == SDP_VIDEO ? &desc->video : &desc->audio;
        bool any = false;
        sdp_payloads_read(&table, s, m, codec);
        s->steps += table.steps;
        for (unsigned id = 1; id < CODEC_COUNT; id++) {
            const struct sdp_codec *c = codec((enum codec_id)id);
            any |= c && c->video == (m->kind == SDP_VIDEO) &&
                   sdp_payloads_of(&table, s, c, map->pt[id]);
        }
        if (!any && m->use == SDP_USE_SEND) {
            desc->mid[m->source][0] = 0;
            desc->ssrc[m->source] = 0;
            desc->rtx_ssrc[m->source] = 0;
        }
        m->use = (uint8_t)(any ? m->use : SDP_USE_REJECTED);
    }
}

int sdp_offer_desc(struct desc_offer *desc, struct sdp_session *offer, sdp_codec_h codec)
{
    memset(desc, 0, sizeof(*desc));
    const struct sdp_section *tagged = NULL;
    int err = mark_uses(offer, codec, &tagged);
    err = err ? err : read_credentials(desc, offer, tagged);
    /* Slots first: what the client can receive decides, what it could send besides is of no use to
     * others. Without slots (WHIP) the send sections decide. */
    static const uint8_t order[] = {SDP_USE_SLOT, SDP_USE_SEND};
    bool seen[2][2] = {{false}}; /* [use][kind] */
    for (unsigned u = 0; u < 2 && !err; u++) {
        for (unsigned i = 0; i < offer->sections && !err; i++) {
            struct sdp_section *m = &offer->section[i];
            if (m->use == order[u]) {
                bool first = !seen[0][m->kind] && !seen[1][m->kind];
                bool narrow = u == 0 || !seen[0][m->kind];
                err = take_section(desc, offer, m, codec, first, narrow);
                seen[u][m->kind] = true;
            }
        }
    }
    if (err) {
        return err;
    }
    prune(desc, offer, codec);
    number_slots(desc, offer);
    if (desc->video.pt[CODEC_VP8]) {
        /* Chromium writes VP8 without picture id and layers where the dependency descriptor is
         * negotiated, and then receivers without it could not be served. */
        desc->video_ext.id[RTPEXT_DEPENDENCY_DESCRIPTOR] = 0;
    }
    return 0;
}
