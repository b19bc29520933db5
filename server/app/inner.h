/*
 * Peers inside this process: one for every mix somebody listens to (design.md D16). Such a peer
 * hears a room like any page, through its audio slots, and sends the sum as its microphone into a
 * room of its own, where the listeners of the mix are.
 *
 *   shard --plain RTP--> mailbox --> mixing thread (background priority) --> mailbox --> shard
 *
 * Invariants: the thread works only while there is a mix; a shard never waits for it, what does not
 * fit into a mailbox is lost like a packet. Out of scope: who listens to what (wish.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire/desc.h"
#include "server/sfu/sfu.h"

struct inner;

enum {
    INNER_PACKET_MAX = 1500,
    INNER_MIXES_MAX = 64,
    INNER_PT = 111,     /* Opus, both ways */
    INNER_EXT_LEVEL = 1 /* RFC 6464 */
};

struct inner_packet {
    sfu_peer_id peer;
    uint16_t len;
    uint8_t data[INNER_PACKET_MAX];
};

struct inner_stats {
    uint32_t mixes;
    uint64_t frames; /* mixed and sent */
    uint64_t late;   /* packets that came after their time */
    uint64_t concealed;
    uint64_t refused; /* packets that found a full mailbox */
};

/* shards: producers of packets. 0, E_NOMEM or E_IO. */
int inner_new(struct inner **out, unsigned shards);
/* Starts the thread. 0 or E_LIMIT. */
int inner_start(struct inner *inner);
void inner_free(struct inner *inner);

static inline uint32_t inner_ssrc(sfu_peer_id peer)
{
    return (uint32_t)peer | 1u;
}

/* The offer of an inner peer that sends as inner_ssrc. */
void inner_offer(struct desc_offer *out, uint32_t ssrc);

/* Core thread: a peer of this number mixes from now on / does not any more. */
void inner_open(struct inner *inner, sfu_peer_id peer);
void inner_close(struct inner *inner, sfu_peer_id peer);
/* Core thread: only what comes under this SSRC is heard; 0 = everything. */
void inner_only(struct inner *inner, sfu_peer_id peer, uint32_t ssrc);

/* Shard's thread: a datagram for an inner peer. */
void inner_take(struct inner *inner, unsigned shard, sfu_peer_id peer, const uint8_t *data,
                size_t len);
/* Shard's thread: rings when inner_take was called in this turn. */
void inner_ring(struct inner *inner);
/* Shard's thread: readable when there is something from inside; then answer, pop until false. */
int inner_fd(const struct inner *inner, unsigned shard);
void inner_answer(struct inner *inner, unsigned shard);
bool inner_pop(struct inner *inner, unsigned shard, struct inner_packet *out);

/* Any thread. */
void inner_stats_read(struct inner *inner, struct inner_stats *out);
