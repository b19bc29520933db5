/*
 * RTCP: RFC 3550 section 6 (SR, RR, SDES, BYE), RFC 4585 (NACK, PLI), RFC 5104 (FIR), RFC 3611
 * (XR: receiver reference time, DLRR), draft-alvestrand-rmcat-remb-03 (REMB), RFC 5506 (reduced
 * size: a compound may begin with any packet). Transport-cc feedback is in twcc.h.
 *
 *    0                   1                   2                   3
 *   |V=2|P|count/FMT|      PT       |   length in 32-bit words - 1  |
 *
 * Invariants: every loop is bounded by the bytes of its packet; pointers are borrowed from the
 * compound; writers use the sticky writer, so a sequence of them is checked once.
 * Out of scope: when to send what, SRTCP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207,
};

enum {
    RTPFB_NACK = 1,
    RTPFB_TRANSPORT_CC = 15,
    PSFB_PLI = 1,
    PSFB_FIR = 4,
    PSFB_AFB = 15, /* application layer feedback: REMB */
};

/* One packet of a compound. */
struct rtcp_packet {
    uint8_t type;        /* enum rtcp_type, or another */
    uint8_t count;       /* report count, source count or FMT */
    const uint8_t *body; /* behind the 4-byte header, padding removed */
    size_t len;          /* bytes of body */
};

/* 1 and the next packet of the compound; 0 at its end; E_BAD (then stop and drop the rest). Only
 * the last packet may have padding (3550 6.4.1). Begin with rd_init(compound, len). */
int rtcp_next(struct rd *compound, struct rtcp_packet *out);
/* 0 when all packets of the compound are well formed and there is at least one, else E_BAD. */
int rtcp_check(const uint8_t *data, size_t len);
/* First SSRC of a compound (its sender; the one SRTCP uses), 0 when shorter than 8 bytes. */
uint32_t rtcp_sender(const uint8_t *data, size_t len);

struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 seconds since 1900 */
    uint32_t rtp;
    uint32_t packets;
    uint32_t octets;
};

struct rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; /* 1/256 */
    int32_t lost;          /* 24 bits, signed */
    uint32_t highest_seq;  /* cycles << 16 | seq */
    uint32_t jitter;       /* timestamp units */
    uint32_t lsr;          /* middle 32 bits of the last SR's ntp */
    uint32_t dlsr;         /* 1/65536 s */
};

/* 0 or E_BAD (not that packet, or too short for its count). */
int rtcp_parse_sr(struct rtcp_sr *out, const struct rtcp_packet *pkt);
int rtcp_parse_rr(uint32_t *ssrc, const struct rtcp_packet *pkt);
/* The i-th report block of an SR or RR (i < pkt->count). 0 or E_BAD. */
int rtcp_report_at(struct rtcp_report *out, const struct rtcp_packet *pkt, unsigned i);

struct rtcp_cname {
    uint32_t ssrc;
    const char *text; /* not terminated; NULL when the chunk has no CNAME */
    uint8_t len;
};

/* 1 and the next chunk of an SDES; 0 at its end; E_BAD. Begin with rd_init(pkt->body, pkt->len). */
int rtcp_sdes_next(struct rd *chunks, struct rtcp_cname *out);

struct rtcp_bye {
    const uint8_t *ssrcs; /* count words of 4 bytes, network order */
    uint8_t count;
    const char *reason; /* not terminated; NULL = none */
    uint8_t reason_len;
};

int rtcp_parse_bye(struct rtcp_bye *out, const struct rtcp_packet *pkt);
/* The i-th leaving source (i < count). */
uint32_t rtcp_bye_ssrc(const struct rtcp_bye *bye, unsigned i);

/* The common part of RTPFB and PSFB packets (4585 6.1). */
struct rtcp_fb {
    uint32_t sender;
    uint32_t media;
    const uint8_t *fci;
    size_t fci_len;
};

int rtcp_parse_fb(struct rtcp_fb *out, const struct rtcp_packet *pkt);

