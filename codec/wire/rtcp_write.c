#include <string.h>

#include "codec/wire/rtcp.h"

enum { COUNT_MAX = 31, REMB_MANTISSA_BITS = 18 };

uint8_t *rtcp_write_header(struct wr *w, uint8_t count, uint8_t type)
{
    uint8_t *at = wr_room(w, 4);
    if (!at) {
        return NULL;
    }
    at[0] = (uint8_t)(0x80u | (count & 31u));
    at[1] = type;
    put_u16(at + 2, 0);
    return at + 2;
}

void rtcp_write_end(struct wr *w, uint8_t *length_at)
{
    if (length_at && !w->bad) {
        put_u16(length_at, (uint16_t)((size_t)(w->p - length_at - 2) / 4));
    }
}

static unsigned at_most(unsigned count)
{
    return count < COUNT_MAX ? count : COUNT_MAX;
}

static void write_reports(struct wr *w, const struct rtcp_report *reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct rtcp_report *r = &reports[i];
        /* 3550 A.3: the loss saturates at what 24 bits hold. */
        int32_t lost = r->lost > 0x7fffff ? 0x7fffff : r->lost;
        lost = lost < -0x800000 ? -0x800000 : lost;
        wr_u32(w, r->ssrc);
        wr_u8(w, r->fraction_lost);
        wr_u24(w, (uint32_t)lost & 0xffffff);
        wr_u32(w, r->highest_seq);
        wr_u32(w, r->jitter);
        wr_u32(w, r->lsr);
        wr_u32(w, r->dlsr);
    }
}

void rtcp_write_sr(struct wr *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   unsigned count)
{
    count = at_most(count);
    uint8_t *length_at = rtcp_write_header(w, (uint8_t)count, RTCP_SR);
    wr_u32(w, sr->ssrc);
    wr_u64(w, sr->ntp);
    wr_u32(w, sr->rtp);
    wr_u32(w, sr->packets);
    wr_u32(w, sr->octets);
    write_reports(w, reports, count);
    rtcp_write_end(w, length_at);
}

void rtcp_write_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *reports, unsigned count)
{
    count = at_most(count);
    uint8_t *length_at = rtcp_write_header(w, (uint8_t)count, RTCP_RR);
    wr_u32(w, ssrc);
    write_reports(w, reports, count);
    rtcp_write_end(w, length_at);
}

void rtcp_write_cname(struct wr *w, uint32_t ssrc, const char *cname, uint8_t len)
{
    uint8_t *length_at = rtcp_write_header(w, 1, RTCP_SDES);
    wr_u32(w, ssrc);
    wr_u8(w, 1);
    wr_u8(w, len);
    wr_bytes(w, cname, len);
    /* At least one zero ends the list, then up to the boundary. */
    wr_zero(w, 4 - (2u + len) % 4);
    rtcp_write_end(w, length_at);
}

void rtcp_write_bye(struct wr *w, const uint32_t *ssrcs, unsigned count, const char *reason,
                    uint8_t reason_len)
{
    count = at_most(count);
    uint8_t *length_at = rtcp_write_header(w, (uint8_t)count, RTCP_BYE);
    for (unsigned i = 0; i < count; i++) {
        wr_u32(w, ssrcs[i]);
    }
    if (reason_len) {
        wr_u8(w, reason_len);
        wr_bytes(w, reason, reason_len);
        wr_zero(w, (4 - (1u + reason_len) % 4) % 4);
    }
    rtcp_write_end(w, length_at);
}

static uint8_t *write_feedback(struct wr *w, uint8_t format, enum rtcp_type type, uint32_t sender,
                               uint32_t media)
{
    uint8_t *length_at = rtcp_write_header(w, format, (uint8_t)type);
    wr_u32(w, sender);
    wr_u32(w, media);
    return length_at;
}

void rtcp_write_pli(struct wr *w, uint32_t sender, uint32_t media)
{
    rtcp_write_end(w, write_feedback(w, PSFB_PLI, RTCP_PSFB, sender, media));
}

void rtcp_write_fir(struct wr *w, uint32_t sender, uint32_t ssrc, uint8_t number)
{
    uint8_t *length_at = write_feedback(w, PSFB_FIR, RTCP_PSFB, sender, 0); /* 5104 4.3.1.1 */
    wr_u32(w, ssrc);
    wr_u8(w, number);
    wr_zero(w, 3);
    rtcp_write_end(w, length_at);
}

void rtcp_write_nack(struct wr *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                     size_t count)
{
    if (!count) {
        return;
    }
    uint8_t *length_at = write_feedback(w, RTPFB_NACK, RTCP_RTPFB, sender, media);
    for (size_t i = 0; i < count;) {
        uint16_t pid = seqs[i++];
        uint16_t blp = 0;
        while (i < count && (uint16_t)(seqs[i] - pid - 1) < 16) {
            blp |= (uint16_t)(1u << (uint16_t)(seqs[i] - pid - 1));
            i++;
        }
        wr_u16(w, pid);
        wr_u16(w, blp);
    }
    rtcp_write_end(w, length_at);
}

void rtcp_write_remb(struct wr *w, uint32_t sender, uint64_t bps, const uint32_t *ssrcs,
                     unsigned count)
{
    uint8_t *length_at = write_feedback(w, PSFB_AFB, RTCP_PSFB, sender, 0);
    unsigned exponent = 0;
    while (exponent < 64 - REMB_MANTISSA_BITS && bps >> (REMB_MANTISSA_BITS + exponent)) {
        exponent++;
    }
    count = at_most(count);
    wr_bytes(w, "REMB", 4);
    wr_u8(w, (uint8_t)count);
    wr_u24(w, (uint32_t)(exponent << REMB_MANTISSA_BITS | (uint32_t)(bps >> exponent)));
    for (unsigned i = 0; i < count; i++) {
        wr_u32(w, ssrcs[i]);
    }
    rtcp_write_end(w, length_at);
}

void rtcp_write_xr_rrtr(struct wr *w, uint32_t sender, uint64_t ntp)
{
    uint8_t *length_at = rtcp_write_header(w, 0, RTCP_XR);
    wr_u32(w, sender);
    wr_u8(w, XR_RRTR);
    wr_u8(w, 0);
    wr_u16(w, 2);
    wr_u64(w, ntp);
    rtcp_write_end(w, length_at);
}

void rtcp_write_xr_dlrr(struct wr *w, uint32_t sender, const struct rtcp_dlrr *items,
                        unsigned count)
{
    count = at_most(count);
    uint8_t *length_at = rtcp_write_header(w, 0, RTCP_XR);
    wr_u32(w, sender);
    wr_u8(w, XR_DLRR);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(3 * count));
    for (unsigned i = 0; i < count; i++) {
        wr_u32(w, items[i].ssrc);
        wr_u32(w, items[i].lrr);
        wr_u32(w, items[i].dlrr);
    }
    rtcp_write_end(w, length_at);
}
