#include "server/sfu/room.h"

#include <string.h>

#include "codec/base/err.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"

enum { AUDIO_HEIGHT = 1 }; /* audio has no size: anything but 0 is "wanted" */

struct room *room_find(const struct sfu *sfu, sfu_room_id id)
{
    uint64_t value;
    return map_find(&sfu->room_by_id, id, &value) ? pool_at(&sfu->rooms, value) : NULL;
}

struct room *room_get(struct sfu *sfu, sfu_room_id id, mono_us now)
{
    pool_id pool;
    struct room *room = room_find(sfu, id);
    (void)now;
    if (room) {
        return room;
    }
    room = pool_get(&sfu->rooms, &pool);
    if (room && map_set(&sfu->room_by_id, id, pool)) {
        pool_put(&sfu->rooms, pool);
        return NULL;
    }
    if (room) {
        room->id = id;
        room->pool = pool;
        speaker_init(&room->speaker, sfu->config.audio_loudest);
    }
    return room;
}

/* Somebody of this shard is in the room or hears it. */
static bool present(const struct room *room)
{
    return room->member_count > 0 || room->listeners;
}

static void room_unneeded(struct sfu *sfu, struct room *room)
{
    if (!present(room) && room->shards == 0 && room->talkers == 0) {
        twheel_cancel(&sfu->wheel, &room->node);
        map_del(&sfu->room_by_id, room->id);
        pool_put(&sfu->rooms, room->pool);
    }
}

/* Tells every other shard whether anybody is here. */
static void announce(struct sfu *sfu, const struct room *room)
{
    struct sfu_msg msg = {.kind = SFU_MSG_PRESENCE, .room = room->id, .count = present(room)};
    for (unsigned to = 0; to < sfu->config.shards; to++) {
        if (to != sfu->config.shard) {
            shard_send(sfu, to, &msg);
        }
    }
}

/* Sound the peer has no room for any more leaves its slots. */
static void unhear(struct sfu *sfu, struct peer *peer, mono_us now)
{
    for (unsigned slot = 0; slot < peer->audio_slots; slot++) {
        struct subscription *sub = peer->slot[slot];
        if (sub && sub->track && !peer_reaches(peer, sub->track->room, false)) {
            subscription_want(sfu, sub, NULL, 0, now);
        }
    }
}

int room_join(struct sfu *sfu, struct peer *peer, sfu_room_id id, mono_us now)
{
    struct room *room = room_get(sfu, id, now);
    if (!room) {
        return E_FULL;
    }
    peer->room = room;
    peer->room_prev = NULL;
    peer->room_next = room->members;
    if (room->members) {
        room->members->room_prev = peer;
    }
    room->members = peer;
    bool before = present(room);
    room->member_count++;
    if (!before) {
        announce(sfu, room);
    }
    return 0;
}

void room_leave(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct room *room = peer->room;
    if (!room) {
        return;
    }
    if (peer->room_prev) {
        peer->room_prev->room_next = peer->room_next;
    } else {
        room->members = peer->room_next;
    }
    if (peer->room_next) {
        peer->room_next->room_prev = peer->room_prev;
    }
    peer->room = NULL;
    peer->room_next = NULL;
    peer->room_prev = NULL;
    unhear(sfu, peer, now);
    room->member_count--;
    if (!present(room)) {
        announce(sfu, room);
        room_unneeded(sfu, room);
    }
}

static bool named(const struct room *room, const sfu_room_id *rooms, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (rooms[i] == room->id) {
            return true;
        }
    }
    return false;
}

static void ear_close(struct sfu *sfu, struct ear *ear)
{
    struct room *room = ear->room;
    if (ear->prev) {
        ear->prev->next = ear->next;
    } else {
        room->listeners = ear->next;
    }
    if (ear->next) {
        ear->next->prev = ear->prev;
    }
    *ear = (struct ear){.peer = NULL};
    if (!present(room)) {
        announce(sfu, room);
        room_unneeded(sfu, room);
    }
}

static void ear_open(struct sfu *sfu, struct peer *peer, struct ear *ear, sfu_room_id id,
                     mono_us now)
{
    struct room *room = id ? room_get(sfu, id, now) : NULL;
    if (!room) {
        return; /* not heard: the pool is empty, or no room was meant */
    }
    bool before = present(room);
    *ear = (struct ear){.peer = peer, .room = room, .next = room->listeners};
    if (ear->next) {
        ear->next->prev = ear;
    }
    room->listeners = ear;
    if (!before) {
        announce(sfu, room);
    }
}

