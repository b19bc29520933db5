/*
 * What the files of the core process share (core.c, core_door.c, core_api.c, control.c). Nobody
 * else includes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "codec/base/map.h"
#include "codec/base/time.h"
#include "codec/sys/thread.h"
#include "server/app/bridge.h"
#include "server/app/command.h"
#include "server/app/core.h"
#include "server/app/inner.h"
#include "server/app/paths.h"
#include "server/app/shard.h"
#include "server/app/turn.h"
#include "server/app/wish.h"
#include "server/io/loop.h"
#include "signaling/class/classroom.h"
#include "signaling/door/ipc_link.h"
#include "signaling/store/store.h"

enum {
    CORE_DOORS_MAX = 4,
    CORE_TICK_US = 500 * US_PER_MS,
    CORE_SHARD_SILENCE_US = 2 * US_PER_S,
};

struct core;
struct control;
struct admin;
struct watch;
struct office;

/* One door process on its socket. */
struct core_door {
    struct core *core;
    bool used;
    bool cut; /* broken or too slow: closed at the end of the turn */
    int fd;
    uint32_t instance;
    struct ipc_link link;
    struct map conns; /* its connections, to close them in the classroom when it goes */
    unsigned watched; /* events asked of the loop */
    struct ipc_stats stats;
};

/* Copied every tick for the admin thread. */
struct core_public {
    struct classroom_stats room;
    struct bridge_stats bridge;
    struct wish_stats wish;
    struct inner_stats inner;
    struct ipc_stats door[CORE_DOORS_MAX];
    bool door_up[CORE_DOORS_MAX];
    uint32_t doors;
    bool draining;
    uint64_t epoch;
    uint64_t reserve_bytes; /* data.reserve_mb */
    mono_us at;             /* when; old = the loop hangs */
};

struct core {
    struct command_line *line;
    struct config *config; /* live rows change at SIGHUP */
    struct core_inherited inherited;
    struct paths paths;
    struct loop *loop;
    struct store *store;
    struct classroom *room;
    struct shards *shards;
    struct bridge *bridge;
    struct inner *inner; /* mixes */
    struct wish *wish;   /* the standard doors */
    struct turn turn;    /* relays people are told of */
    struct control *control;
    struct admin *admin;
    struct watch *watch;
    struct office *office;
    int signal_fd;
    int door_listen_fd;
    uid_t door_uid; /* who may connect besides us */
    struct core_door door[CORE_DOORS_MAX];
    uint64_t epoch;
    mono_us now; /* of the running turn */
    wall_ms wall;
    mono_us tick_at;
    bool draining;    /* no new classes */
    bool leave_empty; /* drain ordered by the operator: gone when the last person is */
    mono_us leave_at; /* SIGTERM: gone at this time at the latest */
    bool stop;        /* leave the loop */
    uint64_t shard_beats[SHARDS_MAX];
    mono_us shard_beat_at[SHARDS_MAX];
    struct histogram lag;
    struct mutex public_lock;
    struct core_public public; /* under public_lock */
};

/* Time of this turn as the classroom wants it. */
struct class_time core_time(const struct core *core);
/* Starts a turn at now. */
void core_turn(struct core *core, mono_us now);
/* No new classes from now on; leave_empty: exit with the last person. */
void core_drain(struct core *core, bool leave_empty);

/* core_door.c: the socket doors connect to. 0 or an error with one line in why. */
int core_doors_listen(struct core *core, char *why, size_t why_cap);
/* Hooks of the classroom. */
void core_doors_send(void *arg, const conn_num *to, size_t count, const char *text, size_t len);
void core_doors_close(void *arg, conn_num conn, uint16_t code, const char *reason);
void core_doors_trust(void *arg, conn_num conn);
/* Answers a request of any door; one that is gone hears nothing. */
void core_doors_answer(void *arg, const struct ipc_answer *answer);
/* End of a turn: writes what gathered, closes what broke. */
void core_doors_settle(struct core *core);
/* Doors connected now. */
unsigned core_doors_count(const struct core *core);
void core_doors_fini(struct core *core);

/* core_api.c: an HTTP request of a page; answers over the door. */
void core_api_ask(struct core_door *door, const struct ipc_ask *ask);
