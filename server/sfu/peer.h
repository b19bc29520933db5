/*
 * One connection: its path (ICE), its keys (DTLS-SRTP), what it sends and its slots.
 * Invariants: media only with keys and only from a checked path; at most PEER_SSRCS SSRCs, bound to
 * this connection (S11); nothing is sent after consent ran out (S7).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/twheel.h"
#include "server/proto/ice.h"
#include "server/proto/pacer.h"
#include "server/proto/redundancy.h"
#include "server/proto/twcc_gen.h"
#include "server/sfu/pace.h"
#include "server/sfu/sfu.h"
#include "server/sfu/track.h"

struct cc;
struct room;
struct subscription;

enum {
    PEER_SSRCS = 20,
    PEER_SLOTS = DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX,
    PEER_RIDS = LAYERS_MAX,
    PEER_RTCP_US = 1 * US_PER_S,
    PEER_SLOTS_US = 15 * US_PER_MS,
    PEER_HANDSHAKE_US = 10 * US_PER_S, /* from the first authenticated check (S2) */
    PEER_FIRST_CHECK_US = 30 * US_PER_S,
    PEER_RTT_START_US = 100 * US_PER_MS,
    PEER_PATH_LOST_US = 700 * US_PER_MS, /* a path left after such a silence had failed */
};

/* A received SSRC and what it is. */
struct ssrc_bind {
    uint32_t ssrc;
    uint8_t source; /* enum source_kind */
    uint8_t layer;
    bool rtx;
    uint32_t last_ms; /* of its last packet, 0 = never */
};

/* One packet waiting to leave. */
struct txq_entry {
    struct pkt *pkt;
    uint8_t slot;
    uint8_t generation;
    bool begin; /* first packet of its source in this slot */
};

enum { TXQ_CHUNK = 30 };

struct txq_chunk {
    struct txq_chunk *next;
    pool_id id;
    uint8_t count;
    uint8_t first;   /* entries before it have left */
    uint8_t ordered; /* entries before it stand where they leave (queue_order) */
    uint8_t sounds;  /* of those behind */
    struct txq_entry entry[TXQ_CHUNK];
};

/* Must what is queued leave with the next drain? */
enum due {
    DUE_NOT,
    DUE_SOUND, /* a voice waits, which may go with a picture that is about to */
    DUE_NOW,
};

/* A room a peer hears without being in it; stands in the list of that room. */
struct ear {
    struct peer *peer;
    struct room *room; /* NULL = unused */
    struct ear *next;
    struct ear *prev;
};

struct peer {
    /* read for every packet to this peer */
    struct srtp_seal *seal;
    struct txq_chunk *queue;
    struct txq_chunk *queue_tail;
    uint32_t queue_bytes; /* payloads waiting */
    mono_us consent_until;
    struct room *room;
    struct tuple to;
    uint16_t twcc_seq;
    uint16_t template; /* 1.. of struct headers, 0 = none */
    bool listed;       /* in the list of peers with something queued */
    bool gathers;      /* the beginning of a picture is among it */
    uint8_t due;       /* enum due */
    bool connected;
    bool ready;
    bool sharing; /* in the list of those whose bits are shared out anew */
    uint8_t slots;
    uint8_t audio_slots;
    uint8_t red_depth;     /* packets of the past repeated in each of its audio */
    bool watched;          /* it lost some lately: outcome.h notes what is sent */
    uint8_t codecs[2];     /* bit per codec listed: audio, video */
    uint32_t probe_left;   /* bytes */
    uint64_t estimate_bps; /* of its path, 0 = not known: no limit (server/sfu/cc.h) */
    struct cc *cc;         /* the estimator's, NULL until it needs one */
    struct pacer_budget budget;
    struct subscription *slot[PEER_SLOTS];

    /* the rest */
    sfu_peer_id id;
    pool_id pool;
    struct srtp_open *open;
    struct dtls *dtls;
    struct ice ice;
    struct desc_offer offer;
    uint32_t ssrc_base;
    uint32_t publish; /* bit per source */
    mono_us rtt_us;
    bool rtt_measured;
    /* server/sfu/cc.h */
    mono_us trial_until; /* until then the first picture goes out anyway; 0 = no picture yet */
    uint32_t alloc_bps;  /* shared out, audio included */
    int64_t repair_bits; /* that may be sent again, below 0: overdrawn */
    mono_us repair_us;   /* when that was worked out */
    uint32_t wanted_bps; /* in all, were every wish fulfilled; 0 = nothing better waits */
    pool_id cc_id;
    struct redundancy redundancy;
    struct outcome *outcome; /* of pictures' packets; NULL until it loses some */
    mono_us missed_us;       /* the last time it told that one did not come */
    struct pace_probe probe;
    uint16_t probe_steps;
    uint16_t probe_slot;   /* whose packets were sent again last */
    uint16_t probe_behind; /* and how far behind its newest */
    uint32_t rtcp_index;
    bool lost;
    bool checked;        /* an authenticated check came */
    bool handshake_over; /* authenticated media came: only alerts are read any more */
    bool gone;           /* it said close_notify */
    mono_us handshake_until;
    struct twcc_gen *twcc;
    pool_id twcc_id;
    struct track *track[SOURCE_COUNT];
    struct ssrc_bind bind[PEER_SSRCS];
    uint32_t binds;
    uint32_t binds_made; /* in the whole life, announced ones excluded */
    char rid[SOURCE_COUNT][PEER_RIDS][12];
    bool has_clock; /* offset between the publisher's NTP clock and ours */
    int64_t clock_us;
    uint8_t fir_last;
    bool fir_seen;
    sfu_room_id voice; /* where the microphone is heard instead of the room; 0 = the room */
    struct ear ear[SFU_EARS_MAX];
    uint8_t eyes;
    sfu_room_id eye[SFU_EYES_MAX];
    struct peer *room_next;
    struct peer *room_prev;
    struct twheel_node ice_node;
    struct twheel_node dtls_node;
    struct twheel_node rtcp_node;
    struct twheel_node twcc_node;
    struct twheel_node slots_node;
    struct twheel_node cc_node;
    struct twheel_node pace_node;
    mono_us slots_us;    /* last event SLOTS */
    uint64_t slots_hash; /* of what it said */
};

