/*
 * Continuity of picture id and tl0picidx towards one subscriber (slots.md section 1): over switches
 * between sources and layers the numbers go on by one, and VP8 pictures that are not forwarded
 * leave no hole (the receiver would wait for them for ever).
 * Use, per packet in the order it is queued:
 *   codec_rewrite_switch(rw)            the next forwarded packet comes from another source
 *   codec_rewrite_drop(rw, desc)        a packet of the current source is left out on purpose
 *   codec_rewrite_edit(rw, desc, &edit) a packet goes out: what to write (ops->rewrite)
 * A retransmission uses the edit kept from the first sending and touches nothing here.
 * Invariants: pure; a late packet of a picture gets the numbers of its picture while that is among
 * the last CODEC_REWRITE_PICTURES; a lost picture keeps its place, so that its late packets fit.
 * Out of scope: sequence numbers and timestamps (server/proto/rewrite.h), choosing layers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/packet.h"
#include "codec/media/codec.h"

enum { CODEC_REWRITE_PICTURES = 32 };

struct codec_rewrite {
    int64_t newest;     /* unwrapped source picture id, newest seen of this source */
    int64_t first;      /* the one the current source began with */
    int64_t shift;      /* output = source + shift - pictures left out before it */
    int64_t out_newest; /* unwrapped output picture id */
    int32_t left_out;   /* pictures of this source whose hole was closed */
    uint8_t tl0_shift;  /* output tl0picidx = source + tl0_shift */
    uint8_t out_tl0;    /* newest written */
    uint8_t codec;      /* enum codec_id of the current source */
    bool started;       /* a picture id was written before */
    bool has_source;    /* the current source has shown its first picture */
    /* left_out at the time of each of the last pictures, or -1 = itself left out. Indexed by source
     * picture id modulo CODEC_REWRITE_PICTURES; valid in (newest - PICTURES, newest]. */
    int32_t place[CODEC_REWRITE_PICTURES];
};

/* Zero is a valid start; this makes it explicit. */
void codec_rewrite_init(struct codec_rewrite *rw);
/* The next packet given to codec_rewrite_edit begins another source (or layer with numbers of its
 * own, or another codec); it should be a key frame. */
void codec_rewrite_switch(struct codec_rewrite *rw);
/* A packet of the current source is not forwarded (temporal layer above the target). All packets
 * of that picture must be dropped. */
void codec_rewrite_drop(struct codec_rewrite *rw, const struct pkt_desc *desc);
/* What the forwarded packet must carry. 0; E_NOTFOUND: its picture was left out, so its place may
 * be closed; E_RANGE: it came before the switch or is too old to be numbered: do not forward it, it
 * is lost. */
int codec_rewrite_edit(struct codec_rewrite *rw, const struct pkt_desc *desc,
                       struct codec_edit *edit);
