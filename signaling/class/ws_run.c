/* Conducting workshops: opening, moving people, closing. A move changes where somebody is, never
 * what he sends. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/ws.h"

static const struct id none = {{0}};

bool ws_full(const struct state *s, const struct ws_room *room)
{
    return room->capacity && ws_people_in(s, &room->id) >= room->capacity;
}

const struct ws_room *ws_smallest(const struct state *s, const struct id *set)
{
    const struct workshops *w = &s->workshops;
    const struct ws_room *best = NULL;
    uint32_t least = 0;
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (!id_equal(&r->set, set) || r->state != WS_ROOM_ACTIVE || ws_full(s, r)) {
            continue;
        }
        uint32_t people = ws_people_in(s, &r->id);
        if (!best || people < least) {
            best = r;
            least = people;
        }
    }
    return best;
}

/* ---- moving
 * --------------------------------------------------------------------------------------- */

/* Who leads and comes into a room that called has taken the call. */
static void take_call(struct act *act, const struct id *person, const struct id *room)
{
    const struct ws_call *call = ws_call(ws_of(act), room);
    if (call && call->state == WS_CALL_ASKED && ws_leads(act->klass->work, person)) {
        act_emit(act, (struct event){.type = EVENT_WS_CALL,
                                     .device = *room,
                                     .person = call->person,
                                     .other = *person,
                                     .a = WS_CALL_TAKEN});
    }
}

void ws_move(struct act *act, const struct id *person, const struct id *room, struct id by)
{
    const struct state *s = act->klass->work;
    struct id who = *person;
    struct id to = room ? *room : none;
    int index = room ? state_room(s, room) : ROOM_MAIN;
    const struct seat *seat = state_seat(s, &who);
    if (!seat || index < 0 || seat->room == index || act->err) {
        return;
    }
    ws_end_voice(act, &who);
    seat = state_seat(s, &who);
    if (seat->hand_seq) {
        act_emit(act, (struct event){.type = EVENT_HAND_LOWERED, .person = who});
    }
    act_emit(act, (struct event){.type = EVENT_PERSON_MOVED,
                                 .person = who,
                                 .a = (uint32_t)index,
                                 .other = id_equal(&by, &who) ? none : by});
    if (room) {
        take_call(act, &who, &to);
    }
    act_trim(act, &who, by);
}

/* Back in the main room while the set goes on: not called again. */
static void come_back(struct act *act, const struct id *set, const struct id *person, struct id by)
{
    struct id which = *set;
    const struct ws_place *p = ws_place(ws_of(act), &which, person);
    bool known = p != NULL;
    ws_move(act, person, NULL, by);
    if (known) {
        act_emit(act, (struct event){
                          .type = EVENT_WS_STAND, .person = *person, .other = which, .a = WS_BACK});
    }
}

static struct refusal no_set(void)
{
    return refuse_with("state", NULL, "no workshops are open");
}

/* ---- opening
 * -------------------------------------------------------------------------------------- */

void ws_open_room(struct act *act, const struct ws_room *room)
{
    struct id id = room->id;
    struct rtext *name = rtext_get(room->name);
    int index = state_room_spare(act->klass->work);
    if (index < 0) {
        rtext_put(&name);
        act->err = act->err ? act->err : E_FULL;
        return;
    }
    act_emit(act, (struct event){
                      .type = EVENT_ROOM_OPENED, .other = id, .a = (uint32_t)index, .text = name});
    act_emit(act, (struct event){.type = EVENT_WS_ROOM_STATE, .device = id, .a = WS_ROOM_ACTIVE});
}

/* Whoever has no place of his own may choose one. */
static void let_choose(struct act *act, struct id set)
{
    const struct state *s = act->klass->work;
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct person *p = s->seats[i]->person;
        const struct ws_place *place = ws_place(&s->workshops, &set, &p->id);
        if (role_is_crowd(p->role) && (!place || id_is_zero(&place->room))) {
            act_emit(act,
                     (struct event){
                         .type = EVENT_WS_STAND, .person = p->id, .other = set, .a = WS_CHOOSING});
        }
    }
}

static struct refusal check_open(const struct act *act, const struct ws_set *set)
{
    const struct state *s = act->klass->work;
    if (!set) {
        return ws_gone("set");
    }
    if (s->session != SESSION_LIVE) {
        return refuse_with("state", NULL, "the session has not begun");
    }
    if (ws_open(&s->workshops)) {
        return refuse_with("state", "set", "other workshops are open");
    }
    if (set->state == WS_ARCHIVED) {
        return refuse_with("state", "set", "an archived set is only read");
    }
    return ws_fine;
}

