#include "signaling/class/roll.h"

#include "codec/base/err.h"

/* Random, so that nobody waits for it (classroom.md 4.6). */
enum {
    FIRST_MIN_MS = 10 * 60000,
    FIRST_SPREAD_MS = 20 * 60000,
    NEXT_MIN_MS = 105 * 60000,
    NEXT_SPREAD_MS = 30 * 60000,
};

static const struct refusal fine = {NULL, NULL, NULL};

static bool runs(const struct state *s)
{
    return !id_is_zero(&s->roll.check);
}

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static void out_check(struct jsonw *w, const struct state *s)
{
    jsonw_key(w, "checks");
    jsonw_array(w);
    if (runs(s)) {
        jsonw_object(w);
        out_key_id(w, "id", ID_MESSAGE, &s->roll.check);
        jsonw_key_int(w, "round", s->roll.round);
        jsonw_key_int(w, "until", s->roll.due);
        if (!id_is_zero(&s->roll.by)) {
            out_key_id(w, "by", ID_PERSON, &s->roll.by);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void out_tally(struct jsonw *w, const struct state *s)
{
    uint32_t asked;
    uint32_t answered;
    roll_tally(s, &asked, &answered);
    jsonw_key(w, "checkTally");
    jsonw_array(w);
    if (runs(s)) {
        jsonw_array(w);
        jsonw_int(w, asked);
        jsonw_int(w, answered);
        jsonw_array_end(w);
    }
    jsonw_array_end(w);
}

static void roll_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    out_check(w, s);
    jsonw_key_bool(w, "checkMine", v->person->check == ROLL_ASKED);
    if (v->staff) {
        out_tally(w, s);
    }
}

static void log_mine(struct klass *k, uint64_t seq, const struct id *person, bool mine)
{
    struct jsonw *w = out_event(k, "check.mine.set");
    jsonw_key_bool(w, "checkMine", mine);
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = SEE_OWN, .person = *person});
}

static void log_tally(struct klass *k, uint64_t seq)
{
    struct jsonw *w = out_event(k, "check.tally.set");
    out_tally(w, k->done);
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = SEE_STAFF});
}

static void log_check(struct klass *k, uint64_t seq)
{
    struct jsonw *w = out_event(k, "check.set");
    out_check(w, k->done);
    if (!runs(k->done)) {
        jsonw_key_bool(w, "checkMine", false);
    }
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = SEE_ALL});
    log_tally(k, seq);
}

static void roll_note(struct klass *k, const struct event *e)
{
    const struct state *s = k->done;
    if (e->type == EVENT_CHECK_ASKED) {
        for (size_t i = 0; i < s->seat_count && e->a == 1; i++) {
            const struct person *p = s->seats[i]->person;
            if (p->check == ROLL_ASKED) {
                log_mine(k, e->seq, &p->id, true);
            }
        }
        log_check(k, e->seq);
    } else if (e->type == EVENT_CHECK_ANSWERED) {
        log_mine(k, e->seq, &e->person, false);
        log_tally(k, e->seq);
    } else if (e->type == EVENT_CHECK_CLOSED) {
        log_check(k, e->seq);
    }
}

/* Somebody who was asked has left: the count changes. */
static void roll_other(struct klass *k, const struct event *e)
{
    bool over = e->type == EVENT_SESSION_CHANGED && e->a == SESSION_CLOSED;
    if (over) {
        log_check(k, e->seq);
    } else if (e->type == EVENT_PERSON_LEFT && runs(k->done)) {
        /* A page that comes back reads its own leaving in what it missed. */
        log_mine(k, e->seq, &e->person, false);
        log_tally(k, e->seq);
    }
}

/* ---- deadlines
 * ------------------------------------------------------------------------------------ */

static int64_t roll_due(const struct state *s, int64_t clock, wall_ms wall)
{
    (void)clock;
    (void)wall;
    if (runs(s)) {
        return s->roll.due;
    }
    return s->roll.next ? s->roll.next : INT64_MAX;
}

