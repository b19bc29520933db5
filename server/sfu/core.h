/*
 * The state of one shard, shared by the files of this folder. Objects live in pools sized at start
 * and touched lazily; ownership goes sfu -> room -> peer -> track / subscription.
 * Out of scope for everybody else: include sfu.h.
 */
#pragma once

#include "codec/base/hash.h"
#include "codec/base/map.h"
#include "codec/base/packet.h"
#include "codec/base/pool.h"
#include "codec/base/rng.h"
#include "codec/base/twheel.h"
#include "server/sfu/header.h"
#include "server/sfu/msg.h"
#include "server/sfu/peer.h"
#include "server/sfu/room.h"
#include "server/sfu/sfu.h"
#include "server/sfu/subscription.h"
#include "server/sfu/track.h"

enum sfu_timer_reason {
    TIMER_PEER_ICE = 1,
    TIMER_PEER_DTLS,
    TIMER_PEER_RTCP,
    TIMER_PEER_TWCC,
    TIMER_PEER_SLOTS,
    TIMER_PEER_CC,
    TIMER_PEER_PACE,
    TIMER_NACK,
    TIMER_TRACK_KEYREQ,
    TIMER_TRACK_TICK,
    TIMER_ROOM,
};

enum {
    SFU_SHARDS_MAX = 64,
    SFU_DTLS_QUEUE = 512,
    SFU_NACK_BATCH = 64,
    SFU_OUTBOX = 4096,
    SFU_TXQ_CHUNKS = 8192,
    SFU_RECENT = 256,
};

/* Who sends from an address. */
struct sender {
    struct tuple from;
    pool_id peer; /* 0 = nobody */
};

/* A DTLS datagram that waits for its turn. */
struct dtls_item {
    struct pkt *pkt;
    sfu_peer_id peer;
};

/* A control message that found a full ring, in the list of its shard. */
struct outbox_item {
    struct sfu_msg msg;
    uint16_t next; /* number of the next one + 1; 0 = the last */
};

/* What waits for one shard, oldest first. */
struct outbox_list {
    uint16_t first; /* as next */
    uint16_t last;
};

/* Borrowed packets to be given back, per owner shard. */
struct releases {
    uint32_t count;
    struct pkt *packet[SFU_MSG_RELEASES];
};

struct sfu {
    struct sfu_config config;
    struct crypto_ops crypto;
    struct sfu_hooks hooks;
    struct txbatch *tx;
    struct rng rng;
    struct hash_key key;
    struct twheel wheel;
    mono_us now; /* of the batch being worked on */

    struct pkt_pool packets;
    struct pool peers;
    struct pool rooms;
    struct pool tracks;
    struct pool layers;
    struct pool receivers;
    struct pool dds; /* struct av1_dd_structure */
    struct pool histories_audio;
    struct pool histories_video;
    struct pool subscriptions;
    struct pool blocks;
    struct pool chunks; /* struct rtx_chunk */
    struct pool txq;
    struct pool twccs;
    struct pool ccs;
    struct pool voices;
    struct pool outcomes;

    struct map peer_by_id;
    struct map peer_by_ufrag;
    struct map peer_by_tuple;         /* hash of the tuple */
    struct sender recent[SFU_RECENT]; /* whom that found last, by a few bits of the address */
    struct map room_by_id;
    struct map track_by_key;

    struct headers headers;
    struct peer **active; /* peers with something queued */
    uint32_t active_count;
    uint32_t due_count;    /* of those, the ones that do not wait for the rest of a picture */
    mono_us gather_until;  /* the others wait so long */
    struct peer **sharing; /* peers whose bits are to be shared out anew */
    uint32_t sharing_count;
    uint8_t overload;     /* step of shedding in force */
    mono_us reclaimed_us; /* when kept packets were given up for new ones */

    struct dtls_item dtls[SFU_DTLS_QUEUE];
    uint32_t dtls_head;
    uint32_t dtls_count;
    struct receiver *nack_due[SFU_NACK_BATCH];
    uint32_t nack_count;
    struct outbox_item *outbox; /* SFU_OUTBOX of them */
    struct outbox_list waiting[SFU_SHARDS_MAX];
    uint16_t outbox_free;    /* a list of those used before, as next */
    uint16_t outbox_touched; /* those behind were never used */
    uint32_t outbox_count;
    struct releases releases[SFU_SHARDS_MAX];
    struct pkt **unreleased; /* given back, but the ring was full */
    uint32_t unreleased_count;
    uint32_t unreleased_cap;

