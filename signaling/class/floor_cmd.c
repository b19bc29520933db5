/* Commands of the floor. Ids are looked up in the class of the connection (reliability S27). */
#include "signaling/class/floor_cmd.h"

#include "codec/base/err.h"

static const struct refusal fine = {NULL, NULL, NULL};

static struct refusal nobody(const char *at)
{
    return refuse_with("not_found", at, "nobody of this id is here");
}

static struct refusal wrong(const char *why)
{
    return refuse_with("state", NULL, why);
}

static const struct floor *floor_of(const struct act *act)
{
    return &act->klass->work->floor;
}

/* ---- turns
 * ---------------------------------------------------------------------------------------- */

/* What was heard of the holder is counted to his turn. */
static void settle_voice(struct act *act, struct id person)
{
    int64_t heard_ms = 0;
    for (struct live *l = act->klass->lives; l; l = l->next) {
        if (id_equal(&l->person, &person)) {
            heard_ms += l->heard_us / US_PER_MS;
            l->heard_us = 0;
        }
    }
    if (heard_ms > 0) {
        act_emit(act, (struct event){.type = EVENT_FLOOR_HEARD, .person = person, .n = heard_ms});
    }
}

void floor_end(struct act *act, enum turn_end how, struct id by)
{
    const struct floor *f = floor_of(act);
    struct id person = f->holder;
    int64_t spent = floor_spent(f, act_clock(act));
    settle_voice(act, person);
    act_emit(act, (struct event){.type = EVENT_FLOOR_ENDED,
                                 .person = person,
                                 .a = (uint32_t)how,
                                 .b = spent < UINT32_MAX ? (uint32_t)spent : UINT32_MAX});
    const struct seat *seat = state_seat(act->klass->work, &person);
    if (seat && seat->hand_seq) {
        act_emit(act, (struct event){.type = EVENT_HAND_LOWERED, .person = person, .other = by});
    }
    act_trim(act, &person, by);
}

void floor_give(struct act *act, struct id person, bool reply, struct id by)
{
    const struct state *s = act->klass->work;
    if (!id_is_zero(&s->floor.holder)) {
        floor_end(act, TURN_DONE, by);
    }
    int64_t seconds = s->setting[reply ? SETTING_FLOOR_REPLY : SETTING_FLOOR_TURN];
    act_emit(act, (struct event){.type = EVENT_FLOOR_GIVEN,
                                 .person = person,
                                 .a = (uint32_t)(seconds * 1000),
                                 .b = reply,
                                 .n = act_clock(act),
                                 .other = by});
}

/* First of the list who can speak now. */
static const struct floor_turn *first_listed(const struct state *s)
{
    for (int i = 0; i < s->floor.list_count; i++) {
        if (floor_ready(s, &s->floor.list[i].person)) {
            return &s->floor.list[i];
        }
    }
    return NULL;
}

static bool may_draw(const struct state *s, const struct id *person)
{
    return !id_is_zero(person) && floor_ready(s, person) && !id_equal(person, &s->floor.holder) &&
           (s->setting[SETTING_FLOOR_DOUBLE] || !floor_had_turn(&s->floor, person));
}

/* Somebody at the table by lot; the journal keeps who it was. */
static struct id draw(struct act *act)
{
    const struct state *s = act->klass->work;
    struct id can[FLOOR_RING_MAX];
    uint32_t count = 0;
    for (unsigned i = 0; i < FLOOR_RING_MAX; i++) {
        if (may_draw(s, &s->floor.ring[i])) {
            can[count++] = s->floor.ring[i];
        }
    }
    return count ? can[rng_below(&act->klass->room->config.rng, count)] : (struct id){{0}};
}

