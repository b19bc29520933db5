/*
 * The classroom's side of the media: offers and answers, who is where and may send what, views and
 * what is in the slots. A route is open only while both the working and the committed state allow
 * it: so what restricts leaves at once and what permits waits for the commit, by construction.
 */
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/mem.h"
#include "signaling/class/impl.h"
#include "signaling/class/offer.h"
#include "signaling/class/ws.h"
#include "signaling/journal/stage.h"

static void command(struct classroom *room, const struct media_cmd *cmd)
{
    room->hooks.media_h(room->hooks.arg, cmd);
}

/* ---- rooms and sources
 * ---------------------------------------------------------------------------- */

/* Media rooms of a class beyond its own: see enum stage_media. */
enum { MEDIA_ROOM_WINGS = 0xfff1, MEDIA_ROOM_LOBBY = 0xfff2 };

struct route {
    room_num room;
    uint32_t publish;
    struct media_ears ears;
    room_num voice; /* where the microphone is heard instead; 0 = in the room */
    bool desk;      /* may look at every table */
};

/* Number of a room of a class for the life of the core; never 0. */
room_num routes_room(const struct klass *k, uint16_t room)
{
    return (room_num)(k->index + 1) << 16 | room;
}

/* In a webinar the media goes where one stands: the audience is with the stage only on air, the
 * wings hear and see the stage from a room of their own, staff on stage sees into the wings. */
static void stage_route(struct route *r, const struct klass *k, const struct state *s,
                        const struct seat *seat)
{
    room_num stage = routes_room(k, seat->room);
    room_num wings = routes_room(k, MEDIA_ROOM_WINGS);
    switch (stage_media(s, seat->person)) {
    case STAGE_MEDIA_STAGE:
        if (role_is_staff(seat->person->role)) {
            r->ears = (struct media_ears){.eyes = 1, .eye = {wings}};
        }
        break;
    case STAGE_MEDIA_WINGS:
        r->room = wings;
        r->ears = (struct media_ears){.ears = 1, .eyes = 1, .ear = {stage}, .eye = {stage}};
        break;
    case STAGE_MEDIA_LOBBY:
        r->room = routes_room(k, MEDIA_ROOM_LOBBY);
        break;
    }
}

/* Workshops: whom one listens to, who speaks to one, which tables the control desk looks at. */
static void table_route(struct route *r, const struct live *l, const struct state *s,
                        const struct seat *seat)
{
    struct ws_route far;
    ws_route_in(&far, l->klass, s, seat, &l->device);
    r->voice = far.voice;
    r->desk = far.desk;
    for (unsigned i = 0; i < far.ears.ears && r->ears.ears < MEDIA_EARS_MAX; i++) {
        r->ears.ear[r->ears.ears++] = far.ears.ear[i];
    }
    for (unsigned i = 0; far.desk && i < l->eyes && r->ears.eyes < MEDIA_EYES_MAX; i++) {
        r->ears.eye[r->ears.eyes++] = l->eye[i];
    }
}

static struct route route_in(const struct live *l, const struct state *s)
{
    const struct seat *seat = state_seat(s, &l->person);
    const struct device *d = seat ? seat_device(seat, &l->device) : NULL;
    if (!d) {
        return (struct route){.room = 0};
    }
    struct route route = {.room = routes_room(l->klass, seat->room),
                          .publish = state_media(s, seat, d)};
    if (stage_is(s) && seat->room == ROOM_MAIN) {
        stage_route(&route, l->klass, s, seat);
    }
    table_route(&route, l, s, seat);
    return route;
}

static bool names(const room_num *list, unsigned count, room_num room)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == room) {
            return true;
        }
    }
    return false;
}

/* What both allow. */
static struct media_ears common_ears(const struct media_ears *a, const struct media_ears *b)
{
    struct media_ears both = {.ears = 0};
    for (unsigned i = 0; i < a->ears; i++) {
        if (names(b->ear, b->ears, a->ear[i])) {
            both.ear[both.ears++] = a->ear[i];
        }
    }
    for (unsigned i = 0; i < a->eyes; i++) {
        if (names(b->eye, b->eyes, a->eye[i])) {
            both.eye[both.eyes++] = a->eye[i];
        }
    }
    return both;
}

