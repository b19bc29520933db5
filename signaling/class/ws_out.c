/* What people are told of workshops: members of the snapshot, and after each commit the ones that
 * changed, whole. Staff see everything; others the open set, their own place, their room. */
#include <string.h>

#include "signaling/class/ws.h"

static const struct id no_id = {{0}};

/* What a viewer is told: NULL room = not in a workshop. */
struct eye {
    const struct state *s;
    bool staff;
    const struct person *person; /* NULL = no one in particular */
    const struct id *room;       /* the room one is in, main included */
};

/* ---- values
 * --------------------------------------------------------------------------------------- */

static void key_text(struct jsonw *w, const char *key, const struct rtext *text)
{
    jsonw_key_strn(w, key, rtext_str(text), rtext_len(text));
}

static void room_value(struct jsonw *w, const struct ws_room *r)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_ROOM, &r->id);
    key_text(w, "name", r->name);
    jsonw_key_str(w, "state", schema_spell(ENUM_ws_room_state, r->state));
    key_text(w, "task", r->task);
    key_text(w, "materials", r->materials);
    if (!id_is_zero(&r->facilitator)) {
        out_key_id(w, "facilitator", ID_PERSON, &r->facilitator);
    }
    jsonw_key_int(w, "capacity", r->capacity);
    jsonw_key_bool(w, "record", r->record);
    jsonw_key_int(w, "untilAt", r->until);
    jsonw_key_str(w, "scope", schema_spell(ENUM_ws_scope, r->scope));
    jsonw_object_end(w);
}

static void set_value(struct jsonw *w, const struct eye *eye, const struct ws_set *set)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_object(w);
    out_key_id(w, "id", ID_SET, &set->id);
    key_text(w, "title", set->title);
    jsonw_key_str(w, "state", schema_spell(ENUM_ws_set_state, set->state));
    jsonw_key_str(w, "mode", schema_spell(ENUM_ws_mode, set->mode));
    jsonw_key_str(w, "change", schema_spell(ENUM_ws_change, set->change));
    jsonw_key_str(w, "late", schema_spell(ENUM_ws_late, set->late));
    jsonw_key_bool(w, "back", set->back);
    jsonw_key_bool(w, "choice", set->choice);
    jsonw_key_int(w, "closing", set->closing_s);
    jsonw_key_int(w, "notice", set->notice_s);
    jsonw_key_int(w, "minutes", set->minutes);
    jsonw_key_int(w, "movesAt", set->moves_due);
    jsonw_key_int(w, "endsAt", set->ends_due);
    jsonw_key_int(w, "untilAt", set->until);
    jsonw_key_int(w, "opened", set->opened_at);
    jsonw_key_int(w, "closed", set->closed_at);
    jsonw_key(w, "rooms");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_ROOMS].count; i++) {
        if (id_equal(&ws_room_at(ws, i)->set, &set->id)) {
            room_value(w, ws_room_at(ws, i));
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void place_value(struct jsonw *w, const struct ws_place *p)
{
    jsonw_object(w);
    out_key_id(w, "set", ID_SET, &p->set);
    out_key_id(w, "person", ID_PERSON, &p->person);
    if (!id_is_zero(&p->room)) {
        out_key_id(w, "room", ID_ROOM, &p->room);
    }
    jsonw_key_str(w, "stand", schema_spell(ENUM_ws_stand, p->stand));
    jsonw_key_bool(w, "pinned", p->pinned);
    jsonw_key_int(w, "untilAt", p->until);
    jsonw_object_end(w);
}

static void rooms_of(struct jsonw *w, const struct workshops *ws, const struct id *word)
{
    jsonw_key(w, "rooms");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_TARGETS].count; i++) {
        const struct ws_target *t = ws_target_at(ws, i);
        if (id_equal(&t->word, word)) {
            char text[ID_TEXT_MAX];
            jsonw_str(w, id_print(text, ID_ROOM, &t->room));
        }
    }
    jsonw_array_end(w);
}

static void call_value(struct jsonw *w, const struct ws_call *c)
{
    jsonw_object(w);
    out_key_id(w, "room", ID_ROOM, &c->room);
    out_key_id(w, "person", ID_PERSON, &c->person);
    if (!id_is_zero(&c->by)) {
        out_key_id(w, "by", ID_PERSON, &c->by);
    }
    jsonw_key_str(w, "state", schema_spell(ENUM_ws_call_state, c->state));
    jsonw_key_int(w, "at", c->at);
    jsonw_key_int(w, "changed", c->changed_at);
    key_text(w, "text", c->text);
    jsonw_object_end(w);
}

