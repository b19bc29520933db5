/* Heap: the lists of the workshops of a class, each bounded by its WS_*_MAX. */
#include "signaling/journal/workshops_edit.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/journal/event.h"

static const struct {
    uint32_t size;
    uint32_t max;
} kinds[WS_LISTS] = {
    [WS_SETS] = {sizeof(struct ws_set), WS_SETS_MAX},
    [WS_ROOMS] = {sizeof(struct ws_room), WS_ROOMS_MAX},
    [WS_PLACES] = {sizeof(struct ws_place), WS_PLACES_MAX},
    [WS_SPANS] = {sizeof(struct ws_span), WS_SPANS_MAX},
    [WS_NOTES] = {sizeof(struct ws_note), WS_NOTES_MAX},
    [WS_LABELS] = {sizeof(struct ws_label), WS_LABELS_MAX},
    [WS_CALLS] = {sizeof(struct ws_call), WS_CALLS_MAX},
    [WS_WORDS] = {sizeof(struct ws_word), WS_WORDS_MAX},
    [WS_TARGETS] = {sizeof(struct ws_target), WS_TARGETS_MAX},
    [WS_VOICES] = {sizeof(struct ws_voice), WS_VOICES_MAX},
    [WS_LISTENERS] = {sizeof(struct ws_listener), WS_LISTENERS_MAX},
    [WS_STAFF] = {sizeof(struct ws_note), WS_STAFF_MAX},
};

uint32_t ws_list_max(enum ws_list_kind kind)
{
    return kinds[kind].max;
}

/* ---- lists
 * ---------------------------------------------------------------------------------------- */

static void release(struct workshops *w, enum ws_list_kind kind, uint32_t i)
{
    switch (kind) {
    case WS_SETS:
        rtext_put(&ws_set_at(w, i)->title);
        break;
    case WS_ROOMS:
        rtext_put(&ws_room_at(w, i)->name);
        rtext_put(&ws_room_at(w, i)->task);
        rtext_put(&ws_room_at(w, i)->materials);
        break;
    case WS_NOTES:
    case WS_STAFF:
        rtext_put(&((struct ws_note *)w->list[kind].v + i)->name);
        rtext_put(&((struct ws_note *)w->list[kind].v + i)->text);
        break;
    case WS_LABELS:
        rtext_put(&ws_label_at(w, i)->text[0]);
        rtext_put(&ws_label_at(w, i)->text[1]);
        break;
    case WS_CALLS:
        rtext_put(&ws_call_at(w, i)->text);
        break;
    case WS_WORDS:
        rtext_put(&ws_word_at(w, i)->name);
        rtext_put(&ws_word_at(w, i)->text);
        break;
    case WS_PLACES:
    case WS_SPANS:
    case WS_TARGETS:
    case WS_VOICES:
    case WS_LISTENERS:
    case WS_LISTS:
        break;
    }
}

static int reserve(struct workshops *w, enum ws_list_kind kind, uint32_t need)
{
    struct ws_list *list = &w->list[kind];
    if (need <= list->cap) {
        return 0;
    }
    uint32_t cap = list->cap ? list->cap * 2 : 8;
    cap = cap < need ? need : cap;
    cap = cap > kinds[kind].max ? kinds[kind].max : cap;
    void *v = mem_realloc(list->v, (size_t)cap * kinds[kind].size);
    if (!v) {
        return E_NOMEM;
    }
    list->v = v;
    list->cap = cap;
    return 0;
}

void ws_drop(struct workshops *w, enum ws_list_kind kind, uint32_t i)
{
    struct ws_list *list = &w->list[kind];
    uint8_t *at = (uint8_t *)list->v + (size_t)i * kinds[kind].size;
    release(w, kind, i);
    list->count--;
    memmove(at, at + kinds[kind].size, (size_t)(list->count - i) * kinds[kind].size);
}

void *ws_push(struct workshops *w, enum ws_list_kind kind)
{
    struct ws_list *list = &w->list[kind];
    if (list->count == kinds[kind].max) {
        ws_drop(w, kind, 0);
    }
    if (reserve(w, kind, list->count + 1)) {
        return NULL;
    }
    void *at = (uint8_t *)list->v + (size_t)list->count++ * kinds[kind].size;
    memset(at, 0, kinds[kind].size);
    return at;
}

