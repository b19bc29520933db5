/*
 * Commands of the webinar and what follows from time and from others: who comes to the stage or the
 * wings by his role, invitations that run out, turns that end, the 3-2-1 that is over, seats that
 * run short. What is told of it is in webinar_out.c; the machine itself in
 * signaling/journal/stage.c.
 */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "signaling/class/webinar.h"
#include "signaling/journal/stage.h"

static const struct refusal fine = {NULL, NULL, NULL};

static struct refusal no(const char *code, const char *at, const char *why)
{
    return (struct refusal){code, at, why};
}

static struct refusal not_here(void)
{
    return no("not_found", "person", "nobody of this id is here");
}

static struct refusal no_webinar(void)
{
    return no("state", NULL, "this class has no stage");
}

/* ---- places
 * ------------------------------------------------------------------------------------- */

static void emit_place(struct act *act, const struct id *person, enum stage_place place,
                       unsigned home, int64_t due)
{
    act_emit(act, (struct event){.type = EVENT_STAGE_PLACED,
                                 .person = *person,
                                 .other = act->actor,
                                 .a = place,
                                 .b = home,
                                 .n = due});
}

/* Everything this person sends is closed, before anything else changes. */
static void close_media(struct act *act, const struct id *person, uint32_t keep)
{
    const struct seat *seat = state_seat(act->klass->work, person);
    for (unsigned i = 0; seat && i < seat->device_count; i++) {
        struct device d = seat->devices[i];
        if (d.media & ~keep) {
            act_emit(act, (struct event){.type = EVENT_MEDIA_CHANGED,
                                         .person = *person,
                                         .device = d.id,
                                         .b = d.media & keep,
                                         .other = act->actor});
        }
    }
}

static void go_down(struct act *act, const struct id *person)
{
    const struct stage_member *m = stage_member(act->klass->work, person);
    unsigned home = m ? m->home : 0;
    close_media(act, person, 0);
    if (home) {
        act_emit(act, (struct event){.type = EVENT_ROLE_CHANGED,
                                     .person = *person,
                                     .a = home - 1,
                                     .other = act->actor});
    }
    emit_place(act, person, PLACE_AUDIENCE, 0, 0);
}

static size_t stage_room(const struct state *s)
{
    size_t most = (size_t)s->setting[SETTING_STAGE_MAX];
    size_t on = stage_count(s, PLACE_STAGE);
    return most > on ? most - on : 0;
}

static struct refusal cmd_place(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_stage_place *m = &msg->stage_place;
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, &m->person);
    (void)c;
    if (!seat) {
        return not_here();
    }
    if (!stage_is(s)) {
        return no_webinar();
    }
    struct stage_member was = {.place = PLACE_AUDIENCE};
    const struct stage_member *member = stage_member(s, &m->person);
    was = member ? *member : was;
    if (!member && !stage_role(seat->person->role)) {
        return no("state", "person", "the audience is invited first");
    }
    if (m->place == PLACE_STAGE && was.place != PLACE_STAGE && stage_room(s) == 0) {
        return no("full", "place", "the stage is full");
    }
    int64_t due = 0;
    if (m->place == PLACE_STAGE && m->has_seconds && m->seconds > 0) {
        due = class_clock(act->klass, act->now) + m->seconds * 1000;
    }
    if (m->place == PLACE_AUDIENCE) {
        if (member && !was.home) {
            return no("state", "place", "only guests go down to the audience");
        }
        if (member) {
            go_down(act, &m->person);
        }
    } else if (m->place != was.place || due != was.due) {
        if (m->place == PLACE_WINGS) {
            close_media(act, &m->person, MEDIA_MIC | MEDIA_CAM);
        }
        emit_place(act, &m->person, (enum stage_place)m->place, was.home, due);
    }
    return fine;
}

static struct refusal cmd_leave(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    (void)msg;
    if (!stage_is(s)) {
        return no_webinar();
    }
    const struct stage_member *m = stage_member(s, &c->person);
    if (!m) {
        return no("state", NULL, "you are in the audience");
    }
    if (m->home || m->place == PLACE_WINGS) {
        if (!m->home) {
            return no("state", NULL, "you are in the wings already");
        }
        go_down(act, &c->person);
        return fine;
    }
    close_media(act, &c->person, MEDIA_MIC | MEDIA_CAM);
    emit_place(act, &c->person, PLACE_WINGS, 0, 0);
    return fine;
}

/* ---- invitations
 * -------------------------------------------------------------------------------- */