static bool same_ears(const struct media_ears *a, const struct media_ears *b)
{
    return a->ears == b->ears && a->eyes == b->eyes &&
           memcmp(a->ear, b->ear, a->ears * sizeof(a->ear[0])) == 0 &&
           memcmp(a->eye, b->eye, a->eyes * sizeof(a->eye[0])) == 0;
}

static void send_ears(struct live *l, struct media_ears ears)
{
    if (!same_ears(&ears, &l->sent_ears)) {
        l->sent_ears = ears;
        command(l->klass->room,
                &(struct media_cmd){.kind = MEDIA_CMD_EARS, .device = l->num, .ears = ears});
    }
}

void routes_sync(struct live *l)
{
    if (!l->open) {
        return;
    }
    struct route work = route_in(l, l->klass->work);
    struct route done = route_in(l, l->klass->done);
    room_num room = work.room == done.room ? work.room : 0;
    uint32_t publish = room ? work.publish & done.publish : 0;
    struct media_ears ears = common_ears(&work.ears, &done.ears);
    struct media_cmd cmd = {.device = l->num};
    if (work.voice != done.voice) {
        publish &= ~(uint32_t)MEDIA_MIC; /* on its way to other ears: nobody hears it meanwhile */
    }
    /* What is heard besides is taken away first and given last. */
    send_ears(l, common_ears(&ears, &l->sent_ears));
    /* Closing comes before moving and moving before opening, so nothing is heard in passing. */
    if (l->sent_publish & ~publish) {
        l->sent_publish &= publish;
        cmd.kind = MEDIA_CMD_PUBLISH;
        cmd.publish = l->sent_publish;
        command(l->klass->room, &cmd);
    }
    if (l->sent_room != room) {
        l->sent_room = room;
        cmd.kind = MEDIA_CMD_ROOM;
        cmd.room = room;
        command(l->klass->room, &cmd);
    }
    if (work.voice == done.voice && l->sent_voice != done.voice) {
        l->sent_voice = done.voice;
        cmd.kind = MEDIA_CMD_VOICE;
        cmd.room = done.voice;
        command(l->klass->room, &cmd);
    }
    if (l->sent_publish != publish) {
        l->sent_publish = publish;
        cmd.kind = MEDIA_CMD_PUBLISH;
        cmd.publish = publish;
        command(l->klass->room, &cmd);
    }
    send_ears(l, room ? ears : (struct media_ears){.ears = 0});
}

void routes_sync_class(struct klass *k)
{
    for (struct live *l = k->lives; l; l = l->next) {
        routes_sync(l);
    }
}

static bool touches_class(const struct event *e)
{
    return (event_row(e->type)->see & SEE_RIGHTS_ALL) == SEE_RIGHTS_ALL ||
           e->type == EVENT_CLASS_ENDED;
}

static bool touches_person(const struct event *e)
{
    return e->type == EVENT_PERSON_JOINED || e->type == EVENT_PERSON_LEFT ||
           e->type == EVENT_DEVICE_JOINED || e->type == EVENT_DEVICE_LEFT ||
           e->type == EVENT_MEDIA_CHANGED || (event_row(e->type)->see & SEE_RIGHTS);
}

/* Somebody speaks to other rooms: whoever goes may be that one, and then others hear less. */
static bool has_voices(const struct klass *k)
{
    return k->work->workshops.list[WS_VOICES].count + k->done->workshops.list[WS_VOICES].count > 0;
}

void routes_sync_event(struct klass *k, const struct event *e)
{
    bool person = touches_person(e);
    bool all = touches_class(e) || (person && has_voices(k));
    if (!all && !person) {
        return;
    }
    for (struct live *l = k->lives; l; l = l->next) {
        if (all || id_equal(&l->person, &e->person)) {
            routes_sync(l);
        }
    }
}

/* The media server knows nothing of the device any more. */
static void forget_sent(struct live *l)
{
    l->sent_room = 0;
    l->sent_publish = 0;
    l->sent_voice = 0;
    l->sent_ears = (struct media_ears){.ears = 0};
}

void routes_close(struct live *l)
{
    if (l->open) {
        l->open = false;
        forget_sent(l);
        command(l->klass->room, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = l->num});
    }
    l->slots = (struct media_evt){.device = 0};
    l->send = (struct media_evt){.device = 0};
    l->slots_due = false;
    l->slots_told = 0;
    l->offer_token = 0;
    l->eyes = 0;
    memset(l->eye, 0, sizeof(l->eye));
}