static struct refusal open_set(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct workshops *w = ws_of(act);
    const struct ws_set *set = ws_set(w, &msg->ws_open.set);
    struct refusal no = check_open(act, set);
    if (no.code) {
        return no;
    }
    struct ws_set how = *set;
    uint32_t rooms = 0;
    int64_t clock = act_clock(act);
    int64_t notice = how.mode == WS_MOVE ? (int64_t)how.notice_s * 1000 : 0;
    act_emit(act, (struct event){.type = EVENT_WS_STATE,
                                 .other = how.id,
                                 .person = c->person,
                                 .a = WS_OPEN,
                                 .n = how.mode == WS_MOVE ? clock + notice : 0});
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count && !act->err; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (id_equal(&r->set, &how.id)) {
            ws_open_room(act, r);
            rooms++;
        }
    }
    if (rooms == 0) {
        return refuse_with("state", "set", "add a room first");
    }
    if (how.minutes) {
        act_emit(act, (struct event){.type = EVENT_WS_ENDS,
                                     .other = how.id,
                                     .n = clock + notice + (int64_t)how.minutes * 60000});
    }
    if (how.choice) {
        let_choose(act, how.id);
    }
    return ws_fine;
}

/* ---- closing
 * -------------------------------------------------------------------------------------- */

void ws_close_room(struct act *act, struct id room, struct id by)
{
    const struct state *s = act->klass->work;
    int index = state_room(s, &room);
    for (size_t i = 0; index > ROOM_MAIN && i < s->seat_count && !act->err; i++) {
        if (s->seats[i]->room == index) {
            struct id person = s->seats[i]->person->id;
            ws_move(act, &person, NULL, by);
        }
    }
    if (index > ROOM_MAIN) {
        act_emit(act, (struct event){.type = EVENT_ROOM_CLOSED, .a = (uint32_t)index});
    }
    act_emit(act, (struct event){.type = EVENT_WS_ROOM_STATE, .device = room, .a = WS_ROOM_CLOSED});
}

static void end_voices(struct act *act)
{
    const struct workshops *w = ws_of(act);
    for (uint32_t i = w->list[WS_VOICES].count; i-- > 0 && !act->err;) {
        struct id person = ws_voice_at(w, i)->person;
        ws_end_voice(act, &person);
    }
}

void ws_close_set(struct act *act, struct id set, struct id by)
{
    const struct workshops *w = ws_of(act);
    end_voices(act);
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count && !act->err; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (id_equal(&r->set, &set) && ws_room_is_open(r)) {
            ws_close_room(act, r->id, by);
        }
    }
    act_emit(act,
             (struct event){.type = EVENT_WS_STATE, .other = set, .person = by, .a = WS_CLOSED});
    act_trim(act, NULL, by);
}

void ws_begin_closing(struct act *act, const struct ws_set *set, int64_t seconds, struct id by)
{
    if (seconds == 0) {
        ws_close_set(act, set->id, by);
        return;
    }
    act_emit(act, (struct event){.type = EVENT_WS_STATE,
                                 .other = set->id,
                                 .person = by,
                                 .a = WS_CLOSING,
                                 .n = act_clock(act) + seconds * 1000});
}

static struct refusal close_set(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct ws_set *set = ws_open(ws_of(act));
    if (!set) {
        return no_set();
    }
    int64_t seconds = msg->ws_close.has_seconds ? msg->ws_close.seconds : set->closing_s;
    ws_begin_closing(act, set, seconds, c->person);
    return ws_fine;
}

static struct refusal cancel(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct ws_set *set = ws_open(ws_of(act));
    if (!set || set->state != WS_CLOSING) {
        return refuse_with("state", NULL, "nothing is closing");
    }
    struct id id = set->id;
    bool over = set->ends_due && set->ends_due <= act_clock(act);
    act_emit(act, (struct event){
                      .type = EVENT_WS_STATE, .other = id, .person = c->person, .a = WS_OPEN});
    if (over) {
        act_emit(act, (struct event){.type = EVENT_WS_ENDS, .other = id, .person = c->person});
    }
    return ws_fine;
}