void room_ears(struct sfu *sfu, struct peer *peer, const sfu_room_id *rooms, unsigned count,
               mono_us now)
{
    /* Closing first, and with it what is not heard any more; the order may have changed too. */
    for (unsigned i = 0; i < SFU_EARS_MAX; i++) {
        bool stays = i < count && peer->ear[i].room && rooms[i] == peer->ear[i].room->id;
        if (peer->ear[i].room && !stays) {
            bool elsewhere = named(peer->ear[i].room, rooms, count);
            ear_close(sfu, &peer->ear[i]);
            if (!elsewhere) {
                unhear(sfu, peer, now);
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (!peer->ear[i].room) {
            ear_open(sfu, peer, &peer->ear[i], rooms[i], now);
        }
    }
}

void room_presence(struct sfu *sfu, sfu_room_id id, unsigned shard, bool present, mono_us now)
{
    struct room *room = present ? room_get(sfu, id, now) : room_find(sfu, id);
    if (!room) {
        return;
    }
    if (present) {
        room->shards |= 1ULL << shard;
    } else {
        room->shards &= ~(1ULL << shard);
        room_unneeded(sfu, room);
    }
}

static struct track *track_of(struct speaker_member *member)
{
    return (struct track *)(void *)((char *)member - offsetof(struct track, talk));
}

/* The slot of the peer that carries the track, or -1. */
static int slot_with(const struct peer *peer, const struct track *track)
{
    for (unsigned i = 0; i < peer->audio_slots; i++) {
        if (peer->slot[i] && peer->slot[i]->track == track) {
            return (int)i;
        }
    }
    return -1;
}

static int slot_free(const struct peer *peer)
{
    for (unsigned i = 0; i < peer->audio_slots; i++) {
        if (!peer->slot[i] || !peer->slot[i]->track) {
            return (int)i;
        }
    }
    return -1;
}

static void seat_track(struct sfu *sfu, struct peer *peer, struct track *track, mono_us now)
{
    if (track->publisher == peer->id || slot_with(peer, track) >= 0) {
        return;
    }
    int free = slot_free(peer);
    struct subscription *sub = free < 0 ? NULL : subscription_at(sfu, peer, (unsigned)free);
    if (sub) {
        subscription_want(sfu, sub, track, AUDIO_HEIGHT, now);
    }
}

enum { WANTED_MAX = DESC_AUDIO_SLOTS_MAX };

struct wanted {
    struct track *track[WANTED_MAX];
    unsigned count;
    unsigned max;
};

static bool wants(const struct wanted *w, const struct track *track)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->track[i] == track) {
            return true;
        }
    }
    return false;
}

/* Adds who is seated in the room: shared sound, then who has a slot already, then the others. */
static void want_room(struct wanted *w, const struct peer *peer, const struct room *room)
{
    for (unsigned pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < room->speaker.seats && w->count < w->max; i++) {
            struct speaker_member *m = room->speaker.seat[i];
            struct track *track = m ? track_of(m) : NULL;
            if (!m || track->publisher == peer->id || wants(w, track)) {
                continue;
            }
            if (pass == 2 || (pass == 0 ? m->pinned : slot_with(peer, track) >= 0)) {
                w->track[w->count++] = track;
            }
        }
    }
}

void room_seat_peer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct wanted w = {.max = peer->audio_slots < WANTED_MAX ? peer->audio_slots : WANTED_MAX};
    if (!peer->connected) {
        return;
    }
    for (unsigned i = 0; i < SFU_EARS_MAX; i++) {
        if (peer->ear[i].room) {
            want_room(&w, peer, peer->ear[i].room);
        }
    }
    if (peer->room) {
        want_room(&w, peer, peer->room);
    }
    for (unsigned i = 0; i < peer->audio_slots; i++) {
        struct subscription *sub = peer->slot[i];
        if (sub && sub->track && !wants(&w, sub->track)) {
            subscription_want(sfu, sub, NULL, 0, now);
        }
    }
    for (unsigned i = 0; i < w.count; i++) {
        seat_track(sfu, peer, w.track[i], now);
    }
}