    uint16_t pad_max; /* bytes of padding that may equalise a run; 0 = off */
    struct sfu_stats stats;
};

/* Counts a reason and hands it back. */
static inline enum drop sfu_drop(struct sfu *sfu, enum drop drop)
{
    sfu->stats.drops[drop]++;
    return drop;
}

/* The room's number of a peer; 0 = nowhere. */
static inline sfu_room_id sfu_room_of(const struct peer *peer)
{
    return peer->room ? peer->room->id : 0;
}

void sfu_emit(struct sfu *sfu, const struct sfu_evt *evt);
/* Arms a timer of an object. */
void sfu_arm(struct sfu *sfu, struct twheel_node *node, enum sfu_timer_reason reason, mono_us at);
/* The same for what is not urgent: on a grid common to all peers, so that hundreds of them wake the
 * shard fifty times a second and not each for itself. Never before `at`. */
void sfu_arm_coarse(struct sfu *sfu, struct twheel_node *node, enum sfu_timer_reason reason,
                    mono_us at);
/* For the feedback a peer's packets are owed: on such a grid of 10 ms, never late. */
void sfu_arm_twcc(struct sfu *sfu, struct peer *peer);

/* server/sfu/demux.c */
/* The peer a datagram from there belongs to, or NULL. */
struct peer *demux_find(struct sfu *sfu, const struct tuple *from);
void demux_add_tuple(struct sfu *sfu, const struct tuple *tuple, struct peer *peer);
void demux_del_tuple(struct sfu *sfu, const struct tuple *tuple, const struct peer *peer);
void demux_ice_changes(struct sfu *sfu, struct peer *peer, const struct ice_out *out, mono_us now);
void demux_ice_arm(struct sfu *sfu, struct peer *peer);

/* server/sfu/queue.c */
enum drop queue_packet(struct sfu *sfu, struct subscription *sub, struct pkt *pkt, bool begin);
/* Empties the queue of a peer; each packet of it is dropped for this reason, and sources that were
 * to begin with some of it begin later. */
void queue_forget(struct sfu *sfu, struct peer *peer, enum drop why);
/* Bit per slot: a packet waits with which another source or layer begins there. */
uint64_t queue_begins(const struct peer *peer);
/* What is queued of the peer is looked at with the next drain. */
void queue_wake(struct sfu *sfu, struct peer *peer);
/* The peer is not looked at any more; what is queued stays. */
void queue_unlist(struct sfu *sfu, struct peer *peer);
/* Puts what was queued since the last time in the order in which it leaves: each sound behind a
 * picture, whose run it then ends. */
void queue_order(const struct peer *peer, struct txq_chunk *chunk);

/* server/sfu/drain.c */
/* Decimal text of a slot's MID, not terminated; returns its length. */
uint8_t slot_mid(const struct peer *peer, uint8_t slot, char out[8]);
/* Sends what may leave of one peer's queue. */
void drain_now(struct sfu *sfu, struct peer *peer, mono_us now);
void pacer_drain(struct sfu *sfu, mono_us now);
/* Sends the sealed datagram of len bytes at the batch's room; 0 = it could not be sealed. */
void drain_put(struct sfu *sfu, const struct peer *peer, size_t len);
/* Seals and sends a compound of len bytes at the batch's room; nothing without consent. */
void drain_rtcp(struct sfu *sfu, struct peer *peer, uint8_t *data, size_t len, mono_us now);

/* server/sfu/near.c: what the peers behind active[i] need is brought nearer. */
void near_peers(const struct sfu *sfu, uint32_t i);

/* server/sfu/shard.c */
void shard_send(struct sfu *sfu, unsigned to, const struct sfu_msg *msg);
bool shard_send_packet(struct sfu *sfu, unsigned to, const struct layer *layer, struct pkt *pkt,
                       bool first);
void shard_release(void *arg, struct pkt *origin);
void shard_flush(struct sfu *sfu);

/* server/sfu/list.c */
int subs_add(struct sfu *sfu, struct subs_block **list, struct subscription *sub, bool next);
void subs_del(struct sfu *sfu, struct subs_block **list, struct subscription *sub, bool next);
uint32_t subs_count(const struct subs_block *list);
