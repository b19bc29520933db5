#include "signaling/journal/conduct.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/stage.h"
#include "signaling/journal/state_edit.h"
#include "signaling/schema/id_rw.h"

enum { CONDUCT_FORMAT = 1 };

/* ---- the waiting room
 * ----------------------------------------------------------------------------- */

size_t state_waiting(const struct state *s, const struct person **out, size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < s->person_count && s->wait_count > 0; i++) {
        const struct person *p = s->persons[i];
        if (!p->wait_seq || count == cap) {
            continue;
        }
        size_t at = count++;
        while (at > 0 && out[at - 1]->wait_seq > p->wait_seq) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = p;
    }
    return count;
}

size_t state_wait_rank(const struct state *s, const struct person *person)
{
    size_t rank = person->wait_seq != 0;
    for (size_t i = 0; i < s->person_count && person->wait_seq; i++) {
        rank += s->persons[i]->wait_seq && s->persons[i]->wait_seq < person->wait_seq;
    }
    return rank;
}

void conduct_unwait(struct state *s, struct person *p)
{
    s->wait_count -= p->wait_seq != 0;
    p->wait_seq = 0;
    p->wait_at = 0;
    p->knocked_at = 0;
    p->wait_device = (struct id){{0}};
    p->wait_media = 0;
}

static int wait_entered(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    unsigned role = e->a & 0xff;
    unsigned link = e->a >> 8;
    if ((p && p->seat) || role >= ROLE_COUNT || link >= ROLE_COUNT || id_is_zero(&e->person) ||
        id_is_zero(&e->device) || s->ended) {
        return E_CORRUPT;
    }
    if (state_reserve(s, 1, 0)) {
        return E_NOMEM;
    }
    p = p ? p : state_add_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    p->role = (uint8_t)role;
    p->role_link = (uint8_t)link;
    p->listed = (e->b & CONDUCT_LISTED) != 0;
    rtext_set(&p->name, e->text);
    if (!p->wait_seq) { /* a page that comes back keeps its place */
        s->wait_count++;
        p->wait_seq = e->seq;
        p->wait_at = e->at;
    }
    p->wait_device = e->device;
    p->wait_media = e->b & MEDIA_ALL;
    return 0;
}

static int wait_knocked(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || !p->wait_seq) {
        return E_CORRUPT;
    }
    p->knocked_at = e->at;
    return 0;
}

static int wait_left(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || !p->wait_seq) {
        return E_CORRUPT;
    }
    conduct_unwait(s, p);
    p->left_seq = p->left_seq ? p->left_seq : e->seq;
    p->banned = p->banned || e->a == 3;
    return 0;
}

static int ban_lifted(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    p->banned = false;
    return 0;
}

int64_t state_waiting_mode(const struct state *s)
{
    int64_t mode = s->setting[SETTING_WAITING];
    bool open = mode == WAITING_OFF && s->setting[SETTING_PERMANENT];
    return open ? WAITING_HOST : mode;
}

bool state_must_wait(const struct state *s, const struct person *p, unsigned role, bool listed,
                     bool light)
{
    if (stage_is(s) && role_is_crowd(role) && stage_must_wait(s, light)) {
        return true;
    }
    bool early = s->session == SESSION_SCHEDULED || s->session == SESSION_PREPARING ||
                 s->session == SESSION_DOORS;
    if (role_is_staff(role)) {
        return false;
    }
    if (p && p->held) {
        return true;
    }
    if (early && !(stage_is(s) && s->session == SESSION_DOORS)) {
        return role_is_crowd(role) || s->session == SESSION_SCHEDULED;
    }
    if (p && p->admitted) {
        return false;
    }
    int64_t mode = state_waiting_mode(s);
    return (mode == WAITING_HOST && !state_has_staff(s)) || mode == WAITING_MANUAL ||
           (mode == WAITING_LIST && !listed);
}

/* ---- rooms
 * ---------------------------------------------------------------------------------------- */

