/*
 * One committed event as people hear of it: whom it concerns and its JSON, made once.
 */
#include "signaling/class/conduct.h"
#include "signaling/class/webinar.h"
#include "signaling/class/ws.h"
#include "signaling/journal/stage.h"

static void event_start(struct jsonw *w, const char *type)
{
    jsonw_object(w);
    jsonw_key_str(w, "e", type);
}

static void role_event(struct jsonw *w, const struct state *s, const struct id *person)
{
    const struct person *p = state_person(s, person);
    if (!p || !p->seat) {
        return;
    }
    event_start(w, "role.changed");
    out_key_id(w, "person", ID_PERSON, person);
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)state_role(s, p)));
    jsonw_object_end(w);
}

static void device_event(struct jsonw *w, const struct state *s, const struct event *e,
                         const char *type)
{
    const struct seat *seat = state_seat(s, &e->person);
    const struct device *d = seat ? seat_device(seat, &e->device) : NULL;
    if (!d) {
        return;
    }
    event_start(w, type);
    out_key_id(w, "person", ID_PERSON, &e->person);
    if (e->type == EVENT_DEVICE_JOINED) {
        jsonw_key(w, "device");
        out_device(w, d);
    } else {
        out_key_id(w, "device", ID_DEVICE, &e->device);
        out_media(w, d->media);
    }
    jsonw_object_end(w);
}

static void person_event(struct jsonw *w, const struct state *s, const struct event *e)
{
    if (e->type == EVENT_PERSON_JOINED) {
        event_start(w, "person.joined");
        jsonw_key(w, "person");
        out_person(w, s, state_seat(s, &e->person));
    } else if (e->type == EVENT_PERSON_LEFT) {
        event_start(w, "person.left");
        out_key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_str(w, "reason", schema_spell(ENUM_leave_reason, (int)e->a));
    } else if (e->type == EVENT_PERSON_AWAY) {
        event_start(w, "person.away");
        out_key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_bool(w, "away", e->a != 0);
    } else {
        event_start(w, "person.renamed");
        out_key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_strn(w, "name", rtext_str(e->text), rtext_len(e->text));
    }
    jsonw_object_end(w);
}

static void session_event(struct jsonw *w, const struct state *s, const struct event *e)
{
    event_start(w, "session.changed");
    jsonw_key_str(w, "state", schema_spell(ENUM_session_state, (int)s->session));
    jsonw_key_int(w, "at", e->at);
    if (!id_is_zero(&e->person)) {
        out_key_id(w, "by", ID_PERSON, &e->person);
    }
    jsonw_key(w, "times");
    out_times(w, s);
    jsonw_object_end(w);
}

static void hand_event(struct jsonw *w, const struct event *e)
{
    if (e->type == EVENT_HAND_RAISED) {
        event_start(w, "hand.raised");
        jsonw_key(w, "hand");
        out_hand(w, &e->person, e->a, e->at);
    } else {
        event_start(w, "hand.lowered");
        out_key_id(w, "person", ID_PERSON, &e->person);
        out_key_id(w, "by", ID_PERSON, id_is_zero(&e->other) ? &e->person : &e->other);
    }
    jsonw_object_end(w);
}