bool floor_next(struct act *act, struct id by)
{
    const struct state *s = act->klass->work;
    const struct floor_turn *turn = first_listed(s);
    struct id person = {{0}};
    bool reply = false;
    const struct seat *queue[STATE_SEATS_MAX];
    if (turn) {
        person = turn->person;
        reply = turn->reply;
    } else if (s->floor.mode == FLOOR_QUEUE || s->floor.mode == FLOOR_MODERATED) {
        size_t count = floor_queue(s, queue, STATE_SEATS_MAX);
        for (size_t i = 0; i < count && id_is_zero(&person); i++) {
            bool other = !id_equal(&queue[i]->person->id, &s->floor.holder);
            if (other && floor_ready(s, &queue[i]->person->id)) {
                person = queue[i]->person->id;
                reply = queue[i]->hand_kind == HAND_REPLY;
            }
        }
    } else if (s->floor.mode == FLOOR_RANDOM) {
        person = draw(act);
    }
    if (id_is_zero(&person)) {
        return false;
    }
    floor_give(act, person, reply, by);
    return true;
}

/* Modes in which the floor goes on by itself when a turn ends. */
static bool goes_on(const struct floor *f)
{
    return f->mode == FLOOR_QUEUE || f->mode == FLOOR_TOUR || f->mode == FLOOR_RANDOM ||
           f->list_count > 0;
}

/* ---- commands of whoever leads
 * -------------------------------------------------------------------- */

/* The table in its order, whoever may speak. */
static void list_ring(struct act *act)
{
    const struct state *s = act->klass->work;
    for (unsigned i = 0; i < FLOOR_RING_MAX && !act->err; i++) {
        struct id person = s->floor.ring[i];
        const struct seat *seat = id_is_zero(&person) ? NULL : state_seat(s, &person);
        if (seat && s->floor.list_count < FLOOR_LIST_MAX) {
            act_emit(act, (struct event){.type = EVENT_FLOOR_LISTED,
                                         .person = person,
                                         .a = s->floor.list_count});
        }
    }
}

static struct refusal mode(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_floor_mode *m = &msg->floor_mode;
    const struct floor *f = floor_of(act);
    bool fresh = m->has_fresh && m->fresh;
    if ((int)f->mode == m->mode && !fresh) {
        return fine;
    }
    if (!id_is_zero(&f->holder)) {
        floor_end(act, TURN_DONE, c->person);
    }
    bool tour = m->mode == FLOOR_TOUR;
    act_emit(act, (struct event){.type = EVENT_FLOOR_MODE,
                                 .a = (uint32_t)m->mode,
                                 .b = fresh || tour,
                                 .person = c->person});
    if (tour) {
        list_ring(act);
    }
    act_trim(act, NULL, c->person);
    return fine;
}

static struct refusal give(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_floor_give *m = &msg->floor_give;
    if (!state_seat(act->klass->work, &m->person)) {
        return nobody("person");
    }
    if (floor_of(act)->mode == FLOOR_OPEN) {
        return wrong("everybody may speak");
    }
    if (!floor_ready(act->klass->work, &m->person)) {
        return wrong("this person cannot speak here now");
    }
    if (!id_equal(&floor_of(act)->holder, &m->person)) {
        floor_give(act, m->person, m->has_reply && m->reply, c->person);
    }
    return fine;
}

static struct refusal next(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    if (floor_of(act)->mode == FLOOR_OPEN) {
        return wrong("everybody may speak");
    }
    return floor_next(act, c->person) ? fine : wrong("nobody is next");
}

static struct refusal take(struct act *act, struct conn *c, const struct msg *msg)
{
    if (id_is_zero(&floor_of(act)->holder)) {
        return wrong("nobody has the floor");
    }
    floor_end(act, (enum turn_end)msg->floor_take.how, c->person);
    return fine;
}

static struct refusal pause_turn(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct floor *f = floor_of(act);
    if (id_is_zero(&f->holder)) {
        return wrong("nobody has the floor");
    }
    if (f->paused != msg->floor_pause.paused) {
        act_emit(act, (struct event){.type = EVENT_FLOOR_PAUSED,
                                     .a = msg->floor_pause.paused,
                                     .n = act_clock(act)});
    }
    return fine;
}

static struct refusal more_time(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct floor *f = floor_of(act);
    int64_t clock = act_clock(act);
    int64_t more = msg->floor_time.seconds * 1000;
    if (id_is_zero(&f->holder)) {
        return wrong("nobody has the floor");
    }
    int64_t from = f->paused ? f->left_ms : f->due > clock ? f->due : clock;
    int64_t least = f->paused ? 1000 : clock + 1000;
    act_emit(act, (struct event){.type = EVENT_FLOOR_TIMED,
                                 .n = from + more > least ? from + more : least});
    return fine;
}