/* ---- offer and answer
 * ----------------------------------------------------------------------------- */

void routes_offer(struct classroom *room, struct conn *c, const struct msg *msg)
{
    struct live *l = c->live;
    const struct msg_media_offer *m = &msg->media_offer;
    struct media_cmd cmd = {.kind = MEDIA_CMD_OPEN, .device = l->num};
    if (offer_read(&cmd.offer, m->offer)) {
        out_error(room, c->num, msg->id, "bad_message", "offer", "numbers are used twice");
        return;
    }
    if (m->cause == OFFER_ICE) {
        if (!l->open) {
            out_error(room, c->num, msg->id, "state", "cause", "no connection to restart");
            return;
        }
        cmd.kind = MEDIA_CMD_RESTART;
    } else {
        routes_close(l);
        l->open = true;
        l->audio_slots = cmd.offer.audio_slots;
        l->video_slots = cmd.offer.video_slots;
        cmd.class_num = id_key(&c->klass->id);
        cmd.class_size = (uint32_t)c->klass->work->seat_count + 1;
        cmd.seated = c->place == CONN_CLASS || role_is_staff(c->link_role);
    }
    cmd.token = ++room->media_token;
    l->offer_token = cmd.token;
    (void)snprintf(l->offer_id, sizeof(l->offer_id), "%s", msg->id);
    command(room, &cmd);
    if (cmd.kind == MEDIA_CMD_OPEN) {
        routes_sync(l);
    }
}

int classroom_offer(struct classroom *room, conn_num num, const struct desc_offer *offer,
                    bool restart, uint64_t token)
{
    const struct conn *c = conn_find(room, num);
    struct live *l = c && c->place == CONN_CLASS && classroom_inside(num) ? c->live : NULL;
    if (!l || (restart && !l->open)) {
        return E_STATE;
    }
    struct media_cmd cmd = {.kind = restart ? MEDIA_CMD_RESTART : MEDIA_CMD_OPEN,
                            .device = l->num,
                            .token = token,
                            .class_num = id_key(&c->klass->id),
                            .class_size = (uint32_t)c->klass->work->seat_count,
                            .seated = true,
                            .offer = *offer};
    if (!restart) {
        routes_close(l);
        l->open = true;
    }
    command(room, &cmd);
    if (!restart) {
        routes_sync(l);
    }
    return 0;
}

void routes_ready(struct classroom *room, struct conn *c)
{
    if (!c->live->open) {
        out_error(room, c->num, NULL, "state", NULL, "no media connection");
        return;
    }
    command(room, &(struct media_cmd){.kind = MEDIA_CMD_READY, .device = c->live->num});
}

static void answered(struct live *l, const struct media_evt *evt)
{
    struct classroom *room = l->klass->room;
    if (!l->offer_token || l->offer_token != evt->token) {
        return; /* of an offer that a newer one has replaced */
    }
    l->offer_token = 0;
    bool refused = evt->kind == MEDIA_EVT_REFUSED;
    if (refused) {
        l->open = false;
        forget_sent(l);
    }
    if (!l->conn) {
        return;
    }
    if (refused) {
        bool full = evt->err == E_FULL || evt->err == E_LIMIT;
        room->stats.refused++;
        out_error(room, l->conn->num, l->offer_id, full ? "full" : "internal", "offer",
                  full ? "no room for another media connection" : err_text(evt->err));
        return;
    }
    struct jsonw *w = &room->json;
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key_str(w, "t", "media.answer");
    jsonw_key_str(w, "id", l->offer_id);
    jsonw_key(w, "answer");
    answer_write(w, &evt->answer);
    jsonw_object_end(w);
    room->stats.accepted++;
    out_send(room, l->conn->num);
}

/* ---- view
 * ----------------------------------------------------------------------------------------- */

/* One more room to look into; false when there are too many. */
static bool add_eye(struct live *l, room_num eye)
{
    for (unsigned i = 0; i < l->eyes; i++) {
        if (l->eye[i] == eye) {
            return true;
        }
    }
    if (eye && l->eyes < MEDIA_EYES_MAX) {
        l->eye[l->eyes++] = eye;
        return true;
    }
    return eye == 0;
}