static struct refusal set_time(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_time *m = &msg->ws_time;
    const struct ws_set *set = ws_open(ws_of(act));
    if (!set) {
        return no_set();
    }
    int64_t clock = act_clock(act);
    int64_t from = set->ends_due ? set->ends_due : clock;
    int64_t at = from + m->minutes * 60000;
    bool no_end = m->has_none && m->none;
    if (!no_end && at <= clock) {
        return refuse_with("state", "minutes", "that is over already");
    }
    struct id id = set->id;
    bool closing = set->state == WS_CLOSING;
    act_emit(act,
             (struct event){
                 .type = EVENT_WS_ENDS, .other = id, .person = c->person, .n = no_end ? 0 : at});
    if (closing) { /* more time: people need not leave */
        act_emit(act, (struct event){
                          .type = EVENT_WS_STATE, .other = id, .person = c->person, .a = WS_OPEN});
    }
    return ws_fine;
}

/* One room: taken out of a draft, or closed with the countdown of its set. */
static struct refusal room_close(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct id *id = &msg->ws_room_close.room;
    const struct ws_room *r = ws_room(ws_of(act), id);
    if (!r) {
        return ws_gone("room");
    }
    const struct ws_set *set = ws_set(ws_of(act), &r->set);
    bool never = set->state == WS_DRAFT || set->state == WS_READY;
    if (never) {
        act_emit(act, (struct event){.type = EVENT_WS_ROOM_REMOVED, .device = *id});
        return ws_fine;
    }
    if (r->state != WS_ROOM_ACTIVE) {
        return refuse_with("state", "room", "this room is not open");
    }
    if (ws_people_in(act->klass->work, id) == 0 || set->closing_s == 0) {
        ws_close_room(act, *id, c->person);
        return ws_fine;
    }
    act_emit(act, (struct event){.type = EVENT_WS_ROOM_STATE,
                                 .device = *id,
                                 .a = WS_ROOM_CLOSING,
                                 .n = act_clock(act) + (int64_t)set->closing_s * 1000});
    return ws_fine;
}

static struct refusal merge(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct id *from = &msg->ws_merge.room;
    const struct id *into = &msg->ws_merge.into;
    const struct workshops *w = ws_of(act);
    const struct ws_room *a = ws_room(w, from);
    const struct ws_room *b = ws_room(w, into);
    if (!a || !b) {
        return ws_gone(a ? "into" : "room");
    }
    if (a == b || !id_equal(&a->set, &b->set) || ws_room_is_open(a) != ws_room_is_open(b)) {
        return refuse_with("state", "into", "two open rooms of one set");
    }
    bool open = ws_room_is_open(a);
    struct id set = a->set;
    for (uint32_t i = 0; i < w->list[WS_PLACES].count && !act->err; i++) {
        const struct ws_place *p = ws_place_at(w, i);
        if (!id_equal(&p->room, from)) {
            continue;
        }
        struct id person = p->person;
        ws_put_place(act, &set, &person, into, p->pinned);
    }
    const struct state *s = act->klass->work;
    for (size_t i = 0; open && i < s->seat_count && !act->err; i++) {
        if (id_equal(&s->rooms[s->seats[i]->room].id, from)) {
            struct id person = s->seats[i]->person->id;
            ws_move(act, &person, into, c->person);
        }
    }
    if (open) {
        ws_close_room(act, *from, c->person);
    } else {
        act_emit(act, (struct event){.type = EVENT_WS_ROOM_REMOVED, .device = *from});
    }
    return ws_fine;
}

/* ---- placing by staff
 * ----------------------------------------------------------------------------- */

static void stand(struct act *act, const struct id *set, const struct id *person, enum ws_stand how)
{
    act_emit(act,
             (struct event){.type = EVENT_WS_STAND, .person = *person, .other = *set, .a = how});
}

/* In an open set a place is taken at once, except while the notice runs or an invitation stands. */
static void follow_place(struct act *act, const struct ws_set *set, const struct id *person,
                         const struct id *room, struct id by)
{
    struct id which = set->id;
    const struct seat *seat = state_seat(act->klass->work, person);
    if (!seat) {
        return;
    }
    /* Who is at a table already has nothing to wait for. */
    bool waits = seat->room == ROOM_MAIN && (set->moves_due || set->mode == WS_INVITE);
    if (!room) {
        come_back(act, &which, person, by);
        return;
    }
    if (id_equal(&act->klass->work->rooms[seat->room].id, room)) {
        stand(act, &which, person, WS_IN); /* stays where he is: what he asked for is answered */
    } else if (!waits) {
        ws_move(act, person, room, by);
    }
}

