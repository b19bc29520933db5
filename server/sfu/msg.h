/*
 * What shards say to each other (design.md D1), carried by value through single-producer rings.
 * A packet needed elsewhere crosses once, as a reference the sender took; the receiver borrows it
 * (codec/base/packet.h) and gives it back with RELEASE.
 * Invariants: exactly SFU_MSG_SIZE bytes; messages of one pair of shards stay in order; control
 * messages repeat whole states, never differences.
 * Out of scope: the rings (server/io/mailbox.h).
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#include "codec/base/packet.h"
#include "server/sfu/sfu.h"

enum {
    SFU_MSG_SIZE = 128,
    SFU_MSG_RELEASES = 12,
    SFU_MSG_LAYERS = 3,
};

enum sfu_msg_kind {
    SFU_MSG_PACKET = 1, /* peer, room, source, layer, packet: of a source the target receives; count
                         * = 1: the first after a pause, in which packets were kept back */
    SFU_MSG_RELEASE,    /* count, release: borrowed packets given back */
    SFU_MSG_PRESENCE,   /* room, count: the sender has members there (1) or not (0) */
    SFU_MSG_WATCH,      /* peer, source, layer = bits the sender needs, count = 1 wants news */
    SFU_MSG_TRACK,      /* peer, room, source, track: state of a source, to who watches */
    SFU_MSG_KEYFRAME, /* peer, source, layer = bits: somebody waits for a key frame; count: 1 = has
                         no picture until then, 2 = many look at it */
};

struct sfu_msg_layer {
    int64_t sr_mono_us; /* capture time of sr_rtp in our clock */
    uint32_t sr_rtp;
    uint16_t height[3];
    uint16_t offered; /* rungs */
    uint8_t flags;    /* SFU_MSG_LIVE ... */
    uint8_t rate[11]; /* rates_pack of the rungs that exist, in their order */
};

enum { SFU_MSG_LIVE = 1, SFU_MSG_AVAILABLE = 2, SFU_MSG_HAS_SR = 4, SFU_MSG_THIN = 8 };

struct sfu_msg {
    uint8_t kind; /* enum sfu_msg_kind */
    uint8_t from; /* shard */
    uint8_t source;
    uint8_t layer;
    uint32_t count;
    sfu_peer_id peer;
    sfu_room_id room;
    union {
        struct pkt *packet;
        struct pkt *release[SFU_MSG_RELEASES];
        struct {
            uint32_t published;
            uint32_t layers;
            struct sfu_msg_layer layer[SFU_MSG_LAYERS];
        } track;
        uint8_t room_for_more[SFU_MSG_SIZE - 24];
    };
};

static_assert(sizeof(struct sfu_msg) == SFU_MSG_SIZE, "the carrier copies exactly this");
