/*
 * What people are told: snapshots, deltas out of one log per class, acknowledgements, errors. An
 * event is made into JSON once, when it is committed; a delta is a slice of the log, and everybody
 * who was told the same so far gets the same text in one send.
 * Heap: the texts in the log (OUT_LOG_MAX, OUT_LOG_BYTES_MAX) and the message being made.
 */
#include <string.h>

#include "codec/base/mem.h"
#include "signaling/class/impl.h"

/* ---- sending
 * -------------------------------------------------------------------------------------- */

static void send_to(struct classroom *room, const conn_num *to, size_t count)
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
    send_to(room, &to, 1);
}

static struct jsonw *start(struct classroom *room, const char *type)
{
    jsonw_reset(&room->json);
    jsonw_object(&room->json);
    jsonw_key_str(&room->json, "t", type);
    return &room->json;
}

static void key_id(struct jsonw *w, const char *key, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];
    jsonw_key_str(w, key, id_print(text, kind, id));
}

void out_error(struct classroom *room, conn_num to, const char *id, const char *code,
               const char *at, const char *why)
{
    struct jsonw *w = start(room, "error");
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
    struct jsonw *w = start(room, "ack");
    jsonw_key_str(w, "id", id);
    if (seq) {
        jsonw_key_int(w, "seq", (int64_t)seq);
    }
    jsonw_object_end(w);
    out_send(room, to);
}

/* ---- parts
 * ---------------------------------------------------------------------------------------- */

static void media_members(struct jsonw *w, uint32_t media)
{
    jsonw_key_str(w, "mic", media & MEDIA_MIC ? "on" : "off");
    jsonw_key_bool(w, "cam", (media & MEDIA_CAM) != 0);
    jsonw_key_bool(w, "screen", (media & MEDIA_SCREEN) != 0);
    jsonw_key_bool(w, "sound", (media & MEDIA_SOUND) != 0);
}

static void device_value(struct jsonw *w, const struct device *d)
{
    jsonw_object(w);
    key_id(w, "id", ID_DEVICE, &d->id);
    media_members(w, d->media);
    jsonw_object_end(w);
}

void out_person(struct jsonw *w, const struct state *s, const struct seat *seat)
{
    const struct person *p = seat->person;
    jsonw_object(w);
    key_id(w, "id", ID_PERSON, &p->id);
    jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)state_role(s, p)));
    jsonw_key_int(w, "joined", seat->joined_at);
    jsonw_key_bool(w, "away", seat->away);
    jsonw_key(w, "devices");
    jsonw_array(w);
    for (unsigned i = 0; i < seat->device_count; i++) {
        device_value(w, &seat->devices[i]);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

void out_class(struct jsonw *w, const struct state *s)
{
    jsonw_object(w);
    key_id(w, "id", ID_CLASS, &s->class_id);
    jsonw_key_strn(w, "title", rtext_str(s->title), rtext_len(s->title));
    jsonw_key_str(w, "type", schema_spell(ENUM_class_type, (int)s->type));
    jsonw_key_str(w, "state", schema_spell(ENUM_session_state, (int)s->session));
    jsonw_object_end(w);
}

static void hand_value(struct jsonw *w, const struct id *person, unsigned kind, wall_ms at)
{
    jsonw_object(w);
    key_id(w, "person", ID_PERSON, person);
    jsonw_key_str(w, "kind", schema_spell(ENUM_hand_kind, (int)kind));
    jsonw_key_int(w, "at", at);
    jsonw_object_end(w);
}

static void chat_value(struct jsonw *w, const struct chat_entry *c)
{
    jsonw_object(w);
    key_id(w, "id", ID_MESSAGE, &c->id);
    key_id(w, "from", ID_PERSON, &c->from);
    jsonw_key_strn(w, "name", rtext_str(c->name), rtext_len(c->name));
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
        if (right_has(rights, (enum right)i)) {
            jsonw_str(w, right_name((enum right)i));
        }
    }
    jsonw_array_end(w);
}

static void you_value(struct jsonw *w, const struct state *s, const struct person *p,
                      const struct live *l)
{
    jsonw_object(w);
    key_id(w, "person", ID_PERSON, &p->id);
    key_id(w, "device", ID_DEVICE, &l->device);
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)state_role(s, p)));
    jsonw_object_end(w);
}

