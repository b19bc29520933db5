/* What the floor does by itself, and how people hear of it. */
#include "signaling/class/floor_cmd.h"

enum { HEARD_FLUSH_US = 60 * US_PER_S, HEARD_LEAST_US = 1 * US_PER_S };

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static void out_turns(struct jsonw *w, const struct floor *f, bool times)
{
    jsonw_key(w, "list");
    jsonw_array(w);
    for (unsigned i = 0; i < f->list_count; i++) {
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &f->list[i].person);
        jsonw_key_bool(w, "reply", f->list[i].reply);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key(w, "past");
    jsonw_array(w);
    for (unsigned i = 0; i < f->past_count; i++) {
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &f->past[i].person);
        jsonw_key_bool(w, "reply", f->past[i].reply);
        jsonw_key_str(w, "how", schema_spell(ENUM_turn_end, f->past[i].how));
        if (times) {
            jsonw_key_int(w, "ms", f->past[i].spent_ms);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void key_time(struct jsonw *w, const char *key, int64_t value)
{
    if (value) {
        jsonw_key_int(w, key, value);
    }
}

static void out_turn(struct jsonw *w, const struct state *s)
{
    const struct floor *f = &s->floor;
    if (id_is_zero(&f->holder)) {
        return;
    }
    jsonw_key(w, "turn");
    jsonw_object(w);
    out_key_id(w, "person", ID_PERSON, &f->holder);
    jsonw_key_bool(w, "reply", f->reply);
    jsonw_key_int(w, "started", f->started);
    if (f->paused) {
        jsonw_key_int(w, "left", f->left_ms);
    } else {
        key_time(w, "limit", f->due);
    }
    key_time(w, "total", f->due ? f->spent_ms + (f->paused ? f->left_ms : f->due - f->started) : 0);
    jsonw_key_bool(w, "paused", f->paused);
    jsonw_key_bool(w, "over", f->over);
    jsonw_key_bool(w, "prompt", f->prompted);
    key_time(w, "held", f->held_until);
    jsonw_object_end(w);
}

static void out_floor(struct jsonw *w, const struct state *s)
{
    char text[ID_TEXT_MAX];
    const struct floor *f = &s->floor;
    jsonw_object(w);
    jsonw_key_str(w, "mode", schema_spell(ENUM_floor_mode, f->mode));
    jsonw_key(w, "ring");
    jsonw_array(w);
    unsigned places = 0;
    for (unsigned i = 0; i < FLOOR_RING_MAX; i++) {
        places = id_is_zero(&f->ring[i]) ? places : i + 1;
    }
    for (unsigned i = 0; i < places; i++) {
        bool free_place = id_is_zero(&f->ring[i]);
        jsonw_str(w, free_place ? "" : id_print(text, ID_PERSON, &f->ring[i]));
    }
    jsonw_array_end(w);
    out_turns(w, f, s->setting[SETTING_TIMES] == 0);
    out_turn(w, s);
    jsonw_object_end(w);
}

static void out_heard(struct jsonw *w, const struct state *s)
{
    char text[ID_TEXT_MAX];
    jsonw_array(w);
    for (size_t i = 0; i < s->person_count; i++) {
        const struct person *p = s->persons[i];
        if (p->heard_ms + p->floor_ms > 0) {
            jsonw_array(w);
            jsonw_str(w, id_print(text, ID_PERSON, &p->id));
            jsonw_int(w, p->heard_ms);
            jsonw_int(w, p->floor_ms);
            jsonw_array_end(w);
        }
    }
    jsonw_array_end(w);
}

static void floor_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    jsonw_key(w, "floor");
    out_floor(w, s);
    jsonw_key(w, "heard");
    if (v->staff || s->setting[SETTING_TIMES] == 0) {
        out_heard(w, s);
    } else {
        jsonw_array(w);
        jsonw_array_end(w);
    }
}

static void log_floor(struct klass *k, uint64_t seq)
{
    struct jsonw *w = out_event(k, "floor.set");
    jsonw_key(w, "floor");
    out_floor(w, k->done);
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = SEE_ALL});
}

static void log_heard(struct klass *k, uint64_t seq, uint8_t see, bool times)
{
    struct jsonw *w = out_event(k, "heard.set");
    jsonw_key(w, "heard");
    if (times) {
        out_heard(w, k->done);
    } else {
        jsonw_array(w);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = see});
}

static void floor_note(struct klass *k, const struct event *e)
{
    bool all = k->done->setting[SETTING_TIMES] == 0;
    if (e->type == EVENT_FLOOR_IDLE) {
        return;
    }
    if (e->type != EVENT_FLOOR_HEARD) {
        log_floor(k, e->seq);
    }
    if (e->type == EVENT_FLOOR_HEARD || e->type == EVENT_FLOOR_ENDED) {
        log_heard(k, e->seq, all ? SEE_ALL : SEE_STAFF, true);
    }
}

static void floor_other(struct klass *k, const struct event *e)
{
    if (k->done->floor.swept_seq == e->seq) {
        log_floor(k, e->seq);
    }
    if (e->type == EVENT_CLASS_SET && e->a == SETTING_TIMES) {
        bool all = k->done->setting[SETTING_TIMES] == 0;
        log_floor(k, e->seq);
        log_heard(k, e->seq, SEE_ALL, all);
        if (!all) {
            log_heard(k, e->seq, SEE_STAFF, true);
        }
    }
}

/* ---- deadlines
 * ------------------------------------------------------------------------------------ */

