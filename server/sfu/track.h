/*
 * A track is a source of a publisher as this shard knows it: its own (with `owner`) or another
 * shard's (`remote`), with one layer per simulcast encoding. It exists from the first packet or the
 * first wish on and goes when neither is left.
 * Invariants: default deny: only a published track of the subscriber's room is routed; a layer's
 * name (pool id) is never reused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/twheel.h"
#include "server/proto/alloc.h"
#include "server/proto/dominant.h"
#include "server/proto/history.h"
#include "server/proto/keyreq.h"
#include "server/proto/nack.h"
#include "server/proto/rates.h"
#include "server/proto/rtp_rx.h"
#include "server/proto/speaker.h"
#include "server/sfu/sfu.h"

struct av1_dd_structure;
struct peer;
struct room;
struct subs_block;
struct subscription;
struct track;

enum {
    HISTORY_AUDIO = 64,
    HISTORY_VIDEO = 1024,
    KEEP_AUDIO_US = 1 * US_PER_S,
    KEEP_VIDEO_US = 2 * US_PER_S,
    RECLAIM_LEAST_US = 20 * US_PER_MS,
    LAYER_LIVE_US = 1200 * US_PER_MS,
    LAYER_ASKED_US = 500 * US_PER_MS, /* to send anything at all after a key frame was asked for */
    LAYER_ANEW_US = 3 * US_PER_S, /* browsers begin a new path with little: so long after that, what
                                   * stops while another goes on is taken for off sooner */
    TRACK_TICK_ANEW_US = 100 * US_PER_MS,
    TRACK_TICK_US = 500 * US_PER_MS,
    LAYER_UNWATCHED_US = 2 * US_PER_S, /* then its publisher pauses it */
    LAYER_LAST_US = 15 * US_PER_S,     /* and the smallest one after this */
    LAYER_RESUME_US = 3 * US_PER_S,
    LAYER_INSIST_US =
        2 * US_PER_S,  /* asked for and silent: its publisher is told again, doubling */
    LAYER_INSISTS = 5, /* so often doubling, then for as long as somebody wants it: */
    LAYER_INSIST_LATE_US = 30 * US_PER_S,
    LAYER_AGAIN_US = 5 * US_PER_S, /* told to come, in vain: offered anew after this, doubling */
    LAYER_AGAIN_MAX = 5,
    LAYER_AGAIN_BARE_US = 25 * US_PER_S, /* at most, where nothing else of its source comes */
};

/* The receiving end of a layer, only where the publisher is ours. */
struct receiver {
    pool_id id;
    struct layer *layer;
    struct rtp_rx rx;
    struct nack nack;
    struct twheel_node nack_node;
    struct av1_dd_structure *dd; /* what dependency descriptors refer to, NULL until one came */
    pool_id dd_id;
    uint16_t loss_q8; /* of 65536: what the path lost lately */
    uint32_t ssrc;
    int64_t opened_seq; /* newest packet that was authenticated (silence.h), and when */
    mono_us opened_us;
    uint32_t lsr; /* middle of the last SR's NTP time */
    mono_us lsr_us;
    int64_t first; /* begun: first packet of what may be forwarded */
    bool begun;
    bool hole; /* what is missing before the next packet went into a path that had failed */
    bool anew; /* the next packet is the first of another stream */
};

struct layer {
    struct track *track;
    pool_id id;
    pool_id history_id;
    struct subs_block *subs;
    struct subs_block *waiters;
    uint64_t exports;  /* shards that want every packet */
    uint64_t exported; /* shards that got the last packet */
    struct history history;
    struct receiver *receiver; /* NULL on a remote track */
    mono_us last_us;           /* last packet */
    uint32_t last_ts;
    uint8_t index;
    bool live;
    bool available;       /* remote: it would come if it were watched */
    bool paused;          /* its publisher was told not to send it */
    mono_us resume_until; /* told to send it again: expected until then */
    mono_us resumed_us;   /* told so last, 0 = never, or it came */
    uint8_t insists;      /* how often that was said again in vain */
    mono_us insisted_us;  /* said so again last */
    uint8_t vain;         /* how often it was on offer and did not come */
    mono_us needed_us;    /* somebody wanted it last */
    uint16_t pictures;    /* since look_us (thin.h) */
    uint8_t thin_looks;   /* at too few of them, one after the other */
    uint8_t thin_times;   /* how often it was thin again */
    bool thin;            /* comes as a row of stills, or comes and goes */
    mono_us look_us;
    mono_us thin_us;     /* became so last, 0 = never */
    mono_us newcomer_us; /* somebody without a picture began with it or waited for it last */
    struct rates rates;
    int64_t key_seq; /* start of the last key frame */
    mono_us key_us;  /* when it came, 0 = never */
    bool has_sr;
    uint32_t sr_rtp;
    mono_us sr_us; /* capture time of sr_rtp in our clock */
    uint64_t bytes;
};