static void end_invite(struct act *act, const struct id *person, enum invite_end how)
{
    act_emit(act, (struct event){
                      .type = EVENT_STAGE_INVITE_ENDED, .person = *person, .a = (uint32_t)how});
}

static struct refusal cmd_invite(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct id *person = &msg->stage_invite.person;
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, person);
    if (!seat) {
        return not_here();
    }
    if (!stage_is(s)) {
        return no_webinar();
    }
    if (stage_member(s, person) || !role_is_crowd(seat->person->role)) {
        return no("state", "person", "not of the audience");
    }
    if (seat->light) {
        return no("state", "person", "has a seat with sound and slides only");
    }
    if (stage_invited(s, person)) {
        return fine;
    }
    if (s->stage->invite_count == STAGE_INVITES_MAX ||
        s->stage->member_count + s->stage->invite_count >= STAGE_MEMBERS_MAX) {
        return no("full", "person", "too many are invited");
    }
    int64_t due = class_clock(act->klass, act->now) + s->setting[SETTING_INVITE_TIME] * 1000;
    act_emit(act,
             (struct event){
                 .type = EVENT_STAGE_INVITED, .person = *person, .other = c->person, .n = due});
    return fine;
}

static struct refusal cmd_uninvite(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    (void)c;
    if (!state_seat(s, &msg->stage_uninvite.person)) {
        return not_here();
    }
    if (!stage_is(s)) {
        return no_webinar();
    }
    if (stage_invited(s, &msg->stage_uninvite.person)) {
        end_invite(act, &msg->stage_uninvite.person, INVITE_WITHDRAWN);
    }
    return fine;
}

static struct refusal cmd_answer(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    const struct stage_invite *invite = stage_is(s) ? stage_invited(s, &c->person) : NULL;
    if (!invite || invite->due <= class_clock(act->klass, act->now)) {
        return no("state", NULL, "no invitation waits for you");
    }
    if (!msg->stage_answer.accept) {
        end_invite(act, &c->person, INVITE_REFUSED);
        return fine;
    }
    const struct seat *seat = state_seat(s, &c->person);
    unsigned home = seat->person->role + 1u;
    bool hand = seat->hand_seq != 0;
    end_invite(act, &c->person, INVITE_ACCEPTED);
    if (hand) {
        act_emit(act, (struct event){.type = EVENT_HAND_LOWERED, .person = c->person});
    }
    act_emit(act,
             (struct event){.type = EVENT_ROLE_CHANGED, .person = c->person, .a = ROLE_SPEAKER});
    emit_place(act, &c->person, PLACE_WINGS, home, 0);
    return fine;
}

static struct refusal cmd_check(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_stage_check *m = &msg->stage_check;
    const struct state *s = act->klass->work;
    const struct stage_member *member = stage_is(s) ? stage_member(s, &c->person) : NULL;
    if (!member) {
        return no("state", NULL, "only in the wings");
    }
    uint32_t bits = (m->mic ? STAGE_CHECKED_MIC : 0u) | (m->cam ? STAGE_CHECKED_CAM : 0u) |
                    (m->sound ? STAGE_CHECKED_SOUND : 0u) | (m->ready ? STAGE_CHECKED_READY : 0u);
    if (bits != member->checked) {
        act_emit(act, (struct event){.type = EVENT_STAGE_CHECKED, .person = c->person, .a = bits});
    }
    return fine;
}

/* ---- phases
 * ------------------------------------------------------------------------------------- */

/* The session follows the stage: nobody waits outside of open doors, nobody is on air too early. */
static void lead_session(struct act *act, enum stage_phase phase)
{
    enum session_state session = act->klass->work->session;
    bool early =
        session == SESSION_IDLE || session == SESSION_SCHEDULED || session == SESSION_PREPARING;
    bool doors = phase == STAGE_DOORS && early;
    bool air = phase == STAGE_AIR && (early || session == SESSION_DOORS);
    if (doors || air) {
        act_emit(act, (struct event){.type = EVENT_SESSION_CHANGED,
                                     .person = act->actor,
                                     .a = doors ? SESSION_DOORS : SESSION_LIVE});
    }
}

static void emit_phase(struct act *act, enum stage_phase phase, int64_t due)
{
    lead_session(act, phase);
    act_emit(act,
             (struct event){
                 .type = EVENT_STAGE_PHASE, .person = act->actor, .a = (uint32_t)phase, .n = due});
}