void conduct_move(struct state *s, struct seat *seat, uint16_t room, const struct event *e)
{
    uint16_t from = seat->room;
    seat->view_seq = e->seq;
    seat->person->room = room;
    if (from == room) {
        return;
    }
    seat->room = room;
    seat->hand_seq = 0;
    seat->hand_at = 0;
    seat->hand_kind = 0;
    parts_moved(s, seat, from, e);
}

static int person_moved(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat || e->a >= s->room_count || !s->rooms[e->a].open) {
        return E_CORRUPT;
    }
    conduct_move(s, seat, (uint16_t)e->a, e);
    return 0;
}

static int room_opened(struct state *s, const struct event *e)
{
    if (e->a == ROOM_MAIN || e->a >= STATE_ROOMS_MAX || e->a > s->room_count ||
        id_is_zero(&e->other) || state_room(s, &e->other) >= 0 ||
        (e->a < s->room_count && s->rooms[e->a].open)) {
        return E_CORRUPT;
    }
    s->room_count += e->a == s->room_count;
    struct room_state *room = &s->rooms[e->a];
    room->id = e->other;
    room->policy = right_policy_open();
    room->open = true;
    rtext_set(&room->name, e->text);
    return 0;
}

static void close_room(struct state *s, uint16_t index, const struct event *e)
{
    for (size_t i = 0; i < s->seat_count; i++) {
        if (s->seats[i]->room == index) {
            conduct_move(s, s->seats[i], ROOM_MAIN, e);
        }
    }
    for (size_t i = 0; i < s->person_count; i++) {
        if (s->persons[i]->room == index) {
            s->persons[i]->room = ROOM_MAIN;
        }
    }
    s->rooms[index].open = false;
    s->rooms[index].policy = right_policy_open();
    rtext_put(&s->rooms[index].name);
    while (s->room_count > 1 && !s->rooms[s->room_count - 1].open) {
        s->room_count--;
    }
}

static int room_closed(struct state *s, const struct event *e)
{
    if (e->a == ROOM_MAIN || e->a >= s->room_count || !s->rooms[e->a].open) {
        return E_CORRUPT;
    }
    close_room(s, (uint16_t)e->a, e);
    return 0;
}

/* ---- settings, locks, grants, time
 * ---------------------------------------------------------------- */

static int class_set(struct state *s, const struct event *e)
{
    const struct setting_row *row = setting_row(e->a);
    if (!row || e->n < row->low || e->n > row->high) {
        return E_CORRUPT;
    }
    s->setting[e->a] = e->n;
    return 0;
}

static int time_anchored(struct state *s, const struct event *e)
{
    s->anchor = (struct anchor){.boot = e->other,
                                .mono_ms = e->n,
                                .wall = e->at,
                                .clock = (int64_t)((uint64_t)e->b << 32 | e->a)};
    return 0;
}

static int lock_set(struct state *s, const struct event *e)
{
    if (e->a >= RIGHT_COUNT || e->n < 0 || e->n >= (int64_t)s->room_count) {
        return E_CORRUPT;
    }
    struct right_policy *policy = e->n ? &s->rooms[e->n].policy : &s->policy;
    right_mask bit = (right_mask)1 << e->a;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if (role_is_crowd(role)) {
            policy->allow[role] = e->b ? policy->allow[role] & ~bit : policy->allow[role] | bit;
        }
    }
    return 0;
}

static int grant_set(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || e->a >= RIGHT_COUNT || e->b > 2) {
        return E_CORRUPT;
    }
    right_mask bit = (right_mask)1 << e->a;
    p->grant = e->b == 1 ? p->grant | bit : p->grant & ~bit;
    p->deny = e->b == 2 ? p->deny | bit : p->deny & ~bit;
    return 0;
}

