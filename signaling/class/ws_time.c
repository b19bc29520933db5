/* What happens in workshops by itself: the notice ends, the deadline comes, closing is over, a
 * newcomer arrives. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/ws.h"

enum { ASK_MS = 60000 }; /* then the rule for newcomers decides */

static const struct id nobody = {{0}};

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && b < a ? b : a;
}

int64_t ws_due(const struct state *s, int64_t clock, wall_ms wall)
{
    (void)clock;
    (void)wall;
    const struct workshops *w = &s->workshops;
    const struct ws_set *set = ws_open(w);
    if (!set) {
        return INT64_MAX;
    }
    int64_t due = earlier(INT64_MAX, set->moves_due);
    due = earlier(due, set->until);
    if (set->state == WS_OPEN) {
        due = earlier(due, set->ends_due);
    }
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        due = earlier(due, ws_room_at(w, i)->until);
    }
    for (uint32_t i = 0; i < w->list[WS_PLACES].count; i++) {
        const struct ws_place *p = ws_place_at(w, i);
        if (p->until && id_equal(&p->set, &set->id)) {
            due = earlier(due, p->until);
        }
    }
    return due;
}

/* The notice is over: whoever has a place and did not refuse goes there. */
static void go_all(struct act *act, struct id set)
{
    const struct workshops *w = ws_of(act);
    act_emit(act, (struct event){.type = EVENT_WS_STATE, .other = set, .a = WS_OPEN});
    for (uint32_t i = 0; i < w->list[WS_PLACES].count && !act->err; i++) {
        const struct ws_place *p = ws_place_at(w, i);
        const struct seat *seat = state_seat(act->klass->work, &p->person);
        const struct ws_room *r = id_is_zero(&p->room) ? NULL : ws_room(w, &p->room);
        if (id_equal(&p->set, &set) && p->stand == WS_PLANNED && seat && seat->room == ROOM_MAIN &&
            r && r->state == WS_ROOM_ACTIVE) {
            struct id person = p->person;
            struct id room = p->room;
            ws_move(act, &person, &room, person);
        }
    }
}

static void to_smallest(struct act *act, struct id set, const struct id *person)
{
    const struct ws_room *r = ws_smallest(act->klass->work, &set);
    if (!r) {
        act_emit(act,
                 (struct event){
                     .type = EVENT_WS_STAND, .person = *person, .other = set, .a = WS_CHOOSING});
        return;
    }
    struct id room = r->id;
    ws_put_place(act, &set, person, &room, false);
    ws_move(act, person, &room, nobody);
}

/* Nobody of the staff answered in time. */
static void answer_asking(struct act *act, struct id set, int64_t clock)
{
    const struct workshops *w = ws_of(act);
    for (uint32_t i = 0; i < w->list[WS_PLACES].count && !act->err; i++) {
        const struct ws_place *p = ws_place_at(w, i);
        if (!p->until || p->until > clock || !id_equal(&p->set, &set)) {
            continue;
        }
        struct id person = p->person;
        const struct seat *seat = state_seat(act->klass->work, &person);
        if (seat && seat->room == ROOM_MAIN) {
            to_smallest(act, set, &person);
        } else {
            act_emit(act, (struct event){.type = EVENT_WS_STAND, .person = person, .other = set});
        }
    }
}

static void close_rooms(struct act *act, int64_t clock)
{
    const struct workshops *w = ws_of(act);
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count && !act->err; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (r->state == WS_ROOM_CLOSING && r->until && r->until <= clock) {
            ws_close_room(act, r->id, nobody);
            act_trim(act, NULL, nobody);
        }
    }
}

void ws_tick(struct act *act, int64_t clock)
{
    const struct ws_set *open = ws_open(ws_of(act));
    if (!open) {
        return;
    }
    struct ws_set set = *open;
    if (set.until && set.until <= clock) {
        ws_close_set(act, set.id, nobody);
        return;
    }
    if (set.state == WS_OPEN && set.ends_due && set.ends_due <= clock) {
        ws_begin_closing(act, open, set.closing_s, nobody);
        return;
    }
    close_rooms(act, clock);
    answer_asking(act, set.id, clock);
    if (set.moves_due && set.moves_due <= clock) {
        go_all(act, set.id);
    }
}

/* ---- newcomers
 * ------------------------------------------------------------------------------------ */

static void late(struct act *act, const struct ws_set *open, const struct id *person)
{
    struct ws_set set = *open;
    struct event e = {.type = EVENT_WS_STAND, .person = *person, .other = set.id};
    switch ((enum ws_late)set.late) {
    case WS_LATE_SMALLEST:
        to_smallest(act, set.id, person);
        return;
    case WS_LATE_CHOOSE:
        e.a = WS_CHOOSING;
        break;
    case WS_LATE_STAY:
        e.a = WS_REFUSED;
        break;
    case WS_LATE_ASK:
        e.a = WS_ASKING;
        e.n = act_clock(act) + ASK_MS;
        break;
    }
    act_emit(act, e);
}

static void arrived(struct act *act, const struct id *person)
{
    const struct workshops *w = ws_of(act);
    const struct ws_set *set = ws_open(w);
    const struct seat *seat = state_seat(act->klass->work, person);
    if (!set || !seat || seat->room != ROOM_MAIN || set->state != WS_OPEN) {
        return;
    }
    const struct ws_place *p = ws_place(w, &set->id, person);
    const struct ws_room *r = p && !id_is_zero(&p->room) ? ws_room(w, &p->room) : NULL;
    if (r && r->state == WS_ROOM_ACTIVE && (p->stand == WS_PLANNED || p->stand == WS_IN)) {
        struct id room = r->id;
        bool again = p->stand == WS_IN;
        if (again || (set->mode == WS_MOVE && !set->moves_due)) {
            ws_move(act, person, &room, *person);
        }
    } else if (role_is_crowd(seat->person->role) && (!p || p->stand == WS_PLANNED)) {
        late(act, set, person);
    }
}

/* A desk that is gone, or whose owner leads no more, hears and says nothing. */
static void check_desk(struct act *act, const struct id *person)
{
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, person);
    const struct ws_listener *l = ws_listener(&s->workshops, person);
    const struct ws_voice *v = ws_voice_of(&s->workshops, person);
    bool leads = seat && role_is_staff(seat->person->role);
    bool gone = !leads || (l && !seat_device(seat, &l->device));
    bool mute = v && (!leads || !seat_device(seat, &v->device));
    if (l && gone) {
        act_emit(act, (struct event){.type = EVENT_WS_LISTENING, .person = *person});
    }
    if (mute) {
        ws_end_voice(act, person);
    }
}

void ws_settle(struct act *act)
{
    if (!ws_open(ws_of(act))) {
        return;
    }
    size_t count = act->batch->count; /* what this adds is settled already */
    for (size_t i = 0; i < count && !act->err; i++) {
        struct event e = act->batch->events[i];
        if (e.type == EVENT_PERSON_JOINED) {
            arrived(act, &e.person);
        } else if (e.type == EVENT_ROLE_CHANGED || e.type == EVENT_DEVICE_LEFT) {
            check_desk(act, &e.person);
        }
    }
}

static command_h handler(enum msg_type type)
{
    command_h found = ws_draft_handler(type);
    found = found ? found : ws_run_handler(type);
    return found ? found : ws_desk_handler(type);
}

const struct class_part class_workshops = {
    .first = 150,
    .last = 189,
    .note_h = ws_note,
    .told_h = ws_told,
    .snapshot_h = ws_snapshot,
    .due_h = ws_due,
    .tick_h = ws_tick,
    .settle_h = ws_settle,
    .handler_h = handler,
};
