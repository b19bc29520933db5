#include "signaling/journal/fold.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/conduct.h"
#include "signaling/journal/part.h"
#include "signaling/journal/stage.h"
#include "signaling/journal/state_edit.h"

/* ---- class and session
 * ---------------------------------------------------------------------------- */

static int class_created(struct state *s, const struct event *e)
{
    if (e->a >= CLASS_TYPE_COUNT) {
        return E_CORRUPT;
    }
    rtext_set(&s->title, e->text);
    s->type = (enum class_type)e->a;
    s->created_at = e->at;
    s->changed_at = e->at;
    return 0;
}

/* Gives up a seat. A person lost (not gone, not removed) may come back with the newest token. */
static void vacate(struct state *s, struct seat *seat, const struct event *e, bool lost)
{
    struct person *p = seat->person;
    parts_vacate(s, seat, e);
    p->left_seq = e->seq;
    p->last_device = (struct id){{0}};
    p->last_generation = 0;
    if (lost && seat->device_count > 0) {
        p->last_device = seat->devices[0].id;
        p->last_generation = seat->devices[0].generation;
    }
    if (id_equal(&s->acting, &p->id)) {
        s->acting = (struct id){{0}};
        p->stepped = p->role == ROLE_HOST;
    }
    /* A page may come back much later with a command whose ack it never heard. */
    uint32_t count = seat->command_count;
    p->kept_count = count < STATE_KEPT_MAX ? count : (uint32_t)STATE_KEPT_MAX;
    for (uint32_t i = 0; i < p->kept_count; i++) {
        p->kept[i] = seat_command_at(seat, (count - p->kept_count + i) % STATE_COMMANDS_MAX);
    }
    state_remove_seat(s, seat);
}

static void vacate_all(struct state *s, const struct event *e)
{
    while (s->seat_count > 0) {
        vacate(s, s->seats[s->seat_count - 1], e, false);
    }
    /* Nobody comes back into an ended session with an old token, whoever was lost before too. */
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->last_device = (struct id){{0}};
        s->persons[i]->last_generation = 0;
    }
}

static int class_ended(struct state *s, const struct event *e)
{
    vacate_all(s, e);
    parts_closed(s, e);
    s->ended = STATE_ENDED;
    s->session = SESSION_CLOSED;
    s->changed_at = e->at;
    return 0;
}

static int class_renamed(struct state *s, const struct event *e)
{
    rtext_set(&s->title, e->text);
    return 0;
}

/* What has ended for good is not opened by the bin. */
static int class_binned(struct state *s, const struct event *e)
{
    if (s->ended != STATE_ENDED) {
        s->ended = e->a ? STATE_BINNED : STATE_OPEN;
    }
    return 0;
}

static int session_changed(struct state *s, const struct event *e)
{
    if (e->a >= SESSION_STATE_COUNT) {
        return E_CORRUPT;
    }
    s->session = (enum session_state)e->a;
    s->changed_at = e->at;
    s->closing_due = s->session == SESSION_CLOSING ? e->n : 0;
    if (s->session == SESSION_CLOSED || s->session == SESSION_ARCHIVED) {
        vacate_all(s, e);
        parts_closed(s, e);
    }
    return 0;
}

/* ---- people
 * --------------------------------------------------------------------------------------- */

static void set_device(struct seat *seat, const struct event *e)
{
    seat->devices[seat->device_count++] = (struct device){.id = e->device,
                                                          .generation = (uint32_t)e->n,
                                                          .media = e->b & MEDIA_ALL,
                                                          .feed = e->b >> MEDIA_FEED & MEDIA_ALL};
}

static int person_joined(struct state *s, const struct event *e)
{
    unsigned role = e->a & 0xff;
    unsigned link = e->a >> 8;
    struct person *p = state_person(s, &e->person);
    if ((p && p->seat) || role >= ROLE_COUNT || link >= ROLE_COUNT || id_is_zero(&e->person) ||
        id_is_zero(&e->device) || s->ended || s->seat_count >= STATE_SEATS_MAX) {
        return E_CORRUPT;
    }
    if (state_reserve(s, 1, 0)) {
        return E_NOMEM;
    }
    p = p ? p : state_add_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    struct seat *seat = state_add_seat(s, p);
    rtext_set(&p->name, e->text);
    p->role = (uint8_t)role;
    p->role_link = (uint8_t)link;
    p->last_device = (struct id){{0}};
    p->last_generation = 0;
    for (uint32_t i = 0; i < p->kept_count; i++) {
        seat_command_set(seat, i, p->kept[i]);
    }
    seat->command_count = p->kept_count;
    p->kept_count = 0;
    seat->joined_seq = e->seq;
    seat->joined_at = e->at;
    seat->view_seq = e->seq;
    seat->room = s->rooms[p->room].open ? p->room : ROOM_MAIN;
    p->room = seat->room;
    conduct_unwait(s, p);
    p->admitted = true;
    p->held = false;
    set_device(seat, e);
    return 0;
}