static void lists(struct jsonw *w, const struct state *s)
{
    jsonw_key(w, "people");
    jsonw_array(w);
    for (size_t i = 0; i < s->seat_count; i++) {
        out_person(w, s, s->seats[i]);
    }
    jsonw_array_end(w);
    const struct seat *hands[STATE_SEATS_MAX];
    size_t count = state_hands(s, hands, STATE_SEATS_MAX);
    jsonw_key(w, "hands");
    jsonw_array(w);
    for (size_t i = 0; i < count; i++) {
        hand_value(w, &hands[i]->person->id, hands[i]->hand_kind, hands[i]->hand_at);
    }
    jsonw_array_end(w);
    jsonw_key(w, "chat");
    jsonw_array(w);
    for (size_t i = 0; i < s->chat_count; i++) {
        chat_value(w, state_chat(s, i));
    }
    jsonw_array_end(w);
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
    struct jsonw *w = start(k->room, "snapshot");
    jsonw_key_int(w, "seq", (int64_t)s->seq);
    jsonw_key_int(w, "epoch", (int64_t)k->room->config.epoch);
    jsonw_key_str(w, "resume", resume);
    jsonw_key(w, "class");
    out_class(w, s);
    jsonw_key(w, "you");
    you_value(w, s, p, c->live);
    jsonw_key(w, "slots");
    jsonw_object(w);
    jsonw_key_int(w, "audio", c->live->audio_slots);
    jsonw_key_int(w, "video", c->live->video_slots);
    jsonw_object_end(w);
    lists(w, s);
    jsonw_key(w, "rights");
    rights_value(w, rights);
    jsonw_key_int(w, "now", now.wall);
    jsonw_object_end(w);
    c->sent = s->seq;
    c->rights = rights;
    k->room->stats.snapshots_sent++;
    out_send(k->room, c->num);
}

/* The connection has shown a valid token: limits per address do not count it any more. */
static void trust(const struct classroom *room, const struct conn *c)
{
    if (room->hooks.trust_h) {
        room->hooks.trust_h(room->hooks.arg, c->num);
    }
}

void out_resumed(struct klass *k, struct conn *c)
{
    const struct seat *seat = state_seat(k->done, &c->person);
    const struct device *d = seat ? seat_device(seat, &c->live->device) : NULL;
    char resume[TOKEN_TEXT_MAX];
    if (!d || token_resume(resume, k, &c->person, d)) {
        return;
    }
    struct jsonw *w = start(k->room, "resumed");
    jsonw_key_int(w, "epoch", (int64_t)k->room->config.epoch);
    jsonw_key_str(w, "resume", resume);
    jsonw_key_int(w, "seq", (int64_t)k->done->seq);
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
    enum role role = p ? (enum role)p->role : c->link_role;
    role = p && c->link_role > role && p->role_link != c->link_role ? c->link_role : role;
    struct jsonw *w = start(k->room, "door");
    jsonw_key(w, "class");
    out_class(w, s);
    jsonw_key(w, "you");
    jsonw_object(w);
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)role));
    if (p && p->name) {
        jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
    }
    key_id(w, "person", ID_PERSON, &c->person);
    jsonw_object_end(w);
    jsonw_key_str(w, "guest", guest);
    jsonw_key_int(w, "epoch", (int64_t)config->epoch);
    jsonw_key_int(w, "count", (int64_t)s->seat_count);
    jsonw_object_end(w);
    trust(k->room, c);
    out_send(k->room, c->num);
}

/* ---- the log
 * -------------------------------------------------------------------------------------- */

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
    key_id(w, "person", ID_PERSON, person);
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
    key_id(w, "person", ID_PERSON, &e->person);
    if (e->type == EVENT_DEVICE_JOINED) {
        jsonw_key(w, "device");
        device_value(w, d);
    } else {
        key_id(w, "device", ID_DEVICE, &e->device);
        media_members(w, d->media);
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
        key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_str(w, "reason", schema_spell(ENUM_leave_reason, (int)e->a));
    } else if (e->type == EVENT_PERSON_AWAY) {
        event_start(w, "person.away");
        key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_bool(w, "away", e->a != 0);
    } else {
        event_start(w, "person.renamed");
        key_id(w, "person", ID_PERSON, &e->person);
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
        key_id(w, "by", ID_PERSON, &e->person);
    }
    jsonw_object_end(w);
}

static void hand_event(struct jsonw *w, const struct event *e)
{
    if (e->type == EVENT_HAND_RAISED) {
        event_start(w, "hand.raised");
        jsonw_key(w, "hand");
        hand_value(w, &e->person, e->a, e->at);
    } else {
        event_start(w, "hand.lowered");
        key_id(w, "person", ID_PERSON, &e->person);
        key_id(w, "by", ID_PERSON, id_is_zero(&e->other) ? &e->person : &e->other);
    }
    jsonw_object_end(w);
}