static void write_event(struct jsonw *w, const struct state *s, const struct event *e,
                        const struct id *acting_before)
{
    switch ((unsigned)e->type) {
    case EVENT_CLASS_ENDED:
    case EVENT_SESSION_CHANGED:
        session_event(w, s, e);
        break;
    case EVENT_PERSON_JOINED:
    case EVENT_PERSON_LEFT:
    case EVENT_PERSON_AWAY:
    case EVENT_PERSON_RENAMED:
    case EVENT_PERSON_FORGOTTEN:
        person_event(w, s, e);
        break;
    case EVENT_DEVICE_JOINED:
        device_event(w, s, e, "device.joined");
        break;
    case EVENT_MEDIA_CHANGED:
        device_event(w, s, e, "media.changed");
        break;
    case EVENT_DEVICE_LEFT:
        event_start(w, "device.left");
        out_key_id(w, "person", ID_PERSON, &e->person);
        out_key_id(w, "device", ID_DEVICE, &e->device);
        jsonw_object_end(w);
        break;
    case EVENT_ROLE_CHANGED:
        role_event(w, s, &e->person);
        break;
    case EVENT_ACTING_CHANGED:
        if (!id_equal(acting_before, &e->person)) {
            role_event(w, s, acting_before);
        }
        role_event(w, s, &e->person);
        break;
    case EVENT_HAND_RAISED:
    case EVENT_HAND_LOWERED:
        hand_event(w, e);
        break;
    case EVENT_CHAT_POSTED:
        event_start(w, "chat.posted");
        jsonw_key(w, "chat");
        if (!ws_newest_chat(w, s, &e->person)) {
            out_chat(w, state_chat(s, s->chat_count - 1), true);
        }
        jsonw_object_end(w);
        break;
    default:
        break;
    }
}

struct jsonw *out_event(struct klass *k, const char *type)
{
    jsonw_reset(&k->room->json);
    event_start(&k->room->json, type);
    return &k->room->json;
}

/* True for events about a person; in others `person` only says by whom. */
static bool names_person(enum event_type type)
{
    return (type >= EVENT_PERSON_JOINED && type <= EVENT_CHAT_POSTED &&
            type != EVENT_ACTING_CHANGED) ||
           type == EVENT_PERSON_MOVED || type == EVENT_GRANT_SET;
}

static uint8_t hidden_from(const struct state *s, const struct person *p, enum event_type type)
{
    bool hand = type == EVENT_HAND_RAISED || type == EVENT_HAND_LOWERED;
    if (hand && stage_is(s)) {
        return UINT8_MAX - (1u << AUDIENCE_OF_STAFF);
    }
    return p && names_person(type) ? state_hidden_from(s, p) : 0;
}

struct out_scope out_scope_of(const struct klass *k, const struct event *e)
{
    const struct person *p = state_person(k->done, &e->person);
    return (struct out_scope){
        .see = event_row(e->type)->see & SEE_TOLD,
        .room = p && p->seat ? p->seat->room : (uint16_t)ROOM_MAIN,
        .person = e->person,
        .hidden_from = hidden_from(k->done, p, e->type),
        .table = p && p->seat ? p->seat->room : (uint16_t)ROOM_MAIN,
    };
}

struct out_before out_before(const struct klass *k, const struct event *e)
{
    const struct person *p = state_person(k->done, &e->person);
    return (struct out_before){.acting = k->done->acting,
                               .hidden_from = p ? state_hidden_from(k->done, p) : 0,
                               .room = p && p->seat ? p->seat->room : (uint16_t)ROOM_MAIN,
                               .staged = stage_member(k->done, &e->person) ||
                                         stage_invited(k->done, &e->person)};
}

void out_note(struct klass *k, const struct event *e, const struct out_before *before)
{
    struct out_scope scope = out_scope_of(k, e);
    if (e->type == EVENT_PERSON_LEFT) {
        scope.hidden_from = before->hidden_from; /* of the stage, as long as he was there */
        scope.table = before->room;
    }
    if (e->type != EVENT_PERSON_JOINED && e->type != EVENT_PERSON_LEFT) {
        webinar_sight(k, e, before);
    }
    if (e->type == EVENT_CHAT_POSTED && scope.room != ROOM_MAIN) {
        scope.hidden_from = 0; /* at a table everybody reads everybody */
    } else if (e->type == EVENT_CHAT_POSTED && webinar_chat(k, e, scope)) {
        return;
    }
    if (scope.see) { /* nothing is written for events of a part */
        jsonw_reset(&k->room->json);
        write_event(&k->room->json, k->done, e, &before->acting);
        out_log(k, e->seq, scope);
    }
    if (e->type == EVENT_PERSON_LEFT && before->staged) {
        webinar_gone(k, e);
    }
    parts_note(k, e);
}
