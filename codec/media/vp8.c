#include "codec/media/vp8.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/fields.h"
#include "codec/media/registry.h"
#include "codec/media/rungs.h"

/* The optional bytes behind X (7741 4.2). */
static void parse_extension(struct vp8_header *out, struct rd *r, const uint8_t *payload)
{
    uint8_t flags = rd_u8(r);
    if (flags & 0x80) { /* I */
        out->picture_id_at = (uint8_t)(r->p - payload);
        uint8_t id = rd_u8(r);
        out->picture_id_bits = id & 0x80 ? 15 : 7;
        out->picture_id = id & 0x7f;
        if (id & 0x80) {
            out->picture_id = (uint16_t)(out->picture_id << 8 | rd_u8(r));
        }
    }
    if (flags & 0x40) { /* L */
        out->has_tl0 = true;
        out->tl0_at = (uint8_t)(r->p - payload);
        out->tl0picidx = rd_u8(r);
    }
    if (flags & 0x30) { /* T, K: one byte for both */
        uint8_t b = rd_u8(r);
        out->has_tid = flags & 0x20;
        out->tid = out->has_tid ? b >> 6 : 0;
        out->layer_sync = out->has_tid && b & 0x20;
        out->has_keyidx = flags & 0x10;
        out->keyidx = out->has_keyidx ? b & 0x1f : 0;
    }
}

/* RFC 6386 9.1: inverse key frame flag; key frames go on with a start code and the size. */
static int parse_frame(struct vp8_header *out, struct rd r)
{
    uint8_t tag = rd_u8(&r);
    if (tag & 1) {
        return 0;
    }
    rd_skip(&r, 2);
    uint32_t code = rd_u24(&r);
    const uint8_t *size = rd_bytes(&r, 4); /* little endian, 2 bits of scaling on top */
    if (!size || code != 0x9d012a) {
        return E_BAD;
    }
    out->keyframe = true;
    out->width = (uint16_t)((size[1] << 8 | size[0]) & 0x3fff);
    out->height = (uint16_t)((size[3] << 8 | size[2]) & 0x3fff);
    return 0;
}

int vp8_parse(struct vp8_header *out, const uint8_t *payload, size_t len)
{
    memset(out, 0, sizeof(*out));
    struct rd r = rd_init(payload, len);
    uint8_t first = rd_u8(&r);
    out->discardable = first & 0x20;
    out->partition = first & 0x07;
    out->start = first & 0x10 && out->partition == 0;
    if (first & 0x80) {
        parse_extension(out, &r, payload);
    }
    if (rd_left(&r) == 0) {
        return E_BAD;
    }
    out->len = (uint8_t)(r.p - payload);
    return out->start ? parse_frame(out, r) : 0;
}

static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    struct vp8_header h;
    int err = vp8_parse(&h, payload, len);
    if (err) {
        return err;
    }
    out->start_of_frame = h.start;
    out->end_of_frame = out->marker;
    out->keyframe = h.keyframe;
    out->independent = h.keyframe;
    out->temporal = h.tid;
    out->layer_sync = h.layer_sync || h.keyframe;
    out->discardable = h.discardable;
    out->picture_id_bits = h.picture_id_bits;
    out->picture_id = h.picture_id;
    out->has_tl0 = h.has_tl0;
    out->tl0picidx = h.tl0picidx;
    out->codec_bytes[FIELDS_PICTURE_ID_AT] = h.picture_id_at;
    out->codec_bytes[FIELDS_TL0_AT] = h.tl0_at;
    out->width = h.width;
    out->height = h.height;
    rungs_describe(out, true, 1);
    return 0;
}

static const char *const feedback[] = {"nack",      "nack pli",     "ccm fir",
                                       "goog-remb", "transport-cc", NULL};

const struct codec_ops vp8_ops = {
    .sdp = {.id = CODEC_VP8,
            .video = true,
            .name = "VP8",
            .clock_rate = 90000,
            .channels = 1,
            .fmtp = NULL,
            .feedback = feedback},
    .close_holes = 1,
    .describe = describe,
    .rewrite = fields_rewrite,
};
