/* The control desk in the fold: calls for help, whom one listens and speaks to, announcements; and
 * who was where, for the report. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/event.h"
#include "signaling/journal/workshops_edit.h"

/* ---- calls
 * ---------------------------------------------------------------------------------------- */

int ws_fold_call(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_call *call = ws_call(w, &e->device);
    if (!ws_room(w, &e->device) || e->a >= WS_CALLS_N) {
        return E_CORRUPT;
    }
    if (e->a == WS_CALL_ASKED) {
        call = call ? call : ws_push(w, WS_CALLS);
        if (!call) {
            return E_NOMEM;
        }
        call->room = e->device;
        call->person = e->person;
        call->by = (struct id){{0}};
        call->at = e->at;
        rtext_set(&call->text, e->text);
    } else if (!call) {
        return E_CORRUPT;
    } else if (e->a == WS_CALL_TAKEN) {
        call->by = e->other;
    }
    call->state = (uint8_t)e->a;
    call->changed_at = e->at;
    return 0;
}

/* ---- listening and speaking
 * ----------------------------------------------------------------------- */

int ws_fold_listening(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_listener *l = ws_listener(w, &e->person);
    bool nothing = id_is_zero(&e->other) && e->a == 0;
    if (!state_seat(s, &e->person) || (!id_is_zero(&e->other) && !ws_room(w, &e->other))) {
        return E_CORRUPT;
    }
    if (nothing) {
        if (l) {
            ws_drop(w, WS_LISTENERS, (uint32_t)(l - ws_listener_at(w, 0)));
        }
        return 0;
    }
    if (!l && w->list[WS_LISTENERS].count == WS_LISTENERS_MAX) {
        return E_CORRUPT;
    }
    l = l ? l : ws_push(w, WS_LISTENERS);
    if (!l) {
        return E_NOMEM;
    }
    l->person = e->person;
    l->device = e->device;
    l->room = e->other;
    l->desk = e->a != 0;
    return 0;
}

static struct ws_word *word_of(const struct workshops *w, const struct id *id)
{
    for (uint32_t i = w->list[WS_WORDS].count; i-- > 0;) {
        if (id_equal(&ws_word_at(w, i)->id, id)) {
            return ws_word_at(w, i);
        }
    }
    return NULL;
}

static void drop_targets(struct workshops *w, const struct id *word)
{
    for (uint32_t i = w->list[WS_TARGETS].count; i-- > 0;) {
        if (id_equal(&ws_target_at(w, i)->word, word)) {
            ws_drop(w, WS_TARGETS, i);
        }
    }
}

void ws_voice_end(struct workshops *w, uint32_t i, wall_ms at)
{
    struct id id = ws_voice_at(w, i)->id;
    struct ws_word *word = word_of(w, &id);
    if (word) {
        word->ended_at = at;
    } else {
        drop_targets(w, &id); /* a talk: nothing is listed of it */
    }
    ws_drop(w, WS_VOICES, i);
}

static struct ws_word *word_add(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    const struct person *p = state_person(s, &e->person);
    if (w->list[WS_WORDS].count == WS_WORDS_MAX) {
        struct id oldest = ws_word_at(w, 0)->id;
        drop_targets(w, &oldest);
    }
    struct ws_word *word = ws_push(w, WS_WORDS);
    if (word) {
        word->id = e->other;
        word->from = e->person;
        word->at = e->at;
        word->all = (e->a & 2) != 0;
        rtext_set(&word->name, p ? p->name : NULL);
        rtext_set(&word->text, e->text);
    }
    return word;
}

/* a: bit 0 begins, bit 1 to all; b: kind, 1 << 8 when the microphone was open before */
int ws_fold_voice(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_voice *v = ws_voice(w, &e->other);
    unsigned kind = e->b & 0xff;
    if (!(e->a & 1)) {
        if (!v) {
            return E_CORRUPT;
        }
        ws_voice_end(w, (uint32_t)(v - ws_voice_at(w, 0)), e->at);
        return 0;
    }
    const struct seat *seat = state_seat(s, &e->person);
    if (v || !seat || !seat_device(seat, &e->device) || ws_voice_of(w, &e->person) ||
        w->list[WS_VOICES].count == WS_VOICES_MAX ||
        (kind != WS_WORD_VOICE && kind != WS_WORD_TALK)) {
        return E_CORRUPT;
    }
    v = ws_push(w, WS_VOICES);
    if (!v) {
        return E_NOMEM;
    }
    w->channel = (uint16_t)(w->channel % WS_CHANNELS + 1);
    *v = (struct ws_voice){.id = e->other,
                           .person = e->person,
                           .device = e->device,
                           .channel = w->channel,
                           .kind = (uint8_t)kind,
                           .all = (e->a & 2) != 0,
                           .mic_before = (e->b >> 8 & 1) != 0};
    if (kind == WS_WORD_VOICE) {
        struct ws_word *word = word_add(s, e);
        if (!word) {
            return E_NOMEM;
        }
        word->kind = WS_WORD_VOICE;
    }
    return 0;
}

int ws_fold_target(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    if (!ws_voice(w, &e->other) && !word_of(w, &e->other)) {
        return E_CORRUPT;
    }
    struct ws_target *t = ws_push(w, WS_TARGETS);
    if (!t) {
        return E_NOMEM;
    }
    *t = (struct ws_target){.word = e->other, .room = e->device};
    return 0;
}