static struct refusal cmd_phase(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    enum stage_phase to = (enum stage_phase)msg->stage_phase.phase;
    enum stage_phase from = stage_is(s) ? s->stage->phase : STAGE_BACKSTAGE;
    if (!stage_is(s)) {
        return no_webinar();
    }
    if (to == from || (to == STAGE_STARTING && stage_on_air(s))) {
        return fine;
    }
    /* The countdown cannot be jumped over, and a cancelled one leads back to where it began. */
    bool cancel = from == STAGE_STARTING && (to == STAGE_BACKSTAGE || to == STAGE_DOORS);
    to = cancel ? s->stage->before : to;
    if ((from == STAGE_STARTING && !cancel) || !stage_may(from, to)) {
        return no("state", "phase", "not from here");
    }
    if (to == STAGE_STARTING && stage_count(s, PLACE_STAGE) == 0) {
        return no("state", "phase", "nobody is on the stage");
    }
    if (to == STAGE_STARTING && s->setting[SETTING_COUNTDOWN] == 0) {
        emit_phase(act, STAGE_STARTING, 0);
        emit_phase(act, STAGE_AIR, 0);
        return fine;
    }
    int64_t due = to == STAGE_STARTING
                      ? class_clock(act->klass, act->now) + s->setting[SETTING_COUNTDOWN] * 1000
                      : 0;
    (void)c;
    emit_phase(act, to, due);
    return fine;
}

static struct refusal cmd_holding(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_stage_holding *m = &msg->stage_holding;
    (void)c;
    if (!stage_is(act->klass->work)) {
        return no_webinar();
    }
    struct rtext *text = m->text.len ? rtext_new(m->text.s, m->text.len) : NULL;
    if (m->text.len && !text) {
        act->err = E_NOMEM;
        return fine;
    }
    int64_t opens = 0;
    if (m->has_seconds && m->seconds > 0) {
        opens = class_clock(act->klass, act->now) + m->seconds * 1000;
    }
    act_emit(act,
             (struct event){.type = EVENT_STAGE_HOLDING, .a = m->music, .n = opens, .text = text});
    return fine;
}

static struct refusal cmd_react(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    if (!stage_is(s)) {
        return no_webinar();
    }
    if (s->setting[SETTING_REACTIONS] == 0) {
        return no("denied", NULL, "reactions are off");
    }
    if (!webinar_react(act->klass, c, (unsigned)msg->react.kind, act->now)) {
        return no("state", NULL, "a little slower");
    }
    return fine;
}

/* ---- what follows
 * ------------------------------------------------------------------------------- */

/* Where somebody whose role belongs on the stage stands when he comes. */
static enum stage_place first_place(const struct state *s, const struct person *p)
{
    bool ready = !stage_on_air(s) && s->stage->phase != STAGE_STARTING;
    bool leads = id_equal(&s->acting, &p->id) || p->role == ROLE_HOST;
    return stage_room(s) > 0 && (ready || leads) ? PLACE_STAGE : PLACE_WINGS;
}

/* Puts somebody out of step with his role where he belongs. */
static void settle_person(struct act *act, struct id id)
{
    const struct state *s = act->klass->work;
    const struct person *p = state_person(s, &id);
    const struct stage_member *m = stage_member(s, &id);
    if (!p || !p->seat) {
        return;
    }
    if (stage_invited(s, &id) && !role_is_crowd(p->role)) {
        end_invite(act, &id, INVITE_WITHDRAWN);
    }
    if (!m && stage_role(p->role) && s->stage->member_count < STAGE_MEMBERS_MAX) {
        emit_place(act, &id, first_place(s, p), 0, 0);
    } else if (m && !stage_role(p->role)) {
        close_media(act, &id, 0);
        emit_place(act, &id, PLACE_AUDIENCE, 0, 0);
    } else if (m && m->home && role_is_staff(p->role)) {
        emit_place(act, &id, (enum stage_place)m->place, 0, m->due); /* a guest no longer */
    }
}

static void settle_fill(struct act *act)
{
    const struct state *s = act->klass->work;
    struct webinar_load load = webinar_load(s, act->klass->room->config.people_max);
    if (load.level != s->stage->fill) {
        act_emit(act, (struct event){.type = EVENT_STAGE_FILL, .a = load.level});
    }
}

