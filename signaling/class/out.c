/*
 * What people are told: snapshots, acknowledgements, errors. Deltas come from out_log.c.
 */
#include <string.h>

#include "codec/base/mem.h"
#include "signaling/class/conduct.h"
#include "signaling/class/part.h"
#include "signaling/class/webinar.h"
#include "signaling/class/ws.h"

/* ---- sending
 * -------------------------------------------------------------------------------------- */

void out_send_to(struct classroom *room, const conn_num *to, size_t count)
{
    size_t len;
    const char *text = jsonw_text(&room->json, &len);
    if (text) {
        room->stats.messages_out += count;
        room->hooks.send_h(room->hooks.arg, to, count, text, len);
    }
}

void out_send(struct classroom *room, conn_num to)
{
    out_send_to(room, &to, 1);
}

struct jsonw *out_start(struct classroom *room, const char *type)
{
    jsonw_reset(&room->json);
    jsonw_object(&room->json);
    jsonw_key_str(&room->json, "t", type);
    return &room->json;
}

void out_key_id(struct jsonw *w, const char *key, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];
    jsonw_key_str(w, key, id_print(text, kind, id));
}

void out_error(struct classroom *room, conn_num to, const char *id, const char *code,
               const char *at, const char *why)
{
    struct jsonw *w = out_start(room, "error");
    if (id && id[0]) {
        jsonw_key_str(w, "id", id);
    }
    jsonw_key_str(w, "code", code);
    if (at && at[0]) {
        jsonw_key_str(w, "at", at);
    }
    jsonw_key_str(w, "why", why);
    jsonw_object_end(w);
    out_send(room, to);
}

void out_ack(struct classroom *room, conn_num to, const char *id, uint64_t seq)
{
    struct jsonw *w = out_start(room, "ack");
    jsonw_key_str(w, "id", id);
    if (seq) {
        jsonw_key_int(w, "seq", (int64_t)seq);
    }
    jsonw_object_end(w);
    out_send(room, to);
}

void out_pong(struct classroom *room, conn_num to)
{
    struct jsonw *w = out_start(room, "pong");
    jsonw_key_int(w, "epoch", (int64_t)room->config.epoch);
    jsonw_object_end(w);
    out_send(room, to);
}

/* ---- parts
 * ---------------------------------------------------------------------------------------- */

void out_media(struct jsonw *w, uint32_t media)
{
    jsonw_key_str(w, "mic", media & MEDIA_MIC ? "on" : "off");
    jsonw_key_bool(w, "cam", (media & MEDIA_CAM) != 0);
    jsonw_key_bool(w, "screen", (media & MEDIA_SCREEN) != 0);
    jsonw_key_bool(w, "sound", (media & MEDIA_SOUND) != 0);
}

void out_device(struct jsonw *w, const struct device *d)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_DEVICE, &d->id);
    out_media(w, d->media);
    if (d->feed) {
        jsonw_key_bool(w, "feed", true);
    }
    jsonw_object_end(w);
}

void out_person(struct jsonw *w, const struct state *s, const struct seat *seat)
{
    const struct person *p = seat->person;
    jsonw_object(w);
    out_key_id(w, "id", ID_PERSON, &p->id);
    jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)state_role(s, p)));
    jsonw_key_int(w, "joined", seat->joined_at);
    jsonw_key_bool(w, "away", seat->away);
    if (seat->room != ROOM_MAIN) {
        out_key_id(w, "room", ID_ROOM, &s->rooms[seat->room].id);
    }
    if (p->grant) {
        jsonw_key(w, "granted");
        out_features(w, p->grant);
    }
    if (p->deny) {
        jsonw_key(w, "denied");
        out_features(w, p->deny);
    }
    jsonw_key(w, "devices");
    jsonw_array(w);
    for (unsigned i = 0; i < seat->device_count; i++) {
        out_device(w, &seat->devices[i]);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

void out_class(struct jsonw *w, const struct state *s)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_CLASS, &s->class_id);
    jsonw_key_strn(w, "title", rtext_str(s->title), rtext_len(s->title));
    jsonw_key_str(w, "type", schema_spell(ENUM_class_type, (int)s->type));
    jsonw_key_str(w, "state", schema_spell(ENUM_session_state, (int)s->session));
    jsonw_object_end(w);
}

void out_hand(struct jsonw *w, const struct id *person, unsigned kind, wall_ms at)
{
    jsonw_object(w);
    out_key_id(w, "person", ID_PERSON, person);
    jsonw_key_str(w, "kind", schema_spell(ENUM_hand_kind, (int)kind));
    jsonw_key_int(w, "at", at);
    jsonw_object_end(w);
}

void out_chat(struct jsonw *w, const struct chat_entry *c, bool named)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_MESSAGE, &c->id);
    out_key_id(w, "from", ID_PERSON, &c->from);
    jsonw_key_strn(w, "name", rtext_str(c->name), named ? rtext_len(c->name) : 0);
    jsonw_key_int(w, "at", c->at);
    jsonw_key_strn(w, "text", rtext_str(c->text), rtext_len(c->text));
    jsonw_object_end(w);
}

