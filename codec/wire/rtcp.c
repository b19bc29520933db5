#include "codec/wire/rtcp.h"

#include <string.h>

#include "codec/base/err.h"

enum { SR_LEN = 24, REPORT_LEN = 24, SDES_CNAME = 1, FB_LEN = 8, FIR_LEN = 8, DLRR_LEN = 12 };

int rtcp_next(struct rd *compound, struct rtcp_packet *out)
{
    if (!compound->bad && compound->p == compound->end) {
        return 0;
    }
    unsigned b0 = rd_u8(compound);
    out->type = rd_u8(compound);
    size_t len = (size_t)4 * rd_u16(compound);
    out->body = rd_bytes(compound, len);
    out->len = len;
    out->count = b0 & 31u;
    if (compound->bad || b0 >> 6 != 2) {
        compound->bad = true;
        return E_BAD;
    }
    if (b0 & 0x20u) {
        size_t padding = len ? out->body[len - 1] : 0;
        if (compound->p != compound->end || padding == 0 || padding > len) {
            compound->bad = true;
            return E_BAD;
        }
        out->len -= padding;
    }
    return 1;
}

int rtcp_check(const uint8_t *data, size_t len)
{
    struct rd r = rd_init(data, len);
    struct rtcp_packet pkt;
    unsigned count = 0;
    int more;
    while ((more = rtcp_next(&r, &pkt)) > 0) {
        count++;
    }
    return more < 0 || count == 0 ? E_BAD : 0;
}

uint32_t rtcp_sender(const uint8_t *data, size_t len)
{
    struct rd r = rd_init(data, len);
    rd_skip(&r, 4);
    return rd_u32(&r);
}

/* ---- reports ------------------------------------------------------------------------------- */

int rtcp_parse_sr(struct rtcp_sr *out, const struct rtcp_packet *pkt)
{
    if (pkt->type != RTCP_SR || pkt->len < SR_LEN + (size_t)REPORT_LEN * pkt->count) {
        return E_BAD;
    }
    struct rd r = rd_init(pkt->body, pkt->len);
    memset(out, 0, sizeof(*out));
    out->ssrc = rd_u32(&r);
    out->ntp = rd_u64(&r);
    out->rtp = rd_u32(&r);
    out->packets = rd_u32(&r);
    out->octets = rd_u32(&r);
    return 0;
}

int rtcp_parse_rr(uint32_t *ssrc, const struct rtcp_packet *pkt)
{
    if (pkt->type != RTCP_RR || pkt->len < 4 + (size_t)REPORT_LEN * pkt->count) {
        return E_BAD;
    }
    struct rd r = rd_init(pkt->body, pkt->len);
    *ssrc = rd_u32(&r);
    return 0;
}

int rtcp_report_at(struct rtcp_report *out, const struct rtcp_packet *pkt, unsigned i)
{
    if (i >= pkt->count || (pkt->type != RTCP_SR && pkt->type != RTCP_RR)) {
        return E_BAD;
    }
    struct rd r = rd_init(pkt->body, pkt->len);
    rd_skip(&r, (pkt->type == RTCP_SR ? SR_LEN : 4) + (size_t)REPORT_LEN * i);
    memset(out, 0, sizeof(*out));
    out->ssrc = rd_u32(&r);
    out->fraction_lost = rd_u8(&r);
    uint32_t lost = rd_u24(&r);
    out->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    out->highest_seq = rd_u32(&r);
    out->jitter = rd_u32(&r);
    out->lsr = rd_u32(&r);
    out->dlsr = rd_u32(&r);
    return r.bad ? E_BAD : 0;
}

/* ---- SDES, BYE ----------------------------------------------------------------------------- */

int rtcp_sdes_next(struct rd *chunks, struct rtcp_cname *out)
{
    if (!chunks->bad && chunks->p == chunks->end) {
        return 0;
    }
    const uint8_t *start = chunks->p;
    *out = (struct rtcp_cname){.ssrc = rd_u32(chunks)};
    uint8_t type;
    while ((type = rd_u8(chunks)) != 0) {
        uint8_t len = rd_u8(chunks);
        const uint8_t *text = rd_bytes(chunks, len);
        if (type == SDES_CNAME && text && !out->text) {
            out->text = (const char *)text;
            out->len = len;
        }
    }
    if (chunks->bad) {
        return E_BAD;
    }
    /* The list ends with zeros up to the next 32-bit boundary (3550 6.5). */
    rd_skip(chunks, (4 - (size_t)(chunks->p - start) % 4) % 4);
    return chunks->bad ? E_BAD : 1;
}

int rtcp_parse_bye(struct rtcp_bye *out, const struct rtcp_packet *pkt)
{
    memset(out, 0, sizeof(*out));
    struct rd r = rd_init(pkt->body, pkt->len);
    out->count = pkt->count;
    out->ssrcs = rd_bytes(&r, (size_t)4 * pkt->count);
    if (pkt->type != RTCP_BYE || r.bad) {
        return E_BAD;
    }
    if (rd_left(&r)) {
        out->reason_len = rd_u8(&r);
        out->reason = (const char *)rd_bytes(&r, out->reason_len);
    }
    return r.bad ? E_BAD : 0;
}

