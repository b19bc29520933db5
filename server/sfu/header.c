#include "server/sfu/header.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "codec/media/av1_dd.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/sfu/policy.h"

int headers_init(struct headers *h)
{
    h->template = mem_alloc(sizeof(h->template[0]) * (HEADER_TEMPLATES + 1));
    h->cache = mem_alloc(sizeof(h->cache[0]) * HEADER_CACHE);
    h->flush = 1;
    if (!h->template || !h->cache) {
        headers_fini(h);
        return E_NOMEM;
    }
    return 0;
}

void headers_fini(struct headers *h)
{
    mem_free(h->template);
    mem_free(h->cache);
    *h = (struct headers){0};
}

void headers_flush(struct headers *h, mono_us now)
{
    h->flush++;
    h->abs_send_time = rtpext_abs_send_time_of(now);
}

static bool same(const struct header_template *t, const struct desc_offer *offer)
{
    return memcmp(&t->audio, &offer->audio, sizeof(t->audio)) == 0 &&
           memcmp(&t->video, &offer->video, sizeof(t->video)) == 0 &&
           memcmp(&t->audio_ext, &offer->audio_ext, sizeof(t->audio_ext)) == 0 &&
           memcmp(&t->video_ext, &offer->video_ext, sizeof(t->video_ext)) == 0;
}

uint16_t headers_template(struct headers *h, const struct desc_offer *offer)
{
    uint16_t free = 0;
    for (uint16_t i = HEADER_TEMPLATES; i >= 1; i--) {
        struct header_template *t = &h->template[i];
        if (t->users && same(t, offer)) {
            t->users++;
            return i;
        }
        free = t->users ? free : i;
    }
    if (free) {
        h->template[free] = (struct header_template){
            .users = 1,
            .audio = offer->audio,
            .video = offer->video,
            .audio_ext = offer->audio_ext,
            .video_ext = offer->video_ext,
        };
        h->flush++; /* what was cached for the number's former owner is void */
    }
    return free;
}

void headers_template_put(struct headers *h, uint16_t template)
{
    if (template) {
        h->template[template].users--;
    }
}

/* Receivers keep what they were told last: once where a picture can begin is enough. */
static bool tells_playout(const struct pkt *pkt, const struct header_spec *spec)
{
    return pkt->desc.source < SOURCE_COUNT && source_policy(pkt->desc.source)->told_playout &&
           (pkt->desc.keyframe || spec->mid);
}

/* What the publisher said about the packet, and what we say of it. */
static void values_from(struct rtpext_values *v, const struct rtpext_set *set,
                        const struct pkt *pkt, const struct header_spec *spec)
{
    const uint8_t *data = pkt->data;
    const struct rtpext_field *capture = &set->field[RTPEXT_ABS_CAPTURE_TIME];
    if (capture->len == 8 || capture->len == 16) {
        v->kinds |= 1u << RTPEXT_ABS_CAPTURE_TIME;
        v->abs_capture = data + capture->at;
        v->abs_capture_len = capture->len;
    }
    if (spec->audio) {
        if (pkt->desc.audio_level != 255) {
            v->kinds |= 1u << RTPEXT_AUDIO_LEVEL;
            v->audio_level = pkt->desc.audio_level;
            v->voice = pkt->desc.voice != 0;
        }
        return;
    }
    if (tells_playout(pkt, spec)) {
        v->kinds |= 1u << RTPEXT_PLAYOUT_DELAY;
        v->playout_delay = source_policy(pkt->desc.source)->playout;
    }
    if (set->field[RTPEXT_VIDEO_ORIENTATION].len == 1) {
        v->kinds |= 1u << RTPEXT_VIDEO_ORIENTATION;
        v->orientation = data[set->field[RTPEXT_VIDEO_ORIENTATION].at];
    }
    if (set->field[RTPEXT_DEPENDENCY_DESCRIPTOR].len >= 3) {
        v->kinds |= 1u << RTPEXT_DEPENDENCY_DESCRIPTOR;
        v->dd = data + set->field[RTPEXT_DEPENDENCY_DESCRIPTOR].at;
        v->dd_len = set->field[RTPEXT_DEPENDENCY_DESCRIPTOR].len;
    }
}

/* Offset of a written value in the whole header, when it can be kept in a byte; else 0. */
static uint8_t offset_of(const struct rtpext_set *set, enum rtpext_kind kind)
{
    uint32_t at = set->field[kind].at;
    return at && at + RTP_HEADER_MIN <= UINT8_MAX ? (uint8_t)(at + RTP_HEADER_MIN) : 0;
}