/* ---- snapshot and answers of entering
 * --------------------------------------------------------------- */

static void rights_value(struct jsonw *w, right_mask rights)
{
    jsonw_array(w);
    for (unsigned i = 0; i < RIGHT_COUNT; i++) {
        if (right_has(rights, (enum right)i) && right_name((enum right)i)[0]) {
            jsonw_str(w, right_name((enum right)i));
        }
    }
    jsonw_array_end(w);
}

static void you_value(struct jsonw *w, const struct state *s, const struct person *p,
                      const struct live *l)
{
    jsonw_object(w);
    out_key_id(w, "person", ID_PERSON, &p->id);
    out_key_id(w, "device", ID_DEVICE, &l->device);
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)state_role(s, p)));
    if (p->role == ROLE_HOST) {
        jsonw_key_bool(w, "host", true);
    }
    jsonw_object_end(w);
}

static void hand_list(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    const struct seat *hands[STATE_SEATS_MAX];
    size_t count = state_hands(s, hands, STATE_SEATS_MAX);
    jsonw_key(w, "hands");
    jsonw_array(w);
    for (size_t i = 0; i < count; i++) {
        if (hands[i]->room == v->room && webinar_shows_hand(s, v->seat, hands[i])) {
            out_hand(w, &hands[i]->person->id, hands[i]->hand_kind, hands[i]->hand_at);
        }
    }
    jsonw_array_end(w);
}

static void lists(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    jsonw_key(w, "people");
    jsonw_array(w);
    for (size_t i = 0; i < s->seat_count; i++) {
        if (state_sees(s, v->seat, s->seats[i]->person)) {
            out_person(w, s, s->seats[i]);
        }
    }
    jsonw_array_end(w);
    hand_list(w, s, v);
}

/* At most this many bytes has a text in JSON: what may be escaped counts as if it were. */
size_t out_text_cost(const struct rtext *text)
{
    const char *s = rtext_str(text);
    size_t len = rtext_len(text);
    size_t cost = len;
    for (size_t i = 0; i < len; i++) {
        switch ((unsigned char)s[i]) {
        case '"':
        case '\\':
        case '\n':
        case '\t':
            cost += 1;
            break;
        case 0xc2: /* C1 controls */
        case 0xe2: /* U+2028, U+2029 */
            cost += 4;
            break;
        default:
            cost += (unsigned char)s[i] < ' ' || s[i] == 0x7f ? 5 : 0;
            break;
        }
    }
    return cost;
}

/*
 * The newest messages that still fit, oldest first. It comes last in a snapshot: people, hands and
 * all else must be whole, and a message may be 4,000 characters long.
 */
static void chat_list(struct jsonw *w, const struct state *s, const struct viewer *v, size_t most)
{
    size_t room =
        w->len + OUT_CHAT_SPARE < OUT_SNAPSHOT_MAX ? OUT_SNAPSHOT_MAX - OUT_CHAT_SPARE - w->len : 0;
    size_t left = room < most ? room : most;
    size_t from = s->chat_count;
    if (ws_room_chat(w, s, v->seat, left)) {
        return;
    }
    while (from > 0) {
        const struct chat_entry *c = state_chat(s, from - 1);
        if (c->room == v->room && webinar_reads(v->seat, c)) {
            size_t cost = OUT_CHAT_SPARE + out_text_cost(c->name) + out_text_cost(c->text);
            if (cost > left) {
                break;
            }
            left -= cost;
        }
        from--;
    }
    jsonw_key(w, "chat");
    jsonw_array(w);
    for (size_t i = from; i < s->chat_count; i++) {
        const struct chat_entry *c = state_chat(s, i);
        if (c->room == v->room && webinar_reads(v->seat, c)) {
            out_chat(w, c, webinar_named(s, v->seat, c));
        }
    }
    jsonw_array_end(w);
}

void out_room_members(struct jsonw *w, const struct state *s, const struct viewer *v,
                      size_t chat_max)
{
    hand_list(w, s, v);
    chat_list(w, s, v, chat_max);
}

static void parts_members(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    for (size_t i = 0; class_part(i); i++) {
        if (class_part(i)->snapshot_h) {
            class_part(i)->snapshot_h(w, s, v);
        }
    }
}

/* Where media may go when nothing else passes (reliability: a school with 443 alone). */
static void ice_value(struct jsonw *w, const struct klass *k, const struct id *person)
{
    struct class_relay relay = {.count = 0};
    if (k->room->hooks.relay_h) {
        k->room->hooks.relay_h(k->room->hooks.arg, person, &relay);
    }
    if (relay.count == 0) {
        return;
    }
    jsonw_key(w, "ice");
    jsonw_object(w);
    jsonw_key(w, "urls");
    jsonw_array(w);
    for (unsigned i = 0; i < relay.count; i++) {
        jsonw_str(w, relay.url[i]);
    }
    jsonw_array_end(w);
    jsonw_key_str(w, "username", relay.username);
    jsonw_key_str(w, "credential", relay.credential);
    jsonw_key_int(w, "ttl", relay.ttl_s);
    jsonw_object_end(w);
}

