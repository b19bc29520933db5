/* Preparing workshops: sets, rooms, who goes where. Possible at any time, before the session too.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/class/distribute.h"
#include "signaling/class/ws.h"

const struct refusal ws_fine = {NULL, NULL, NULL};

struct refusal ws_gone(const char *at)
{
    return refuse_with("not_found", at, "there is no such thing in this class");
}

struct rtext *ws_text(struct act *act, const struct msg_str *text)
{
    struct rtext *t = text->len ? rtext_new(text->s, text->len) : NULL;
    if (text->len && !t) {
        act->err = E_NOMEM;
    }
    return t;
}

bool ws_leads(const struct state *s, const struct id *person)
{
    const struct person *p = state_person(s, person);
    return p && role_is_staff(p->role);
}

static bool is_open(const struct ws_set *set)
{
    return set->state == WS_OPEN || set->state == WS_CLOSING;
}

static uint32_t rooms_in(const struct workshops *w, const struct id *set)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        count += id_equal(&ws_room_at(w, i)->set, set);
    }
    return count;
}

/* ---- sets
 * ----------------------------------------------------------------------------------------- */

static struct id add_room(struct act *act, const struct id *set, struct rtext *name)
{
    struct id id = id_new(&act->klass->room->config.rng);
    act_emit(act, (struct event){
                      .type = EVENT_WS_ROOM_ADDED, .other = *set, .device = id, .text = name});
    return id;
}

static struct refusal create(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_create *m = &msg->ws_create;
    const struct workshops *w = ws_of(act);
    size_t rooms = json_array_size(m->names);
    if (w->list[WS_SETS].count == WS_SETS_MAX) {
        return refuse_with("full", NULL, "delete an old set first");
    }
    if (w->list[WS_ROOMS].count + rooms > WS_ROOMS_MAX) {
        return refuse_with("full", "names", "too many rooms in this class: delete an old set");
    }
    struct id set = id_new(&act->klass->room->config.rng);
    act_emit(act, (struct event){.type = EVENT_WS_CREATED,
                                 .other = set,
                                 .person = c->person,
                                 .text = ws_text(act, &m->title)});
    for (size_t i = 0; i < rooms; i++) {
        const json_t *name = json_array_get(m->names, i);
        struct msg_str text = {json_string_value(name), json_string_length(name)};
        (void)add_room(act, &set, ws_text(act, &text));
    }
    return ws_fine;
}

static void change_key(struct act *act, const struct id *set, enum ws_key key, int64_t n,
                       struct rtext *text)
{
    act_emit(act, (struct event){
                      .type = EVENT_WS_CHANGED, .other = *set, .a = key, .n = n, .text = text});
}

static struct refusal change(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_change *m = &msg->ws_change;
    const struct ws_set *set = ws_set(ws_of(act), &m->set);
    if (!set) {
        return ws_gone("set");
    }
    if (m->has_ready && set->state != WS_DRAFT && set->state != WS_READY) {
        return refuse_with("state", "ready", "only a set that was never open");
    }
    if (m->has_title) {
        change_key(act, &m->set, WS_KEY_TITLE, 0, ws_text(act, &m->title));
    }
    const struct {
        bool has;
        enum ws_key key;
        int64_t n;
    } keys[] = {
        {m->has_mode, WS_KEY_MODE, m->mode},          {m->has_change, WS_KEY_CHANGE, m->change},
        {m->has_late, WS_KEY_LATE, m->late},          {m->has_back, WS_KEY_BACK, m->back},
        {m->has_closing, WS_KEY_CLOSING, m->closing}, {m->has_notice, WS_KEY_NOTICE, m->notice},
        {m->has_minutes, WS_KEY_MINUTES, m->minutes}, {m->has_choice, WS_KEY_CHOICE, m->choice},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].has) {
            change_key(act, &m->set, keys[i].key, keys[i].n, NULL);
        }
    }
    if (m->has_ready) {
        act_emit(act, (struct event){.type = EVENT_WS_STATE,
                                     .other = m->set,
                                     .person = c->person,
                                     .a = m->ready ? WS_READY : WS_DRAFT});
    }
    return ws_fine;
}

