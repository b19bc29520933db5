/*
 * Who speaks, as pages are told: when it would show, at most five times a second, and to whoever
 * comes in what holds. It is repeated seldom: a class of 400 pays for every repetition 400 times.
 */
#include <string.h>

#include "codec/base/mem.h"
#include "signaling/class/floor_cmd.h"
#include "signaling/class/impl.h"
#include "signaling/class/ws.h"

/* Reports of who speaks come at least this often while somebody does. */
enum { VOICE_US_MAX = 2 * US_PER_S };

/* The page of a speaker who is in this room, or NULL. */
static const struct live *voice(const struct klass *k, device_num device, room_num where)
{
    uint64_t value;
    if (!map_find(&k->room->devices, device, &value)) {
        return NULL;
    }
    const struct live *l = (const struct live *)(uintptr_t)value;
    return l->klass == k && l->sent_room == where ? l : NULL;
}

/* Who is heard in a room, loudest first. */
static void speaking_list(struct jsonw *w, struct klass *k, room_num where, const struct voices *v)
{
    jsonw_key(w, "list");
    jsonw_array(w);
    for (unsigned i = 0; i < v->count; i++) {
        const struct live *l = voice(k, v->speaker[i].device, where);
        if (l) {
            char text[ID_TEXT_MAX];
            jsonw_array(w);
            jsonw_str(w, id_print(text, ID_DEVICE, &l->device));
            jsonw_int(w, v->speaker[i].level & 127);
            jsonw_array_end(w);
        }
    }
    jsonw_array_end(w);
}

/* Who had the floor; the first one has it. */
static void recent_list(struct jsonw *w, struct klass *k, room_num where, const struct voices *v)
{
    jsonw_key(w, "recent");
    jsonw_array(w);
    for (unsigned i = 0; i < v->recents; i++) {
        const struct live *l = voice(k, v->recent[i], where);
        if (l) {
            char text[ID_TEXT_MAX];
            jsonw_str(w, id_print(text, ID_DEVICE, &l->device));
        }
    }
    jsonw_array_end(w);
}

/* Those at the control desk hear of every table. */
static void tell_desks(struct klass *k, uint16_t index, const struct voices *v)
{
    struct classroom *room = k->room;
    const struct workshops *ws = &k->done->workshops;
    size_t count = 0;
    for (const struct conn *c = k->conns; c && ws->list[WS_LISTENERS].count; c = c->next) {
        const struct ws_listener *l = c->place == CONN_CLASS ? ws_listener(ws, &c->person) : NULL;
        if (l && l->desk && id_equal(&l->device, &c->live->device)) {
            room->to[count++] = c->num;
        }
    }
    if (count == 0) {
        return;
    }
    struct jsonw *w = out_start(room, "tables");
    jsonw_key(w, "rooms");
    jsonw_array(w);
    jsonw_object(w);
    out_key_id(w, "room", ID_ROOM, &k->done->rooms[index].id);
    speaking_list(w, k, routes_room(k, index), v);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    out_send_to(room, room->to, count);
}

static void write_speaking(struct klass *k, uint16_t index, const struct voices *v)
{
    struct jsonw *w = out_start(k->room, "speaking");
    speaking_list(w, k, routes_room(k, index), v);
    recent_list(w, k, routes_room(k, index), v);
    jsonw_object_end(w);
}

static void tell_speaking(struct klass *k, uint16_t index, const struct voices *v)
{
    struct classroom *room = k->room;
    size_t count = 0;
    write_speaking(k, index, v);
    for (const struct conn *c = k->conns; c; c = c->next) {
        if (c->place == CONN_CLASS && routes_hears(k, c, index)) {
            room->to[count++] = c->num;
        }
    }
    if (count > 0) {
        out_send_to(room, room->to, count);
    }
    if (index != ROOM_MAIN && k->done->rooms[index].open) {
        tell_desks(k, index, v);
    }
}

/* Pages show three steps of loudness (-dBov, RFC 6464). */
static uint8_t loudness(uint8_t level)
{
    level &= 127;
    return level < 35 ? 3 : level < 50 ? 2 : 1;
}

