/*
 * The media threads: each shard has its own UDP and TCP port, loop, sfu and cryptography; they meet
 * only through mailboxes.
 *
 *   core -> commands (one ring per shard) -> sfu_command
 *   sfu events -> one mailbox with a ring per shard -> core (shards_event)
 *   sfu messages -> per shard a mailbox with a ring per other shard -> sfu_shard_input
 *
 * Invariants: after shards_start a shard's sfu is touched by its thread only; what other threads
 * read (stats, beats) is copied or atomic. A command is never lost: what a full ring refuses waits
 * here in order.
 * Out of scope: which shard a connection gets (placement.h, bridge.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/wire/desc.h"
#include "server/app/histogram.h"
#include "server/io/tcp.h"
#include "server/io/udp.h"
#include "server/sfu/sfu.h"

enum { SHARDS_MAX = 64 };

struct shards;
struct inner;

struct shards_config {
    uint16_t count;         /* 1 .. SHARDS_MAX */
    uint16_t port_first;    /* shard i binds port_first + i; 0 = free ones */
    bool tcp;               /* ICE-TCP beside UDP */
    bool pin;               /* one core each */
    uint32_t peers_max;     /* of one shard */
    uint32_t packets_max;   /* of one shard */
    uint32_t tcp_conns_max; /* of one shard */
    uint32_t loudest;       /* speakers forwarded per room */
    uint8_t hosts;          /* addresses to offer, 1 .. DESC_CANDIDATES_MAX */
    struct addr host[DESC_CANDIDATES_MAX];
    struct inner *inner; /* borrowed until shards_free; NULL = no peers inside */
};

struct shard_stats {
    struct sfu_stats sfu;
    struct udp_stats udp;
    struct tcp_stats tcp;
    uint32_t handshakes;
    uint64_t messages_refused; /* between shards, ring full */
    uint64_t events_refused;   /* to the core, ring full */
    uint32_t tx_pps;           /* packets sent in the last second */
    uint32_t busy_permille;    /* of a core, in the last quarter of a second */
    uint32_t packet_ns;        /* of the thread's time per packet sent, same time; 0 = none sent */
    uint32_t delay_us;         /* longest turn and lateness: what a packet waited at most */
    uint32_t overload;         /* step of shedding (server/proto/overload.h) */
};

/* Binds every port and reserves everything. 0; E_BUSY (port taken), E_DENIED, E_NOMEM, E_IO,
 * E_RANGE with one line in why. */
int shards_new(struct shards **out, const struct shards_config *config, char *why, size_t why_cap);
/* Starts the threads. 0 or E_LIMIT. */
int shards_start(struct shards *shards);
/* Stops the threads (no farewell on the wire) and frees. NULL is fine. */
void shards_free(struct shards *shards);

/* Any thread: the cores this process may use, 0 = not known. All shards together are judged by it,
 * each alone by one core. */
void shards_may_use(struct shards *shards, double cores);
unsigned shards_count(const struct shards *shards);
uint16_t shards_port(const struct shards *shards, unsigned shard);

/* Core thread: hands a command to shard (copied). Never blocks. */
void shards_command(struct shards *shards, unsigned shard, const struct sfu_cmd *cmd);
/* Core thread: pushes what full rings held back; call once per turn. */
void shards_flush(struct shards *shards);
/* Core thread: becomes readable when there are events. */
int shards_event_fd(const struct shards *shards);
/* Core thread: call per wake-up, then shards_event until false. */
void shards_event_begin(struct shards *shards);
bool shards_event(struct shards *shards, struct sfu_evt *out);

/* Any thread: turns of the shard's loop (it turns at least every 250 ms). */
uint64_t shards_beats(const struct shards *shards, unsigned shard);
/* Any thread: datagrams received so far (for the self-test). */
uint64_t shards_received(const struct shards *shards, unsigned shard);
/* Any thread: counters, at most a quarter of a second old. */
void shards_stats(struct shards *shards, unsigned shard, struct shard_stats *out);
/* How late the shards' deadlines were served. */
const struct histogram *shards_lag(const struct shards *shards);