static int64_t due(const struct state *s, int64_t clock, wall_ms wall)
{
    (void)clock;
    (void)wall;
    return floor_due(s);
}

/* The floor has waited long enough for a holder who was lost: he is the next but one. */
static void hold_over(struct act *act)
{
    struct id person = act->klass->work->floor.holder;
    floor_end(act, TURN_SKIPPED, (struct id){{0}});
    act_emit(act, (struct event){.type = EVENT_FLOOR_LISTED, .person = person});
    (void)floor_next(act, (struct id){{0}});
}

static void tick(struct act *act, int64_t clock)
{
    const struct state *s = act->klass->work;
    const struct floor *f = &s->floor;
    struct id none = {{0}};
    if (f->held_until && f->held_until <= clock) {
        hold_over(act);
    } else if (!f->over && f->due && f->due <= clock) {
        act_emit(act, (struct event){.type = EVENT_FLOOR_OVER, .n = clock + FLOOR_OVERTIME_MS});
    } else if (f->over && f->over_due && f->over_due <= clock) {
        if (s->setting[SETTING_FLOOR_OVERTIME] == OVERTIME_YIELD) {
            floor_end(act, TURN_DONE, none);
            (void)floor_next(act, none);
        } else {
            act_emit(act, (struct event){.type = EVENT_FLOOR_OVER, .a = 1});
        }
    }
}

/* ---- what follows
 * --------------------------------------------------------------------------------- */

static bool may_sit(const struct seat *seat)
{
    unsigned role = seat->person->role;
    return role != ROLE_LISTENER && role != ROLE_RECORDER && role != ROLE_INTERPRETER;
}

/* A place at the table, first a free one, then that of somebody who is not here any more. */
static int place_for(const struct state *s)
{
    int absent = -1;
    for (int i = 0; i < (int)s->setting[SETTING_TABLE]; i++) {
        const struct id *who = &s->floor.ring[i];
        if (id_is_zero(who)) {
            return i;
        }
        absent = absent < 0 && !state_seat(s, who) ? i : absent;
    }
    return absent;
}

/* Whoever comes in has a place, as long as there is one. */
static void settle_ring(struct act *act, const struct event *e)
{
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, &e->person);
    if (s->type != CLASS_ROUND_TABLE || !seat || !may_sit(seat)) {
        return;
    }
    struct id person = e->person;
    if (floor_place(&s->floor, &person) < 0) {
        int place = place_for(s);
        if (place < 0) {
            return;
        }
        act_emit(act, (struct event){
                          .type = EVENT_FLOOR_SEATED, .person = person, .a = (uint32_t)place});
    }
    bool late = s->floor.mode == FLOOR_TOUR && s->setting[SETTING_FLOOR_APPEND] &&
                floor_listed(&s->floor, &person) < 0 && !floor_had_turn(&s->floor, &person) &&
                !id_equal(&s->floor.holder, &person) && s->floor.list_count < FLOOR_LIST_MAX;
    if (late) {
        act_emit(act,
                 (struct event){.type = EVENT_FLOOR_LISTED, .person = person, .a = FLOOR_LIST_MAX});
    }
}

/* The holder lost: the floor waits for him; back: it goes on. */
static void settle_hold(struct act *act)
{
    const struct floor *f = &act->klass->work->floor;
    const struct seat *seat =
        id_is_zero(&f->holder) ? NULL : state_seat(act->klass->work, &f->holder);
    if (seat && seat->away && !f->held_until) {
        act_emit(act,
                 (struct event){.type = EVENT_FLOOR_HELD, .n = act_clock(act) + FLOOR_HOLD_MS});
    } else if (seat && !seat->away && f->held_until) {
        act_emit(act, (struct event){.type = EVENT_FLOOR_HELD});
    }
}

static void settle(struct act *act)
{
    size_t count = act->batch->count;
    for (size_t i = 0; i < count && !act->err; i++) {
        struct event e = act->batch->events[i];
        if (e.type == EVENT_PERSON_JOINED) {
            settle_ring(act, &e);
        }
    }
    settle_hold(act);
    const struct floor *f = &act->klass->work->floor;
    if (f->vacant && !act->err) {
        bool moves_on = f->mode != FLOOR_OPEN && f->mode != FLOOR_MODERATED;
        if (!moves_on || !floor_next(act, (struct id){{0}})) {
            act_emit(act, (struct event){.type = EVENT_FLOOR_IDLE});
        }
    }
}

/* ---- voices
 * --------------------------------------------------------------------------------------- */

void floor_heard(struct klass *k, struct class_time now)
{
    struct act act;
    if (now.mono - k->heard_at < HEARD_FLUSH_US || act_begin(&act, k, now)) {
        return;
    }
    k->heard_at = now.mono;
    for (struct live *l = k->lives; l; l = l->next) {
        if (l->heard_us >= HEARD_LEAST_US && state_person(k->work, &l->person)) {
            act_emit(&act, (struct event){.type = EVENT_FLOOR_HEARD,
                                          .person = l->person,
                                          .n = l->heard_us / US_PER_MS});
            l->heard_us = 0;
        }
    }
    (void)act_end(&act);
}

const struct class_part class_floor = {
    .first = 120,
    .last = 131,
    .note_h = floor_note,
    .other_h = floor_other,
    .snapshot_h = floor_snapshot,
    .due_h = due,
    .tick_h = tick,
    .settle_h = settle,
    .handler_h = floor_handler,
};
