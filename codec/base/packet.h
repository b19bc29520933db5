/*
 * A received media packet: plaintext that is const after it was described, counted references.
 * The owner shard's pool holds the buffers; queues and retransmission rings hold references
 * (pkt_get / pkt_put). Another shard sees a packet through a header of its own pool whose payload
 * is borrowed from the origin until the last local reference goes (then `release_h` runs).
 * Invariants: refs > 0 while anybody may read; data[0 .. len) never changes after publication.
 * Out of scope: what is inside (codec/wire/rtp.h, codec/media).
 */
#pragma once

#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/time.h"

enum { PKT_DATA_MAX = 1600 }; /* one Ethernet datagram with room for a trailer */

/* What the publisher side learned about the packet once, for all subscribers. */
struct pkt_desc {
    uint32_t ssrc;
    uint32_t timestamp;
    int64_t ext_seq;      /* unwrapped sequence number within its source layer */
    uint16_t header_len;  /* RTP header with CSRCs and extensions, bytes */
    uint16_t payload_len; /* without padding, bytes */
    uint8_t pt;
    uint8_t codec; /* enum codec_id */
    uint8_t marker;
    uint8_t audio_level; /* RFC 6464: 0 loudest .. 127; 255 not given */
    uint8_t voice;       /* RFC 6464 V bit */
    uint8_t source;      /* enum source_kind: what it shows or sounds like */
    uint8_t plain;       /* none of its header extensions is passed on */
    /* From here on: what the codec found (codec_describe, codec/media/registry.h). */
    uint8_t start_of_frame; /* first packet of a (layer) frame */
    uint8_t end_of_frame;   /* last packet of a layer frame; equals marker without spatial layers */
    uint8_t keyframe;       /* this packet starts a decodable key frame */
    uint8_t spatial;
    uint8_t temporal;
    uint8_t layer_sync; /* a receiver may switch up to this layer here */
    uint8_t discardable;
    uint8_t independent;     /* refers to no earlier picture: a spatial layer may be entered here */
    uint8_t inter_layer;     /* needs the lower spatial layer of the same picture */
    uint8_t picture_id_bits; /* 0 none, 7, 15 (VP8, VP9), 16 (AV1 frame number) */
    uint8_t has_tl0;
    uint8_t tl0picidx;
    uint8_t codec_bytes[4]; /* for the codec's rewrite: offsets of fields (struct codec_ops) */
    uint16_t picture_id;
    uint16_t width; /* pixels, where a key frame tells; else 0 */
    uint16_t height;
    /* Layers as bits of rungs (codec/media/rungs.h): the rungs this packet is part of; those a
     * receiver may change to with this packet, and from which rungs. */
    uint16_t present;
    uint16_t enter;
    uint16_t from;
    /* AV1: decode targets of the dependency descriptor, 0 unknown or more than 16; the rung of
     * each, 4 bits; those the source sends now; and the bit where their mask stands. */
    uint8_t targets;
    uint8_t targets_told; /* the mask stands there already */
    uint16_t targets_at;  /* 0 = the descriptor ends before */
    uint16_t targets_active;
    uint64_t target_rungs;
};

struct pkt {
    uint8_t *data; /* RTP header + payload, decrypted */
    uint16_t len;  /* bytes in data */
    uint16_t home; /* shard that owns the buffer */
    uint32_t refs;
    pool_id id;     /* in the local pool */
    pool_id buffer; /* of data; 0 when it is borrowed */
    struct pkt_pool *pool;
    struct pkt *origin; /* other shard's packet whose data this borrows, or NULL */
    mono_us arrival;    /* when it was received */
    struct pkt_desc desc;
};

struct pkt_pool {
    struct pool headers;
    struct pool buffers;
    uint16_t shard;
    /* Called with the origin when the last local reference to a borrowed packet goes. */
    void (*release_h)(void *arg, struct pkt *origin);
    void *release_arg;
};

/* Room for `count` packets with buffers and `borrowed` more headers. 0, E_RANGE or E_NOMEM. */
int pkt_pool_init(struct pkt_pool *pool, uint16_t shard, uint32_t count, uint32_t borrowed);
void pkt_pool_fini(struct pkt_pool *pool);
/* A packet with an empty buffer of PKT_DATA_MAX bytes and one reference, or NULL when exhausted. */
struct pkt *pkt_new(struct pkt_pool *pool);
/* A local header over origin's data (origin keeps the reference the sender took), or NULL. */
struct pkt *pkt_borrow(struct pkt_pool *pool, struct pkt *origin);
/* Packets whose header is taken now. */
static inline uint32_t pkt_pool_used(const struct pkt_pool *pool)
{
    return pool->headers.used;
}

static inline struct pkt *pkt_get(struct pkt *pkt)
{
    pkt->refs++;
    return pkt;
}

void pkt_free_last(struct pkt *pkt);

/* Drops one reference and clears the caller's pointer. */
static inline void pkt_put(struct pkt **pkt)
{
    struct pkt *p = *pkt;
    *pkt = (struct pkt *)0;
    if (p && --p->refs == 0) {
        pkt_free_last(p);
    }
}
