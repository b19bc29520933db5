/*
 * One payload format, as the SFU sees it: what a packet is (describe) and how its first bytes are
 * written anew for one subscriber (rewrite). A new codec is one file with one of these tables and
 * one row in registry.c.
 * Invariants: the payload is const; describe reads only its bytes and needs no state; everything a
 * subscriber's copy needs later is in struct pkt_desc.
 * Out of scope: numbering state (rewrite.h), decoding (codec/av).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/packet.h"
#include "codec/wire/desc.h"
#include "codec/wire/sdp.h"

enum { CODEC_PREFIX_MAX = 8 }; /* bytes a rewrite writes at most */

/* What to put into one outgoing copy; small, so that it is kept per sent packet for its
 * retransmission. All zero = send the payload as it is. */
struct codec_edit {
    uint16_t picture_id; /* VP8, VP9: 15 bits; AV1: frame number of the dependency descriptor */
    uint8_t tl0picidx;   /* AV1: the rung whose decode targets are active */
    uint8_t fields;      /* CODEC_EDIT_* that apply */
};

/* MARKER: the last packet of what this receiver gets of the picture. EMPTY: only its number goes
 * out, what it carried was left out. TARGETS: the dependency descriptor says which decode targets
 * the receiver gets. */
enum {
    CODEC_EDIT_PICTURE_ID = 1,
    CODEC_EDIT_TL0PICIDX = 2,
    CODEC_EDIT_MARKER = 4,
    CODEC_EDIT_EMPTY = 8,
    CODEC_EDIT_TARGETS = 16,
};

struct codec_ops {
    struct sdp_codec sdp; /* id, name, kind, clock rate, SDP lines */
    /* Layers dropped in the middle leave holes in the picture id that must be closed (VP8); other
     * formats refer to pictures by difference and keep them. */
    uint8_t close_holes;
    /*
     * Fills the codec part of out (see codec_describe) from a payload. 0, or E_BAD: then drop it.
     * out->marker is already set.
     */
    int (*describe)(const uint8_t *payload, size_t len, struct pkt_desc *out);
    /*
     * Writes the new first bytes of the payload into out (cap >= CODEC_PREFIX_MAX) and sets
     * *replaced to the source bytes they stand for (0 .. len). Returns how many were written; 0
     * with *replaced 0 = nothing changes. NULL = this format is never rewritten.
     */
    size_t (*rewrite)(const struct codec_edit *edit, const struct pkt_desc *desc,
                      const uint8_t *payload, size_t len, uint8_t *out, size_t *replaced);
};
