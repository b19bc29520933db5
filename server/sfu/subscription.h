/*
 * One receive slot of one peer: whom it carries and how it is numbered. There is one type for audio
 * and video; which layer it gets is data (server/proto/alloc.h,
 * codec/media/rungs.h).
 *
 *   want (VIEW or a room seat) -> subscription_update -> waiting on a layer -> key frame ->
 * attached
 *
 * Invariants: an attached subscription stands in its layer's list, a waiting one in the waiters of
 * the next layer (it may be both: the old picture goes on until the new key frame); `generation`
 * moves whenever what it carried was revoked, so that queued packets of it are not sent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/media/rewrite.h"
#include "server/proto/keyreq.h"
#include "server/proto/rewrite.h"
#include "server/proto/rtx.h"
#include "server/sfu/sfu.h"

struct layer;
struct peer;
struct pkt;
struct sfu;
struct subs_block;
struct track;
struct voice;

/* Where a subscription stands in a list of a layer. */
struct subs_place {
    struct subs_block *block;
    uint32_t at;
};

enum { RUNGS_PAST = 3 }; /* changes of rung that late packets are told from */

struct subscription {
    /* read for every packet */
    struct peer *peer;
    struct layer *layer; /* attached, or NULL */
    uint32_t ssrc;
    uint8_t slot; /* in the peer: audio slots first */
    bool video;
    bool begin; /* the next queued packet is the first of its source */
    uint8_t generation;
    uint8_t mid_left; /* packets that still carry the MID */
    uint8_t codec;    /* of the last packet sent */
    uint8_t queued;   /* codec of the last packet queued */
    uint8_t live;     /* something of the current source was queued */
    uint32_t sent_packets;
    uint32_t sent_octets;
    struct rtx rtx;
    uint64_t layer_name;          /* pool id of `layer`, for retransmissions */
    struct voice *voice;          /* audio the peer has missed some of; server/sfu/voice.h */
    uint8_t rung;                 /* what is forwarded of `layer` */
    uint8_t rung_was[RUNGS_PAST]; /* before packet rung_from of the same place, newest first */
    uint8_t target;               /* the rung to reach */
    bool asked;                   /* for a key frame, to show fewer spatial layers */
    uint8_t waited;               /* pictures since they were to end */
    bool pictured;                /* picture_ts is valid */
    uint32_t picture_ts;
    int64_t rung_from[RUNGS_PAST];
    int64_t catch_up;       /* up to here the past is sent: base layer only */
    struct rewrite rewrite; /* its beginning for every packet, the rest where some are left out */

    /* read when something changes */
    struct codec_rewrite codec_rewrite; /* video: its beginning for every packet too */
    struct subs_place place;
    struct layer *next; /* waiting for its key frame, or NULL */
    struct subs_place next_place;
    struct track *track; /* wished, or NULL */
    struct subscription *wisher_next;
    struct subscription *wisher_prev;
    uint16_t height_max;
    uint8_t next_rung; /* target once `next` has taken over */
    uint8_t reason;    /* enum alloc_reason */
    int8_t encoding;   /* what was chosen, -1 = nothing */
    uint8_t chosen_rung;
    uint32_t bps; /* of what was chosen */
    uint16_t height;
    uint32_t reported_seq; /* audio: highest number the receiver's last report named */
    mono_us lowered_us;    /* last step down */
    mono_us raised_us;     /* last step up */
    uint8_t falls;         /* steps up taken back, one after the other */
    bool silent;           /* its picture does not come: the peer is told */
    mono_us came_us;       /* it came last, or was not meant to come */
    struct keyreq_gate gate;
    int64_t rtx_seq; /* of the RTX stream */
    pool_id pool;
};

enum { SUBS_BLOCK = 61 };

/* A piece of a list of subscriptions: an array, so that walking it is cheap. */
struct subs_block {
    struct subs_block *next;
    pool_id id;
    uint32_t count;
    struct subscription *sub[SUBS_BLOCK];
};

/* The peer's slot, made on first use; NULL when the pool is empty or there is no such slot. */
struct subscription *subscription_at(struct sfu *sfu, struct peer *peer, unsigned slot);
/* Gives everything of the slot back. */
void subscription_free(struct sfu *sfu, struct subscription *sub);
/* Wishes for a track (NULL = for nothing) at a height; audio takes any height but 0. */
void subscription_want(struct sfu *sfu, struct subscription *sub, struct track *track,
                       uint16_t height_max, mono_us now);
/* What the share-out chose: an encoding (-1 = nothing) and a rung of it. */
struct subscription_choice {
    int encoding;
    uint8_t rung;
    uint8_t reason; /* enum alloc_reason */
    uint16_t height;
    uint32_t bps;
};
void subscription_choose(struct sfu *sfu, struct subscription *sub,
                         const struct subscription_choice *choice, mono_us now);
/* May this subscriber get anything of its track now? */
bool subscription_allowed(const struct subscription *sub);
/* Applies the rules again after anything of the peer, the track or its layers changed. */
void subscription_update(struct sfu *sfu, struct subscription *sub, mono_us now);
/* Everybody who waits for the layer gets it from pkt (the start of a key frame) on. */
void subscription_promote(struct sfu *sfu, struct layer *layer, struct pkt *pkt, mono_us now);
/* What it carried or waited for is not its any more: nothing of that goes out from here on. */
void subscription_revoke(struct sfu *sfu, struct subscription *sub, mono_us now);
/* Queues one packet of the layer; the reason when it is not for this subscriber. */
enum drop subscription_tx(struct sfu *sfu, struct subscription *sub, struct pkt *pkt, mono_us now);
/* Looks whether the picture it is meant to have comes; its peer is told when that changes. */
void subscription_look(struct sfu *sfu, struct subscription *sub, mono_us now);
/* What the peer sees in this slot. */
void subscription_view(const struct subscription *sub, struct sfu_slot_view *out);

/* The command VIEW. */
void subscription_view_set(struct sfu *sfu, struct peer *peer, const struct sfu_want *want,
                           uint32_t count, mono_us now);
