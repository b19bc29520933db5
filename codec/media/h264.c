#include "codec/media/h264.h"

#include <string.h>

#include "codec/base/bits.h"
#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/fmtp.h"
#include "codec/media/registry.h"
#include "codec/media/rungs.h"

/* NAL unit types: H.264 table 7-1, RFC 6184 table 1. */
enum {
    NAL_SLICE = 1,
    NAL_IDR = 5,
    NAL_SPS = 7,
    NAL_DELIMITER = 9,
    NAL_SINGLE_LAST = 23,
    NAL_STAP_A = 24,
    NAL_FU_A = 28,
};

enum { SPS_BYTES_MAX = 96 }; /* what lies before the cropping is far shorter */

/* ---- sequence parameter set ---------------------------------------------------------------- */

/* Copies without emulation prevention bytes (H.264 7.4.1). */
static size_t unescape(uint8_t *out, size_t cap, const uint8_t *in, size_t len)
{
    size_t n = 0;
    unsigned zeros = 0;
    for (size_t i = 0; i < len && n < cap; i++) {
        if (zeros >= 2 && in[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = in[i] ? 0 : zeros + 1;
        out[n++] = in[i];
    }
    return n;
}

static void skip_scaling_list(struct bits *b, unsigned size)
{
    int32_t last = 8;
    int32_t next = 8;
    for (unsigned i = 0; i < size && !b->bad; i++) {
        if (next) {
            /* delta_scale beyond -128 .. 127 is not allowed, so it may wrap as it likes. */
            next = (int32_t)(((uint32_t)last + (uint32_t)bits_se(b)) & 255u);
        }
        last = next ? next : last;
    }
}

/* Fields that only the high profiles have (7.3.2.1.1). Returns chroma_format_idc. */
static uint32_t read_high_profile(struct bits *b)
{
    uint32_t chroma = bits_ue(b);
    if (chroma == 3) {
        (void)bits_1(b);
    }
    (void)bits_ue(b);
    (void)bits_ue(b);
    (void)bits_1(b);
    if (bits_1(b)) {
        for (unsigned i = 0; i < (chroma == 3 ? 12u : 8u); i++) {
            if (bits_1(b)) {
                skip_scaling_list(b, i < 6 ? 16 : 64);
            }
        }
    }
    return chroma;
}

static void skip_picture_order(struct bits *b)
{
    uint32_t type = bits_ue(b);
    if (type == 0) {
        (void)bits_ue(b);
    } else if (type == 1) {
        (void)bits_1(b);
        (void)bits_se(b);
        (void)bits_se(b);
        uint32_t cycle = bits_ue(b);
        for (uint32_t i = 0; i < cycle && !b->bad; i++) {
            (void)bits_se(b);
        }
    }
}

static bool is_high_profile(uint32_t profile)
{
    static const uint8_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    return memchr(high, (int)profile, sizeof(high)) != NULL;
}

int h264_sps_size(const uint8_t *sps, size_t len, uint16_t *width, uint16_t *height)
{
    uint8_t plain[SPS_BYTES_MAX];
    struct bits b = bits_init(plain, unescape(plain, sizeof(plain), sps, len));
    uint32_t profile = bits_u(&b, 8);
    (void)bits_u(&b, 16); /* constraints, level */
    (void)bits_ue(&b);
    uint32_t chroma = is_high_profile(profile) ? read_high_profile(&b) : 1;
    (void)bits_ue(&b); /* log2_max_frame_num */
    skip_picture_order(&b);
    (void)bits_ue(&b); /* reference frames */
    (void)bits_1(&b);
    uint64_t columns = (uint64_t)bits_ue(&b) + 1;
    uint64_t rows = (uint64_t)bits_ue(&b) + 1;
    uint32_t frame_only = bits_1(&b);
    if (!frame_only) {
        (void)bits_1(&b);
    }
    (void)bits_1(&b); /* direct_8x8_inference */
    uint64_t crop_x = 0;
    uint64_t crop_y = 0;
    if (bits_1(&b)) { /* units of 7.4.2.1.1 */
        uint64_t left = bits_ue(&b);
        uint64_t right = bits_ue(&b);
        uint64_t top = bits_ue(&b);
        uint64_t bottom = bits_ue(&b);
        crop_x = (left + right) * (chroma == 1 || chroma == 2 ? 2 : 1);
        crop_y = (top + bottom) * (chroma == 1 ? 2 : 1) * (2 - frame_only);
    }
    uint64_t w = columns * 16;
    uint64_t h = rows * 16 * (2 - frame_only);
    if (b.bad || w > 16384 || h > 16384 || crop_x >= w || crop_y >= h) {
        return E_BAD;
    }
    *width = (uint16_t)(w - crop_x);
    *height = (uint16_t)(h - crop_y);
    return 0;
}

/* ---- payload ------------------------------------------------------------------------------- */

/* One NAL unit (or the first fragment of one): type, what stands behind the header byte. */
static void look_at(struct h264_header *out, unsigned type, const uint8_t *body, size_t len)
{
    /* first_mb_in_slice is ue(v): 0 is a single set bit. */
    bool first_slice = len && body[0] & 0x80;
    switch (type) {
    case NAL_IDR:
        out->keyframe |= first_slice;
        out->start |= first_slice;
        break;
    case NAL_SLICE:
    case NAL_SLICE + 1:
        out->start |= first_slice;
        break;
    case NAL_SPS:
        out->keyframe = true;
        out->parameters = true;
        out->start = true;
        (void)h264_sps_size(body, len, &out->width, &out->height);
        break;
    case NAL_DELIMITER:
        out->start = true;
        break;
    default:
        break;
    }
}

static int parse_stap(struct h264_header *out, struct rd r)
{
    if (!rd_left(&r)) {
        return E_BAD;
    }
    while (rd_left(&r)) {
        size_t size = rd_u16(&r);
        const uint8_t *unit = rd_bytes(&r, size);
        if (!unit || size == 0) {
            return E_BAD;
        }
        look_at(out, unit[0] & 31u, unit + 1, size - 1);
    }
    return 0;
}

static int parse_fragment(struct h264_header *out, struct rd r)
{
    uint8_t header = rd_u8(&r);
    size_t left = rd_left(&r);
    if (!left || (header & 0xc0) == 0xc0) { /* start and end in one is not allowed (6184 5.8) */
        return E_BAD;
    }
    if (header & 0x80) {
        look_at(out, header & 31u, r.p, left);
    }
    return 0;
}

int h264_parse(struct h264_header *out, const uint8_t *payload, size_t len)
{
    memset(out, 0, sizeof(*out));
    struct rd r = rd_init(payload, len);
    uint8_t header = rd_u8(&r);
    unsigned type = header & 31u;
    if (r.bad || header & 0x80) {
        return E_BAD;
    }
    out->discardable = (header & 0x60) == 0;
    if (type == NAL_STAP_A) {
        return parse_stap(out, r);
    }
    if (type == NAL_FU_A) {
        return parse_fragment(out, r);
    }
    if (type == 0 || type > NAL_SINGLE_LAST || rd_left(&r) == 0) {
        return E_BAD;
    }
    look_at(out, type, r.p, rd_left(&r));
    return 0;
}

/* A slice or a piece of one, not parameters or remarks, which no picture refers to either. */
static bool is_slice(const uint8_t *payload, size_t len)
{
    unsigned type = payload[0] & 31u;
    if (type == NAL_FU_A && len > 1) {
        type = payload[1] & 31u;
    }
    return type >= 1 && type <= NAL_IDR;
}

static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    struct h264_header h;
    int err = h264_parse(&h, payload, len);
    if (err) {
        return err;
    }
    out->start_of_frame = h.start;
    out->end_of_frame = out->marker;
    /* Who begins with the slices behind the parameters cannot decode them. */
    out->keyframe = h.parameters;
    out->independent = h.keyframe;
    /* Pictures nobody refers to are the one temporal layer the payload itself shows. */
    out->temporal = h.discardable && is_slice(payload, len);
    out->layer_sync = h.keyframe || out->temporal;
    out->discardable = h.discardable;
    out->width = h.width;
    out->height = h.height;
    rungs_describe(out, true, 1);
    return 0;
}

/* Packetization mode 1 only; constrained baseline before baseline before main before the rest
 * (6184 8.1). */
static int score(const char *fmtp, size_t len)
{
    const char *v;
    size_t n;
    if (!fmtp_find(fmtp, len, "packetization-mode", &v, &n) || n != 1 || *v != '1') {
        return -1;
    }
    if (!fmtp_find(fmtp, len, "profile-level-id", &v, &n) || n != 6) {
        return 2;
    }
    if (v[0] == '4' && v[1] == '2') {
        return v[2] == 'e' || v[2] == 'E' || v[2] == 'c' || v[2] == 'C' ? 3 : 2;
    }
    return v[0] == '4' ? 1 : 0;
}

static const char *const feedback[] = {"nack",      "nack pli",     "ccm fir",
                                       "goog-remb", "transport-cc", NULL};

const struct codec_ops h264_ops = {
    .sdp = {.id = CODEC_H264,
            .video = true,
            .name = "H264",
            .clock_rate = 90000,
            .channels = 1,
            .fmtp = NULL,
            .feedback = feedback,
            .score_h = score},
    .describe = describe,
};