static int conduct_fold(struct state *s, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_PERSON_MOVED:
        return person_moved(s, e);
    case EVENT_ROOM_OPENED:
        return room_opened(s, e);
    case EVENT_ROOM_CLOSED:
        return room_closed(s, e);
    case EVENT_CLASS_SET:
        return class_set(s, e);
    case EVENT_TIME_ANCHORED:
        return time_anchored(s, e);
    case EVENT_LOCK_SET:
        return lock_set(s, e);
    case EVENT_GRANT_SET:
        return grant_set(s, e);
    case EVENT_WAIT_ENTERED:
        return wait_entered(s, e);
    case EVENT_WAIT_KNOCKED:
        return wait_knocked(s, e);
    case EVENT_WAIT_LEFT:
        return wait_left(s, e);
    case EVENT_BAN_LIFTED:
        return ban_lifted(s, e);
    case EVENT_END_SET:
        s->end_due = e->n;
        return 0;
    case EVENT_HARD_SET:
        s->hard_due = e->n;
        return 0;
    case EVENT_STAFFLESS_SET:
        s->staffless_due = e->n;
        return 0;
    default:
        return E_CORRUPT;
    }
}

/* What belonged to one run of the class. Locks, settings and grants stay for the next. */
static void conduct_closed(struct state *s, const struct event *e)
{
    for (size_t i = s->room_count; i-- > 1;) {
        if (s->rooms[i].open) {
            close_room(s, (uint16_t)i, e);
        }
    }
    for (size_t i = 0; i < s->person_count; i++) {
        struct person *p = s->persons[i];
        conduct_unwait(s, p);
        p->admitted = false;
        p->held = false;
        p->stepped = false;
        p->room = ROOM_MAIN;
        p->heard_ms = 0;
    }
    s->end_due = 0;
    s->hard_due = 0;
    s->closing_due = 0;
    s->staffless_due = 0;
}

/* ---- snapshot
 * ------------------------------------------------------------------------------------- */

static void put_policy(struct wr *w, const struct right_policy *policy)
{
    wr_u8(w, ROLE_COUNT);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        wr_u64(w, policy->allow[i]);
    }
}

static int put_rooms(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    put_policy(w, &s->policy);
    int err = 0;
    for (size_t i = 0; i < s->room_count && !err; i++) {
        wr_u8(w, s->rooms[i].open);
        put_policy(w, &s->rooms[i].policy);
        err = seal_write_ours(w, s->rooms[i].name, sealer);
    }
    return err;
}

static void put_settings(struct wr *w, const struct state *s)
{
    uint16_t count = 0;
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        count = (uint16_t)(count + (setting_row(i) && s->setting[i] != setting_row(i)->def));
    }
    wr_u16(w, count);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (setting_row(i) && s->setting[i] != setting_row(i)->def) {
            wr_u16(w, (uint16_t)i);
            wr_u64(w, (uint64_t)s->setting[i]);
        }
    }
}

static void put_people(struct wr *w, const struct state *s)
{
    for (size_t i = 0; i < s->person_count; i++) {
        const struct person *p = s->persons[i];
        wr_u8(w, (uint8_t)(p->admitted | p->held << 1 | p->stepped << 2 | (p->wait_seq != 0) << 3 |
                           p->listed << 4));
        wr_u16(w, p->room);
        wr_u64(w, (uint64_t)p->heard_ms);
        if (p->wait_seq) {
            wr_u64(w, p->wait_seq);
            wr_u64(w, (uint64_t)p->wait_at);
            wr_u64(w, (uint64_t)p->knocked_at);
            id_write(w, &p->wait_device);
            wr_u32(w, p->wait_media);
        }
    }
    for (size_t i = 0; i < s->seat_count; i++) {
        wr_u64(w, s->seats[i]->view_seq);
    }
    for (size_t i = 0; i < s->chat_count; i++) {
        wr_u16(w, state_chat(s, i)->room);
    }
}

static int conduct_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    wr_u8(w, CONDUCT_FORMAT);
    int err = put_rooms(w, s, sealer);
    put_settings(w, s);
    id_write(w, &s->anchor.boot);
    wr_u64(w, (uint64_t)s->anchor.mono_ms);
    wr_u64(w, (uint64_t)s->anchor.wall);
    wr_u64(w, (uint64_t)s->anchor.clock);
    wr_u64(w, (uint64_t)s->end_due);
    wr_u64(w, (uint64_t)s->hard_due);
    wr_u64(w, (uint64_t)s->closing_due);
    wr_u64(w, (uint64_t)s->staffless_due);
    put_people(w, s);
    return err;
}