static struct refusal place(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_place *m = &msg->ws_place;
    const struct workshops *w = ws_of(act);
    const struct ws_set *set = ws_set(w, &m->set);
    const struct ws_room *room = m->has_room ? ws_room(w, &m->room) : NULL;
    if (!set) {
        return ws_gone("set");
    }
    if (m->has_room && (!room || !id_equal(&room->set, &m->set))) {
        return ws_gone("room");
    }
    if (!state_person(act->klass->work, &m->person)) {
        return ws_gone("person");
    }
    bool open = set->state == WS_OPEN || set->state == WS_CLOSING;
    if (set->state == WS_ARCHIVED || (open && room && room->state != WS_ROOM_ACTIVE)) {
        return refuse_with("state", "room", "this room is closed");
    }
    const struct ws_place *was = ws_place(w, &m->set, &m->person);
    bool pinned = m->has_pinned ? m->pinned : was && was->pinned;
    struct ws_set how = *set;
    ws_put_place(act, &m->set, &m->person, m->has_room ? &m->room : NULL, pinned && m->has_room);
    if (open) {
        follow_place(act, &how, &m->person, m->has_room ? &m->room : NULL, c->person);
    }
    return ws_fine;
}

/* ---- people themselves
 * ---------------------------------------------------------------------------- */

/* May this person go there by himself? */
static bool may_go(const struct state *s, const struct ws_set *set, const struct seat *seat,
                   const struct ws_room *room)
{
    const struct id *person = &seat->person->id;
    const struct ws_place *p = ws_place(&s->workshops, &set->id, person);
    bool own = p && id_equal(&p->room, &room->id);
    bool chooses = set->choice || (p && p->stand == WS_CHOOSING);
    return role_is_staff(seat->person->role) || own || chooses ||
           id_equal(&room->facilitator, person) || set->change == WS_CHANGE_FREE;
}

static struct refusal go_to(struct act *act, const struct conn *c, const struct ws_set *set,
                            const struct id *to)
{
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, &c->person);
    const struct ws_room *room = ws_room(&s->workshops, to);
    if (!room || !id_equal(&room->set, &set->id)) {
        return ws_gone("room");
    }
    if (room->state != WS_ROOM_ACTIVE) {
        return refuse_with("state", "room", "this room is closed");
    }
    if (!may_go(s, set, seat, room)) {
        return refuse_with("denied", "room", "ask the staff for another room");
    }
    bool staff = role_is_staff(seat->person->role);
    if (!staff && ws_full(s, room)) {
        return refuse_with("full", "room", "this room is full: choose another");
    }
    const struct ws_place *p = ws_place(&s->workshops, &set->id, &c->person);
    struct id which = set->id;
    if (!staff && (!p || !id_equal(&p->room, to))) {
        ws_put_place(act, &which, &c->person, to, p && p->pinned);
    }
    ws_move(act, &c->person, to, c->person);
    return ws_fine;
}

static struct refusal go(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_go *m = &msg->ws_go;
    const struct state *s = act->klass->work;
    const struct ws_set *set = ws_open(&s->workshops);
    if (m->has_room && !ws_room(&s->workshops, &m->room)) {
        return ws_gone("room");
    }
    if (!set) {
        return no_set();
    }
    if (m->has_room) {
        return go_to(act, c, set, &m->room);
    }
    const struct seat *seat = state_seat(s, &c->person);
    if (!set->back && !role_is_staff(seat->person->role)) {
        return refuse_with("denied", NULL, "people stay in their workshop");
    }
    if (seat->room != ROOM_MAIN) {
        come_back(act, &set->id, &c->person, c->person);
    }
    return ws_fine;
}

static struct refusal stay(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct state *s = act->klass->work;
    const struct ws_set *set = ws_open(&s->workshops);
    if (!set) {
        return no_set();
    }
    bool inside = state_seat(s, &c->person)->room != ROOM_MAIN;
    stand(act, &set->id, &c->person, inside ? WS_IN : WS_REFUSED);
    return ws_fine;
}

static struct refusal ask(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct ws_set *set = ws_open(ws_of(act));
    if (!set) {
        return no_set();
    }
    if (set->change == WS_CHANGE_NEVER) {
        return refuse_with("denied", NULL, "rooms are not changed");
    }
    stand(act, &set->id, &c->person, WS_ASKING);
    return ws_fine;
}

command_h ws_run_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_WS_OPEN] = open_set,
        [MSG_WS_CLOSE] = close_set,
        [MSG_WS_CANCEL] = cancel,
        [MSG_WS_TIME] = set_time,
        [MSG_WS_PLACE] = place,
        [MSG_WS_GO] = go,
        [MSG_WS_ROOM_CLOSE] = room_close,
        [MSG_WS_MERGE] = merge,
        [MSG_WS_STAY] = stay,
        [MSG_WS_ASK] = ask,
    };
    return handlers[type];
}
