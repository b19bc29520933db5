#include "codec/media/vp9.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/fields.h"
#include "codec/media/fmtp.h"
#include "codec/media/registry.h"
#include "codec/media/rungs.h"

static void parse_picture_id(struct vp9_header *out, struct rd *r, const uint8_t *payload)
{
    out->picture_id_at = (uint8_t)(r->p - payload);
    uint8_t id = rd_u8(r);
    out->picture_id_bits = id & 0x80 ? 15 : 7;
    out->picture_id = id & 0x7f;
    if (id & 0x80) {
        out->picture_id = (uint16_t)(out->picture_id << 8 | rd_u8(r));
    }
}

static void parse_layer(struct vp9_header *out, struct rd *r, const uint8_t *payload)
{
    uint8_t b = rd_u8(r);
    out->has_layer = true;
    out->tid = b >> 5;
    out->switch_up = b & 0x10;
    out->sid = b >> 1 & 7;
    out->inter_layer = b & 1;
    if (!out->flexible) {
        out->has_tl0 = true;
        out->tl0_at = (uint8_t)(r->p - payload);
        out->tl0picidx = rd_u8(r);
    }
}

static int parse_diffs(struct vp9_header *out, struct rd *r)
{
    for (unsigned i = 0; i < VP9_DIFF_MAX; i++) {
        uint8_t b = rd_u8(r);
        out->diff[out->diffs++] = b >> 1;
        if (!(b & 1)) {
            return 0;
        }
    }
    return E_BAD; /* a fourth is not allowed */
}

/* Scalability structure (9628 4.2.1): sizes per spatial layer, then a picture group we skip. */
static void parse_structure(struct vp9_header *out, struct rd *r)
{
    uint8_t b = rd_u8(r);
    out->spatial_layers = (uint8_t)((b >> 5) + 1);
    if (b & 0x10) { /* Y */
        for (unsigned i = 0; i < out->spatial_layers; i++) {
            out->width[i] = rd_u16(r);
            out->height[i] = rd_u16(r);
        }
    }
    if (b & 0x08) { /* G */
        unsigned pictures = rd_u8(r);
        for (unsigned i = 0; i < pictures; i++) {
            rd_skip(r, rd_u8(r) >> 2 & 3u);
        }
    }
}

int vp9_parse(struct vp9_header *out, const uint8_t *payload, size_t len)
{
    memset(out, 0, sizeof(*out));
    struct rd r = rd_init(payload, len);
    uint8_t first = rd_u8(&r);
    out->inter = first & 0x40;
    out->flexible = first & 0x10;
    out->start = first & 0x08;
    out->end = first & 0x04;
    out->not_ref = first & 0x01;
    if (first & 0x80) {
        parse_picture_id(out, &r, payload);
    }
    if (first & 0x20) {
        parse_layer(out, &r, payload);
    }
    if (out->flexible && out->inter && parse_diffs(out, &r) != 0) {
        return E_BAD;
    }
    if (first & 0x02) {
        parse_structure(out, &r);
    }
    if (rd_left(&r) == 0) {
        return E_BAD;
    }
    out->len = (uint16_t)(r.p - payload);
    out->keyframe = out->start && !out->inter && out->sid == 0 && !out->inter_layer;
    return 0;
}

static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    struct vp9_header h;
    int err = vp9_parse(&h, payload, len);
    if (err) {
        return err;
    }
    out->start_of_frame = h.start;
    out->end_of_frame = h.end;
    out->keyframe = h.keyframe;
    out->independent = !h.inter;
    out->inter_layer = h.inter_layer;
    out->spatial = h.sid;
    out->temporal = h.tid;
    out->layer_sync = h.switch_up || h.keyframe;
    out->picture_id_bits = h.picture_id_bits;
    out->picture_id = h.picture_id;
    out->has_tl0 = h.has_tl0;
    out->tl0picidx = h.tl0picidx;
    out->codec_bytes[FIELDS_PICTURE_ID_AT] = h.picture_id_at;
    out->codec_bytes[FIELDS_TL0_AT] = h.tl0_at;
    if (h.sid < h.spatial_layers) {
        out->width = h.width[h.sid];
        out->height = h.height[h.sid];
    }
    rungs_describe(out, h.not_ref || !h.has_layer,
                   h.spatial_layers ? h.spatial_layers : (h.has_layer ? RUNG_SPATIAL : 1));
    return 0;
}

/* Profile 0 (8 bits, 4:2:0) is what every browser decodes. */
static int score(const char *fmtp, size_t len)
{
    return fmtp_score_equal(fmtp, len, "profile-id", "0");
}

static const char *const feedback[] = {"nack",      "nack pli",     "ccm fir",
                                       "goog-remb", "transport-cc", NULL};

/* Pictures are referred to by difference (flexible) or by their place in the picture group, so
 * holes of dropped layers must stay: only the start shifts. */
const struct codec_ops vp9_ops = {
    .sdp = {.id = CODEC_VP9,
            .video = true,
            .name = "VP9",
            .clock_rate = 90000,
            .channels = 1,
            .fmtp = NULL,
            .feedback = feedback,
            .score_h = score},
    .describe = describe,
    .rewrite = fields_rewrite,
};
