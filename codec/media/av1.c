#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/fmtp.h"
#include "codec/media/registry.h"
#include "codec/media/rungs.h"

/*
 * AV1 RTP payload, specification section 4.4: the aggregation header, then OBU elements.
 *
 *   |Z|Y| W |N|-|-|-|   Z: first element continues one, Y: last goes on, N: new coded sequence
 *
 * Layers and frame bounds come from the dependency descriptor where there is one (av1_dd.h); here
 * is what the payload itself tells.
 */
enum { OBU_SEQUENCE_HEADER = 1, OBU_FRAME_HEADER = 3, OBU_FRAME = 6 };

/* leb128 (AV1 specification 4.10.5) of at most 8 bytes; sizes beyond the packet make r bad. */
static size_t read_leb128(struct rd *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t b = rd_u8(r);
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            break;
        }
        if (i == 7) {
            r->bad = true;
        }
    }
    if (v > rd_left(r)) {
        r->bad = true;
        return 0;
    }
    return (size_t)v;
}

/* Walks the elements so that torn packets are refused; the first one is given back. */
static int walk(struct rd r, unsigned w, struct rd *first)
{
    unsigned count = 0;
    while (rd_left(&r)) {
        count++;
        bool has_length = w == 0 || count < w;
        size_t len = has_length ? read_leb128(&r) : rd_left(&r);
        struct rd element = rd_sub(&r, len);
        if (r.bad) {
            return E_BAD;
        }
        if (count == 1) {
            *first = element;
        }
    }
    return r.bad || count == 0 || (w && count != w) ? E_BAD : 0;
}

static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    struct rd r = rd_init(payload, len);
    uint8_t header = rd_u8(&r);
    bool continues = header & 0x80;
    bool new_sequence = header & 0x08;
    struct rd first = {0};
    /* A new sequence begins with a sequence header, not in the middle of an OBU (4.4). */
    if (walk(r, header >> 4 & 3u, &first) != 0 || (continues && new_sequence)) {
        return E_BAD;
    }
    out->end_of_frame = out->marker;
    out->present = RUNGS_ALL; /* without a descriptor nothing tells what may be left out */
    if (continues) {
        return 0;
    }
    uint8_t obu = rd_u8(&first);
    unsigned type = obu >> 3 & 15u;
    if (first.bad || obu & 0x80) {
        return E_BAD;
    }
    if (obu & 0x04) {
        uint8_t layer = rd_u8(&first);
        if (first.bad) {
            return E_BAD;
        }
        out->temporal = layer >> 5;
        out->spatial = layer >> 3 & 3;
    }
    out->start_of_frame =
        type == OBU_SEQUENCE_HEADER || type == OBU_FRAME_HEADER || type == OBU_FRAME;
    out->keyframe = new_sequence && out->start_of_frame;
    out->independent = out->keyframe;
    out->layer_sync = out->keyframe;
    out->enter = out->keyframe ? RUNGS_ALL : 0;
    out->from = out->enter;
    return 0;
}

/* Profile 0 (main) is what every browser decodes. */
static int score(const char *fmtp, size_t len)
{
    return fmtp_score_equal(fmtp, len, "profile", "0");
}

static const char *const feedback[] = {"nack",      "nack pli",     "ccm fir",
                                       "goog-remb", "transport-cc", NULL};

const struct codec_ops av1_ops = {
    .sdp = {.id = CODEC_AV1,
            .video = true,
            .name = "AV1",
            .clock_rate = 90000,
            .channels = 1,
            .fmtp = NULL,
            .feedback = feedback,
            .score_h = score},
    .describe = describe,
};