struct peer *peer_find(const struct sfu *sfu, sfu_peer_id id);
void peer_open(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now);
void peer_restart(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now);
void peer_close(struct sfu *sfu, struct peer *peer, mono_us now);
void peer_ready(struct sfu *sfu, struct peer *peer, mono_us now);
void peer_move(struct sfu *sfu, struct peer *peer, sfu_room_id room, mono_us now);
void peer_listen(struct sfu *sfu, struct peer *peer, const struct sfu_ears *ears, mono_us now);
void peer_voice(struct sfu *sfu, struct peer *peer, sfu_room_id voice, mono_us now);
/* The room a source of the peer is in; 0 = nowhere. */
sfu_room_id peer_room_of(const struct peer *peer, uint8_t source);
/* True when the peer hears that room through an ear. */
bool peer_hears(const struct peer *peer, sfu_room_id room);
/* May the peer get anything of this room's sound (pictures when video) now? Default deny; the only
 * test of it there is. */
bool peer_reaches(const struct peer *peer, sfu_room_id room, bool video);
void peer_publish(struct sfu *sfu, struct peer *peer, uint32_t publish, mono_us now);
/* Keys are there: media can flow. */
void peer_connected(struct sfu *sfu, struct peer *peer, mono_us now);
/* Its path moved after the old one had failed (F5, F6): what was lost meanwhile is not repaired,
 * which would take seconds of the new path; all its pictures, those it sends and those it sees, get
 * key frames at once. */
void peer_path_anew(struct sfu *sfu, struct peer *peer, mono_us now);
/* True when something may be sent to it now. */
bool peer_can_send(const struct peer *peer, mono_us now);
/* Its slots changed: an event follows, at most every PEER_SLOTS_US. */
void peer_slots_changed(struct sfu *sfu, struct peer *peer, mono_us now);
void peer_slots_event(struct sfu *sfu, struct peer *peer, mono_us now);

/* server/sfu/handshake.c */
enum drop handshake_queue(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now);
/* Steps at most one queued datagram. */
void handshake_step(struct sfu *sfu, mono_us now);
void handshake_timer(struct sfu *sfu, struct peer *peer, mono_us now);
/* Authenticated media came, so the peer has finished its handshake too. */
void handshake_settle(struct sfu *sfu, struct peer *peer);
/* The peer is let go: it is told (close_notify) when a path to it works. */
void handshake_close(struct sfu *sfu, struct peer *peer, mono_us now);

/* server/sfu/peer_rx.c, bind.c: one authenticated-to-be datagram; the packet stays the caller's. */
enum drop peer_rx_rtp(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now);
/* A packet with this number on its path came (below 0: it has none): the feedback will say so. */
void peer_rx_transport(struct sfu *sfu, struct peer *peer, int32_t seq, uint32_t ssrc, mono_us now);
enum drop peer_rx_rtcp(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now);

/* server/sfu/report.c: what we tell a peer by RTCP. */
void report_timer(struct sfu *sfu, struct peer *peer, mono_us now);
void report_twcc(struct sfu *sfu, struct peer *peer, mono_us now);
void report_nack(struct sfu *sfu, struct receiver *receiver, mono_us now);
void report_pli(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now);
/* NTP time we use for a moment, 32.32. */
uint64_t report_ntp(mono_us at);

/* server/sfu/retransmit.c: a packet of recent times goes to the peer once more, unasked; false when
 * there is none of at most `most` bytes. */
bool retransmit_probe(struct sfu *sfu, struct peer *peer, uint32_t most, mono_us now);
/* Packets that carry nothing, about `bytes` of them, on the repair stream of a slot. */
void retransmit_padding(struct sfu *sfu, struct peer *peer, uint32_t bytes, mono_us now);
/* The peer misses seq of a slot. */
bool retransmit(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now);
/* How soon after a packet was sent again another request for it is heard. */
mono_us retransmit_wait(const struct peer *peer);
/* The sending of seq with this stamp is told as lost: once more, if it is of any use. */
void retransmit_lost(struct sfu *sfu, struct subscription *sub, uint16_t seq, uint16_t stamp,
                     mono_us now);
/* On a path that loses much: a picture's packet once more, unasked. */
void retransmit_copy(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now);