static int person_left(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat || e->a >= LEAVE_REASON_COUNT) {
        return E_CORRUPT;
    }
    struct person *p = seat->person;
    p->banned = p->banned || e->b == 1;
    if (e->a == LEAVE_WAIT) {
        p->held = e->b != 2;
        p->admitted = false;
    }
    vacate(s, seat, e, e->a == LEAVE_LOST);
    return 0;
}

static int person_away(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat) {
        return E_CORRUPT;
    }
    seat->away = e->a != 0;
    return 0;
}

static int person_renamed(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    rtext_set(&p->name, e->text);
    return 0;
}

static int person_forgotten(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    passes_forget(s, &e->person);
    if (!p) {
        return 0; /* on the roster, never here */
    }
    rtext_put(&p->name);
    for (size_t i = 0; i < s->chat_count; i++) {
        struct chat_entry *c = &s->chat[(s->chat_first + i) % STATE_CHAT_MAX];
        if (id_equal(&c->from, &e->person)) {
            rtext_put(&c->name);
            rtext_put(&c->text);
        }
    }
    workshops_forget(s, &e->person);
    minutes_forget(s, &e->person, true);
    return 0;
}

/* Retention: the words go, who wrote and when stays. */
static int words_forgotten(struct state *s, const struct event *e)
{
    for (size_t i = 0; i < s->chat_count; i++) {
        struct chat_entry *c = &s->chat[(s->chat_first + i) % STATE_CHAT_MAX];
        if (id_equal(&c->from, &e->person)) {
            rtext_put(&c->text);
        }
    }
    workshops_unsay(s, &e->person);
    minutes_forget(s, &e->person, false);
    return 0;
}

/* ---- devices and media
 * ---------------------------------------------------------------------------- */

static int device_joined(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat || seat->device_count == STATE_DEVICES_MAX || id_is_zero(&e->device) ||
        seat_device(seat, &e->device)) {
        return E_CORRUPT;
    }
    set_device(seat, e);
    return 0;
}

static int device_left(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    struct device *d = seat ? seat_device(seat, &e->device) : NULL;
    if (!d || seat->device_count == 1) {
        return E_CORRUPT;
    }
    size_t at = (size_t)(d - seat->devices);
    memmove(d, d + 1, (seat->device_count - at - 1) * sizeof(*d));
    seat->device_count--;
    seat->devices[seat->device_count] = (struct device){.generation = 0};
    return 0;
}

static struct device *device_of(const struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    return seat ? seat_device(seat, &e->device) : NULL;
}

static int device_resumed(struct state *s, const struct event *e)
{
    struct device *d = device_of(s, e);
    if (!d) {
        return E_CORRUPT;
    }
    d->generation = (uint32_t)e->n;
    return 0;
}

static int media_changed(struct state *s, const struct event *e)
{
    struct device *d = device_of(s, e);
    if (!d) {
        return E_CORRUPT;
    }
    d->media = e->b & MEDIA_ALL;
    return 0;
}

/* ---- roles, hands, chat
 * --------------------------------------------------------------------------- */

static int role_changed(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || e->a >= ROLE_COUNT) {
        return E_CORRUPT;
    }
    p->role = (uint8_t)e->a;
    if (!role_is_staff(p->role) && id_equal(&s->acting, &p->id)) {
        s->acting = (struct id){{0}};
    }
    if (p->seat) {
        p->seat->view_seq = e->seq;
    }
    return 0;
}

static int acting_changed(struct state *s, const struct event *e)
{
    const struct seat *seat = state_seat(s, &e->person);
    if (!id_is_zero(&e->person) && (!seat || !role_is_staff(seat->person->role))) {
        return E_CORRUPT;
    }
    s->acting = e->person;
    if (seat) {
        seat->person->stepped = false;
    }
    return 0;
}