/* Who is seated changed: the audio slots of every member and listener follow. */
static void seat_all(struct sfu *sfu, struct room *room, mono_us now)
{
    for (struct peer *peer = room->members; peer; peer = peer->room_next) {
        room_seat_peer(sfu, peer, now);
    }
    for (struct ear *ear = room->listeners; ear; ear = ear->next) {
        room_seat_peer(sfu, ear->peer, now);
    }
}

void room_talk_begin(struct sfu *sfu, struct track *track, mono_us now)
{
    struct room *room = room_get(sfu, track->room, now);
    if (!room || track->talk.joined) {
        return;
    }
    speaker_join(&room->speaker, &track->talk, source_policy(track->source)->always_heard);
    if (room->talkers++ == 0) {
        sfu_arm(sfu, &room->node, TIMER_ROOM, now + ROOM_TICK_US);
    }
}

void room_talk_end(struct sfu *sfu, struct track *track, mono_us now)
{
    struct room *room = room_find(sfu, track->room);
    if (!room || !track->talk.joined) {
        return;
    }
    bool seated = speaker_leave(&room->speaker, &track->talk);
    dominant_forget(&room->recent, track->publisher);
    room->talkers--;
    if (seated) {
        seat_all(sfu, room, now);
    }
    room_unneeded(sfu, room);
}

bool room_talk(struct sfu *sfu, struct track *track, uint8_t level, bool voice, mono_us now)
{
    struct room *room = room_find(sfu, track->room);
    struct speaker_change change;
    if (!room || !track->talk.joined) {
        return false;
    }
    if (speaker_input(&room->speaker, &track->talk, level, voice, &change, now)) {
        seat_all(sfu, room, now);
    }
    dominant_level(&track->floor, level, voice, now);
    return track->talk.seat >= 0;
}

/* Passes the floor to who dominates among those heard; sound of a screen never has it. */
static bool floor_pass(struct room *room, mono_us now)
{
    struct dominant_member *member[SPEAKER_SEATS_MAX];
    uint64_t name[SPEAKER_SEATS_MAX];
    unsigned n = 0;
    int holder = -1;
    for (uint32_t i = 0; i < room->speaker.seats; i++) {
        struct speaker_member *m = room->speaker.seat[i];
        if (m && !m->pinned) {
            struct track *track = track_of(m);
            holder =
                room->recent.count && track->publisher == room->recent.name[0] ? (int)n : holder;
            name[n] = track->publisher;
            member[n++] = &track->floor;
        }
    }
    int next = dominant_choose(member, n, holder, now);
    if (next < 0 || next == holder) {
        return false;
    }
    dominant_note(&room->recent, name[next]);
    return true;
}

/* One shard speaks for the room: the lowest one that has members. */
static void speaking_event(struct sfu *sfu, struct room *room, bool passed, mono_us now)
{
    struct speaker_member *list[SFU_SPEAKERS_MAX];
    struct sfu_evt evt = {.kind = SFU_EVT_SPEAKING, .room = room->id};
    uint64_t lower = (1ULL << sfu->config.shard) - 1;
    uint32_t n = speaker_list(&room->speaker, list, SFU_SPEAKERS_MAX, now);
    if (!present(room) || room->shards & lower) {
        return;
    }
    evt.speaking.recents = room->recent.count;
    memcpy(evt.speaking.recent, room->recent.name, sizeof(evt.speaking.recent));
    evt.speaking.count = n;
    for (uint32_t i = 0; i < n; i++) {
        evt.speaking.speaker[i] =
            (struct sfu_speaker){.peer = track_of(list[i])->publisher, .level = list[i]->level};
    }
    if (n || room->spoken || passed) {
        sfu_emit(sfu, &evt);
    }
    room->spoken = n;
}

void room_tick(struct sfu *sfu, struct room *room, mono_us now)
{
    bool changed = false;
    while (speaker_expire(&room->speaker, now)) {
        changed = true;
    }
    if (changed) {
        seat_all(sfu, room, now);
    }
    speaking_event(sfu, room, floor_pass(room, now), now);
    if (room->talkers || room->spoken) {
        sfu_arm(sfu, &room->node, TIMER_ROOM, now + ROOM_TICK_US);
    }
}