/* Roles that a later program may have are read and left out. */
static void get_policy(struct rd *r, struct right_policy *policy)
{
    *policy = right_policy_open();
    unsigned count = rd_u8(r);
    for (unsigned i = 0; i < count; i++) {
        right_mask mask = rd_u64(r);
        if (i < ROLE_COUNT && !r->bad) {
            policy->allow[i] = mask;
        }
    }
}

static int get_rooms(struct state *s, struct rd *r, const struct sealer *sealer)
{
    get_policy(r, &s->policy);
    int err = 0;
    for (size_t i = 0; i < s->room_count && !err; i++) {
        s->rooms[i].open = rd_u8(r) != 0;
        get_policy(r, &s->rooms[i].policy);
        err = seal_read(r, &s->rooms[i].name, &s->class_id, sealer);
    }
    return err ? err : !s->rooms[ROOM_MAIN].open ? E_CORRUPT : 0;
}

static int get_settings(struct state *s, struct rd *r)
{
    unsigned count = rd_u16(r);
    for (unsigned i = 0; i < count && !r->bad; i++) {
        const struct setting_row *row = NULL;
        unsigned number = rd_u16(r);
        int64_t value = (int64_t)rd_u64(r);
        row = setting_row(number);
        if (!row) {
            return E_VERSION;
        }
        if (value < row->low || value > row->high) {
            return E_CORRUPT;
        }
        s->setting[number] = value;
    }
    return 0;
}

static int get_person(struct state *s, struct person *p, struct rd *r)
{
    unsigned bits = rd_u8(r);
    p->admitted = bits & 1;
    p->held = (bits & 2) != 0;
    p->stepped = (bits & 4) != 0;
    p->listed = (bits & 16) != 0;
    p->room = rd_u16(r);
    p->heard_ms = (int64_t)rd_u64(r);
    if (bits & 8) {
        p->wait_seq = rd_u64(r);
        p->wait_at = (wall_ms)rd_u64(r);
        p->knocked_at = (wall_ms)rd_u64(r);
        p->wait_device = id_read(r);
        p->wait_media = rd_u32(r) & MEDIA_ALL;
        s->wait_count++;
    }
    bool waits = p->wait_seq != 0;
    bool sane = p->room < s->room_count && waits == ((bits & 8) != 0) && !(waits && p->seat);
    p->room = sane ? p->room : ROOM_MAIN;
    return sane ? 0 : E_CORRUPT;
}

static int get_people(struct state *s, struct rd *r)
{
    int err = 0;
    for (size_t i = 0; i < s->person_count && !err; i++) {
        err = get_person(s, s->persons[i], r);
    }
    for (size_t i = 0; i < s->seat_count && !err; i++) {
        s->seats[i]->view_seq = rd_u64(r);
        err = s->rooms[s->seats[i]->room].open ? 0 : E_CORRUPT;
    }
    for (size_t i = 0; i < s->chat_count && !err; i++) {
        s->chat[(s->chat_first + i) % STATE_CHAT_MAX].room = rd_u16(r);
    }
    return err;
}

static int conduct_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    if (rd_u8(r) > CONDUCT_FORMAT) {
        return E_VERSION;
    }
    int err = get_rooms(s, r, sealer);
    err = err ? err : get_settings(s, r);
    s->anchor.boot = id_read(r);
    s->anchor.mono_ms = (int64_t)rd_u64(r);
    s->anchor.wall = (wall_ms)rd_u64(r);
    s->anchor.clock = (int64_t)rd_u64(r);
    s->end_due = (int64_t)rd_u64(r);
    s->hard_due = (int64_t)rd_u64(r);
    s->closing_due = (int64_t)rd_u64(r);
    s->staffless_due = (int64_t)rd_u64(r);
    return err ? err : get_people(s, r);
}

const struct state_part conduct_part = {
    .tag = 1,
    .first = 100,
    .last = 119,
    .fold_h = conduct_fold,
    .closed_h = conduct_closed,
    .put_h = conduct_put,
    .get_h = conduct_get,
};
