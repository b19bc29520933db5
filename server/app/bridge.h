/*
 * The only place that knows both the classroom (signaling/class/media.h) and the media server
 * (server/sfu/sfu.h): devices become peers, classes are placed on shards, events go back.
 *
 *   classroom media_h -> bridge_command -> shards_command
 *   shards_event -> bridge_poll -> event_h -> classroom_media
 *
 * The bridge remembers what is wished for each device (room, allowed sources, view), so that a
 * connection opened anew gets it again and a view naming a publisher finds that publisher's new
 * connection.
 * Invariants: a restricting command is on its way to the shard when bridge_command returns; peer
 * numbers are never reused; event_h is never called from inside bridge_command.
 * Out of scope: who may do what (signaling/class), packets (server/sfu).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"
#include "server/app/histogram.h"
#include "server/app/shard.h"
#include "signaling/class/media.h"

struct bridge;
struct inner;

struct bridge_config {
    uint32_t devices_max; /* 1 .. 1000000 */
    uint32_t peers_max;   /* of one shard */
    uint32_t spread_from; /* people: classes this large are spread over the shards */
    uint64_t seed;        /* of the maps: random */
    struct inner *inner;  /* borrowed; NULL = nothing is mixed */
    void (*event_h)(void *arg, const struct media_evt *evt);
    void *arg;
};

struct bridge_stats {
    uint32_t devices;
    uint32_t peers;
    uint64_t opened;
    uint64_t refused; /* no shard had room, or the shard said no */
    uint64_t connected;
    uint64_t failed;
    uint64_t lost;
};

/* Borrows shards. 0, E_RANGE or E_NOMEM. */
int bridge_new(struct bridge **out, const struct bridge_config *config, struct shards *shards);
void bridge_free(struct bridge *bridge);
/* One command of the classroom. */
void bridge_command(struct bridge *bridge, const struct media_cmd *cmd, mono_us now);
/* Delivers what the shards reported; call when shards_event_fd is readable and once per turn. */
void bridge_poll(struct bridge *bridge, mono_us now);
/* True when bridge_poll has something to deliver that no descriptor announces. */
bool bridge_pending(const struct bridge *bridge);
/* A device of ours mixes: only this publisher's sound, when it is in one of its slots. */
void bridge_mix_only(struct bridge *bridge, device_num mix, device_num publisher,
                     const struct media_evt *slots, uint32_t ssrc_base);
/* For a reload. */
void bridge_spread_from(struct bridge *bridge, uint32_t people);
void bridge_stats_read(const struct bridge *bridge, struct bridge_stats *out);
/* From the command that opened a connection to the moment media can flow. */
const struct histogram *bridge_join_times(const struct bridge *bridge);