static struct refusal remove_set(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct ws_set *set = ws_set(ws_of(act), &msg->ws_delete.set);
    if (!set) {
        return ws_gone("set");
    }
    if (is_open(set)) {
        return refuse_with("state", "set", "close it first");
    }
    act_emit(act, (struct event){.type = EVENT_WS_DELETED, .other = msg->ws_delete.set});
    return ws_fine;
}

static struct refusal archive(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct ws_set *set = ws_set(ws_of(act), &msg->ws_archive.set);
    if (!set) {
        return ws_gone("set");
    }
    if (set->state != WS_CLOSED) {
        return refuse_with("state", "set", "only a closed set");
    }
    act_emit(act,
             (struct event){
                 .type = EVENT_WS_STATE, .other = set->id, .person = c->person, .a = WS_ARCHIVED});
    return ws_fine;
}

/* ---- rooms
 * ---------------------------------------------------------------------------------------- */

static struct refusal room_add(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_ws_room_add *m = &msg->ws_room_add;
    const struct workshops *w = ws_of(act);
    const struct ws_set *set = ws_set(w, &m->set);
    if (!set) {
        return ws_gone("set");
    }
    if (set->state == WS_ARCHIVED) {
        return refuse_with("state", "set", "an archived set is only read");
    }
    bool open = is_open(set);
    if (rooms_in(w, &m->set) >= WS_SET_ROOMS_MAX || w->list[WS_ROOMS].count == WS_ROOMS_MAX ||
        (open && state_room_spare(act->klass->work) < 0)) {
        return refuse_with("full", NULL, "no more rooms");
    }
    struct id id = add_room(act, &m->set, ws_text(act, &m->name));
    const struct ws_room *room = ws_room(ws_of(act), &id);
    if (open && room) {
        ws_open_room(act, room);
    }
    return ws_fine;
}

static void room_key(struct act *act, const struct id *room, enum ws_room_key key, struct event e)
{
    e.type = EVENT_WS_ROOM_CHANGED;
    e.device = *room;
    e.a = key;
    act_emit(act, e);
}

static struct refusal room_change(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_ws_room_change *m = &msg->ws_room_change;
    if (!ws_room(ws_of(act), &m->room)) {
        return ws_gone("room");
    }
    if (m->has_facilitator && !state_person(act->klass->work, &m->facilitator)) {
        return ws_gone("facilitator");
    }
    if (m->has_name) {
        room_key(act, &m->room, WS_ROOM_NAME, (struct event){.text = ws_text(act, &m->name)});
    }
    if (m->has_task) {
        room_key(act, &m->room, WS_ROOM_TASK, (struct event){.text = ws_text(act, &m->task)});
    }
    if (m->has_materials) {
        room_key(act, &m->room, WS_ROOM_MATERIALS,
                 (struct event){.text = ws_text(act, &m->materials)});
    }
    if (m->has_facilitator || (m->has_alone && m->alone)) {
        struct id who = m->has_facilitator ? m->facilitator : (struct id){{0}};
        room_key(act, &m->room, WS_ROOM_FACILITATOR, (struct event){.person = who});
        act_trim(act, NULL, c->person);
    }
    if (m->has_capacity) {
        room_key(act, &m->room, WS_ROOM_CAPACITY, (struct event){.n = m->capacity});
    }
    if (m->has_record) {
        room_key(act, &m->room, WS_ROOM_RECORD, (struct event){.n = m->record});
    }
    return ws_fine;
}

/* ---- people
 * --------------------------------------------------------------------------------------- */

void ws_put_place(struct act *act, const struct id *set, const struct id *person,
                  const struct id *room, bool pinned)
{
    act_emit(act, (struct event){.type = EVENT_WS_PLACED,
                                 .person = *person,
                                 .other = *set,
                                 .device = room ? *room : (struct id){{0}},
                                 .a = pinned});
}