/* A live of the same class in the same room as l, or NULL: nobody else can be seen (S27). */
static struct live *roommate(struct classroom *room, struct live *l, const struct id *device)
{
    struct live *other = live_find(room, l->klass, device);
    if (!other) {
        return NULL;
    }
    const struct state *s = l->klass->work;
    const struct seat *mine = state_seat(s, &l->person);
    const struct seat *theirs = state_seat(s, &other->person);
    if (!mine || !theirs || !live_seated(other, s) || !state_sees(s, mine, theirs->person)) {
        return NULL;
    }
    struct route to = route_in(l, s);
    room_num from = route_in(other, s).room;
    if (to.desk && to.room != from && theirs->room != mine->room) {
        return add_eye(l, from) ? other : NULL;
    }
    return to.room == from || names(to.ears.eye, to.ears.eyes, from) ? other : NULL;
}

void routes_view(struct classroom *room, struct conn *c, const struct msg *msg)
{
    struct live *l = c->live;
    struct media_cmd cmd = {.kind = MEDIA_CMD_VIEW, .device = l->num};
    const struct seat *mine = state_seat(l->klass->work, &l->person);
    bool light = mine && mine->light; /* sound and slides only */
    uint64_t taken = 0;
    const char *code = NULL;
    char at[32] = "";
    l->eyes = 0;
    memset(l->eye, 0, sizeof(l->eye));
    for (size_t i = 0; i < json_array_size(msg->view.want); i++) {
        const json_t *want = json_array_get(msg->view.want, i);
        const json_t *device = json_array_get(want, 1);
        unsigned slot = (unsigned)json_integer_value(json_array_get(want, 0));
        struct id id;
        (void)id_parse(&id, ID_DEVICE, json_string_value(device), json_string_length(device));
        bool cam = strcmp(json_string_value(json_array_get(want, 2)), "cam") == 0;
        const struct live *other = cam && light ? NULL : roommate(room, l, &id);
        bool bad_slot = slot >= l->video_slots || (taken >> slot & 1) != 0;
        if (bad_slot || !other) {
            code = bad_slot ? "bad_message" : "not_found";
            (void)snprintf(at, sizeof(at), "want[%zu][%d]", i, bad_slot ? 0 : 1);
            continue;
        }
        taken |= (uint64_t)1 << slot;
        cmd.view.want[cmd.view.count++] = (struct media_want){
            .slot = (uint8_t)slot,
            .source = cam ? SOURCE_CAMERA : SOURCE_SCREEN,
            .height_max = (uint16_t)json_integer_value(json_array_get(want, 3)),
            .publisher = other->num,
        };
    }
    routes_sync(l); /* first the eyes, then the pictures */
    if (l->open) {
        command(room, &cmd);
    }
    if (code) {
        room->stats.refused++;
        out_error(room, c->num, NULL, code, at,
                  code[0] == 'n' ? "no such device in this room" : "not a free slot of yours");
    }
}

/* ---- slots and speakers
 * --------------------------------------------------------------------------- */

/* Spelling of a device as the page knows it, "" for nobody it may know. */
static const char *device_text(char out[ID_TEXT_MAX], struct classroom *room, const struct live *to,
                               device_num num)
{
    uint64_t value;
    out[0] = '\0';
    if (num && map_find(&room->devices, num, &value)) {
        const struct live *l = (const struct live *)(uintptr_t)value;
        if (l->klass == to->klass && live_seated(l, to->klass->done)) {
            (void)id_print(out, ID_DEVICE, &l->device);
        }
    }
    return out;
}

