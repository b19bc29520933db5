/* Requests of the operator: classes and links. Answers are JSON objects. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "signaling/class/conduct.h"
#include "signaling/class/dates.h"
#include "signaling/journal/seal.h"

enum { TITLE_CHARS_MAX = 200 };

void admin_answer(struct classroom *room, uint64_t request, int err)
{
    size_t len;
    const char *text = jsonw_text(&room->json, &len);
    static const char none[] = "{\"why\":\"out of memory\"}";
    if (text) {
        room->hooks.admin_h(room->hooks.arg, request, err, text, len);
    } else {
        room->hooks.admin_h(room->hooks.arg, request, E_NOMEM, none, sizeof(none) - 1);
    }
}

void admin_refuse(struct classroom *room, uint64_t request, int err, const char *why)
{
    jsonw_reset(&room->json);
    jsonw_object(&room->json);
    jsonw_key_str(&room->json, "why", why);
    jsonw_object_end(&room->json);
    admin_answer(room, request, err);
}

/* One event of the operator; answered after its commit. */
static void emit(struct klass *k, uint64_t request, struct event event, struct class_time now)
{
    struct act act;
    int err = act_begin(&act, k, now);
    if (err) {
        event_fini(&event);
    } else {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        act_emit(&act, event);
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(k->room, request, err, "could not be stored");
    }
}

static void create_settings(struct act *act, const struct admin_request *req)
{
    for (size_t i = 0; i < req->setting_count; i++) {
        const struct setting_row *row = setting_row(req->settings[i].number);
        if (row && req->settings[i].value != row->def) {
            act_emit(act, (struct event){.type = EVENT_CLASS_SET,
                                         .a = req->settings[i].number,
                                         .n = req->settings[i].value});
        }
    }
    if (req->dates) {
        dates_set(act, req->dates, req->date_count);
    }
    /* A dated class opens by the calendar; any other whenever somebody comes. */
    if (act->klass->work->setting[SETTING_START] > 0) {
        act_emit(act, (struct event){.type = EVENT_SESSION_CHANGED, .a = SESSION_SCHEDULED});
    }
}

static bool title_ok(const char *title)
{
    size_t len = title ? strlen(title) : 0;
    return len > 0 && text_utf8_ok(title, len) && text_utf8_count(title, len) <= TITLE_CHARS_MAX;
}

/* A run that is over or not begun follows a new date; one that is under way is not disturbed. */
static void edit_calendar(struct act *act, int64_t start_before)
{
    const struct state *s = act->klass->work;
    int64_t start = s->setting[SETTING_START];
    bool rests = s->session == SESSION_IDLE || s->session == SESSION_CLOSED ||
                 s->session == SESSION_SCHEDULED || s->session == SESSION_PREPARING ||
                 s->session == SESSION_ARCHIVED;
    enum session_state want = start > act->now.wall ? SESSION_SCHEDULED : SESSION_IDLE;
    if (start != start_before && rests && s->seat_count == 0 && s->session != want) {
        act_emit(act, (struct event){.type = EVENT_SESSION_CHANGED, .a = (uint32_t)want});
    }
}

static void edit(struct klass *k, uint64_t request, const struct admin_request *req,
                 struct class_time now)
{
    struct act act;
    struct rtext *title = NULL;
    if (k->work->ended || (req->title && !title_ok(req->title))) {
        admin_refuse(k->room, request, k->work->ended ? E_STATE : E_RANGE,
                     k->work->ended ? "this class has ended" : "a title has 1 to 200 characters");
        return;
    }
    if (!dates_ok(req->dates, req->date_count)) {
        admin_refuse(k->room, request, E_RANGE, "dates ascend, 260 at most");
        return;
    }
    int64_t start = k->work->setting[SETTING_START];
    bool rename = req->title && strcmp(req->title, rtext_str(k->work->title)) != 0;
    if (rename) {
        title = rtext_new(req->title, strlen(req->title));
    }
    int err = rename && !title ? E_NOMEM : act_begin(&act, k, now);
    if (err) {
        rtext_put(&title);
        admin_refuse(k->room, request, err, "could not be stored");
        return;
    }
    act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
    if (rename) {
        act_emit(&act, (struct event){.type = EVENT_CLASS_RENAMED, .text = title});
    }
    for (size_t i = 0; i < req->setting_count; i++) {
        if (k->work->setting[req->settings[i].number] != req->settings[i].value) {
            act_emit(&act, (struct event){.type = EVENT_CLASS_SET,
                                          .a = req->settings[i].number,
                                          .n = req->settings[i].value});
        }
    }
    if (req->dates) {
        dates_set(&act, req->dates, req->date_count);
    }
    edit_calendar(&act, start);
    err = act_end(&act);
    if (err) {
        admin_refuse(k->room, request, err, "could not be stored");
    }
}