static bool told_before(const struct voices *v, const struct media_speaker *speaker)
{
    for (unsigned i = 0; i < v->told; i++) {
        if (v->told_speaker[i].device == speaker->device) {
            return v->told_speaker[i].level == loudness(speaker->level);
        }
    }
    return false;
}

/* Would a page show anything else than it does? Whoever is louder within the same step changes
 * nothing, and a class of 400 is told five times a second otherwise. */
static bool speaking_changed(const struct voices *v, struct class_time now)
{
    bool same = v->told == v->count && v->told_recents == v->recents &&
                now.mono - v->told_at < SPEAKING_AGAIN_US;
    for (unsigned i = 0; same && i < v->count; i++) {
        same = told_before(v, &v->speaker[i]);
    }
    for (unsigned i = 0; same && i < v->recents; i++) {
        same = v->told_recent[i] == v->recent[i];
    }
    return !same;
}

static void speaking_told(struct voices *v, struct class_time now)
{
    v->told_at = now.mono;
    v->told = v->count;
    v->told_recents = v->recents;
    memcpy(v->told_recent, v->recent, sizeof(v->told_recent));
    for (unsigned i = 0; i < v->count; i++) {
        v->told_speaker[i].device = v->speaker[i].device;
        v->told_speaker[i].level = loudness(v->speaker[i].level);
    }
}

void voices_timer(struct klass *k, struct class_time now)
{
    k->speaking_at = now.mono;
    for (uint16_t i = 0; i < STATE_ROOMS_MAX; i++) {
        struct voices *v = k->voices[i];
        if (v && v->due && speaking_changed(v, now)) {
            speaking_told(v, now);
            tell_speaking(k, i, v);
        }
        if (v) {
            v->due = false;
        }
    }
}

/* Those who were heard until now have spoken that long. */
static void count_voices(struct klass *k, uint16_t index, struct voices *v, struct class_time now)
{
    int64_t passed = now.mono - v->at;
    v->at = now.mono;
    for (unsigned i = 0; i < v->count && passed > 0 && passed <= VOICE_US_MAX; i++) {
        uint64_t value;
        if (voice(k, v->speaker[i].device, routes_room(k, index)) &&
            map_find(&k->room->devices, v->speaker[i].device, &value)) {
            ((struct live *)(uintptr_t)value)->heard_us += passed;
        }
    }
    floor_heard(k, now);
}

void voices_input(struct classroom *room, const struct media_evt *evt, struct class_time now)
{
    uint64_t index = evt->room >> 16;
    uint64_t where = evt->room & 0xffff;
    if (index == 0 || index > room->class_count || where >= STATE_ROOMS_MAX) {
        return;
    }
    struct klass *k = room->classes[index - 1];
    k->voices[where] = k->voices[where] ? k->voices[where] : mem_alloc(sizeof(struct voices));
    struct voices *v = k->voices[where];
    if (!v) {
        return; /* nobody is told who speaks until there is memory again */
    }
    count_voices(k, (uint16_t)where, v, now);
    v->due = true;
    v->count = evt->speaking.count < 10 ? evt->speaking.count : 10;
    memcpy(v->speaker, evt->speaking.speaker, v->count * sizeof(v->speaker[0]));
    v->recents = evt->speaking.recents < 10 ? evt->speaking.recents : 10;
    memcpy(v->recent, evt->speaking.recent, v->recents * sizeof(v->recent[0]));
    if (now.mono - k->speaking_at >= SPEAKING_US) {
        voices_timer(k, now);
    } else if (!k->speaking_timer.armed) {
        twheel_set(&room->wheel, &k->speaking_timer, k->speaking_at + SPEAKING_US);
    }
}

void voices_greet(struct klass *k, const struct conn *c)
{
    for (uint16_t i = 0; i < STATE_ROOMS_MAX; i++) {
        const struct voices *v = k->voices[i];
        if (v && v->told + v->told_recents > 0 && routes_hears(k, c, i)) {
            write_speaking(k, i, v);
            out_send(k->room, c->num);
        }
    }
}
