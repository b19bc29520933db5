/* The control desk: listening, speaking, announcing; and calls for help out of the rooms. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/ws.h"

enum { VOICES_OF_A_ROOM = 3 }; /* at once, MEDIA_EARS_MAX less the one for listening */

static struct refusal no_room(void)
{
    return refuse_with("state", "room", "this room is not open");
}

static bool room_open(const struct workshops *w, const struct id *room)
{
    const struct ws_room *r = ws_room(w, room);
    return r && ws_room_is_open(r);
}

/* ---- listening
 * ------------------------------------------------------------------------------------ */

static struct refusal listen(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_listen *m = &msg->ws_listen;
    const struct workshops *w = ws_of(act);
    if (m->has_room && !ws_room(w, &m->room)) {
        return ws_gone("room");
    }
    if (m->has_room && !room_open(w, &m->room)) {
        return no_room();
    }
    const struct ws_listener *l = ws_listener(w, &c->person);
    if (!l && !m->has_room && !m->desk) {
        return ws_fine;
    }
    if ((m->has_room || m->desk) && !ws_open(w)) {
        return refuse_with("state", NULL, "no workshops are open");
    }
    if (!l && w->list[WS_LISTENERS].count == WS_LISTENERS_MAX) {
        return refuse_with("full", NULL, "too many people at the desk");
    }
    act_emit(act, (struct event){.type = EVENT_WS_LISTENING,
                                 .person = c->person,
                                 .device = c->live->device,
                                 .other = m->has_room ? m->room : (struct id){{0}},
                                 .a = m->desk});
    return ws_fine;
}

/* ---- speaking
 * ------------------------------------------------------------------------------------- */

static void set_mic(struct act *act, const struct id *person, const struct id *device, bool on)
{
    const struct seat *seat = state_seat(act->klass->work, person);
    const struct device *d = seat ? seat_device(seat, device) : NULL;
    uint32_t media = d ? (on ? d->media | MEDIA_MIC : d->media & ~(uint32_t)MEDIA_MIC) : 0;
    if (d && media != d->media) {
        act_emit(act, (struct event){.type = EVENT_MEDIA_CHANGED,
                                     .person = *person,
                                     .device = *device,
                                     .b = media});
    }
}

void ws_end_voice(struct act *act, const struct id *person)
{
    const struct ws_voice *found = ws_voice_of(ws_of(act), person);
    if (!found || act->err) {
        return;
    }
    struct ws_voice v = *found;
    /* Closed first, so that the room it goes back to hears nothing that was not meant for it. */
    if (!v.mic_before) {
        set_mic(act, &v.person, &v.device, false);
    }
    act_emit(act, (struct event){.type = EVENT_WS_VOICE,
                                 .person = v.person,
                                 .device = v.device,
                                 .other = v.id,
                                 .b = v.kind});
}

static unsigned voices_into(const struct workshops *w, const struct id *room)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < w->list[WS_VOICES].count; i++) {
        const struct ws_voice *v = ws_voice_at(w, i);
        count += ws_is_target(w, &v->id, v->all, room);
    }
    return count;
}

static void target(struct act *act, const struct id *word, const struct id *room)
{
    act_emit(act, (struct event){.type = EVENT_WS_TARGET, .other = *word, .device = *room});
}

static struct refusal may_speak(const struct act *act, const struct conn *c)
{
    const struct state *s = act->klass->work;
    if (!ws_open(&s->workshops)) {
        return refuse_with("state", NULL, "no workshops are open");
    }
    if (!right_has(state_rights(s, state_person(s, &c->person)), RIGHT_MIC)) {
        return refuse_with("denied", NULL, "the microphone is not allowed");
    }
    return ws_fine;
}

