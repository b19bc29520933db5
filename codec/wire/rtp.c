#include "codec/wire/rtp.h"

#include <string.h>

#include "codec/base/err.h"

int rtp_peek(struct rtp_header *out, const uint8_t *data, size_t len)
{
    memset(out, 0, sizeof(*out));
    if (len < RTP_HEADER_MIN) {
        return E_TRUNC;
    }
    if (len > UINT16_MAX) {
        return E_BAD;
    }
    struct rd r = rd_init(data, len);
    unsigned b0 = rd_u8(&r);
    unsigned b1 = rd_u8(&r);
    if (b0 >> 6 != 2) {
        return E_BAD;
    }
    out->csrc_count = b0 & 15u;
    out->marker = b1 >> 7;
    out->pt = b1 & 127u;
    out->seq = rd_u16(&r);
    out->timestamp = rd_u32(&r);
    out->ssrc = rd_u32(&r);
    rd_skip(&r, 4u * out->csrc_count);
    if (b0 & 0x10u) {
        out->ext_profile = rd_u16(&r);
        size_t ext_len = (size_t)4 * rd_u16(&r);
        out->ext_at = (uint16_t)(len - rd_left(&r));
        out->ext_len = (uint16_t)ext_len; /* fits, or the skip fails: len is at most 65535 */
        rd_skip(&r, ext_len);
    }
    if (r.bad) {
        return E_BAD;
    }
    size_t left = rd_left(&r);
    out->header_len = (uint16_t)(len - left);
    out->payload_len = (uint16_t)left;
    return 0;
}

int rtp_parse(struct rtp_header *out, const uint8_t *data, size_t len)
{
    int err = rtp_peek(out, data, len);
    if (err || !(data[0] & 0x20u)) {
        return err;
    }
    out->padding = out->payload_len ? data[len - 1] : 0;
    if (out->padding == 0 || out->padding > out->payload_len) {
        return E_BAD;
    }
    out->payload_len = (uint16_t)(out->payload_len - out->padding);
    return 0;
}

uint32_t rtp_csrc(const struct rtp_header *hdr, const uint8_t *data, unsigned i)
{
    if (i >= hdr->csrc_count) {
        return 0;
    }
    struct rd r = rd_init(data + RTP_HEADER_MIN + (size_t)4 * i, 4);
    return rd_u32(&r);
}

void rtp_write(struct wr *w, const struct rtp_header *hdr, const uint32_t *csrc, bool has_ext)
{
    unsigned count = hdr->csrc_count & 15u;
    wr_u8(w, (uint8_t)(0x80u | (hdr->padding ? 0x20u : 0) | (has_ext ? 0x10u : 0) | count));
    wr_u8(w, (uint8_t)((hdr->marker ? 0x80u : 0) | (hdr->pt & 127u)));
    wr_u16(w, hdr->seq);
    wr_u32(w, hdr->timestamp);
    wr_u32(w, hdr->ssrc);
    for (unsigned i = 0; i < count; i++) {
        wr_u32(w, csrc[i]);
    }
}

void rtp_write_padding(struct wr *w, uint8_t count)
{
    if (count) {
        wr_zero(w, count - 1u);
        wr_u8(w, count);
    }
}
