/* The events of workshops (150-189): each does its whole step or nothing. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/event.h"
#include "signaling/journal/part.h"
#include "signaling/journal/workshops_edit.h"

/* ---- sets
 * ----------------------------------------------------------------------------------------- */

static int created(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    if (id_is_zero(&e->other) || ws_set(w, &e->other) || w->list[WS_SETS].count == WS_SETS_MAX) {
        return E_CORRUPT;
    }
    struct ws_set *set = ws_push(w, WS_SETS);
    if (!set) {
        return E_NOMEM;
    }
    set->id = e->other;
    set->back = true;
    set->closing_s = 60;
    set->notice_s = 10;
    rtext_set(&set->title, e->text);
    return 0;
}

static int changed(struct state *s, const struct event *e)
{
    struct ws_set *set = ws_set(&s->workshops, &e->other);
    if (!set || e->a >= WS_KEYS || e->n < 0 || e->n > UINT16_MAX) {
        return E_CORRUPT;
    }
    switch ((enum ws_key)e->a) {
    case WS_KEY_TITLE:
        rtext_set(&set->title, e->text);
        break;
    case WS_KEY_MODE:
        set->mode = (uint8_t)e->n;
        break;
    case WS_KEY_CHANGE:
        set->change = (uint8_t)e->n;
        break;
    case WS_KEY_LATE:
        set->late = (uint8_t)e->n;
        break;
    case WS_KEY_BACK:
        set->back = e->n != 0;
        break;
    case WS_KEY_CLOSING:
        set->closing_s = (uint16_t)e->n;
        break;
    case WS_KEY_NOTICE:
        set->notice_s = (uint16_t)e->n;
        break;
    case WS_KEY_MINUTES:
        set->minutes = (uint16_t)e->n;
        break;
    case WS_KEY_CHOICE:
        set->choice = e->n != 0;
        break;
    case WS_KEYS:
        break;
    }
    return 0;
}

/* Whoever was to go and did not stands again at the beginning when a set opens. */
static void stand_anew(struct workshops *w, const struct id *set)
{
    for (uint32_t i = 0; i < w->list[WS_PLACES].count; i++) {
        struct ws_place *p = ws_place_at(w, i);
        if (id_equal(&p->set, set)) {
            p->stand = WS_PLANNED;
            p->until = 0;
        }
    }
}

static void end_of_set(struct workshops *w, const struct ws_set *set, wall_ms at)
{
    for (uint32_t i = 0; i < w->list[WS_CALLS].count; i++) {
        struct ws_call *call = ws_call_at(w, i);
        if (call->state == WS_CALL_ASKED || call->state == WS_CALL_TAKEN) {
            call->state = WS_CALL_DONE;
            call->changed_at = at;
        }
    }
    for (uint32_t i = w->list[WS_VOICES].count; i-- > 0;) {
        ws_voice_end(w, i, at);
    }
    for (uint32_t i = w->list[WS_LISTENERS].count; i-- > 0;) {
        ws_drop(w, WS_LISTENERS, i);
    }
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        struct ws_room *r = ws_room_at(w, i);
        if (id_equal(&r->set, &set->id)) {
            r->state = WS_ROOM_CLOSED;
            r->until = 0;
        }
    }
}

static int state_set(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_set *set = ws_set(w, &e->other);
    const struct ws_set *open = ws_open(w);
    bool opens = e->a == WS_OPEN || e->a == WS_CLOSING;
    if (!set || e->a >= WS_SET_STATES || (opens && open && open != set)) {
        return E_CORRUPT;
    }
    bool was = set->state == WS_OPEN || set->state == WS_CLOSING;
    set->state = (uint8_t)e->a;
    set->until = e->a == WS_CLOSING ? e->n : 0;
    if (opens && !was) {
        set->opened++;
        set->open_seq = e->seq;
        set->opened_at = e->at;
        set->closed_at = 0;
        set->moves_due = e->n;
        set->ends_due = 0;
        stand_anew(w, &set->id);
    } else if (was && !opens) {
        set->closed_at = e->at;
        set->moves_due = 0;
        set->ends_due = 0;
        end_of_set(w, set, e->at);
    } else if (was) {
        set->moves_due = 0; /* the notice is over, closing begins or is cancelled */
    }
    return 0;
}

/* The session is over, and everybody gone. */
static void closed(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_set *set = ws_open(w);
    if (set) {
        set->state = WS_CLOSED;
        set->closed_at = e->at;
        set->moves_due = 0;
        set->ends_due = 0;
        set->until = 0;
        end_of_set(w, set, e->at);
    }
}