struct track {
    pool_id id;
    sfu_peer_id publisher;
    uint8_t source; /* enum source_kind */
    bool video;
    bool remote;
    bool published;
    struct peer *owner; /* local publisher, or NULL */
    sfu_room_id room;   /* where it may be heard and seen; 0 = nowhere */
    struct layer *layer[LAYERS_MAX];
    struct subscription *wishers;
    struct keyreq keyreq;
    struct twheel_node keyreq_node;
    mono_us crowd_until; /* another shard has many viewers */
    struct twheel_node tick_node;
    mono_us anew_until; /* its publisher came back by another path a moment ago */
    struct speaker_member talk;
    struct dominant_member floor;
    uint64_t informed; /* shards that want news of a local track */
    uint8_t watched;   /* layers asked of the owner's shard (remote) */
    bool watching;
    bool talk_exported; /* seated, so other shards hear it */
};

struct track *track_find(const struct sfu *sfu, sfu_peer_id publisher, uint8_t source);
/* The track, made when it is not there; NULL when the pool is empty. */
struct track *track_get(struct sfu *sfu, sfu_peer_id publisher, uint8_t source, mono_us now);
/* The layer, made when it is not there; NULL when a pool is empty. */
struct layer *track_layer(struct sfu *sfu, struct track *track, unsigned index, mono_us now);
/* Would it come if somebody watched it? */
bool layer_available(const struct layer *layer, mono_us now);
/* Sets owner, room and permission together; everything that depends on them follows. */
void track_set(struct sfu *sfu, struct track *track, sfu_room_id room, bool published, mono_us now);
/* Applies the rules of every wisher again. */
void track_changed(struct sfu *sfu, struct track *track, mono_us now);
/* The publisher is gone: layers are released, wishes stay. */
void track_close(struct sfu *sfu, struct track *track, mono_us now);
/* Frees a track that has neither packets nor wishes. */
void track_unneeded(struct sfu *sfu, struct track *track, mono_us now);
/* Somebody needs a key frame of these layers (bits). */
void track_keyframe(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now);
/* The same for who has a picture and waits for a better one. */
void track_keyframe_later(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now);
/* One who waited for a key frame of the layer to see another spatial layer does not any more: what
 * was not asked yet for nobody else is not asked. */
void track_keyframe_unneeded(struct layer *layer);
/* Another shard says that many look at it there. */
void track_crowd(struct track *track, mono_us now);
void track_keyreq_run(struct sfu *sfu, struct track *track, mono_us now);
/* The same when a request is to be repeated: a layer that was switched off meanwhile is not asked.
 */
void track_keyreq_timer(struct sfu *sfu, struct track *track, mono_us now);
/* No packet is free: what is kept for repair is given up, the oldest first, so that what is new can
 * be received. */
void tracks_reclaim(struct sfu *sfu, mono_us now);
void track_tick(struct sfu *sfu, struct track *track, mono_us now);
/* What is missing before packet seq never comes: for subscribers the layer begins anew, without a
 * hole. */
void layer_resume(struct sfu *sfu, struct layer *layer, int64_t seq, mono_us now);
/* Its publisher lost a path and came back by another one. */
void track_path_anew(struct sfu *sfu, struct track *track, mono_us now);
/* What the track offers, as options of a slot that shows it. */
void track_offer(const struct track *track, struct alloc_slot *slot, mono_us now);
/* Who watches a layer changed: what is needed is resumed at the publisher at once. */
void track_needed(struct sfu *sfu, struct track *track, mono_us now);
/* Tells the shards that watch this local track. */
void track_inform(struct sfu *sfu, struct track *track, uint64_t shards, mono_us now);
/* Tells the owner's shard which layers are needed here. */
void track_watch(struct sfu *sfu, struct track *track);

/* One published packet of a layer, described: kept, sent to every subscriber and shard. */
void fanout_rtp(struct sfu *sfu, struct layer *layer, struct pkt *pkt, mono_us now);