/* Walks the lost packets of a generic NACK (4585 6.2.1): each PID and the set bits of its BLP. */
struct rtcp_nack_iter {
    struct rd fci;
    uint16_t pid;
    uint32_t blp; /* bit 16 = the PID itself, bits 0..15 = PID+1.. */
};

/* 0, or E_BAD (not a NACK, no or torn items). */
int rtcp_nack_init(struct rtcp_nack_iter *it, const struct rtcp_packet *pkt);
/* True and the next lost sequence number. At most 17 per 4 bytes. */
bool rtcp_nack_next(struct rtcp_nack_iter *it, uint16_t *seq);

/* The i-th entry of a FIR (5104 4.3.1). 0; E_NOTFOUND behind the last; E_BAD. */
int rtcp_fir_at(uint32_t *ssrc, uint8_t *number, const struct rtcp_packet *pkt, unsigned i);

struct rtcp_remb {
    uint32_t sender;
    uint64_t bps;
    const uint8_t *ssrcs; /* count words of 4 bytes, network order */
    uint8_t count;
};

/* 0; E_NOTFOUND when the packet is another application layer feedback; E_BAD. */
int rtcp_parse_remb(struct rtcp_remb *out, const struct rtcp_packet *pkt);

enum { XR_RRTR = 4, XR_DLRR = 5 }; /* 3611 4.4, 4.5 */

struct rtcp_xr_block {
    uint8_t type;
    const uint8_t *body;
    size_t len;
};

/* Start of an XR's blocks and its sender. 0 or E_BAD. */
int rtcp_xr_init(struct rd *blocks, uint32_t *ssrc, const struct rtcp_packet *pkt);
/* 1 and the next block; 0 at the end; E_BAD. */
int rtcp_xr_next(struct rd *blocks, struct rtcp_xr_block *out);
/* NTP time of a receiver reference time block. 0 or E_BAD. */
int rtcp_xr_rrtr(uint64_t *ntp, const struct rtcp_xr_block *block);

struct rtcp_dlrr {
    uint32_t ssrc;
    uint32_t lrr;  /* middle 32 bits of the RRTR's ntp */
    uint32_t dlrr; /* 1/65536 s */
};

/* The i-th sub-block of a DLRR. 0; E_NOTFOUND behind the last; E_BAD. */
int rtcp_xr_dlrr_at(struct rtcp_dlrr *out, const struct rtcp_xr_block *block, unsigned i);

/* Writers: append one packet to the compound in w; a full writer becomes bad and its packet is
 * void. Counts are at most 31 (reports, SSRCs). */
void rtcp_write_sr(struct wr *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   unsigned count);
void rtcp_write_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *reports, unsigned count);
void rtcp_write_cname(struct wr *w, uint32_t ssrc, const char *cname, uint8_t len);
void rtcp_write_bye(struct wr *w, const uint32_t *ssrcs, unsigned count, const char *reason,
                    uint8_t reason_len);
void rtcp_write_pli(struct wr *w, uint32_t sender, uint32_t media);
void rtcp_write_fir(struct wr *w, uint32_t sender, uint32_t ssrc, uint8_t number);
/* seqs in ascending (wrapping) order; the fewest PID/BLP pairs are written. */
void rtcp_write_nack(struct wr *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                     size_t count);
/* bps is rounded down to the 18-bit mantissa. */
void rtcp_write_remb(struct wr *w, uint32_t sender, uint64_t bps, const uint32_t *ssrcs,
                     unsigned count);
void rtcp_write_xr_rrtr(struct wr *w, uint32_t sender, uint64_t ntp);
void rtcp_write_xr_dlrr(struct wr *w, uint32_t sender, const struct rtcp_dlrr *items,
                        unsigned count);
/* Begins any packet by hand (twcc.c): returns where its length field is; NULL when full. */
uint8_t *rtcp_write_header(struct wr *w, uint8_t count, uint8_t type);
/* Ends it: fills the length; the packet must be a multiple of 4 bytes. */
void rtcp_write_end(struct wr *w, uint8_t *length_at);