static size_t write_fields(uint8_t *out, struct rtpext_values *v, const struct header_spec *spec,
                           bool marker, struct header *at)
{
    struct rtpext_set to = {0};
    v->kinds |= 1u << RTPEXT_TRANSPORT_CC | 1u << RTPEXT_ABS_SEND_TIME;
    v->abs_send_time = spec->abs_send_time;
    if (spec->mid) {
        v->kinds |= 1u << RTPEXT_MID;
        v->mid = spec->mid;
        v->mid_len = spec->mid_len;
    }
    struct wr ext = wr_init(out + RTP_HEADER_MIN, HEADER_WRITE_MAX - RTP_HEADER_MIN);
    int ext_len = rtpext_write(&ext, spec->ids, v, &to);
    if (ext_len < 0) {
        return 0;
    }
    memset(out, 0, RTP_HEADER_MIN);
    out[0] = ext_len ? 0x90 : 0x80;
    out[1] = (uint8_t)((marker ? 0x80 : 0) | (spec->pt & 0x7f));
    at->transport_cc_at = offset_of(&to, RTPEXT_TRANSPORT_CC);
    at->dd_at = offset_of(&to, RTPEXT_DEPENDENCY_DESCRIPTOR);
    at->dd_len = to.field[RTPEXT_DEPENDENCY_DESCRIPTOR].len;
    return RTP_HEADER_MIN + (size_t)ext_len;
}

size_t header_write(uint8_t *out, const struct pkt *pkt, const struct header_spec *spec,
                    struct header *at)
{
    struct rtp_header in;
    struct rtpext_set from = {0};
    struct rtpext_values v = {0};
    if (!pkt->desc.plain &&
        (rtp_parse(&in, pkt->data, pkt->len) || rtpext_find(&from, &in, pkt->data, &house_exts))) {
        return 0;
    }
    values_from(&v, &from, pkt, spec);
    uint8_t dd[UINT8_MAX];
    size_t dd_len = spec->targets && v.dd_len
                        ? av1_dd_retarget(dd, sizeof(dd), v.dd, v.dd_len, &pkt->desc, spec->targets)
                        : 0;
    if (dd_len) {
        v.dd = dd;
        v.dd_len = (uint8_t)dd_len;
    }
    return write_fields(out, &v, spec, pkt->desc.marker != 0, at);
}

size_t header_write_bare(uint8_t *out, const struct header_spec *spec, struct header *at)
{
    struct rtpext_values v = {0};
    return write_fields(out, &v, spec, false, at);
}

/* A packet id counts upwards in its low half, so neighbours take neighbouring places. */
static struct header *place_of(const struct headers *h, pool_id packet, uint16_t template)
{
    return &h->cache[((uint32_t)packet + 37U * template) % HEADER_CACHE];
}

const struct header *headers_find(struct headers *h, const struct pkt *pkt, uint16_t template,
                                  bool audio)
{
    struct header *entry = place_of(h, pkt->id, template);
    if (entry->flush == h->flush && entry->packet == pkt->id && entry->template == template) {
        return entry->ok ? entry : NULL;
    }
    const struct header_template *t = &h->template[template];
    struct header_spec spec = {
        .ids = audio ? &t->audio_ext : &t->video_ext,
        .pt = audio ? t->audio.pt[pkt->desc.codec] : t->video.pt[pkt->desc.codec],
        .abs_send_time = h->abs_send_time,
        .audio = audio,
    };
    uint8_t bytes[HEADER_WRITE_MAX];
    size_t len = header_write(bytes, pkt, &spec, entry);
    entry->packet = pkt->id;
    entry->flush = h->flush;
    entry->template = template;
    entry->ok = len > 0 && len <= HEADER_MAX;
    entry->len = (uint16_t)len;
    if (entry->ok) {
        memcpy(entry->bytes, bytes, len);
    }
    return entry->ok ? entry : NULL;
}

const struct desc_exts house_exts = {
    .id =
        {
            [RTPEXT_MID] = RTPEXT_MID,
            [RTPEXT_RID] = RTPEXT_RID,
            [RTPEXT_REPAIRED_RID] = RTPEXT_REPAIRED_RID,
            [RTPEXT_AUDIO_LEVEL] = RTPEXT_AUDIO_LEVEL,
            [RTPEXT_TRANSPORT_CC] = RTPEXT_TRANSPORT_CC,
            [RTPEXT_ABS_SEND_TIME] = RTPEXT_ABS_SEND_TIME,
            [RTPEXT_ABS_CAPTURE_TIME] = RTPEXT_ABS_CAPTURE_TIME,
            [RTPEXT_PLAYOUT_DELAY] = RTPEXT_PLAYOUT_DELAY,
            [RTPEXT_VIDEO_ORIENTATION] = RTPEXT_VIDEO_ORIENTATION,
            [RTPEXT_DEPENDENCY_DESCRIPTOR] = RTPEXT_DEPENDENCY_DESCRIPTOR,
        },
};

void header_house_ids(uint8_t *data, const struct rtp_header *hdr, const struct desc_exts *ids)
{
    enum { UNKNOWN = 14 };
    rtpext_rename(data, hdr, ids, UNKNOWN);
}