static void tell_slots(struct live *l)
{
    struct classroom *room = l->klass->room;
    const struct media_evt *evt = &l->slots;
    struct jsonw *w = &room->json;
    char text[ID_TEXT_MAX];
    unsigned audio =
        evt->slots.audio < DESC_AUDIO_SLOTS_MAX ? evt->slots.audio : (unsigned)DESC_AUDIO_SLOTS_MAX;
    unsigned video =
        evt->slots.video < DESC_VIDEO_SLOTS_MAX ? evt->slots.video : (unsigned)DESC_VIDEO_SLOTS_MAX;
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key_str(w, "t", "slots");
    jsonw_key(w, "audio");
    jsonw_array(w);
    for (unsigned i = 0; i < audio; i++) {
        jsonw_str(w, device_text(text, room, l, evt->slots.slot[i].publisher));
    }
    jsonw_array_end(w);
    jsonw_key(w, "video");
    jsonw_array(w);
    for (unsigned i = 0; i < video; i++) {
        const struct media_slot *slot = &evt->slots.slot[audio + i];
        (void)device_text(text, room, l, slot->publisher);
        if (!text[0]) {
            continue;
        }
        jsonw_array(w);
        jsonw_int(w, i);
        jsonw_str(w, text);
        jsonw_str(w, slot->source == SOURCE_SCREEN ? "screen" : "cam");
        jsonw_str(w, schema_spell(ENUM_slot_life, slot->state < 3 ? slot->state : 0));
        jsonw_str(w, schema_spell(ENUM_slot_reason, slot->reason < 6 ? slot->reason : 0));
        jsonw_int(w, slot->height);
        jsonw_array_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    if (!l->conn || l->conn->place != CONN_CLASS) {
        return; /* it is told when it comes in */
    }
    /* The forwarding side speaks up whenever it moved something; pages hear of changes only. */
    static const struct hash_key key = {0x616d7068692e3120ULL, 0x736c6f7473000000ULL};
    size_t len;
    const char *json = jsonw_text(w, &len);
    uint64_t hash = json ? hash_bytes(&key, json, len) : 0;
    if (hash != l->slots_told) {
        l->slots_told = hash;
        out_send(room, l->conn->num);
    }
}

static void tell_send(const struct live *l)
{
    struct classroom *room = l->klass->room;
    struct jsonw *w = &room->json;
    if (!l->conn || l->conn->place != CONN_CLASS) {
        return; /* a page that comes in sends everything until it is told otherwise */
    }
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key_str(w, "t", "send");
    jsonw_key(w, "cam");
    jsonw_int(w, l->send.send[SOURCE_CAMERA] & 7);
    jsonw_key(w, "screen");
    jsonw_int(w, l->send.send[SOURCE_SCREEN] & 7);
    jsonw_object_end(w);
    out_send(room, l->conn->num);
}

void routes_tell_slots(struct live *l)
{
    l->slots_told = 0;
    if (l->open && l->slots.device == l->num) {
        tell_slots(l);
    }
    if (l->open && l->send.device == l->num) {
        tell_send(l);
    }
}

void routes_timer_slots(struct live *l, struct class_time now)
{
    if (l->slots_due) {
        l->slots_due = false;
        l->slots_at = now.mono;
        tell_slots(l);
    }
}

static void slots(struct live *l, const struct media_evt *evt, struct class_time now)
{
    l->slots = *evt;
    l->slots_due = true;
    if (now.mono - l->slots_at >= SLOTS_US) {
        routes_timer_slots(l, now);
    } else if (!l->slots_timer.armed) {
        twheel_set(&l->klass->room->wheel, &l->slots_timer, l->slots_at + SLOTS_US);
    }
}

/* On a stage it depends on where one stands; elsewhere one hears one's room. */
bool routes_hears(const struct klass *k, const struct conn *c, uint16_t index)
{
    if (!stage_is(k->done)) {
        return c->view.room == index;
    }
    room_num where = routes_room(k, index);
    struct route to = route_in(c->live, k->done);
    return to.room == where || names(to.ears.ear, to.ears.ears, where);
}

void classroom_media(struct classroom *room, const struct media_evt *evt, struct class_time now)
{
    if (evt->kind == MEDIA_EVT_SPEAKING) {
        voices_input(room, evt, now);
        return;
    }
    if (evt->kind == MEDIA_EVT_LOAD) {
        load_input(room, evt);
        return;
    }
    uint64_t value;
    if (!map_find(&room->devices, evt->device, &value)) {
        return;
    }
    struct live *l = (struct live *)(uintptr_t)value;
    switch (evt->kind) {
    case MEDIA_EVT_ANSWER:
    case MEDIA_EVT_REFUSED:
        answered(l, evt);
        break;
    case MEDIA_EVT_SLOTS:
        slots(l, evt, now);
        break;
    case MEDIA_EVT_SEND:
        l->send = *evt;
        tell_send(l);
        break;
    case MEDIA_EVT_FAILED:
        /* The page sees it on its own connection and offers again; nothing is left to close. */
        l->open = false;
        forget_sent(l);
        break;
    case MEDIA_EVT_CONNECTED:
    case MEDIA_EVT_LOST:
    case MEDIA_EVT_BACK:
    case MEDIA_EVT_SPEAKING:
    case MEDIA_EVT_LOAD:
        break;
    }
}
