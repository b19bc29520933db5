/*
 * A room as this shard knows it: its members here, the shards with members elsewhere, and who is
 * heard. Rooms have no shard; every shard merges the same audio by itself.
 * Invariants: only the loudest (SPEAKER seats) are forwarded; a publisher never hears himself; a
 * speaker keeps his slot at a listener while he is in the set. Who hears a second room (an ear)
 * gets its speakers before those of his own room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/twheel.h"
#include "server/proto/dominant.h"
#include "server/proto/speaker.h"
#include "server/sfu/sfu.h"

struct ear;
struct peer;
struct track;

enum { ROOM_TICK_US = 200 * US_PER_MS };

struct room {
    sfu_room_id id;
    pool_id pool;
    struct peer *members;
    uint32_t member_count;
    struct ear *listeners; /* peers elsewhere that hear it */
    uint64_t shards;       /* others that have members or listeners */
    struct speaker speaker;
    uint32_t talkers; /* tracks in the speaker machine */
    struct twheel_node node;
    struct dominant_recent recent; /* publishers who had the floor; the first one has it */
    uint32_t spoken;               /* speakers in the last event */
};

struct room *room_find(const struct sfu *sfu, sfu_room_id id);
/* The room, made when it is not there; NULL when the pool is empty. */
struct room *room_get(struct sfu *sfu, sfu_room_id id, mono_us now);
/* 0 or E_FULL. The peer must be in no room. */
int room_join(struct sfu *sfu, struct peer *peer, sfu_room_id id, mono_us now);
void room_leave(struct sfu *sfu, struct peer *peer, mono_us now);
/* Exactly these rooms are heard by the peer besides its own; count <= SFU_EARS_MAX. */
void room_ears(struct sfu *sfu, struct peer *peer, const sfu_room_id *rooms, unsigned count,
               mono_us now);
/* Another shard has members or listeners there, or not any more. */
void room_presence(struct sfu *sfu, sfu_room_id id, unsigned shard, bool present, mono_us now);
/* An audio track starts or stops being heard in the room. */
void room_talk_begin(struct sfu *sfu, struct track *track, mono_us now);
void room_talk_end(struct sfu *sfu, struct track *track, mono_us now);
/* An audio packet of the track. True when the track is among those forwarded. */
bool room_talk(struct sfu *sfu, struct track *track, uint8_t level, bool voice, mono_us now);
/* Gives the peer's audio slots to who is seated in its room. */
void room_seat_peer(struct sfu *sfu, struct peer *peer, mono_us now);
void room_tick(struct sfu *sfu, struct room *room, mono_us now);