static struct refusal list(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_floor_list *m = &msg->floor_list;
    const struct floor *f = floor_of(act);
    const struct seat *seat = state_seat(act->klass->work, &m->person);
    if (!seat) {
        return nobody("person");
    }
    if (!right_has(right_table(state_role(act->klass->work, seat->person), act->klass->work->type),
                   RIGHT_FLOOR_OWN)) {
        return wrong("this person only listens");
    }
    if (floor_listed(f, &m->person) < 0 && f->list_count == FLOOR_LIST_MAX) {
        return refuse_with("full", NULL, "the list is full");
    }
    act_emit(act, (struct event){.type = EVENT_FLOOR_LISTED,
                                 .person = m->person,
                                 .a = m->has_at ? (uint32_t)m->at : (uint32_t)FLOOR_LIST_MAX,
                                 .b = m->has_reply && m->reply});
    return fine;
}

static struct refusal unlist(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_floor_unlist *m = &msg->floor_unlist;
    if (floor_listed(floor_of(act), &m->person) < 0) {
        return nobody("person");
    }
    bool skipped = m->has_skipped && m->skipped;
    act_emit(act, (struct event){.type = EVENT_FLOOR_UNLISTED,
                                 .person = m->person,
                                 .a = skipped ? TURN_SKIPPED : TURN_DONE});
    return fine;
}

static struct refusal seat_at(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct state *s = act->klass->work;
    const struct msg_floor_seat *m = &msg->floor_seat;
    if (!state_seat(s, &m->person)) {
        return nobody("person");
    }
    if (m->has_place && m->place >= s->setting[SETTING_TABLE]) {
        return refuse_with("full", "place", "the table has no such place");
    }
    int now = floor_place(&s->floor, &m->person);
    if (now != (m->has_place ? (int)m->place : -1)) {
        act_emit(act, (struct event){.type = EVENT_FLOOR_SEATED,
                                     .person = m->person,
                                     .a = m->has_place ? (uint32_t)m->place : 255u});
    }
    return fine;
}

/* ---- commands of everybody
 * ------------------------------------------------------------------------ */

static struct refusal done(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_floor_done *m = &msg->floor_done;
    const struct state *s = act->klass->work;
    if (m->has_to && !state_seat(s, &m->to)) {
        return nobody("to");
    }
    if (!id_equal(&s->floor.holder, &c->person)) {
        return wrong("you do not have the floor");
    }
    bool names = m->has_to && s->floor.mode == FLOOR_NOMINATION;
    if (m->has_to && (!names || !floor_ready(s, &m->to) || id_equal(&m->to, &c->person))) {
        return wrong(names ? "this person cannot speak now" : "only where one names the next");
    }
    floor_end(act, TURN_DONE, c->person);
    if (names) {
        floor_give(act, m->to, false, c->person);
    } else if (goes_on(floor_of(act))) {
        (void)floor_next(act, c->person);
    }
    return fine;
}

static struct refusal pass(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct floor *f = floor_of(act);
    if (id_equal(&f->holder, &c->person)) {
        floor_end(act, TURN_PASSED, c->person);
        if (goes_on(f)) {
            (void)floor_next(act, c->person);
        }
        return fine;
    }
    if (floor_listed(f, &c->person) < 0) {
        return wrong("you are not on the list");
    }
    act_emit(act,
             (struct event){.type = EVENT_FLOOR_UNLISTED, .person = c->person, .a = TURN_PASSED});
    return fine;
}

command_h floor_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_FLOOR_MODE] = mode, [MSG_FLOOR_GIVE] = give,        [MSG_FLOOR_NEXT] = next,
        [MSG_FLOOR_TAKE] = take, [MSG_FLOOR_PAUSE] = pause_turn, [MSG_FLOOR_TIME] = more_time,
        [MSG_FLOOR_LIST] = list, [MSG_FLOOR_UNLIST] = unlist,    [MSG_FLOOR_SEAT] = seat_at,
        [MSG_FLOOR_DONE] = done, [MSG_FLOOR_PASS] = pass,
    };
    return handlers[type];
}