static struct refusal label(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_ws_label *m = &msg->ws_label;
    const struct msg_str *texts[2] = {&m->group, &m->tag};
    const bool has[2] = {m->has_group, m->has_tag};
    if (!state_person(act->klass->work, &m->person)) {
        return ws_gone("person");
    }
    for (unsigned i = 0; i < 2; i++) {
        if (has[i]) {
            act_emit(act, (struct event){.type = EVENT_WS_LABELLED,
                                         .person = m->person,
                                         .a = i,
                                         .text = ws_text(act, texts[i])});
        }
    }
    return ws_fine;
}

/* Spellings of ws_how, in their order. */
enum { WS_HOW_EVEN, WS_HOW_GROUP, WS_HOW_TAG, WS_HOW_LAST, WS_HOW_MIX };

/* ---- dealing
 * -------------------------------------------------------------------------------------- */

struct deal {
    struct dist_input in;
    struct id room[DIST_ROOMS_MAX];
    const struct person **who;
    const void **seen; /* per person: label or place found */
    uint8_t *met;
};

static uint16_t room_index(const struct workshops *w, const struct id *set, const struct id *room)
{
    uint16_t index = 0;
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (id_equal(&r->set, set)) {
            if (id_equal(&r->id, room)) {
                return index;
            }
            index++;
        }
    }
    return DIST_NONE;
}

/* The set opened most recently before this one. */
static const struct ws_set *last_set(const struct workshops *w, const struct id *but)
{
    const struct ws_set *last = NULL;
    for (uint32_t i = 0; i < w->list[WS_SETS].count; i++) {
        const struct ws_set *set = ws_set_at(w, i);
        if (set->open_seq && !id_equal(&set->id, but) &&
            (!last || set->open_seq > last->open_seq)) {
            last = set;
        }
    }
    return last;
}

static bool same_text(const struct rtext *a, const struct rtext *b)
{
    return rtext_len(a) == rtext_len(b) && memcmp(rtext_str(a), rtext_str(b), rtext_len(a)) == 0;
}

/* Equal texts have equal numbers, in the order of the list from 1; no text is 0. */
static void number_labels(struct deal *d, const struct workshops *w, unsigned kind)
{
    uint32_t next = 1;
    for (size_t i = 0; i < d->in.count; i++) {
        const struct ws_label *l = ws_label(w, &d->who[i]->id);
        d->seen[i] = l ? l->text[kind] : NULL;
        const struct rtext *text = d->seen[i];
        for (size_t j = 0; text && j < i && !d->in.people[i].label; j++) {
            const struct rtext *other = d->seen[j];
            bool same = other && same_text(other, text);
            d->in.people[i].label = same ? d->in.people[j].label : 0;
        }
        if (text && !d->in.people[i].label) {
            d->in.people[i].label = next++;
        }
    }
}

static void count_meetings(struct deal *d, const struct workshops *w, const struct id *but)
{
    for (uint32_t s = 0; s < w->list[WS_SETS].count; s++) {
        const struct ws_set *set = ws_set_at(w, s);
        if (!set->opened || id_equal(&set->id, but)) {
            continue;
        }
        for (size_t i = 0; i < d->in.count; i++) {
            const struct ws_place *a = ws_place(w, &set->id, &d->who[i]->id);
            d->seen[i] = a && !id_is_zero(&a->room) ? a : NULL;
            for (size_t j = 0; d->seen[i] && j < i; j++) {
                const struct ws_place *b = d->seen[j];
                if (b && id_equal(&a->room, &b->room)) {
                    d->met[i * d->in.count + j]++;
                    d->met[j * d->in.count + i]++;
                }
            }
        }
    }
}

/* Whom to deal: those present; before the session whoever is known. */
static void gather(struct deal *d, const struct state *s)
{
    bool live = s->session == SESSION_LIVE || s->session == SESSION_CLOSING;
    for (size_t i = 0; i < s->person_count; i++) {
        const struct person *p = s->persons[i];
        if (role_is_crowd(p->role) && !p->banned && (p->seat || !live)) {
            d->who[d->in.count++] = p;
        }
    }
}

