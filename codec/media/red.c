#include "codec/media/red.h"

#include "codec/base/err.h"
#include "codec/media/registry.h"

enum { FOLLOWS = 0x80, BLOCK_HEADER_LEN = 4 };

int red_parse(struct red_block blocks[RED_BLOCKS_MAX], const uint8_t *payload, size_t len)
{
    struct rd r = rd_init(payload, len);
    int count = 0;
    for (;;) {
        uint8_t first = rd_u8(&r);
        if (r.bad) {
            return E_BAD;
        }
        if (count == RED_BLOCKS_MAX) {
            return E_LIMIT;
        }
        struct red_block *b = &blocks[count++];
        *b = (struct red_block){.pt = first & 0x7f};
        if (!(first & FOLLOWS)) {
            break;
        }
        uint32_t rest = rd_u24(&r);
        b->ts_offset = (uint16_t)(rest >> 10);
        b->len = rest & RED_BLOCK_LEN_MAX;
    }
    for (int i = 0; i < count - 1; i++) {
        blocks[i].data = rd_bytes(&r, blocks[i].len);
    }
    size_t primary = rd_left(&r);
    if (r.bad || primary > UINT16_MAX) {
        return E_BAD;
    }
    blocks[count - 1].data = r.p;
    blocks[count - 1].len = (uint16_t)primary;
    return count;
}

int red_strip(const uint8_t *payload, size_t len, uint8_t *pt)
{
    struct red_block blocks[RED_BLOCKS_MAX];
    int count = red_parse(blocks, payload, len);
    if (count < 0) {
        return E_BAD;
    }
    *pt = blocks[count - 1].pt;
    return (int)(blocks[count - 1].data - payload);
}

void red_build(struct wr *w, const struct red_block *blocks, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        const struct red_block *b = &blocks[i];
        if (b->ts_offset > RED_OFFSET_MAX || b->len > RED_BLOCK_LEN_MAX) {
            w->bad = true;
        }
        wr_u8(w, (uint8_t)(FOLLOWS | b->pt));
        wr_u24(w, (uint32_t)b->ts_offset << 10 | b->len);
    }
    wr_u8(w, blocks[count - 1].pt & 0x7f);
    for (size_t i = 0; i < count; i++) {
        wr_bytes(w, blocks[i].data, blocks[i].len);
    }
}

static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    uint8_t pt;
    int at = red_strip(payload, len, &pt);
    if (at < 0) {
        return E_BAD;
    }
    out->start_of_frame = 1;
    out->end_of_frame = 1;
    out->keyframe = 1;
    out->independent = 1;
    return 0;
}

static const char *const feedback[] = {"nack", "transport-cc", NULL};

const struct codec_ops red_ops = {
    .sdp = {.id = CODEC_RED,
            .video = false,
            .name = "red",
            .clock_rate = 48000,
            .channels = 2,
            .fmtp = NULL,
            .feedback = feedback},
    .describe = describe,
};
