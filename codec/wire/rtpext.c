#include "codec/wire/rtpext.h"

#include <string.h>

#include "codec/base/err.h"

enum { PROFILE_ONE_BYTE = 0xbede, PROFILE_TWO_BYTE = 0x1000 }; /* 8285 4.2, 4.3 */
enum { ONE_BYTE_ID_MAX = 14, ONE_BYTE_LEN_MAX = 16, BLOCK_HEADER_LEN = 4 };

void rtpext_iter_init(struct rtpext_iter *it, const struct rtp_header *hdr, const uint8_t *packet)
{
    *it = (struct rtpext_iter){.packet = packet};
    bool two_byte = (hdr->ext_profile & 0xfff0) == PROFILE_TWO_BYTE;
    if (hdr->ext_at && (two_byte || hdr->ext_profile == PROFILE_ONE_BYTE)) {
        it->at = hdr->ext_at;
        it->end = (size_t)hdr->ext_at + hdr->ext_len;
        it->two_byte = two_byte;
    }
}

int rtpext_next(struct rtpext_iter *it, uint8_t *id, struct rtpext_field *out)
{
    while (it->at < it->end && it->packet[it->at] == 0) {
        it->at++; /* padding */
    }
    if (it->at >= it->end) {
        return 0;
    }
    unsigned first = it->packet[it->at++];
    unsigned len;
    if (it->two_byte) {
        if (it->at >= it->end) {
            return E_BAD;
        }
        *id = (uint8_t)first;
        len = it->packet[it->at++];
    } else {
        *id = (uint8_t)(first >> 4);
        len = (first & 15u) + 1;
        if (*id == 15 || *id == 0) { /* 8285 4.2: nothing behind it counts */
            it->at = it->end;
            return 0;
        }
    }
    if (len > it->end - it->at) {
        return E_BAD;
    }
    *out = (struct rtpext_field){.at = (uint16_t)it->at, .len = (uint8_t)len};
    it->at += len;
    return 1;
}

/* Which kind an id means, for ids below 16; of two kinds with one id the first counts. */
struct kinds {
    uint8_t of[16];
};

static struct kinds kinds_by_id(const struct desc_exts *ids)
{
    struct kinds k = {{0}};
    for (unsigned kind = RTPEXT_COUNT; kind-- > 1;) {
        if (ids->id[kind] < sizeof(k.of)) {
            k.of[ids->id[kind]] = (uint8_t)kind;
        }
    }
    k.of[0] = RTPEXT_NONE;
    return k;
}

static unsigned kind_of_id(const struct kinds *k, const struct desc_exts *ids, uint8_t id)
{
    if (id < sizeof(k->of)) {
        return k->of[id];
    }
    unsigned kind = 1;
    while (kind < RTPEXT_COUNT && ids->id[kind] != id) {
        kind++;
    }
    return kind < RTPEXT_COUNT ? kind : RTPEXT_NONE;
}

int rtpext_find(struct rtpext_set *out, const struct rtp_header *hdr, const uint8_t *packet,
                const struct desc_exts *ids)
{
    memset(out, 0, sizeof(*out));
    struct rtpext_iter it;
    rtpext_iter_init(&it, hdr, packet);
    if (it.at == it.end) {
        return 0;
    }
    const struct kinds kinds = kinds_by_id(ids);
    uint8_t id;
    struct rtpext_field field;
    int more;
    while ((more = rtpext_next(&it, &id, &field)) > 0) {
        unsigned kind = kind_of_id(&kinds, ids, id);
        if (kind && !out->field[kind].at) {
            out->field[kind] = field;
        }
    }
    return more;
}