int workshops_follow(struct state *done, const struct state *work)
{
    int err = 0;
    for (unsigned k = 0; k < WS_LISTS && !err; k++) {
        err = reserve(&done->workshops, (enum ws_list_kind)k, work->workshops.list[k].cap);
    }
    return err;
}

void workshops_fini(struct state *s)
{
    for (unsigned k = 0; k < WS_LISTS; k++) {
        struct ws_list *list = &s->workshops.list[k];
        for (uint32_t i = 0; i < list->count; i++) {
            release(&s->workshops, (enum ws_list_kind)k, i);
        }
        mem_free(list->v);
        *list = (struct ws_list){.v = NULL};
    }
}

/* ---- finding
 * -------------------------------------------------------------------------------------- */

struct ws_set *ws_set(const struct workshops *w, const struct id *set)
{
    for (uint32_t i = 0; i < w->list[WS_SETS].count; i++) {
        if (id_equal(&ws_set_at(w, i)->id, set)) {
            return ws_set_at(w, i);
        }
    }
    return NULL;
}

struct ws_set *ws_open(const struct workshops *w)
{
    for (uint32_t i = 0; i < w->list[WS_SETS].count; i++) {
        struct ws_set *set = ws_set_at(w, i);
        if (set->state == WS_OPEN || set->state == WS_CLOSING) {
            return set;
        }
    }
    return NULL;
}

struct ws_room *ws_room(const struct workshops *w, const struct id *room)
{
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        if (id_equal(&ws_room_at(w, i)->id, room)) {
            return ws_room_at(w, i);
        }
    }
    return NULL;
}

struct ws_place *ws_place(const struct workshops *w, const struct id *set, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[WS_PLACES].count; i++) {
        struct ws_place *p = ws_place_at(w, i);
        if (id_equal(&p->person, person) && id_equal(&p->set, set)) {
            return p;
        }
    }
    return NULL;
}

struct ws_label *ws_label(const struct workshops *w, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[WS_LABELS].count; i++) {
        if (id_equal(&ws_label_at(w, i)->person, person)) {
            return ws_label_at(w, i);
        }
    }
    return NULL;
}

struct ws_call *ws_call(const struct workshops *w, const struct id *room)
{
    for (uint32_t i = w->list[WS_CALLS].count; i-- > 0;) {
        struct ws_call *call = ws_call_at(w, i);
        bool open = call->state == WS_CALL_ASKED || call->state == WS_CALL_TAKEN;
        if (open && id_equal(&call->room, room)) {
            return call;
        }
    }
    return NULL;
}

struct ws_voice *ws_voice(const struct workshops *w, const struct id *voice)
{
    for (uint32_t i = 0; i < w->list[WS_VOICES].count; i++) {
        if (id_equal(&ws_voice_at(w, i)->id, voice)) {
            return ws_voice_at(w, i);
        }
    }
    return NULL;
}

struct ws_voice *ws_voice_of(const struct workshops *w, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[WS_VOICES].count; i++) {
        if (id_equal(&ws_voice_at(w, i)->person, person)) {
            return ws_voice_at(w, i);
        }
    }
    return NULL;
}

struct ws_listener *ws_listener(const struct workshops *w, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[WS_LISTENERS].count; i++) {
        if (id_equal(&ws_listener_at(w, i)->person, person)) {
            return ws_listener_at(w, i);
        }
    }
    return NULL;
}

bool ws_is_target(const struct workshops *w, const struct id *word, bool all, const struct id *room)
{
    for (uint32_t i = 0; !all && i < w->list[WS_TARGETS].count; i++) {
        const struct ws_target *t = ws_target_at(w, i);
        if (id_equal(&t->word, word) && id_equal(&t->room, room)) {
            return true;
        }
    }
    return all;
}

struct ws_room *ws_room_of(const struct state *s, const struct seat *seat)
{
    return seat->room == ROOM_MAIN ? NULL : ws_room(&s->workshops, &s->rooms[seat->room].id);
}

uint32_t ws_people_in(const struct state *s, const struct id *room)
{
    uint32_t count = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        count += id_equal(&s->rooms[s->seats[i]->room].id, room);
    }
    return count;
}

bool workshops_facilitates(const struct state *s, const struct seat *seat)
{
    const struct ws_room *r = ws_room_of(s, seat);
    return r && id_equal(&r->facilitator, &seat->person->id);
}