/* Seats that came free go to those who wait; when nobody does, to whoever has sound only. */
static void settle_light(struct act *act, const struct event *e)
{
    const struct state *s = act->klass->work;
    size_t most = stage_seats(s, STATE_SEATS_MAX);
    size_t taken = stage_taken(s);
    bool full = s->setting[SETTING_SEATS] > 0 && taken > most;
    if (e->type == EVENT_PERSON_JOINED) {
        const struct seat *seat = state_seat(s, &e->person);
        if (full && seat && role_is_crowd(seat->person->role)) {
            act_emit(act, (struct event){.type = EVENT_STAGE_LIGHT, .person = e->person, .a = 1});
        }
        return;
    }
    for (size_t i = 0; i < s->seat_count && s->wait_count == 0 && taken < most; i++) {
        struct id id = s->seats[i]->person->id;
        if (s->seats[i]->light) {
            act_emit(act, (struct event){.type = EVENT_STAGE_LIGHT, .person = id});
            taken++;
        }
    }
}

/* The hour came: what the session does by itself, the stage does too. */
static void settle_session(struct act *act, const struct event *e)
{
    const struct stage *st = act->klass->work->stage;
    if (e->type == EVENT_SESSION_CHANGED && e->a == SESSION_DOORS && st->phase == STAGE_BACKSTAGE) {
        act_emit(act, (struct event){.type = EVENT_STAGE_PHASE, .a = STAGE_DOORS});
    }
}

static void settle(struct act *act)
{
    if (!stage_is(act->klass->work)) {
        return;
    }
    bool counts = false;
    for (size_t i = 0; i < act->batch->count && !act->err; i++) {
        enum event_type type = act->batch->events[i].type;
        bool comes = type == EVENT_PERSON_JOINED || type == EVENT_ROLE_CHANGED;
        counts = counts || comes || type == EVENT_PERSON_LEFT || type == EVENT_STAGE_PLACED ||
                 type == EVENT_WAIT_ENTERED || type == EVENT_WAIT_LEFT || type == EVENT_CLASS_SET;
        struct event e = act->batch->events[i];
        settle_session(act, &e);
        if (comes) {
            settle_person(act, e.person);
        }
        if (type == EVENT_PERSON_JOINED || type == EVENT_PERSON_LEFT || type == EVENT_CLASS_SET) {
            settle_light(act, &e);
        }
    }
    if (counts && !act->err) {
        settle_fill(act);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return b && b < a ? b : a;
}

static int64_t due(const struct state *s, int64_t clock, wall_ms wall)
{
    int64_t at = INT64_MAX;
    (void)clock;
    (void)wall;
    if (!stage_is(s)) {
        return at;
    }
    const struct stage *st = s->stage;
    at = least(at, st->phase == STAGE_STARTING ? st->due : 0);
    for (size_t i = 0; i < st->invite_count; i++) {
        at = least(at, st->invites[i].due);
    }
    for (size_t i = 0; i < st->member_count; i++) {
        at = least(at, st->members[i].due);
    }
    return at;
}

/* The turn is over: a guest goes down, others go into the wings. */
static void end_turn(struct act *act, struct stage_member m)
{
    if (m.home) {
        go_down(act, &m.person);
    } else {
        close_media(act, &m.person, MEDIA_MIC | MEDIA_CAM);
        emit_place(act, &m.person, PLACE_WINGS, 0, 0);
    }
}

static void tick(struct act *act, int64_t clock)
{
    const struct stage *st = act->klass->work->stage;
    if (st->phase == STAGE_STARTING && st->due <= clock) {
        emit_phase(act, STAGE_AIR, 0);
    }
    for (size_t i = 0; i < st->invite_count && !act->err;) {
        struct id person = st->invites[i].person;
        if (st->invites[i].due <= clock) {
            end_invite(act, &person, INVITE_EXPIRED);
        } else {
            i++;
        }
    }
    for (size_t i = 0; i < st->member_count && !act->err;) {
        struct stage_member m = st->members[i];
        if (m.due && m.due <= clock) {
            end_turn(act, m);
            i = 0;
        } else {
            i++;
        }
    }
}

static command_h handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_STAGE_PHASE] = cmd_phase,   [MSG_STAGE_HOLDING] = cmd_holding,
        [MSG_STAGE_INVITE] = cmd_invite, [MSG_STAGE_UNINVITE] = cmd_uninvite,
        [MSG_STAGE_ANSWER] = cmd_answer, [MSG_STAGE_CHECK] = cmd_check,
        [MSG_STAGE_PLACE] = cmd_place,   [MSG_STAGE_LEAVE] = cmd_leave,
        [MSG_REACT] = cmd_react,
    };
    return type < MSG_COUNT ? handlers[type] : NULL;
}

const struct class_part class_webinar = {
    .first = EVENT_STAGE_PHASE,
    .last = 219,
    .note_h = webinar_note,
    .snapshot_h = webinar_snapshot,
    .due_h = due,
    .tick_h = tick,
    .settle_h = settle,
    .handler_h = handler,
};