/* Begins a voice; targets follow. */
static struct id begin(struct act *act, const struct conn *c, unsigned kind, bool all)
{
    struct id id = id_new(&act->klass->room->config.rng);
    ws_end_voice(act, &c->person);
    const struct seat *seat = state_seat(act->klass->work, &c->person);
    const struct device *d = seat_device(seat, &c->live->device);
    bool open = d && (d->media & MEDIA_MIC);
    act_emit(act, (struct event){.type = EVENT_WS_VOICE,
                                 .person = c->person,
                                 .device = c->live->device,
                                 .other = id,
                                 .a = 1u | (all ? 2u : 0u),
                                 .b = kind | (open ? 1u << 8 : 0u)});
    return id;
}

static struct refusal talk(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_talk *m = &msg->ws_talk;
    if (!m->has_room) {
        ws_end_voice(act, &c->person);
        return ws_fine;
    }
    const struct workshops *w = ws_of(act);
    if (!ws_room(w, &m->room)) {
        return ws_gone("room");
    }
    struct refusal no = may_speak(act, c);
    if (no.code) {
        return no;
    }
    if (!room_open(w, &m->room)) {
        return no_room();
    }
    if (voices_into(w, &m->room) >= VOICES_OF_A_ROOM) {
        return refuse_with("busy", "room", "others speak to this room");
    }
    struct id id = begin(act, c, WS_WORD_TALK, false);
    target(act, &id, &m->room);
    set_mic(act, &c->person, &c->live->device, true);
    return ws_fine;
}

/* Rooms of a list: all open, or the main room (spelled with the id of the class). */
static struct refusal check_rooms(const struct act *act, const json_t *rooms, bool voice)
{
    const struct state *s = act->klass->work;
    for (size_t i = 0; i < json_array_size(rooms); i++) {
        const json_t *text = json_array_get(rooms, i);
        struct id id;
        (void)id_parse(&id, ID_ROOM, json_string_value(text), json_string_length(text));
        if (state_room(s, &id) < 0) {
            return no_room();
        }
        if (voice && voices_into(&s->workshops, &id) >= VOICES_OF_A_ROOM) {
            return refuse_with("busy", "rooms", "others speak to one of these rooms");
        }
    }
    if (voice && !rooms && s->workshops.list[WS_VOICES].count >= VOICES_OF_A_ROOM) {
        return refuse_with("busy", NULL, "others speak to the rooms");
    }
    return ws_fine;
}

static void targets(struct act *act, const struct id *word, const json_t *rooms)
{
    for (size_t i = 0; i < json_array_size(rooms) && !act->err; i++) {
        const json_t *text = json_array_get(rooms, i);
        struct id id;
        (void)id_parse(&id, ID_ROOM, json_string_value(text), json_string_length(text));
        if (ws_is_target(ws_of(act), word, false, &id)) {
            continue; /* named twice */
        }
        target(act, word, &id);
    }
}

static struct refusal voice(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_voice *m = &msg->ws_voice;
    const json_t *rooms = m->has_rooms ? m->rooms : NULL;
    if (!m->on) {
        ws_end_voice(act, &c->person);
        return ws_fine;
    }
    struct refusal no = may_speak(act, c);
    no = no.code ? no : check_rooms(act, rooms, true);
    if (no.code) {
        return no;
    }
    if (ws_of(act)->list[WS_VOICES].count == WS_VOICES_MAX) {
        return refuse_with("busy", NULL, "too many people speak to rooms");
    }
    struct id id = begin(act, c, WS_WORD_VOICE, rooms == NULL);
    targets(act, &id, rooms);
    set_mic(act, &c->person, &c->live->device, true);
    return ws_fine;
}

/* ---- writing
 * -------------------------------------------------------------------------------------- */

static struct refusal announce(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_announce *m = &msg->ws_announce;
    const json_t *rooms = m->has_rooms ? m->rooms : NULL;
    struct refusal no = check_rooms(act, rooms, false);
    if (no.code) {
        return no;
    }
    struct id id = id_new(&act->klass->room->config.rng);
    act_emit(act, (struct event){.type = EVENT_WS_ANNOUNCED,
                                 .person = c->person,
                                 .other = id,
                                 .a = rooms ? 0u : 2u,
                                 .text = ws_text(act, &m->text)});
    targets(act, &id, rooms);
    return ws_fine;
}