static void ask(struct act *act, struct id check, uint32_t round, struct id by)
{
    const struct state *s = act->klass->work;
    int64_t end = act_clock(act) + s->setting[SETTING_ROLL_PROMPT] * 1000;
    act_emit(act,
             (struct event){
                 .type = EVENT_CHECK_ASKED, .other = check, .person = by, .a = round, .n = end});
    /* Whoever speaks is plainly there and not to be interrupted. */
    const struct person *holder =
        id_is_zero(&s->floor.holder) ? NULL : state_person(s, &s->floor.holder);
    if (!act->err && holder && holder->check == ROLL_ASKED) {
        act_emit(act,
                 (struct event){
                     .type = EVENT_CHECK_ANSWERED, .person = holder->id, .other = check, .a = 1});
    }
}

static void roll_tick(struct act *act, int64_t clock)
{
    const struct roll *r = &act->klass->work->roll;
    struct id none = {{0}};
    if (!runs(act->klass->work)) {
        if (r->next && r->next <= clock) {
            ask(act, id_new(&act->klass->room->config.rng), 1, none);
        }
    } else if (r->due <= clock && r->round < ROLL_ROUNDS) {
        ask(act, r->check, r->round + 1u, r->by);
    } else if (r->due <= clock) {
        act_emit(act, (struct event){.type = EVENT_CHECK_CLOSED, .other = r->check});
    }
}

/* ---- what follows
 * --------------------------------------------------------------------------------- */

static void plan(struct act *act)
{
    const struct state *s = act->klass->work;
    const struct rng *rng = &act->klass->room->config.rng;
    bool wanted = s->setting[SETTING_ROLL_AUTO] && s->session == SESSION_LIVE && !runs(s);
    if (wanted && !s->roll.next) {
        int64_t in = s->roll.asked ? NEXT_MIN_MS + (int64_t)rng_below(rng, NEXT_SPREAD_MS)
                                   : FIRST_MIN_MS + (int64_t)rng_below(rng, FIRST_SPREAD_MS);
        act_emit(act, (struct event){.type = EVENT_CHECK_PLANNED, .n = act_clock(act) + in});
    } else if (s->roll.next && !s->setting[SETTING_ROLL_AUTO]) {
        act_emit(act, (struct event){.type = EVENT_CHECK_PLANNED});
    }
}

static void roll_settle(struct act *act)
{
    const struct state *s = act->klass->work;
    uint32_t asked;
    uint32_t answered;
    if (runs(s)) {
        roll_tally(s, &asked, &answered);
        if (asked == answered) {
            act_emit(act, (struct event){.type = EVENT_CHECK_CLOSED, .other = s->roll.check});
        }
    }
    if (!act->err) {
        plan(act);
    }
}

/* ---- commands
 * ------------------------------------------------------------------------------------- */

static struct refusal check_ask(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct state *s = act->klass->work;
    if (s->session != SESSION_LIVE && s->session != SESSION_CLOSING) {
        return refuse_with("state", NULL, "the class is not under way");
    }
    if (runs(s)) {
        return refuse_with("state", NULL, "a presence check is under way");
    }
    ask(act, id_new(&act->klass->room->config.rng), 1, c->person);
    return fine;
}

static struct refusal check_answer(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    const struct person *p = state_person(s, &c->person);
    if (!runs(s) || !id_equal(&s->roll.check, &msg->check_answer.check)) {
        return refuse_with("not_found", "check", "this presence check is over");
    }
    if (p && p->check == ROLL_ASKED) {
        act_emit(act, (struct event){.type = EVENT_CHECK_ANSWERED,
                                     .person = c->person,
                                     .other = s->roll.check});
    }
    return fine;
}

static command_h roll_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_CHECK_ASK] = check_ask,
        [MSG_CHECK_ANSWER] = check_answer,
    };
    return handlers[type];
}

const struct class_part class_roll = {
    .first = 80,
    .last = 99,
    .note_h = roll_note,
    .other_h = roll_other,
    .snapshot_h = roll_snapshot,
    .due_h = roll_due,
    .tick_h = roll_tick,
    .settle_h = roll_settle,
    .handler_h = roll_handler,
};