static void write_event(struct jsonw *w, const struct state *s, const struct event *e,
                        const struct id *acting_before)
{
    switch (e->type) {
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
        key_id(w, "person", ID_PERSON, &e->person);
        key_id(w, "device", ID_DEVICE, &e->device);
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
        chat_value(w, state_chat(s, s->chat_count - 1));
        jsonw_object_end(w);
        break;
    case EVENT_NONE:
    case EVENT_CLASS_CREATED:
    case EVENT_DEVICE_RESUMED:
    case EVENT_LINK_USED:
        break;
    }
}

static void log_drop_oldest(struct klass *k)
{
    struct out_entry *e = &k->log[k->log_first];
    k->log_floor = e->seq;
    k->log_bytes -= rtext_len(e->json);
    rtext_put(&e->json);
    k->log_first = (k->log_first + 1) % OUT_LOG_MAX;
    k->log_count--;
}

static void log_clear(struct klass *k)
{
    while (k->log_count > 0) {
        log_drop_oldest(k);
    }
    k->log_floor = k->done->seq;
}

void out_note(struct klass *k, const struct event *e, const struct id *acting_before)
{
    const struct event_row *row = event_row(e->type);
    if ((row->see & SEE_ALL) == 0) {
        return;
    }
    struct jsonw *w = &k->room->json;
    jsonw_reset(w);
    write_event(w, k->done, e, acting_before);
    size_t len;
    const char *text = jsonw_text(w, &len);
    if (text && len == 0) {
        return;
    }
    struct rtext *json = text ? rtext_new(text, len) : NULL;
    if (!json) {
        /* Out of memory: with a hole in the log everybody takes the next snapshot instead. */
        log_clear(k);
        return;
    }
    while (k->log_count == OUT_LOG_MAX ||
           (k->log_count > 0 && k->log_bytes + len > OUT_LOG_BYTES_MAX)) {
        log_drop_oldest(k);
    }
    k->log[(k->log_first + k->log_count++) % OUT_LOG_MAX] =
        (struct out_entry){.seq = e->seq, .see = row->see & SEE_ALL, .json = json};
    k->log_bytes += len;
}

bool out_covers(const struct klass *k, uint64_t seq)
{
    return seq >= k->log_floor && seq <= k->done->seq;
}

/* Position in the log of the first entry behind seq. */
static size_t log_after(const struct klass *k, uint64_t seq)
{
    size_t low = 0;
    size_t high = k->log_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (k->log[(k->log_first + mid) % OUT_LOG_MAX].seq > seq) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

/* One delta for everybody who was last told `sent`; returns its seq, or sent when nothing is new.
 */
static uint64_t delta(struct klass *k, uint64_t sent)
{
    size_t at = log_after(k, sent);
    if (at == k->log_count) {
        return sent;
    }
    uint64_t seq = k->log[(k->log_first + k->log_count - 1) % OUT_LOG_MAX].seq;
    struct jsonw *w = start(k->room, "delta");
    jsonw_key_int(w, "seq", (int64_t)seq);
    jsonw_key_int(w, "prev", (int64_t)sent);
    jsonw_key(w, "events");
    jsonw_array(w);
    for (; at < k->log_count; at++) {
        const struct rtext *json = k->log[(k->log_first + at) % OUT_LOG_MAX].json;
        jsonw_raw(w, json->s, json->len);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    return seq;
}

void out_flush(struct klass *k, struct class_time now)
{
    struct classroom *room = k->room;
    twheel_cancel(&room->wheel, &k->presence_timer);
    if (k->log_count == 0) {
        return;
    }
    uint64_t newest = k->log[(k->log_first + k->log_count - 1) % OUT_LOG_MAX].seq;
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place != CONN_CLASS || c->sent >= newest) {
            continue;
        }
        if (c->sent < k->log_floor) {
            out_snapshot(k, c, now); /* too far behind what the log still has */
            continue;
        }
        uint64_t sent = c->sent;
        size_t count = 0;
        for (struct conn *same = c; same; same = same->next) {
            if (same->place == CONN_CLASS && same->sent == sent) {
                room->to[count++] = same->num;
                same->sent = newest;
            }
        }
        (void)delta(k, sent);
        send_to(room, room->to, count);
    }
}

void out_review_rights(struct klass *k, struct class_time now)
{
    for (struct conn *c = k->conns; c; c = c->next) {
        const struct person *p = c->place == CONN_CLASS ? state_person(k->done, &c->person) : NULL;
        if (p && p->seat && state_rights(k->done, p) != c->rights) {
            out_snapshot(k, c, now);
        }
    }
}
