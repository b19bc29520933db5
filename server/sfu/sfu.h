/*
 * The selective forwarding unit of one shard, sans-IO: datagrams, commands and time go in;
 * datagrams, events and messages to other shards come out through the hooks.
 *
 *   sfu_input -> (STUN: ice) (DTLS: handshake) (SRTP: peer_rx_rtp -> fanout_rtp -> subscription_tx)
 *   sfu_flush -> pacer_drain: number, stamp, rewrite, seal into the txbatch
 *
 * Invariants: default deny (a source is forwarded only while SFU_CMD_PUBLISH allows it and only to
 * peers of the room it is in, or that SFU_CMD_EARS lets hear or view that room); nothing is sent to
 * a tuple without a valid check of the last 30 s; a received packet is const once described; a peer
 * stays on its shard for life, rooms have none. Out of scope: sockets (server/io), who may do what
 * (signaling), placement (server/app/bridge.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/drop.h"
#include "codec/base/packet.h"
#include "codec/base/rng.h"
#include "codec/base/time.h"
#include "codec/wire/desc.h"
#include "server/proto/crypto.h"
#include "server/proto/txbatch.h"

/* Chosen by the caller: shard in the top 8 bits, never reused. 0 = nobody. */
typedef uint64_t sfu_peer_id;
/* Chosen by the caller, shared by all shards. 0 = nowhere: receives and sends nothing. */
typedef uint64_t sfu_room_id;

static inline unsigned sfu_shard_of(sfu_peer_id id)
{
    return (unsigned)(id >> 56);
}

enum sfu_cmd_kind {
    SFU_CMD_OPEN,     /* a peer with its offer; answered by SFU_EVT_ANSWER or SFU_EVT_REFUSED */
    SFU_CMD_RESTART,  /* ICE restart: new credentials, same DTLS and slots; answered likewise */
    SFU_CMD_CLOSE,    /* peer gone: everything of it is released, its slots elsewhere go dead */
    SFU_CMD_READY,    /* the page is connected: video may start (slots.md section 7) */
    SFU_CMD_ROOM,     /* move a peer to another room: a routing change */
    SFU_CMD_PUBLISH,  /* which sources of the peer may be forwarded now (bit per source_kind) */
    SFU_CMD_OVERLOAD, /* of the whole shard: the step of shedding (server/proto/overload.h) */
    SFU_CMD_VIEW,     /* the wished mapping of all video slots */
    SFU_CMD_EARS,     /* which rooms besides its own the peer hears or may view */
    SFU_CMD_VOICE,    /* the room its microphone is heard in instead of its own; 0 = its own */
};

enum {
    SFU_EARS_MAX = 4,  /* rooms a peer hears besides its own */
    SFU_EYES_MAX = 16, /* rooms whose pictures it may view besides its own */
};

/* The whole list; a room that is not named is not reached. Earlier ears are seated first. */
struct sfu_ears {
    uint8_t ears;
    uint8_t eyes;
    sfu_room_id ear[SFU_EARS_MAX];
    sfu_room_id eye[SFU_EYES_MAX];
};

struct sfu_want {
    uint8_t slot;        /* video slot 0 .. video_slots-1 */
    uint8_t source;      /* SOURCE_CAMERA or SOURCE_SCREEN */
    uint16_t height_max; /* pixels the tile can use; 0 = paused but mapped */
    sfu_peer_id publisher;
};

struct sfu_cmd {
    enum sfu_cmd_kind kind;
    sfu_peer_id peer;
    uint64_t token; /* OPEN, RESTART: given back in the answer */
    bool inner;     /* OPEN: a peer of this process: neither path nor keys, see sfu_inner_input */
    union {
        struct desc_offer offer; /* OPEN, RESTART (ufrag, pwd only) */
        sfu_room_id room;        /* ROOM, VOICE */
        struct sfu_ears ears;    /* EARS */
        uint32_t overload;       /* OVERLOAD */
        uint32_t publish;        /* PUBLISH: 1u << source_kind, restricting takes effect at once */
        struct {
            uint32_t count;
            struct sfu_want want[DESC_VIDEO_SLOTS_MAX];
        } view;
    };
};

enum sfu_evt_kind {
    SFU_EVT_ANSWER,    /* token, answer */
    SFU_EVT_REFUSED,   /* token, err: E_FULL, E_UNSUPPORTED (no common codec), E_BAD */
    SFU_EVT_CONNECTED, /* DTLS done on a checked path: media can flow */
    SFU_EVT_LOST,      /* no consent for 30 s, or close_notify: media dead, peer kept (signalling
                          decides) */
    SFU_EVT_BACK,      /* media alive again after LOST */
    SFU_EVT_FAILED,    /* handshake impossible (fingerprint, 10 s); peer must be opened anew */
    SFU_EVT_SLOTS,     /* what this peer's slots carry now; coalesced */
    SFU_EVT_SEND,      /* which layers of its sources the peer should send now */
    SFU_EVT_SPEAKING,  /* room: who is heard, loudest first; at most 5 a second */
    SFU_EVT_OVERLOAD,  /* no peer: the shard sheds otherwise than before */
};