uint32_t rtcp_bye_ssrc(const struct rtcp_bye *bye, unsigned i)
{
    struct rd r = rd_init(bye->ssrcs, (size_t)4 * bye->count);
    rd_skip(&r, (size_t)4 * i);
    return rd_u32(&r);
}

/* ---- feedback ------------------------------------------------------------------------------ */

int rtcp_parse_fb(struct rtcp_fb *out, const struct rtcp_packet *pkt)
{
    if ((pkt->type != RTCP_RTPFB && pkt->type != RTCP_PSFB) || pkt->len < FB_LEN) {
        return E_BAD;
    }
    struct rd r = rd_init(pkt->body, pkt->len);
    out->sender = rd_u32(&r);
    out->media = rd_u32(&r);
    out->fci = r.p;
    out->fci_len = rd_left(&r);
    return 0;
}

int rtcp_nack_init(struct rtcp_nack_iter *it, const struct rtcp_packet *pkt)
{
    memset(it, 0, sizeof(*it));
    struct rtcp_fb fb;
    if (pkt->type != RTCP_RTPFB || pkt->count != RTPFB_NACK || rtcp_parse_fb(&fb, pkt) != 0 ||
        fb.fci_len == 0 || fb.fci_len % 4) {
        return E_BAD;
    }
    it->fci = rd_init(fb.fci, fb.fci_len);
    return 0;
}

bool rtcp_nack_next(struct rtcp_nack_iter *it, uint16_t *seq)
{
    if (!it->blp) {
        if (!rd_left(&it->fci)) {
            return false;
        }
        it->pid = rd_u16(&it->fci);
        it->blp = rd_u16(&it->fci) | 0x10000u;
    }
    if (it->blp & 0x10000u) {
        it->blp &= 0xffffu;
        *seq = it->pid;
        return true;
    }
    unsigned bit = (unsigned)__builtin_ctz(it->blp);
    it->blp &= it->blp - 1;
    *seq = (uint16_t)(it->pid + 1 + bit);
    return true;
}

int rtcp_fir_at(uint32_t *ssrc, uint8_t *number, const struct rtcp_packet *pkt, unsigned i)
{
    struct rtcp_fb fb;
    if (pkt->type != RTCP_PSFB || pkt->count != PSFB_FIR || rtcp_parse_fb(&fb, pkt) != 0) {
        return E_BAD;
    }
    if (i >= fb.fci_len / FIR_LEN) {
        return E_NOTFOUND;
    }
    struct rd r = rd_init(fb.fci + (size_t)FIR_LEN * i, FIR_LEN);
    *ssrc = rd_u32(&r);
    *number = rd_u8(&r);
    return 0;
}

int rtcp_parse_remb(struct rtcp_remb *out, const struct rtcp_packet *pkt)
{
    struct rtcp_fb fb;
    if (pkt->type != RTCP_PSFB || pkt->count != PSFB_AFB || rtcp_parse_fb(&fb, pkt) != 0) {
        return E_BAD;
    }
    struct rd r = rd_init(fb.fci, fb.fci_len);
    if (rd_u32(&r) != 0x52454d42 || r.bad) { /* "REMB" */
        return E_NOTFOUND;
    }
    out->sender = fb.sender;
    out->count = rd_u8(&r);
    uint32_t rate = rd_u24(&r); /* 6 bits of exponent, 18 of mantissa */
    unsigned exponent = rate >> 18;
    uint64_t mantissa = rate & 0x3ffff;
    out->bps = mantissa > UINT64_MAX >> exponent ? UINT64_MAX : mantissa << exponent;
    out->ssrcs = rd_bytes(&r, (size_t)4 * out->count);
    return r.bad ? E_BAD : 0;
}

/* ---- extended reports ---------------------------------------------------------------------- */

int rtcp_xr_init(struct rd *blocks, uint32_t *ssrc, const struct rtcp_packet *pkt)
{
    *blocks = rd_init(pkt->body, pkt->len);
    *ssrc = rd_u32(blocks);
    return pkt->type != RTCP_XR || blocks->bad ? E_BAD : 0;
}

int rtcp_xr_next(struct rd *blocks, struct rtcp_xr_block *out)
{
    if (!blocks->bad && blocks->p == blocks->end) {
        return 0;
    }
    out->type = rd_u8(blocks);
    rd_skip(blocks, 1);
    out->len = (size_t)4 * rd_u16(blocks);
    out->body = rd_bytes(blocks, out->len);
    return blocks->bad ? E_BAD : 1;
}

int rtcp_xr_rrtr(uint64_t *ntp, const struct rtcp_xr_block *block)
{
    struct rd r = rd_init(block->body, block->len);
    *ntp = rd_u64(&r);
    return block->type != XR_RRTR || r.bad ? E_BAD : 0;
}

int rtcp_xr_dlrr_at(struct rtcp_dlrr *out, const struct rtcp_xr_block *block, unsigned i)
{
    if (block->type != XR_DLRR || block->len % DLRR_LEN) {
        return E_BAD;
    }
    if (i >= block->len / DLRR_LEN) {
        return E_NOTFOUND;
    }
    struct rd r = rd_init(block->body + (size_t)DLRR_LEN * i, DLRR_LEN);
    out->ssrc = rd_u32(&r);
    out->lrr = rd_u32(&r);
    out->dlrr = rd_u32(&r);
    return 0;
}