static struct refusal staff(struct act *act, struct conn *c, const struct msg *msg)
{
    act_emit(act, (struct event){.type = EVENT_WS_STAFF_SAID,
                                 .person = c->person,
                                 .other = id_new(&act->klass->room->config.rng),
                                 .text = ws_text(act, &msg->ws_staff.text)});
    return ws_fine;
}

static struct refusal publish(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct msg_ws_publish *m = &msg->ws_publish;
    if (!ws_room(ws_of(act), &m->room)) {
        return ws_gone("room");
    }
    act_emit(act, (struct event){
                      .type = EVENT_WS_PUBLISHED, .device = m->room, .a = (uint32_t)m->scope});
    return ws_fine;
}

/* ---- help
 * ----------------------------------------------------------------------------------------- */

static void call(struct act *act, const struct id *room, const struct id *person,
                 enum ws_call_state how, struct id by, struct rtext *text)
{
    act_emit(act, (struct event){.type = EVENT_WS_CALL,
                                 .device = *room,
                                 .person = *person,
                                 .other = by,
                                 .a = how,
                                 .text = text});
}

static struct refusal help(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    const struct ws_room *r = ws_room_of(s, state_seat(s, &c->person));
    if (!r) {
        return refuse_with("state", NULL, "you are not in a workshop");
    }
    const struct ws_call *now = ws_call(&s->workshops, &r->id);
    if (now && now->state == WS_CALL_TAKEN) {
        return refuse_with("state", NULL, "help is on its way");
    }
    struct id room = r->id;
    struct rtext *text = msg->ws_help.has_text ? ws_text(act, &msg->ws_help.text) : NULL;
    call(act, &room, &c->person, WS_CALL_ASKED, (struct id){{0}}, text);
    return ws_fine;
}

static struct refusal help_end(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_ws_help_end *m = &msg->ws_help_end;
    const struct state *s = act->klass->work;
    const struct seat *seat = state_seat(s, &c->person);
    const struct ws_room *own = ws_room_of(s, seat);
    bool staff_does = m->has_room;
    if (staff_does && !right_has(state_rights(s, seat->person), RIGHT_WORKSHOPS)) {
        return refuse_with("denied", "room", "only your own room");
    }
    const struct ws_room *r = staff_does ? ws_room(&s->workshops, &m->room) : own;
    if (staff_does && !r) {
        return ws_gone("room");
    }
    const struct ws_call *now = r ? ws_call(&s->workshops, &r->id) : NULL;
    if (!now) {
        return refuse_with("state", NULL, "nobody calls there");
    }
    struct id room = r->id;
    struct id person = now->person;
    call(act, &room, &person, staff_does ? WS_CALL_DONE : WS_CALL_WITHDRAWN, c->person, NULL);
    return ws_fine;
}

static struct refusal help_take(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct id *room = &msg->ws_help_take.room;
    const struct ws_call *now = ws_call(ws_of(act), room);
    if (!ws_room(ws_of(act), room)) {
        return ws_gone("room");
    }
    if (!now) {
        return refuse_with("state", "room", "nobody calls there");
    }
    if (now->state == WS_CALL_TAKEN && !id_equal(&now->by, &c->person)) {
        return refuse_with("state", "room", "somebody else has taken it");
    }
    struct id person = now->person;
    call(act, room, &person, WS_CALL_TAKEN, c->person, NULL);
    return ws_fine;
}

command_h ws_desk_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_WS_LISTEN] = listen,     [MSG_WS_TALK] = talk,         [MSG_WS_VOICE] = voice,
        [MSG_WS_ANNOUNCE] = announce, [MSG_WS_STAFF] = staff,       [MSG_WS_PUBLISH] = publish,
        [MSG_WS_HELP] = help,         [MSG_WS_HELP_END] = help_end, [MSG_WS_HELP_TAKE] = help_take,
    };
    return handlers[type];
}