static void word_value(struct jsonw *w, const struct workshops *ws, const struct ws_word *word)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_MESSAGE, &word->id);
    out_key_id(w, "from", ID_PERSON, &word->from);
    key_text(w, "name", word->name);
    jsonw_key_str(w, "kind", schema_spell(ENUM_ws_word_kind, word->kind));
    jsonw_key_bool(w, "all", word->all);
    rooms_of(w, ws, &word->id);
    jsonw_key_int(w, "at", word->at);
    jsonw_key_int(w, "ended", word->ended_at);
    key_text(w, "text", word->text);
    jsonw_object_end(w);
}

void ws_out_chat(struct jsonw *w, const struct ws_note *note)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_MESSAGE, &note->id);
    out_key_id(w, "from", ID_PERSON, &note->from);
    key_text(w, "name", note->name);
    jsonw_key_int(w, "at", note->at);
    key_text(w, "text", note->text);
    jsonw_object_end(w);
}

bool ws_room_chat(struct jsonw *w, const struct state *s, const struct seat *seat, size_t left)
{
    const struct workshops *ws = &s->workshops;
    const struct ws_room *r = ws_room_of(s, seat);
    uint32_t from = ws->list[WS_NOTES].count;
    uint32_t count = 0;
    if (!r) {
        return false;
    }
    while (from > 0 && count < STATE_CHAT_MAX) {
        const struct ws_note *n = ws_note_at(ws, from - 1);
        if (id_equal(&n->room, &r->id)) {
            size_t cost = OUT_CHAT_SPARE + out_text_cost(n->name) + out_text_cost(n->text);
            if (cost > left) {
                break;
            }
            left -= cost;
            count++;
        }
        from--;
    }
    jsonw_key(w, "chat");
    jsonw_array(w);
    for (; from < ws->list[WS_NOTES].count; from++) {
        if (id_equal(&ws_note_at(ws, from)->room, &r->id)) {
            ws_out_chat(w, ws_note_at(ws, from));
        }
    }
    jsonw_array_end(w);
    return true;
}

bool ws_newest_chat(struct jsonw *w, const struct state *s, const struct id *person)
{
    const struct workshops *ws = &s->workshops;
    const struct seat *seat = state_seat(s, person);
    if (!seat || !ws_room_of(s, seat)) {
        return false;
    }
    ws_out_chat(w, ws_note_at(ws, ws->list[WS_NOTES].count - 1));
    return true;
}

/* ---- members
 * -------------------------------------------------------------------------------------- */

static void sets_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "workshops");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_SETS].count; i++) {
        const struct ws_set *set = ws_set_at(ws, i);
        if (eye->staff || set->opened > 0) { /* a draft is the staff's alone */
            set_value(w, eye, set);
        }
    }
    jsonw_array_end(w);
}

static void places_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "places");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_PLACES].count; i++) {
        place_value(w, ws_place_at(ws, i));
    }
    jsonw_array_end(w);
}

static const struct ws_place *own_place(const struct state *s, const struct id *person)
{
    const struct ws_set *set = ws_open(&s->workshops);
    return set ? ws_place(&s->workshops, &set->id, person) : NULL;
}

/* One or none, so that a place that is over can be told. */
static void place_member(struct jsonw *w, const struct ws_place *own)
{
    jsonw_key(w, "place");
    jsonw_array(w);
    if (own) {
        place_value(w, own);
    }
    jsonw_array_end(w);
}

static void calls_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "calls");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_CALLS].count; i++) {
        const struct ws_call *c = ws_call_at(ws, i);
        bool open = c->state == WS_CALL_ASKED || c->state == WS_CALL_TAKEN;
        if (eye->staff || (open && eye->room && id_equal(eye->room, &c->room))) {
            call_value(w, c);
        }
    }
    jsonw_array_end(w);
}

static void words_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "announcements");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_WORDS].count; i++) {
        const struct ws_word *word = ws_word_at(ws, i);
        const struct id *room = eye->room ? eye->room : &no_id;
        if (eye->staff || ws_is_target(ws, &word->id, word->all, room)) {
            word_value(w, ws, word);
        }
    }
    jsonw_array_end(w);
}