static int prepare(struct deal *d, const struct state *s, const struct ws_set *set, int how)
{
    const struct workshops *w = &s->workshops;
    d->who = mem_alloc((s->person_count + 1) * sizeof(*d->who));
    d->in.people = mem_alloc((s->person_count + 1) * sizeof(*d->in.people));
    d->seen = mem_alloc((s->person_count + 1) * sizeof(*d->seen));
    if (!d->who || !d->in.people || !d->seen) {
        return E_NOMEM;
    }
    gather(d, s);
    for (uint32_t i = 0; i < w->list[WS_ROOMS].count; i++) {
        const struct ws_room *r = ws_room_at(w, i);
        if (id_equal(&r->set, &set->id) && d->in.rooms < DIST_ROOMS_MAX) {
            d->room[d->in.rooms] = r->id;
            d->in.capacity[d->in.rooms++] = r->capacity;
        }
    }
    const struct ws_set *last = last_set(w, &set->id);
    for (size_t i = 0; i < d->in.count; i++) {
        struct dist_person *p = &d->in.people[i];
        const struct ws_place *now = ws_place(w, &set->id, &d->who[i]->id);
        const struct ws_place *then = last ? ws_place(w, &last->id, &d->who[i]->id) : NULL;
        p->pinned = now && now->pinned ? room_index(w, &set->id, &now->room) : DIST_NONE;
        p->last = then ? room_index(w, &last->id, &then->room) : DIST_NONE;
    }
    if (how == WS_HOW_GROUP || how == WS_HOW_TAG) {
        number_labels(d, w, how == WS_HOW_TAG);
    }
    if (how == WS_HOW_MIX && d->in.count) {
        d->met = mem_alloc(d->in.count * d->in.count);
        d->in.met = d->met;
        if (!d->met) {
            return E_NOMEM;
        }
        count_meetings(d, w, &set->id);
    }
    return 0;
}

static struct refusal deal(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    static const enum dist_how ways[] = {
        [WS_HOW_EVEN] = DIST_EVEN, [WS_HOW_GROUP] = DIST_LABEL, [WS_HOW_TAG] = DIST_LABEL,
        [WS_HOW_LAST] = DIST_LAST, [WS_HOW_MIX] = DIST_MIX,
    };
    const struct msg_ws_deal *m = &msg->ws_deal;
    const struct ws_set *set = ws_set(ws_of(act), &m->set);
    struct deal d = {.in = {.rooms = 0}};
    if (!set) {
        return ws_gone("set");
    }
    if (is_open(set) || set->state == WS_ARCHIVED) {
        return refuse_with("state", "set", "people are dealt before a set opens");
    }
    struct id id = set->id;
    int err = prepare(&d, act->klass->work, set, m->how);
    err = err ? err : distribute(&d.in, ways[m->how], &act->klass->room->config.rng);
    for (size_t i = 0; i < d.in.count && !err; i++) {
        const struct dist_person *p = &d.in.people[i];
        const struct id *room = p->room == DIST_NONE ? NULL : &d.room[p->room];
        ws_put_place(act, &id, &d.who[i]->id, room, p->pinned != DIST_NONE);
    }
    mem_free(d.seen);
    mem_free(d.who);
    mem_free(d.in.people);
    mem_free(d.met);
    if (err == E_RANGE) {
        return refuse_with("state", "set", "a set without rooms");
    }
    act->err = act->err ? act->err : err;
    return ws_fine;
}

command_h ws_draft_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_WS_CREATE] = create,     [MSG_WS_CHANGE] = change,
        [MSG_WS_DELETE] = remove_set, [MSG_WS_ARCHIVE] = archive,
        [MSG_WS_ROOM_ADD] = room_add, [MSG_WS_ROOM_CHANGE] = room_change,
        [MSG_WS_LABEL] = label,       [MSG_WS_DEAL] = deal,
    };
    return handlers[type];
}
