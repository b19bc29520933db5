/* The group report: who was in a room and when, and what was written there. For its members and the
 * staff, for everybody once published; it stays with the class. */
#include <string.h>

#include "signaling/class/ws.h"

static bool was_in(const struct workshops *w, const struct id *room, const struct id *person)
{
    for (uint32_t i = 0; i < w->list[WS_SPANS].count; i++) {
        const struct ws_span *span = ws_span_at(w, i);
        if (id_equal(&span->room, room) && id_equal(&span->person, person)) {
            return true;
        }
    }
    return false;
}

static void stays(struct jsonw *w, const struct workshops *ws, const struct id *room,
                  const struct id *person)
{
    jsonw_key(w, "stays");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_SPANS].count; i++) {
        const struct ws_span *span = ws_span_at(ws, i);
        if (id_equal(&span->room, room) && id_equal(&span->person, person)) {
            jsonw_array(w);
            jsonw_int(w, span->from);
            jsonw_int(w, span->to);
            jsonw_array_end(w);
        }
    }
    jsonw_array_end(w);
}

/* True when an earlier span names the same person. */
static bool named_before(const struct workshops *w, uint32_t at)
{
    const struct ws_span *span = ws_span_at(w, at);
    for (uint32_t i = 0; i < at; i++) {
        const struct ws_span *other = ws_span_at(w, i);
        if (id_equal(&other->room, &span->room) && id_equal(&other->person, &span->person)) {
            return true;
        }
    }
    return false;
}

static void people(struct jsonw *w, const struct state *s, const struct id *room)
{
    const struct workshops *ws = &s->workshops;
    jsonw_key(w, "people");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_SPANS].count; i++) {
        const struct ws_span *span = ws_span_at(ws, i);
        if (!id_equal(&span->room, room) || named_before(ws, i)) {
            continue;
        }
        const struct person *p = state_person(s, &span->person);
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &span->person);
        jsonw_key_strn(w, "name", p ? rtext_str(p->name) : "", p ? rtext_len(p->name) : 0);
        stays(w, ws, room, &span->person);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void chat(struct jsonw *w, const struct workshops *ws, const struct id *room)
{
    jsonw_key(w, "chat");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_NOTES].count; i++) {
        if (id_equal(&ws_note_at(ws, i)->room, room)) {
            ws_out_chat(w, ws_note_at(ws, i));
        }
    }
    jsonw_array_end(w);
}

static void room_value(struct jsonw *w, const struct state *s, const struct ws_room *r)
{
    jsonw_object(w);
    out_key_id(w, "room", ID_ROOM, &r->id);
    jsonw_key_strn(w, "name", rtext_str(r->name), rtext_len(r->name));
    jsonw_key_strn(w, "task", rtext_str(r->task), rtext_len(r->task));
    jsonw_key_str(w, "scope", schema_spell(ENUM_ws_scope, r->scope));
    people(w, s, &r->id);
    chat(w, &s->workshops, &r->id);
    jsonw_object_end(w);
}

void ws_report(struct classroom *room, struct conn *c, const struct msg *msg)
{
    const struct state *s = c->klass->done;
    const struct workshops *ws = &s->workshops;
    const struct seat *seat = state_seat(s, &c->person);
    const struct ws_set *set = ws_set(ws, &msg->ws_report.set);
    bool staff = seat && right_has(state_rights(s, seat->person), RIGHT_WORKSHOPS);
    if (!seat || !set || (!staff && !set->opened)) {
        room->stats.refused++;
        out_error(room, c->num, msg->id, "not_found", "set", "there is no such set");
        return;
    }
    struct jsonw *w = out_start(room, "workshop.report");
    jsonw_key_str(w, "id", msg->id);
    out_key_id(w, "set", ID_SET, &set->id);
    jsonw_key_strn(w, "title", rtext_str(set->title), rtext_len(set->title));
    jsonw_key_int(w, "opened", set->opened_at);
    jsonw_key_int(w, "closed", set->closed_at);
    jsonw_key(w, "rooms");
    jsonw_array(w);
    for (uint32_t i = 0; i < ws->list[WS_ROOMS].count; i++) {
        const struct ws_room *r = ws_room_at(ws, i);
        bool mine = staff || r->scope == WS_FOR_ALL || was_in(ws, &r->id, &c->person);
        if (id_equal(&r->set, &set->id) && mine) {
            room_value(w, s, r);
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    room->stats.accepted++;
    out_send(room, c->num);
}
