/*
 * Rungs: the steps of quality inside one RTP stream, one bit each: spatial * 4 + temporal. A packet
 * says of which rungs it is part and where they may be entered (struct pkt_desc: present, enter,
 * from), so that whoever forwards needs to know nothing about formats:
 *   forward a packet to a receiver on rung r when present has bit r;
 *   change from c to r with the first packet whose enter has bit r and whose from has bit c;
 *   fewer temporal layers of the same spatial layer: with any new picture.
 * Out of scope: which rung is wanted (server/proto/alloc.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/packet.h"

enum {
    RUNG_SPATIAL = 4,
    RUNG_TEMPORAL = 4,
    RUNGS = RUNG_SPATIAL * RUNG_TEMPORAL,
    RUNGS_ALL = 0xffff
};

static inline unsigned rung_of(unsigned spatial, unsigned temporal)
{
    spatial = spatial < RUNG_SPATIAL ? spatial : RUNG_SPATIAL - 1;
    temporal = temporal < RUNG_TEMPORAL ? temporal : RUNG_TEMPORAL - 1;
    return spatial * RUNG_TEMPORAL + temporal;
}

static inline unsigned rung_spatial(unsigned rung)
{
    return rung / RUNG_TEMPORAL;
}

static inline unsigned rung_temporal(unsigned rung)
{
    return rung % RUNG_TEMPORAL;
}

/* Bits of spatial layers [s_low, s_high] with temporal layers [t_low, 3]. */
uint16_t rungs_span(unsigned s_low, unsigned s_high, unsigned t_low);
/*
 * Fills the masks from spatial, temporal, keyframe, layer_sync and inter_layer. alone: no upper
 * spatial layer of this picture refers to the packet's frame. layers: spatial layers the stream has
 * from this key frame on.
 */
void rungs_describe(struct pkt_desc *desc, bool alone, unsigned layers);
/*
 * The rung to go on with from this packet, which is the newest of its source; new_picture: it is
 * the first of its picture. cur when nothing may change yet. A key frame without the target gives
 * the best rung below it.
 */
unsigned rung_step(unsigned cur, unsigned target, const struct pkt_desc *desc, bool new_picture);
