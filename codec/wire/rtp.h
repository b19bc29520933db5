/*
 * RTP header (RFC 3550 section 5.1, 5.3.1): parse, validate, write.
 *
 *    0                   1                   2                   3
 *   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *   |                           timestamp                           |
 *   |                             SSRC                              |
 *   |                        CSRC list (CC)                         |
 *   |      extension profile        |   length in 32-bit words      |
 *   |                       extension data                          |
 *
 * Invariant: after rtp_parse == 0, header_len + payload_len + padding == len.
 * Out of scope: what the extension data holds (rtpext.h), SRTP, jitter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"

enum { RTP_HEADER_MIN = 12, RTP_CSRC_MAX = 15 };

struct rtp_header {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t seq;
    uint8_t pt; /* 0 .. 127 */
    bool marker;
    uint8_t csrc_count;   /* 0 .. 15, at offset 12 */
    uint8_t padding;      /* bytes at the end, the count included */
    uint16_t ext_profile; /* 0xbede, 0x100x, or foreign; with ext_at */
    uint16_t ext_at;      /* offset of the extension data; 0 = no extension */
    uint16_t ext_len;     /* bytes of extension data */
    uint16_t header_len;  /* offset of the payload */
    uint16_t payload_len; /* without padding */
};

/* Parses len (<= 65535) bytes. 0, E_TRUNC or E_BAD (version, padding, lengths). */
int rtp_parse(struct rtp_header *out, const uint8_t *data, size_t len);
/*
 * Of a sealed packet what stands in the clear. Its last byte is not the count of padding yet, so
 * that padding is 0, and payload_len counts padding and tag too. 0, E_TRUNC or E_BAD (version,
 * lengths).
 */
int rtp_peek(struct rtp_header *out, const uint8_t *data, size_t len);
/* The i-th contributing source of a parsed packet; 0 when there are fewer. */
uint32_t rtp_csrc(const struct rtp_header *hdr, const uint8_t *data, unsigned i);

/*
 * Writes the fixed header and csrc_count CSRCs; has_ext sets X (the block follows, rtpext_write),
 * hdr->padding > 0 sets P (the caller appends it, rtp_write_padding). Uses pt, marker, seq,
 * timestamp, ssrc, csrc_count, padding.
 */
void rtp_write(struct wr *w, const struct rtp_header *hdr, const uint32_t *csrc, bool has_ext);
/* Appends count (1 .. 255) bytes of padding: zeros, then the count. */
void rtp_write_padding(struct wr *w, uint8_t count);