static int hand_raised(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat || e->a >= HAND_KIND_COUNT) {
        return E_CORRUPT;
    }
    seat->hand_seq = e->seq;
    seat->hand_at = e->at;
    seat->hand_kind = (uint8_t)e->a;
    return 0;
}

static int hand_lowered(struct state *s, const struct event *e)
{
    struct seat *seat = state_seat(s, &e->person);
    if (!seat) {
        return E_CORRUPT;
    }
    seat->hand_seq = 0;
    seat->hand_at = 0;
    seat->hand_kind = 0;
    return 0;
}

static int chat_posted(struct state *s, const struct event *e)
{
    const struct person *p = state_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    if (p->seat && ws_room_of(s, p->seat)) {
        return workshops_chat(s, p->seat, e); /* kept with the workshop */
    }
    if (s->chat_count == STATE_CHAT_MAX) {
        s->chat_first = (s->chat_first + 1) % STATE_CHAT_MAX;
        s->chat_count--;
    }
    struct chat_entry *c = &s->chat[(s->chat_first + s->chat_count++) % STATE_CHAT_MAX];
    c->id = e->other;
    c->from = e->person;
    c->at = e->at;
    c->room = p->seat ? p->seat->room : ROOM_MAIN;
    stage_mark_chat(s, p, c);
    rtext_set(&c->name, p->name);
    rtext_set(&c->text, e->text);
    return 0;
}

static int link_used(struct state *s, const struct event *e)
{
    if (id_is_zero(&e->other) || s->link_count >= STATE_LINKS_MAX) {
        return E_CORRUPT;
    }
    if (state_reserve(s, 0, 1)) {
        return E_NOMEM;
    }
    /* Expired ones cannot be used again anyway: their place is free. Two minutes cover the leeway.
     */
    size_t kept = 0;
    for (size_t i = 0; i < s->link_count; i++) {
        if (s->links[i].expires_at + 120000 > e->at) {
            s->links[kept++] = s->links[i];
        }
    }
    s->links[kept++] = (struct used_link){.jti = e->other, .expires_at = e->n};
    s->link_count = kept;
    return 0;
}

/* ---- one event
 * ------------------------------------------------------------------------------------ */

static int fold_one(struct state *s, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_CLASS_CREATED:
        return class_created(s, e);
    case EVENT_CLASS_ENDED:
        return class_ended(s, e);
    case EVENT_SESSION_CHANGED:
        return session_changed(s, e);
    case EVENT_PERSON_JOINED:
        return person_joined(s, e);
    case EVENT_PERSON_LEFT:
        return person_left(s, e);
    case EVENT_PERSON_AWAY:
        return person_away(s, e);
    case EVENT_PERSON_RENAMED:
        return person_renamed(s, e);
    case EVENT_PERSON_FORGOTTEN:
        return person_forgotten(s, e);
    case EVENT_WORDS_FORGOTTEN:
        return words_forgotten(s, e);
    case EVENT_DEVICE_JOINED:
        return device_joined(s, e);
    case EVENT_DEVICE_LEFT:
        return device_left(s, e);
    case EVENT_DEVICE_RESUMED:
        return device_resumed(s, e);
    case EVENT_MEDIA_CHANGED:
        return media_changed(s, e);
    case EVENT_ROLE_CHANGED:
        return role_changed(s, e);
    case EVENT_ACTING_CHANGED:
        return acting_changed(s, e);
    case EVENT_HAND_RAISED:
        return hand_raised(s, e);
    case EVENT_HAND_LOWERED:
        return hand_lowered(s, e);
    case EVENT_CHAT_POSTED:
        return chat_posted(s, e);
    case EVENT_CLASS_RENAMED:
        return class_renamed(s, e);
    case EVENT_CLASS_BINNED:
        return class_binned(s, e);
    case EVENT_LINK_USED:
        return link_used(s, e);
    default:
        return parts_fold(s, e);
    }
}

int state_fold(struct state *s, const struct event *e)
{
    if (e->seq != s->seq + 1) {
        return E_CORRUPT;
    }
    int err = fold_one(s, e);
    if (err) {
        return err;
    }
    s->seq = e->seq;
    struct seat *seat = e->cmd ? state_seat(s, &e->actor) : NULL;
    if (seat) {
        seat_command_set(seat, seat->command_count++ % STATE_COMMANDS_MAX, e->cmd);
    }
    return 0;
}