static void bin(struct klass *k, uint64_t request, const struct admin_request *req,
                struct class_time now)
{
    const struct state *s = k->work;
    if (s->ended == STATE_ENDED || (req->bin && (s->seat_count > 0 || s->wait_count > 0))) {
        admin_refuse(k->room, request, E_STATE,
                     s->ended == STATE_ENDED ? "this class has ended"
                                             : "somebody is in this class");
        return;
    }
    emit(k, request, (struct event){.type = EVENT_CLASS_BINNED, .a = req->bin}, now);
}

static void archive(struct klass *k, uint64_t request, const struct admin_request *req,
                    struct class_time now)
{
    const struct state *s = k->work;
    struct act act;
    if (s->ended || (req->archive && (s->seat_count > 0 || s->wait_count > 0))) {
        admin_refuse(k->room, request, E_STATE,
                     s->ended ? "this class has ended" : "somebody is in this class");
        return;
    }
    int err = act_begin(&act, k, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        dates_archive(&act, req->archive);
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(k->room, request, err, "could not be stored");
    }
}

static void create(struct classroom *room, uint64_t request, const struct admin_request *req,
                   struct class_time now)
{
    if (!title_ok(req->title) || (unsigned)req->class_type >= CLASS_TYPE_COUNT) {
        admin_refuse(room, request, E_RANGE,
                     "a title has 1 to 200 characters, a type is one of ours");
        return;
    }
    if (!dates_ok(req->dates, req->date_count)) {
        admin_refuse(room, request, E_RANGE, "dates ascend, 260 at most");
        return;
    }
    if (room->draining) {
        admin_refuse(room, request, E_BUSY, "going down: no new classes");
        return;
    }
    struct id id = id_is_zero(&req->class_id) ? id_new(&room->config.rng) : req->class_id;
    struct klass *k = class_find(room, &id);
    if (k && (k->work->seq > 0 || k->first)) {
        admin_refuse(room, request, E_DUP, "this class exists already");
        return;
    }
    /* One that could not be stored the last time is empty and tried again. */
    k = k ? k : class_new(room, &id);
    struct rtext *title = k ? rtext_new(req->title, strlen(req->title)) : NULL;
    if (!title) {
        admin_refuse(room, request, E_LIMIT, "no room for another class");
        return;
    }
    struct act act;
    int err = act_begin(&act, k, now);
    if (err) {
        rtext_put(&title);
    } else {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        act_emit(&act, (struct event){.type = EVENT_CLASS_CREATED,
                                      .a = (uint32_t)req->class_type,
                                      .text = title});
        create_settings(&act, req);
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(room, request, err, "could not be stored");
    }
}

/* What people of a class send now, and how many have lost their connection. */
static void class_media(struct jsonw *w, const struct state *s)
{
    int64_t cams = 0;
    int64_t mics = 0;
    int64_t screens = 0;
    int64_t away = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        away += seat->away;
        for (unsigned k = 0; k < seat->device_count; k++) {
            uint32_t media = state_media(s, seat, &seat->devices[k]);
            cams += (media & MEDIA_CAM) != 0;
            mics += (media & MEDIA_MIC) != 0;
            screens += (media & MEDIA_SCREEN) != 0;
        }
    }
    jsonw_key_int(w, "cams", cams);
    jsonw_key_int(w, "mics", mics);
    jsonw_key_int(w, "screens", screens);
    jsonw_key_int(w, "away", away);
}

/* What people look at: how many pictures they are shown, and how many are smaller than wished or
 * missing because of their connection or of this server. */
static void class_pictures(struct jsonw *w, const struct klass *k)
{
    int64_t shown = 0;
    int64_t reduced = 0;
    int64_t paused = 0;
    int64_t shed = 0;
    for (const struct live *l = k->lives; l; l = l->next) {
        unsigned end = (unsigned)l->slots.slots.audio + l->slots.slots.video;
        for (unsigned i = l->slots.slots.audio; l->open && l->conn && i < end; i++) {
            const struct media_slot *slot = &l->slots.slots.slot[i];
            shown += slot->publisher && slot->height > 0;
            reduced += slot->publisher && slot->reason == MEDIA_BY_CONNECTION;
            paused += slot->publisher && slot->reason == MEDIA_PAUSED_BY_CONNECTION;
            shed += slot->publisher && slot->reason == MEDIA_BY_SERVER;
        }
    }
    jsonw_key_int(w, "pictures", shown);
    jsonw_key_int(w, "reduced", reduced);
    jsonw_key_int(w, "paused", paused);
    jsonw_key_int(w, "shed", shed);
}