void rtpext_rename(uint8_t *packet, const struct rtp_header *hdr, const struct desc_exts *ids,
                   uint8_t unknown)
{
    const struct kinds kinds = kinds_by_id(ids);
    struct rtpext_iter it;
    struct rtpext_field field;
    uint8_t id;
    rtpext_iter_init(&it, hdr, packet);
    while (rtpext_next(&it, &id, &field) == 1) {
        unsigned kind = kind_of_id(&kinds, ids, id);
        kind = kind ? kind : unknown;
        if (it.two_byte) {
            packet[field.at - 2] = (uint8_t)kind;
        } else {
            packet[field.at - 1] = (uint8_t)(kind << 4 | (packet[field.at - 1] & 0x0fu));
        }
    }
}

/* ---- values -------------------------------------------------------------------------------- */

static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
}

size_t rtpext_text(const struct rtpext_set *set, const uint8_t *packet, enum rtpext_kind kind,
                   char *out, size_t cap)
{
    const struct rtpext_field *f = &set->field[kind];
    out[0] = 0;
    if (!f->at || f->len >= cap) {
        return 0;
    }
    for (size_t i = 0; i < f->len; i++) {
        uint8_t c = packet[f->at + i];
        if (!is_token(c)) {
            out[0] = 0;
            return 0;
        }
        out[i] = (char)c;
    }
    out[f->len] = 0;
    return f->len;
}

/* Reader over the value of a kind; empty when absent. */
static struct rd value_of(const struct rtpext_set *set, const uint8_t *packet,
                          enum rtpext_kind kind)
{
    const struct rtpext_field *f = &set->field[kind];
    return rd_init(packet + f->at, f->at ? f->len : 0);
}

uint8_t rtpext_audio_level(const struct rtpext_set *set, const uint8_t *packet, bool *voice)
{
    struct rd v = value_of(set, packet, RTPEXT_AUDIO_LEVEL);
    uint8_t byte = rd_u8(&v);
    if (voice) {
        *voice = byte >> 7;
    }
    return v.bad ? 255 : byte & 127u;
}

int32_t rtpext_transport_cc(const struct rtpext_set *set, const uint8_t *packet)
{
    struct rd v = value_of(set, packet, RTPEXT_TRANSPORT_CC);
    uint16_t seq = rd_u16(&v);
    return v.bad ? -1 : seq;
}

int32_t rtpext_abs_send_time(const struct rtpext_set *set, const uint8_t *packet)
{
    struct rd v = value_of(set, packet, RTPEXT_ABS_SEND_TIME);
    uint32_t time = rd_u24(&v);
    return v.bad ? -1 : (int32_t)time;
}