enum sfu_slot_state { SFU_SLOT_OFF = 0, SFU_SLOT_WAITING, SFU_SLOT_LIVE };

struct sfu_slot_view {
    sfu_peer_id publisher; /* 0 = empty */
    uint8_t source;        /* enum source_kind */
    uint8_t state;         /* enum sfu_slot_state */
    uint8_t reason;        /* enum alloc_reason (server/proto/alloc.h): why it is as it is */
    uint16_t height;       /* pixels of the layer it gets, 0 = none */
};

struct sfu_speaker {
    sfu_peer_id peer;
    uint8_t level; /* -dBov, 0 loudest .. 127 */
};

enum { SFU_SPEAKERS_MAX = 10 };

struct sfu_evt {
    enum sfu_evt_kind kind;
    sfu_peer_id peer;
    sfu_room_id room; /* SPEAKING */
    uint64_t token;
    int err;
    union {
        struct desc_answer answer;
        struct {
            uint8_t audio;
            uint8_t video;
            struct sfu_slot_view slot[DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX];
        } slots;                    /* audio slots first */
        uint8_t send[SOURCE_COUNT]; /* SEND: bit per layer: h = 1, m = 2, l = 4 */
        struct {
            uint32_t count;
            uint32_t recents;
            struct sfu_speaker speaker[SFU_SPEAKERS_MAX];
            sfu_peer_id recent[SFU_SPEAKERS_MAX]; /* who had the floor; the first one has it */
        } speaking;
        struct {
            uint16_t shard;
            uint8_t step; /* enum overload_step */
        } overload;
    };
};

/* A message between shards; opaque to the carrier, copied by value. Packets inside are referenced.
 */
struct sfu_msg;

struct sfu_hooks {
    void *arg;
    void (*event_h)(void *arg, const struct sfu_evt *evt);
    /* Carries msg (of SFU_MSG_SIZE bytes) to shard `to`; false when the ring is full (the packet
     * reference inside is then still the sender's). */
    bool (*shard_h)(void *arg, unsigned to, const struct sfu_msg *msg);
};

struct sfu_config {
    uint16_t shard;
    uint16_t shards;
    uint32_t peers_max;
    uint32_t packets_max;   /* receive buffers and retransmission store together */
    uint32_t audio_loudest; /* speakers forwarded per room */
    uint8_t candidates;     /* of this shard's port, for answers */
    struct desc_candidate candidate[DESC_CANDIDATES_MAX];
};

struct sfu;

/* Everything is reserved here; NULL when memory is short or the config is out of bounds. */
struct sfu *sfu_new(const struct sfu_config *config, const struct crypto_ops *crypto,
                    const struct sfu_hooks *hooks, struct txbatch *tx, struct rng rng, mono_us now);
void sfu_free(struct sfu *sfu);

/* A packet to receive into (one reference, the caller's), or NULL when the pool is empty. */
struct pkt *sfu_rx_packet(struct sfu *sfu);
/* Datagrams from there come next, in this order: what they need is asked of memory. A hint. */
void sfu_near(struct sfu *sfu, const struct tuple *from, unsigned n);
/* One datagram in pkt->data[0 .. pkt->len), reference taken. DROP_NONE when it was of use. */
enum drop sfu_input(struct sfu *sfu, struct pkt *pkt, const struct tuple *from, mono_us now);
/* One plain RTP packet of an inner peer, likewise. What is for such a peer goes into the batch as
 * plain RTP to a tuple of proto ADDR_INNER. */
enum drop sfu_inner_input(struct sfu *sfu, sfu_peer_id peer, struct pkt *pkt, mono_us now);
/* End of a receive batch or timer: sends what gathered. */
void sfu_flush(struct sfu *sfu, mono_us now);
/* The last thing before sfu_free: every peer that can be reached is told (close_notify). */
void sfu_farewell(struct sfu *sfu, mono_us now);

void sfu_command(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now);
/* A message of another shard (struct sfu_msg of SFU_MSG_SIZE bytes). */
void sfu_shard_input(struct sfu *sfu, const struct sfu_msg *msg, mono_us now);

void sfu_timer(struct sfu *sfu, mono_us now);
mono_us sfu_deadline(const struct sfu *sfu);

/* A TCP connection (tuple.conn) closed: its tuple is forgotten. */
void sfu_conn_closed(struct sfu *sfu, const struct tuple *tuple, mono_us now);

struct sfu_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t forwarded; /* packets to subscribers, retransmissions excluded */
    uint64_t rtx_sent, rtx_received, restored, repeated, nacks_sent, nacks_received;
    uint64_t plis_sent, plis_received;
    uint64_t fast_starts; /* pictures begun from the history */
    uint64_t left_out;    /* packets of layers above the chosen one */
    uint64_t dtls_done, dtls_failed, dtls_closed, ice_checks;
    uint64_t drops[DROP_COUNT];
    uint32_t peers, peers_connected, tracks, subscriptions, packets_used;
};

/* Copies the counters (this shard's thread only). */
void sfu_stats_read(const struct sfu *sfu, struct sfu_stats *out);