static int ends_set(struct state *s, const struct event *e)
{
    struct ws_set *set = ws_set(&s->workshops, &e->other);
    if (!set || e->n < 0) {
        return E_CORRUPT;
    }
    set->ends_due = e->n;
    return 0;
}

static void drop_of_room(struct workshops *w, const struct id *room)
{
    for (uint32_t i = w->list[WS_PLACES].count; i-- > 0;) {
        struct ws_place *p = ws_place_at(w, i);
        if (id_equal(&p->room, room)) {
            p->room = (struct id){{0}};
        }
    }
    for (uint32_t i = w->list[WS_SPANS].count; i-- > 0;) {
        if (id_equal(&ws_span_at(w, i)->room, room)) {
            ws_drop(w, WS_SPANS, i);
        }
    }
    for (uint32_t i = w->list[WS_NOTES].count; i-- > 0;) {
        if (id_equal(&ws_note_at(w, i)->room, room)) {
            ws_drop(w, WS_NOTES, i);
        }
    }
    for (uint32_t i = w->list[WS_CALLS].count; i-- > 0;) {
        if (id_equal(&ws_call_at(w, i)->room, room)) {
            ws_drop(w, WS_CALLS, i);
        }
    }
}

static int deleted(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    const struct ws_set *set = ws_set(w, &e->other);
    if (!set || set->state == WS_OPEN || set->state == WS_CLOSING) {
        return E_CORRUPT;
    }
    for (uint32_t i = w->list[WS_ROOMS].count; i-- > 0;) {
        if (id_equal(&ws_room_at(w, i)->set, &e->other)) {
            struct id room = ws_room_at(w, i)->id;
            drop_of_room(w, &room);
            ws_drop(w, WS_ROOMS, i);
        }
    }
    for (uint32_t i = w->list[WS_PLACES].count; i-- > 0;) {
        if (id_equal(&ws_place_at(w, i)->set, &e->other)) {
            ws_drop(w, WS_PLACES, i);
        }
    }
    ws_drop(w, WS_SETS, (uint32_t)(set - ws_set_at(w, 0)));
    return 0;
}

/* ---- rooms
 * ---------------------------------------------------------------------------------------- */

static int room_added(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    if (!ws_set(w, &e->other) || id_is_zero(&e->device) || ws_room(w, &e->device) ||
        w->list[WS_ROOMS].count == WS_ROOMS_MAX) {
        return E_CORRUPT;
    }
    struct ws_room *r = ws_push(w, WS_ROOMS);
    if (!r) {
        return E_NOMEM;
    }
    r->id = e->device;
    r->set = e->other;
    rtext_set(&r->name, e->text);
    return 0;
}

static int room_changed(struct state *s, const struct event *e)
{
    struct ws_room *r = ws_room(&s->workshops, &e->device);
    if (!r || e->a >= WS_ROOM_KEYS || e->n < 0 || e->n > UINT16_MAX) {
        return E_CORRUPT;
    }
    switch ((enum ws_room_key)e->a) {
    case WS_ROOM_NAME:
        rtext_set(&r->name, e->text);
        break;
    case WS_ROOM_TASK:
        rtext_set(&r->task, e->text);
        break;
    case WS_ROOM_MATERIALS:
        rtext_set(&r->materials, e->text);
        break;
    case WS_ROOM_FACILITATOR:
        r->facilitator = e->person;
        break;
    case WS_ROOM_CAPACITY:
        r->capacity = (uint16_t)e->n;
        break;
    case WS_ROOM_RECORD:
        r->record = e->n != 0;
        break;
    case WS_ROOM_KEYS:
        break;
    }
    return 0;
}

static int room_state(struct state *s, const struct event *e)
{
    struct ws_room *r = ws_room(&s->workshops, &e->device);
    if (!r || e->a >= WS_ROOM_STATES) {
        return E_CORRUPT;
    }
    r->state = (uint8_t)e->a;
    r->until = e->a == WS_ROOM_CLOSING ? e->n : 0;
    return 0;
}

static int room_removed(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    const struct ws_room *r = ws_room(w, &e->device);
    if (!r || ws_room_is_open(r)) {
        return E_CORRUPT;
    }
    uint32_t at = (uint32_t)(r - ws_room_at(w, 0));
    drop_of_room(w, &e->device);
    ws_drop(w, WS_ROOMS, at);
    return 0;
}

/* ---- people
 * --------------------------------------------------------------------------------------- */