static void dates_value(struct jsonw *w, const struct dates *d)
{
    jsonw_array(w);
    for (uint32_t i = 0; i < d->count; i++) {
        jsonw_array(w);
        jsonw_int(w, d->list[i].start);
        jsonw_int(w, d->list[i].minutes);
        jsonw_array_end(w);
    }
    jsonw_array_end(w);
}

static void class_value(struct jsonw *w, const struct klass *k, bool people)
{
    const struct state *s = k->done;
    char id[ID_TEXT_MAX];
    jsonw_object(w);
    jsonw_key_str(w, "id", id_print(id, ID_CLASS, &s->class_id));
    jsonw_key_strn(w, "title", rtext_str(s->title), rtext_len(s->title));
    jsonw_key_str(w, "type", schema_spell(ENUM_class_type, (int)s->type));
    jsonw_key_str(w, "state", schema_spell(ENUM_session_state, (int)s->session));
    jsonw_key_bool(w, "ended", s->ended);
    jsonw_key_int(w, "created", s->created_at);
    jsonw_key_int(w, "present", (int64_t)s->seat_count);
    jsonw_key_int(w, "known", (int64_t)s->person_count);
    jsonw_key_int(w, "seq", (int64_t)s->seq);
    jsonw_key_int(w, "waiting", (int64_t)s->wait_count);
    class_media(w, s);
    class_pictures(w, k);
    jsonw_key_int(w, "start", s->setting[SETTING_START]);
    jsonw_key_int(w, "minutes", s->setting[SETTING_DURATION]);
    jsonw_key_str(w, "kind", dates_kind(s));
    jsonw_key_bool(w, "archived", s->session == SESSION_ARCHIVED);
    if (dates_next(s)) {
        jsonw_key_int(w, "next", dates_next(s));
    }
    jsonw_key(w, "settings");
    out_settings(w, s);
    if (people) {
        jsonw_key(w, "dates");
        dates_value(w, &s->dates);
        jsonw_key(w, "people");
        jsonw_array(w);
        for (size_t i = 0; i < s->seat_count; i++) {
            out_person(w, s, s->seats[i]);
        }
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}

/* A class whose creation is not durable yet is nobody's business. */
static bool exists(const struct klass *k)
{
    return k && k->done->seq > 0;
}

static void list(struct classroom *room, uint64_t request)
{
    struct jsonw *w = &room->json;
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key(w, "classes");
    jsonw_array(w);
    for (uint32_t i = 0; i < room->class_count; i++) {
        if (exists(room->classes[i])) {
            class_value(w, room->classes[i], false);
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    admin_answer(room, request, 0);
}

static void link_for(struct klass *k, uint64_t request, const struct admin_request *req,
                     struct class_time now)
{
    struct classroom *room = k->room;
    uint32_t ttl_s = req->ttl_s ? req->ttl_s : req->single ? TOKEN_ONCE_MS_MAX / 1000 : LINK_TTL_S;
    if (k->work->ended || (unsigned)req->role >= ROLE_COUNT ||
        (req->single && ttl_s > TOKEN_ONCE_MS_MAX / 1000)) {
        admin_refuse(room, request, k->work->ended ? E_STATE : E_RANGE,
                     k->work->ended ? "this class has ended"
                                    : "a single-use link lives 600 s at most");
        return;
    }
    struct token_claim claim = {.kind = req->single                ? TOKEN_LINK_ONCE
                                        : id_is_zero(&req->person) ? TOKEN_LINK
                                                                   : TOKEN_LINK_PERSON,
                                .class_id = k->id,
                                .person = req->person,
                                .role = req->role,
                                .expires_at = now.wall + (int64_t)ttl_s * 1000};
    if (req->single) {
        claim.jti = id_new(&room->config.rng);
    }
    char link[TOKEN_TEXT_MAX];
    char id[ID_TEXT_MAX];
    if (token_make(link, &claim, room->config.key, &room->config.token)) {
        admin_refuse(room, request, E_FULL, "the link does not fit");
        return;
    }
    struct jsonw *w = &room->json;
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key_str(w, "class", id_print(id, ID_CLASS, &k->id));
    jsonw_key_str(w, "role", schema_spell(ENUM_role, (int)req->role));
    jsonw_key_str(w, "link", link);
    jsonw_key_int(w, "expires", claim.expires_at);
    jsonw_key_bool(w, "single", req->single);
    jsonw_object_end(w);
    admin_answer(room, request, 0);
}

/* Retention. One event a person, so that each fold and each page knows whose texts are gone. */
static void forget_all(struct klass *k, uint64_t request, enum event_type type,
                       struct class_time now)
{
    struct act act;
    int err = act_begin(&act, k, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        for (size_t i = 0; i < k->keys.count && !act.err; i++) {
            const struct id *person = &k->keys.entries[i].person;
            struct id owner = seal_words_owner(person);
            struct id words = seal_words_id(person);
            bool whole = type == EVENT_PERSON_FORGOTTEN;
            bool class_key = id_equal(person, &k->id);
            if (!class_key && !keyring_find(&k->keys, &owner) &&
                (whole || keyring_find(&k->keys, &words))) {
                act_emit(&act, (struct event){.type = type, .person = *person});
            }
        }
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(k->room, request, err, "could not be stored");
    }
}

static void on_class(struct klass *k, uint64_t request, const struct admin_request *req,
                     struct class_time now)
{
    struct classroom *room = k->room;
    switch (req->kind) {
    case ADMIN_CLASS_SHOW:
        jsonw_reset(&room->json);
        class_value(&room->json, k, true);
        admin_answer(room, request, 0);
        break;
    case ADMIN_CLASS_END:
        if (k->work->ended) {
            admin_refuse(room, request, E_STATE, "this class has ended");
        } else {
            emit(k, request, (struct event){.type = EVENT_CLASS_ENDED}, now);
        }
        break;
    case ADMIN_CLASS_EDIT:
        edit(k, request, req, now);
        break;
    case ADMIN_CLASS_BIN:
        bin(k, request, req, now);
        break;
    case ADMIN_CLASS_ARCHIVE:
        archive(k, request, req, now);
        break;
    case ADMIN_LINK:
        link_for(k, request, req, now);
        break;
    case ADMIN_PASS:
    case ADMIN_PASS_LIST:
    case ADMIN_PASS_WITHDRAW:
        admin_pass(k, request, req, now);
        break;
    case ADMIN_FORGET:
        if (!id_equal(&req->person, &k->id) && /* the key of the class is nobody's */
            (state_person(k->work, &req->person) || keyring_knows(&k->keys, &req->person))) {
            emit(k, request, (struct event){.type = EVENT_PERSON_FORGOTTEN, .person = req->person},
                 now);
        } else {
            admin_refuse(room, request, E_NOTFOUND, "nobody of this id is known here");
        }
        break;
    case ADMIN_FORGET_ALL:
        forget_all(k, request, EVENT_PERSON_FORGOTTEN, now);
        break;
    case ADMIN_UNSAY:
        forget_all(k, request, EVENT_WORDS_FORGOTTEN, now);
        break;
    case ADMIN_ROLL_CORRECT:
    case ADMIN_ROLL_CONTEST:
    case ADMIN_ROLL_SEAL:
    case ADMIN_ROLL_EXPECT:
    case ADMIN_READY:
        admin_roll(k, request, req, now);
        break;
    case ADMIN_CLASS_CREATE:
    case ADMIN_CLASS_LIST:
    case ADMIN_LIMITS:
        break;
    }
}

/* Whoever is inside stays, whatever the new limits are. */
static void limits(struct classroom *room, uint64_t request, const struct admin_request *req)
{
    struct jsonw *w = &room->json;
    if (req->limit[0] == 0 || req->limit[0] > STATE_SEATS_MAX) {
        admin_refuse(room, request, E_RANGE, "people of a class: 1 to 4000");
        return;
    }
    room->config.people_max = req->limit[0];
    room->config.seats_max = req->limit[1];
    room->config.live_max = req->limit[2];
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key_int(w, "people", (int64_t)seats_taken(room));
    jsonw_key_int(w, "live", (int64_t)seats_classes(room));
    jsonw_object_end(w);
    admin_answer(room, request, 0);
}

void classroom_admin(struct classroom *room, uint64_t request, const struct admin_request *req,
                     struct class_time now)
{
    struct klass *k = class_find(room, &req->class_id);
    wheel_ready(room, now);
    if (req->kind == ADMIN_CLASS_CREATE) {
        create(room, request, req, now);
    } else if (req->kind == ADMIN_CLASS_LIST) {
        list(room, request);
    } else if (req->kind == ADMIN_LIMITS) {
        limits(room, request, req);
    } else if (exists(k)) {
        on_class(k, request, req, now);
    } else {
        admin_refuse(room, request, E_NOTFOUND, "no such class");
    }
}