static void voices_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "voices");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_VOICES].count; i++) {
        const struct ws_voice *v = ws_voice_at(ws, i);
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &v->person);
        out_key_id(w, "device", ID_DEVICE, &v->device);
        jsonw_key_str(w, "kind", schema_spell(ENUM_ws_word_kind, v->kind));
        jsonw_key_bool(w, "all", v->all);
        rooms_of(w, ws, &v->id);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void listeners_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "listeners");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_LISTENERS].count; i++) {
        const struct ws_listener *l = ws_listener_at(ws, i);
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &l->person);
        out_key_id(w, "device", ID_DEVICE, &l->device);
        if (!id_is_zero(&l->room)) {
            out_key_id(w, "room", ID_ROOM, &l->room);
        }
        jsonw_key_bool(w, "desk", l->desk);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void staff_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "staffChat");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_STAFF].count; i++) {
        ws_out_chat(w, ws_staff_at(ws, i));
    }
    jsonw_array_end(w);
}

static void labels_member(struct jsonw *w, const struct eye *eye)
{
    const struct workshops *ws = &eye->s->workshops;
    jsonw_key(w, "labels");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_LABELS].count; i++) {
        const struct ws_label *l = ws_label_at(ws, i);
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &l->person);
        key_text(w, "group", l->text[0]);
        key_text(w, "tag", l->text[1]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* Members of the snapshot, and the bits of struct klass.ws_changed. */
enum {
    TELL_SETS = 1 << 0,
    TELL_PLACES = 1 << 1,
    TELL_CALLS = 1 << 2,
    TELL_WORDS = 1 << 3,
    TELL_VOICES = 1 << 4,
    TELL_LISTENERS = 1 << 5,
    TELL_STAFF = 1 << 6,
    TELL_LABELS = 1 << 7,
};

static const struct member {
    unsigned bit;
    const char *event;
    void (*write_h)(struct jsonw *w, const struct eye *eye);
    bool staff; /* told to nobody else */
    bool room;  /* differs by room */
} members[] = {
    {TELL_SETS, "workshops.set", sets_member, false, false},
    {TELL_PLACES, "places.set", places_member, true, false},
    {TELL_CALLS, "calls.set", calls_member, false, true},
    {TELL_WORDS, "announcements.set", words_member, false, true},
    {TELL_VOICES, "voices.set", voices_member, false, false},
    {TELL_LISTENERS, "listeners.set", listeners_member, false, false},
    {TELL_STAFF, "staffChat.set", staff_member, true, false},
    {TELL_LABELS, "labels.set", labels_member, true, false},
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

void ws_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    struct eye eye = {
        .s = s, .staff = v->staff, .person = v->person, .room = &s->rooms[v->room].id};
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (v->staff || !members[i].staff) {
            members[i].write_h(w, &eye);
        }
    }
    place_member(w, own_place(s, &v->person->id));
}

/* ---- after a commit
 * ------------------------------------------------------------------------------- */

static unsigned tells(enum event_type type)
{
    switch ((unsigned)type) {
    case EVENT_WS_CREATED:
    case EVENT_WS_CHANGED:
    case EVENT_WS_ENDS:
    case EVENT_WS_ROOM_ADDED:
    case EVENT_WS_ROOM_CHANGED:
    case EVENT_WS_ROOM_STATE:
    case EVENT_WS_PUBLISHED:
        return TELL_SETS;
    case EVENT_WS_STATE:
        return TELL_SETS | TELL_PLACES | TELL_CALLS | TELL_VOICES | TELL_LISTENERS | TELL_WORDS;
    case EVENT_WS_DELETED:
    case EVENT_WS_ROOM_REMOVED:
        return TELL_SETS | TELL_PLACES | TELL_CALLS;
    case EVENT_WS_PLACED:
    case EVENT_WS_STAND:
        return TELL_PLACES;
    case EVENT_WS_CALL:
        return TELL_CALLS;
    case EVENT_WS_LISTENING:
        return TELL_LISTENERS;
    case EVENT_WS_VOICE:
    case EVENT_WS_TARGET:
        return TELL_VOICES | TELL_WORDS;
    case EVENT_WS_ANNOUNCED:
        return TELL_WORDS;
    case EVENT_WS_STAFF_SAID:
        return TELL_STAFF;
    case EVENT_WS_LABELLED:
        return TELL_LABELS;
    default:
        return 0;
    }
}

void ws_note(struct klass *k, const struct event *e)
{
    (void)k;
    (void)e; /* told together when the commit is complete: ws_told */
}