void out_relays(struct klass *k, conn_num to, const struct id *person)
{
    struct jsonw *w = out_start(k->room, "relays");
    ice_value(w, k, person);
    jsonw_object_end(w);
    out_send(k->room, to);
}

void out_snapshot(struct klass *k, struct conn *c, struct class_time now)
{
    const struct state *s = k->done;
    const struct person *p = state_person(s, &c->person);
    const struct device *d = p && p->seat ? seat_device(p->seat, &c->live->device) : NULL;
    char resume[TOKEN_TEXT_MAX];
    if (!d || token_resume(resume, k, &p->id, d)) {
        return; /* on its way out: the seat is gone already */
    }
    right_mask rights = state_rights(s, p);
    struct jsonw *w = out_start(k->room, "snapshot");
    jsonw_key_int(w, "seq", (int64_t)s->seq);
    jsonw_key_int(w, "epoch", (int64_t)k->room->config.epoch);
    jsonw_key_str(w, "resume", resume);
    jsonw_key(w, "class");
    out_class(w, s);
    ice_value(w, k, &p->id);
    jsonw_key(w, "you");
    you_value(w, s, p, c->live);
    jsonw_key(w, "slots");
    jsonw_object(w);
    jsonw_key_int(w, "audio", c->live->audio_slots);
    jsonw_key_int(w, "video", c->live->video_slots);
    jsonw_object_end(w);
    struct view_key view = out_view(s, p->seat);
    struct viewer viewer = {.seat = p->seat,
                            .person = p,
                            .staff = view.staff,
                            .room = view.room,
                            .clock = class_clock(k, now)};
    lists(w, s, &viewer);
    jsonw_key(w, "rights");
    rights_value(w, rights);
    jsonw_key_int(w, "now", now.wall);
    jsonw_key_int(w, "clock", viewer.clock);
    parts_members(w, s, &viewer);
    chat_list(w, s, &viewer, OUT_CHAT_MAX);
    jsonw_object_end(w);
    c->sent = s->seq;
    c->seen = s->seq;
    c->view = view;
    c->rights = rights;
    k->room->stats.snapshots_sent++;
    out_send(k->room, c->num);
    voices_greet(k, c);
    load_greet(k, c);
}

void out_rights(struct klass *k, struct conn *c, right_mask rights)
{
    struct jsonw *w = out_start(k->room, "rights");
    jsonw_key(w, "rights");
    rights_value(w, rights);
    jsonw_object_end(w);
    c->rights = rights;
    out_send(k->room, c->num);
}

/* The connection has shown a valid token: limits per address do not count it any more. */
static void trust(const struct classroom *room, const struct conn *c)
{
    if (room->hooks.trust_h) {
        room->hooks.trust_h(room->hooks.arg, c->num);
    }
}

void out_resumed(struct klass *k, struct conn *c, struct class_time now)
{
    const struct seat *seat = state_seat(k->done, &c->person);
    const struct device *d = seat ? seat_device(seat, &c->live->device) : NULL;
    char resume[TOKEN_TEXT_MAX];
    if (!d || token_resume(resume, k, &c->person, d)) {
        return;
    }
    struct jsonw *w = out_start(k->room, "resumed");
    jsonw_key_int(w, "epoch", (int64_t)k->room->config.epoch);
    jsonw_key_str(w, "resume", resume);
    jsonw_key_int(w, "seq", (int64_t)k->done->seq);
    jsonw_key_int(w, "clock", class_clock(k, now));
    jsonw_object_end(w);
    trust(k->room, c);
    out_send(k->room, c->num);
}

void out_door(struct klass *k, struct conn *c)
{
    const struct classroom_config *config = &k->room->config;
    const struct state *s = k->done;
    const struct person *p = state_person(s, &c->person);
    struct token_claim claim = {.kind = TOKEN_GUEST, .class_id = k->id, .person = c->person};
    char guest[TOKEN_TEXT_MAX];
    if (token_make(guest, &claim, config->key, &config->token)) {
        return;
    }
    enum role role = enter_role(p, c->link_role);
    struct jsonw *w = out_start(k->room, "door");
    jsonw_key(w, "class");
    out_class(w, s);
    jsonw_key(w, "you");
    jsonw_object(w);
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)role));
    if (p && p->name) {
        jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
    }
    out_key_id(w, "person", ID_PERSON, &c->person);
    if (p && p->seat && !p->seat->away) {
        jsonw_key_int(w, "devices", p->seat->device_count);
    }
    jsonw_object_end(w);
    jsonw_key_str(w, "guest", guest);
    ice_value(w, k, &c->person);
    jsonw_key_int(w, "epoch", (int64_t)config->epoch);
    jsonw_key_int(w, "count", (int64_t)s->seat_count);
    jsonw_object_end(w);
    trust(k->room, c);
    out_send(k->room, c->num);
}