uint32_t rtpext_abs_send_time_of(mono_us now)
{
    uint64_t us = (uint64_t)now % (64u * (uint64_t)US_PER_S);
    return (uint32_t)((us << 18) / US_PER_S) & 0xffffff;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* The value of a kind as bytes: borrowed, or made in tmp. NULL when the caller gave none. */
static const void *value_bytes(const struct rtpext_values *v, enum rtpext_kind kind, uint8_t tmp[4],
                               size_t *len)
{
    switch (kind) {
    case RTPEXT_MID:
        *len = v->mid_len;
        return v->mid;
    case RTPEXT_RID:
        *len = v->rid_len;
        return v->rid;
    case RTPEXT_REPAIRED_RID:
        *len = v->repaired_rid_len;
        return v->repaired_rid;
    case RTPEXT_AUDIO_LEVEL:
        tmp[0] = (uint8_t)((v->voice ? 0x80u : 0) | (v->audio_level & 127u));
        *len = 1;
        return tmp;
    case RTPEXT_TRANSPORT_CC:
        put_u16(tmp, v->transport_cc);
        *len = 2;
        return tmp;
    case RTPEXT_ABS_SEND_TIME:
        put_u32(tmp, v->abs_send_time << 8);
        *len = 3;
        return tmp;
    case RTPEXT_ABS_CAPTURE_TIME:
        *len = v->abs_capture_len;
        return v->abs_capture;
    case RTPEXT_PLAYOUT_DELAY:
        *len = 3;
        return v->playout_delay;
    case RTPEXT_VIDEO_ORIENTATION:
        tmp[0] = v->orientation;
        *len = 1;
        return tmp;
    case RTPEXT_DEPENDENCY_DESCRIPTOR:
        *len = v->dd_len;
        return v->dd;
    case RTPEXT_NONE:
    case RTPEXT_COUNT:
        break;
    }
    return NULL;
}

/* The value to write for a kind the caller asked for; NULL when it cannot be written. */
static const void *wanted(const struct desc_exts *ids, const struct rtpext_values *v, unsigned kind,
                          uint8_t tmp[4], size_t *len)
{
    if (kind >= RTPEXT_COUNT || !ids->id[kind]) {
        return NULL;
    }
    const void *bytes = value_bytes(v, (enum rtpext_kind)kind, tmp, len);
    return bytes && *len ? bytes : NULL;
}

int rtpext_write(struct wr *w, const struct desc_exts *ids, const struct rtpext_values *v,
                 struct rtpext_set *at)
{
    uint8_t tmp[4];
    size_t len = 0;
    size_t size = 0; /* elements in the one-byte form */
    size_t count = 0;
    bool two_byte = false;
    for (uint32_t left = v->kinds; left; left &= left - 1) {
        unsigned kind = (unsigned)__builtin_ctz(left);
        if (wanted(ids, v, kind, tmp, &len)) {
            two_byte |= ids->id[kind] > ONE_BYTE_ID_MAX || len > ONE_BYTE_LEN_MAX;
            size += 1 + len;
            count++;
        }
    }
    if (at) {
        memset(at, 0, sizeof(*at));
    }
    if (!count) {
        return 0;
    }
    size += two_byte ? count : 0;
    size_t words = (size + 3) / 4;
    size_t start = wr_len(w);
    wr_u16(w, two_byte ? PROFILE_TWO_BYTE : PROFILE_ONE_BYTE);
    wr_u16(w, (uint16_t)words);
    for (uint32_t left = v->kinds; left; left &= left - 1) {
        unsigned kind = (unsigned)__builtin_ctz(left);
        const void *bytes = wanted(ids, v, kind, tmp, &len);
        if (!bytes) {
            continue;
        }
        if (two_byte) {
            wr_u8(w, ids->id[kind]);
            wr_u8(w, (uint8_t)len);
        } else {
            wr_u8(w, (uint8_t)((unsigned)ids->id[kind] << 4 | (len - 1)));
        }
        if (at) {
            at->field[kind] =
                (struct rtpext_field){.at = (uint16_t)(wr_len(w) - start), .len = (uint8_t)len};
        }
        wr_bytes(w, bytes, len);
    }
    wr_zero(w, words * 4 - size);
    return w->bad ? E_FULL : (int)(words * 4 + BLOCK_HEADER_LEN);
}

/* ---- names --------------------------------------------------------------------------------- */

static const char *const uris[RTPEXT_COUNT] = {
    [RTPEXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
    [RTPEXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    [RTPEXT_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    [RTPEXT_AUDIO_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    [RTPEXT_TRANSPORT_CC] =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    [RTPEXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    [RTPEXT_ABS_CAPTURE_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    [RTPEXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    [RTPEXT_VIDEO_ORIENTATION] = "urn:3gpp:video-orientation",
    [RTPEXT_DEPENDENCY_DESCRIPTOR] =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
};

const char *rtpext_uri(enum rtpext_kind kind)
{
    return (unsigned)kind < RTPEXT_COUNT ? uris[kind] : NULL;
}

enum rtpext_kind rtpext_kind_of(const char *uri, size_t len)
{
    for (unsigned kind = 1; kind < RTPEXT_COUNT; kind++) {
        if (strlen(uris[kind]) == len && memcmp(uris[kind], uri, len) == 0) {
            return (enum rtpext_kind)kind;
        }
    }
    return RTPEXT_NONE;
}