/* Events of others that change what is kept here. */
static unsigned touches(const struct state *s, const struct event *e)
{
    const struct workshops *w = &s->workshops;
    switch ((unsigned)e->type) {
    case EVENT_PERSON_MOVED: /* places follow, ears end */
        return TELL_PLACES | TELL_LISTENERS;
    case EVENT_ROOM_CLOSED:
        return TELL_SETS | TELL_PLACES;
    case EVENT_PERSON_LEFT:
        return TELL_LISTENERS | TELL_VOICES | TELL_WORDS;
    case EVENT_PERSON_FORGOTTEN:
    case EVENT_SESSION_CHANGED:
        return w->list[WS_SETS].count ? 0xffu : 0;
    default:
        return 0;
    }
}

static void tell(struct klass *k, uint64_t seq, const struct member *m, const struct eye *eye,
                 struct out_scope scope)
{
    struct jsonw *w = out_event(k, m->event);
    m->write_h(w, eye);
    jsonw_object_end(w);
    out_log(k, seq, scope);
}

/* Everybody's version first, then each room's, then the staff's, which holds for who is staff. */
static void tell_member(struct klass *k, uint64_t seq, const struct member *m)
{
    const struct state *s = k->done;
    struct eye eye = {.s = s, .room = &s->rooms[ROOM_MAIN].id};
    if (!m->staff && !m->room) {
        tell(k, seq, m, &eye, (struct out_scope){.see = SEE_ALL});
    }
    for (size_t i = 0; m->room && i < s->room_count; i++) {
        if (s->rooms[i].open || i == ROOM_MAIN) {
            eye.room = &s->rooms[i].id;
            tell(k, seq, m, &eye, (struct out_scope){.see = SEE_ROOM, .room = (uint16_t)i});
        }
    }
    eye.staff = true;
    tell(k, seq, m, &eye, (struct out_scope){.see = SEE_STAFF});
}

void ws_told_room(struct klass *k, uint64_t seq, uint16_t room, struct out_scope scope)
{
    struct eye eye = {.s = k->done, .room = &k->done->rooms[room].id};
    for (unsigned i = 0; i < MEMBERS && k->done->workshops.list[WS_SETS].count > 0; i++) {
        if (members[i].room) {
            tell(k, seq, &members[i], &eye, scope);
        }
    }
}

static void log_place(struct klass *k, uint64_t seq, const struct ws_place *own,
                      struct out_scope scope)
{
    struct jsonw *w = out_event(k, "place.set");
    place_member(w, own);
    jsonw_object_end(w);
    out_log(k, seq, scope);
}

static void tell_place(struct klass *k, uint64_t seq, const struct id *person)
{
    const struct ws_place *own = own_place(k->done, person);
    if (own && state_seat(k->done, person)) {
        log_place(k, seq, own, (struct out_scope){.see = SEE_OWN, .person = *person});
    }
}

/* A set has opened or closed: everybody's place has come or is over. */
static void tell_places(struct klass *k, uint64_t seq)
{
    const struct workshops *w = &k->done->workshops;
    const struct ws_set *set = ws_open(w);
    if (!set) {
        log_place(k, seq, NULL, (struct out_scope){.see = SEE_ALL});
    }
    for (uint32_t i = 0; set && i < w->list[WS_PLACES].count; i++) {
        if (id_equal(&ws_place_at(w, i)->set, &set->id)) {
            tell_place(k, seq, &ws_place_at(w, i)->person);
        }
    }
}

void ws_told(struct klass *k, const struct event *events, size_t count)
{
    unsigned changed = 0;
    bool any = k->done->workshops.list[WS_SETS].count > 0;
    for (size_t i = 0; i < count; i++) {
        changed |= tells(events[i].type) | (any ? touches(k->done, &events[i]) : 0);
    }
    uint64_t seq = count ? events[count - 1].seq : 0;
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (changed & members[i].bit) {
            tell_member(k, seq, &members[i]);
        }
    }
    bool all = false;
    for (size_t i = 0; i < count && any; i++) {
        all = all || events[i].type == EVENT_WS_STATE || events[i].type == EVENT_SESSION_CHANGED;
    }
    if (all) {
        tell_places(k, seq);
    }
    for (size_t i = 0; i < count && any && !all; i++) {
        unsigned type = events[i].type;
        if (type == EVENT_WS_PLACED || type == EVENT_WS_STAND || type == EVENT_PERSON_MOVED) {
            tell_place(k, seq, &events[i].person);
        }
    }
}