/* ---- words
 * ---------------------------------------------------------------------------------------- */

int ws_fold_announced(struct state *s, const struct event *e)
{
    if (id_is_zero(&e->other) || !state_person(s, &e->person)) {
        return E_CORRUPT;
    }
    return word_add(s, e) ? 0 : E_NOMEM;
}

static int note_add(struct state *s, enum ws_list_kind kind, const struct id *room,
                    const struct event *e)
{
    const struct person *p = state_person(s, &e->person);
    struct ws_note *note = ws_push(&s->workshops, kind);
    if (!note) {
        return E_NOMEM;
    }
    note->id = e->other;
    note->room = *room;
    note->from = e->person;
    note->at = e->at;
    rtext_set(&note->name, p ? p->name : NULL);
    rtext_set(&note->text, e->text);
    return 0;
}

int ws_fold_staff_said(struct state *s, const struct event *e)
{
    static const struct id nowhere = {{0}};
    return state_person(s, &e->person) ? note_add(s, WS_STAFF, &nowhere, e) : E_CORRUPT;
}

int workshops_chat(struct state *s, const struct seat *seat, const struct event *e)
{
    const struct ws_room *r = seat ? ws_room_of(s, seat) : NULL;
    return r ? note_add(s, WS_NOTES, &r->id, e) : 0;
}

static void unsay_notes(struct workshops *w, enum ws_list_kind kind, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[kind].count; i++) {
        struct ws_note *note = kind == WS_NOTES ? ws_note_at(w, i) : ws_staff_at(w, i);
        if (id_equal(&note->from, person)) {
            rtext_put(&note->text);
        }
    }
}

void workshops_unsay(struct state *s, const struct id *person)
{
    struct workshops *w = &s->workshops;
    unsay_notes(w, WS_NOTES, person);
    unsay_notes(w, WS_STAFF, person);
    for (uint32_t i = 0; i < w->list[WS_WORDS].count; i++) {
        if (id_equal(&ws_word_at(w, i)->from, person)) {
            rtext_put(&ws_word_at(w, i)->text);
        }
    }
    for (uint32_t i = 0; i < w->list[WS_CALLS].count; i++) {
        if (id_equal(&ws_call_at(w, i)->person, person)) {
            rtext_put(&ws_call_at(w, i)->text);
        }
    }
}

static void unname_notes(struct workshops *w, enum ws_list_kind kind, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[kind].count; i++) {
        struct ws_note *note = kind == WS_NOTES ? ws_note_at(w, i) : ws_staff_at(w, i);
        if (id_equal(&note->from, person)) {
            rtext_put(&note->name);
        }
    }
}

void workshops_forget(struct state *s, const struct id *person)
{
    struct workshops *w = &s->workshops;
    workshops_unsay(s, person);
    unname_notes(w, WS_NOTES, person);
    unname_notes(w, WS_STAFF, person);
    for (uint32_t i = 0; i < w->list[WS_WORDS].count; i++) {
        if (id_equal(&ws_word_at(w, i)->from, person)) {
            rtext_put(&ws_word_at(w, i)->name);
        }
    }
    struct ws_label *l = ws_label(w, person);
    if (l) {
        ws_drop(w, WS_LABELS, (uint32_t)(l - ws_label_at(w, 0)));
    }
}

/* ---- who was where
 * -------------------------------------------------------------------------------- */

static void span_end(struct workshops *w, const struct id *person, wall_ms at)
{
    for (uint32_t i = w->list[WS_SPANS].count; i-- > 0;) {
        struct ws_span *span = ws_span_at(w, i);
        if (span->to == 0 && id_equal(&span->person, person)) {
            span->to = at > span->from ? at : span->from + 1;
            return;
        }
    }
}

static void span_begin(struct workshops *w, const struct id *person, const struct id *room,
                       wall_ms at)
{
    struct ws_span *span = ws_push(w, WS_SPANS);
    if (span) {
        *span = (struct ws_span){.room = *room, .person = *person, .from = at};
    }
}

/* At the desk nobody stays who is gone. */
static void leave_desk(struct workshops *w, const struct id *person, wall_ms at)
{
    struct ws_listener *l = ws_listener(w, person);
    struct ws_voice *v = ws_voice_of(w, person);
    if (l) {
        ws_drop(w, WS_LISTENERS, (uint32_t)(l - ws_listener_at(w, 0)));
    }
    if (v) {
        ws_voice_end(w, (uint32_t)(v - ws_voice_at(w, 0)), at);
    }
}

void ws_vacate(struct state *s, struct seat *seat, const struct event *e)
{
    struct workshops *w = &s->workshops;
    span_end(w, &seat->person->id, e->at);
    leave_desk(w, &seat->person->id, e->at);
}

void ws_moved(struct state *s, struct seat *seat, uint16_t from, const struct event *e)
{
    struct workshops *w = &s->workshops;
    const struct id *person = &seat->person->id;
    const struct ws_room *r = ws_room_of(s, seat);
    if (from != ROOM_MAIN) {
        span_end(w, person, e->at);
    }
    if (r) {
        struct ws_place *p = ws_place(w, &r->set, person);
        span_begin(w, person, &r->id, e->at);
        if (p) {
            p->stand = WS_IN;
            p->until = 0;
        }
    }
    struct ws_listener *l = ws_listener(w, person);
    if (l) {
        l->room = (struct id){{0}}; /* who enters a room listens there with his own ears */
    }
}