static struct ws_place *place_get(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    struct ws_place *p = ws_place(w, &e->other, &e->person);
    if (p || !ws_set(w, &e->other) || id_is_zero(&e->person)) {
        return p;
    }
    p = ws_push(w, WS_PLACES);
    if (p) {
        p->set = e->other;
        p->person = e->person;
    }
    return p;
}

static int placed(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    const struct ws_room *r = id_is_zero(&e->device) ? NULL : ws_room(w, &e->device);
    bool known = ws_set(w, &e->other) && !id_is_zero(&e->person);
    if (!known || (!id_is_zero(&e->device) && (!r || !id_equal(&r->set, &e->other)))) {
        return E_CORRUPT;
    }
    struct ws_place *p = place_get(s, e);
    if (!p) {
        return E_NOMEM;
    }
    p->room = e->device;
    p->pinned = e->a != 0;
    p->stand = WS_PLANNED;
    p->until = 0;
    return 0;
}

static int stood(struct state *s, const struct event *e)
{
    if (!ws_set(&s->workshops, &e->other) || id_is_zero(&e->person) || e->a >= WS_STANDS) {
        return E_CORRUPT;
    }
    struct ws_place *p = place_get(s, e);
    if (!p) {
        return E_NOMEM;
    }
    p->stand = (uint8_t)e->a;
    p->until = e->n;
    return 0;
}

static int labelled(struct state *s, const struct event *e)
{
    struct workshops *w = &s->workshops;
    if (e->a > 1 || !state_person(s, &e->person)) {
        return E_CORRUPT;
    }
    struct ws_label *l = ws_label(w, &e->person);
    l = l ? l : ws_push(w, WS_LABELS);
    if (!l) {
        return E_NOMEM;
    }
    l->person = e->person;
    rtext_set(&l->text[e->a], e->text);
    return 0;
}

static int published(struct state *s, const struct event *e)
{
    struct ws_room *r = ws_room(&s->workshops, &e->device);
    if (!r || e->a > WS_FOR_ALL) {
        return E_CORRUPT;
    }
    r->scope = (uint8_t)e->a;
    return 0;
}

static int fold(struct state *s, const struct event *e)
{
    static int (*const steps[])(struct state * s, const struct event *e) = {
        [EVENT_WS_CREATED - WS_EVENT_FIRST] = created,
        [EVENT_WS_CHANGED - WS_EVENT_FIRST] = changed,
        [EVENT_WS_STATE - WS_EVENT_FIRST] = state_set,
        [EVENT_WS_ENDS - WS_EVENT_FIRST] = ends_set,
        [EVENT_WS_DELETED - WS_EVENT_FIRST] = deleted,
        [EVENT_WS_ROOM_ADDED - WS_EVENT_FIRST] = room_added,
        [EVENT_WS_ROOM_CHANGED - WS_EVENT_FIRST] = room_changed,
        [EVENT_WS_ROOM_STATE - WS_EVENT_FIRST] = room_state,
        [EVENT_WS_ROOM_REMOVED - WS_EVENT_FIRST] = room_removed,
        [EVENT_WS_PLACED - WS_EVENT_FIRST] = placed,
        [EVENT_WS_STAND - WS_EVENT_FIRST] = stood,
        [EVENT_WS_CALL - WS_EVENT_FIRST] = ws_fold_call,
        [EVENT_WS_LISTENING - WS_EVENT_FIRST] = ws_fold_listening,
        [EVENT_WS_VOICE - WS_EVENT_FIRST] = ws_fold_voice,
        [EVENT_WS_TARGET - WS_EVENT_FIRST] = ws_fold_target,
        [EVENT_WS_ANNOUNCED - WS_EVENT_FIRST] = ws_fold_announced,
        [EVENT_WS_STAFF_SAID - WS_EVENT_FIRST] = ws_fold_staff_said,
        [EVENT_WS_LABELLED - WS_EVENT_FIRST] = labelled,
        [EVENT_WS_PUBLISHED - WS_EVENT_FIRST] = published,
    };
    unsigned i = (unsigned)e->type - WS_EVENT_FIRST;
    return i < sizeof(steps) / sizeof(steps[0]) && steps[i] ? steps[i](s, e) : E_CORRUPT;
}

const struct state_part workshops_part = {
    .tag = 2,
    .first = WS_EVENT_FIRST,
    .last = WS_EVENT_LAST,
    .fold_h = fold,
    .fini_h = workshops_fini,
    .vacate_h = ws_vacate,
    .moved_h = ws_moved,
    .closed_h = closed,
    .put_h = ws_put,
    .get_h = ws_get,
};
