/* What follows by itself in the conduct of a class, and how people hear of it. */
#include "signaling/class/conduct.h"
#include "signaling/class/dates.h"
#include "signaling/class/ws.h"
#include "signaling/journal/stage.h"

#include <string.h>

enum { MINUTE_MS = 60000 };

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static const struct {
    enum right right;
    const char *name;
} features[] = {
    {RIGHT_MIC, "mic"},   {RIGHT_CAM, "cam"},   {RIGHT_SCREEN, "screen"},
    {RIGHT_CHAT, "chat"}, {RIGHT_HAND, "hand"},
};

void out_features(struct jsonw *w, right_mask rights)
{
    jsonw_array(w);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (right_has(rights, features[i].right)) {
            jsonw_str(w, features[i].name);
        }
    }
    jsonw_array_end(w);
}

static void key_due(struct jsonw *w, const char *key, int64_t due)
{
    if (due) {
        jsonw_key_int(w, key, due);
    }
}

void out_times(struct jsonw *w, const struct state *s)
{
    jsonw_object(w);
    key_due(w, "end", s->end_due);
    key_due(w, "closing", s->closing_due);
    key_due(w, "staffless", s->staffless_due);
    key_due(w, "next", dates_next(s));
    jsonw_object_end(w);
}

void out_settings(struct jsonw *w, const struct state *s)
{
    char value[40];
    jsonw_array(w);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        if (row && s->setting[i] != row->def) {
            jsonw_array(w);
            jsonw_str(w, row->key);
            jsonw_str(w, setting_print(i, s->setting[i], value, sizeof(value)));
            jsonw_array_end(w);
        }
    }
    jsonw_array_end(w);
}

static right_mask locks_of(const struct right_policy *policy)
{
    return ~policy->allow[ROLE_PARTICIPANT];
}

static void out_rooms(struct jsonw *w, const struct state *s)
{
    jsonw_array(w);
    for (size_t i = 1; i < s->room_count; i++) {
        const struct room_state *room = &s->rooms[i];
        if (!room->open) {
            continue;
        }
        jsonw_object(w);
        out_key_id(w, "id", ID_ROOM, &room->id);
        jsonw_key_strn(w, "name", rtext_str(room->name), rtext_len(room->name));
        jsonw_key(w, "locks");
        out_features(w, locks_of(&room->policy));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void out_waiter(struct jsonw *w, const struct person *p)
{
    jsonw_object(w);
    out_key_id(w, "person", ID_PERSON, &p->id);
    jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
    jsonw_key_int(w, "at", p->wait_at);
    jsonw_key_bool(w, "knocked", p->knocked_at != 0);
    jsonw_key_bool(w, "held", p->held);
    jsonw_object_end(w);
}

static void out_barred(struct jsonw *w, const struct state *s)
{
    jsonw_array(w);
    for (size_t i = 0; i < s->person_count; i++) {
        const struct person *p = s->persons[i];
        if (!p->banned) {
            continue;
        }
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &p->id);
        jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void conduct_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    jsonw_key(w, "times");
    out_times(w, s);
    jsonw_key(w, "settings");
    out_settings(w, s);
    jsonw_key(w, "locks");
    out_features(w, locks_of(&s->policy));
    jsonw_key(w, "rooms");
    out_rooms(w, s);
    if (!v->staff) {
        return;
    }
    const struct person *waiting[STATE_SEATS_MAX];
    size_t count = state_waiting(s, waiting, STATE_SEATS_MAX);
    jsonw_key(w, "waiting");
    jsonw_array(w);
    for (size_t i = 0; i < count; i++) {
        out_waiter(w, waiting[i]);
    }
    jsonw_array_end(w);
    jsonw_key(w, "barred");
    out_barred(w, s);
}

static const char *wait_reason(const struct state *s, const struct person *p)
{
    if (p->held) {
        return "held";
    }
    if (stage_is(s) && role_is_crowd(p->role) && stage_must_wait(s, p->light_wish)) {
        return s->stage->phase == STAGE_BACKSTAGE ? "early" : "full";
    }
    if (s->session == SESSION_SCHEDULED || s->session == SESSION_PREPARING) {
        return "early";
    }
    if (s->session == SESSION_DOORS) {
        return "doors";
    }
    int64_t mode = state_waiting_mode(s);
    bool host = mode == WAITING_HOST && !state_has_staff(s);
    return host                     ? "host"
           : mode == WAITING_MANUAL ? "manual"
           : mode == WAITING_LIST   ? "list"
                                    : "full";
}

void out_waiting(struct klass *k, struct conn *c)
{
    const struct state *s = k->done;
    const struct person *p = state_person(s, &c->person);
    if (!p || !p->wait_seq) {
        return;
    }
    struct jsonw *w = out_start(k->room, "waiting");
    jsonw_key_str(w, "reason", wait_reason(s, p));
    jsonw_key_int(w, "rank", (int64_t)state_wait_rank(s, p));
    jsonw_key_int(w, "count", (int64_t)s->wait_count);
    jsonw_key_bool(w, "knocked", p->knocked_at != 0);
    if (stage_is(s) && stage_light(s) < (size_t)s->setting[SETTING_LIGHT]) {
        jsonw_key_bool(w, "light", true);
    }
    jsonw_key(w, "class");
    out_class(w, s);
    key_due(w, "start", s->setting[SETTING_START]);
    jsonw_object_end(w);
    out_send(k->room, c->num);
}

void conduct_tell_queue(struct klass *k)
{
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place == CONN_QUEUE) {
            out_waiting(k, c);
        }
    }
}

static void note_barred(struct klass *k, const struct event *e)
{
    struct jsonw *w = out_event(k, "barred.set");
    jsonw_key(w, "barred");
    out_barred(w, k->done);
    jsonw_object_end(w);
    out_log(k, e->seq, (struct out_scope){.see = SEE_STAFF, .person = e->person});
}

/* What others tell of, when it changes who is kept out, or how they are named. */
static void conduct_other(struct klass *k, const struct event *e)
{
    const struct person *p = state_person(k->done, &e->person);
    bool barred = e->type == EVENT_PERSON_LEFT && e->b == 1 && e->a == LEAVE_REMOVED;
    bool named =
        (e->type == EVENT_PERSON_FORGOTTEN || e->type == EVENT_PERSON_RENAMED) && p && p->banned;
    if (barred || named) {
        note_barred(k, e);
    }
}

static void note_waiter(struct klass *k, const struct event *e)
{
    const struct person *p = state_person(k->done, &e->person);
    struct jsonw *w;
    if (e->type == EVENT_WAIT_LEFT || !p || !p->wait_seq) {
        w = out_event(k, "waiting.gone");
        out_key_id(w, "person", ID_PERSON, &e->person);
    } else {
        w = out_event(k, "waiting.put");
        jsonw_key(w, "waiter");
        out_waiter(w, p);
    }
    jsonw_object_end(w);
    out_log(k, e->seq, (struct out_scope){.see = SEE_STAFF, .person = e->person});
}

static void note_moved(struct klass *k, const struct event *e)
{
    const struct seat *seat = state_seat(k->done, &e->person);
    if (!seat) {
        return;
    }
    struct jsonw *w = out_event(k, "person.moved");
    out_key_id(w, "person", ID_PERSON, &e->person);
    if (seat->room != ROOM_MAIN) {
        out_key_id(w, "room", ID_ROOM, &k->done->rooms[seat->room].id);
    }
    jsonw_object_end(w);
    out_log(k, e->seq, out_scope_of(k, e));
}

static void note_granted(struct klass *k, const struct event *e)
{
    const struct seat *seat = state_seat(k->done, &e->person);
    if (!seat) {
        return;
    }
    struct jsonw *w = out_event(k, "person.granted");
    out_key_id(w, "person", ID_PERSON, &e->person);
    jsonw_key(w, "granted");
    out_features(w, seat->person->grant);
    jsonw_key(w, "denied");
    out_features(w, seat->person->deny);
    jsonw_object_end(w);
    out_log(k, e->seq, out_scope_of(k, e));
}

static void note_lists(struct klass *k, const struct event *e)
{
    const struct state *s = k->done;
    struct jsonw *w;
    if (e->type == EVENT_CLASS_SET) {
        w = out_event(k, "settings.set");
        jsonw_key(w, "settings");
        out_settings(w, s);
    } else if (e->type == EVENT_LOCK_SET && e->n == 0) {
        w = out_event(k, "locks.set");
        jsonw_key(w, "locks");
        out_features(w, locks_of(&s->policy));
    } else if (e->type == EVENT_END_SET || e->type == EVENT_STAFFLESS_SET) {
        w = out_event(k, "times.set");
        jsonw_key(w, "times");
        out_times(w, s);
    } else {
        w = out_event(k, "rooms.set");
        jsonw_key(w, "rooms");
        out_rooms(w, s);
    }
    jsonw_object_end(w);
    out_log(k, e->seq, (struct out_scope){.see = SEE_ALL});
}

static void conduct_note(struct klass *k, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_WAIT_ENTERED:
    case EVENT_WAIT_KNOCKED:
    case EVENT_WAIT_LEFT:
        note_waiter(k, e);
        if (e->type == EVENT_WAIT_LEFT && e->a == 3) {
            note_barred(k, e);
        }
        break;
    case EVENT_BAN_LIFTED:
        note_barred(k, e);
        break;
    case EVENT_GRANT_SET:
        note_granted(k, e);
        break;
    case EVENT_PERSON_MOVED:
        if (stage_is(k->done)) { /* not everybody may know of him */
            note_moved(k, e);
        }
        break;
    case EVENT_TIME_ANCHORED:
    case EVENT_HARD_SET:
    case EVENT_ROOM_OPENED: /* once for all of a commit: conduct_told */
    case EVENT_ROOM_CLOSED:
        break;
    default:
        note_lists(k, e);
        break;
    }
}

/* ---- moves: one word for all who went to a room in a commit
 * --------------------------------------------------------------------------------------------- */

enum { ROOM_CHAT_MAX = 64 << 10 }; /* with more to read, a newcomer gets a snapshot */

/* Who came to a room with these events. */
struct arrivals {
    uint32_t count[STATE_ROOMS_MAX];
    const struct event *last[STATE_ROOMS_MAX];
};

static void log_arrivals(struct klass *k, const struct event *events, size_t count, uint16_t room,
                         uint64_t seq)
{
    const struct state *s = k->done;
    struct jsonw *w = out_event(k, "people.moved");
    char text[ID_TEXT_MAX];
    if (room != ROOM_MAIN) {
        out_key_id(w, "room", ID_ROOM, &s->rooms[room].id);
    }
    jsonw_key(w, "people");
    jsonw_array(w);
    for (size_t i = 0; i < count; i++) {
        const struct seat *seat =
            events[i].type == EVENT_PERSON_MOVED ? state_seat(s, &events[i].person) : NULL;
        if (seat && seat->room == room) {
            jsonw_str(w, id_print(text, ID_PERSON, &events[i].person));
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    out_log(k, seq, (struct out_scope){.see = SEE_ALL});
}

/* Hands and messages of the room, for those who have come; a room full of words is left out. */
static void log_room(struct klass *k, uint64_t seq, uint16_t room, const struct arrivals *a)
{
    const struct state *s = k->done;
    const struct event *last = a->last[room];
    const struct seat *seat = last ? state_seat(s, &last->person) : NULL;
    struct viewer viewer = {.seat = seat, .person = seat ? seat->person : NULL, .room = room};
    if (!seat) {
        return;
    }
    struct jsonw *w = out_event(k, "room.set");
    out_room_members(w, s, &viewer, OUT_CHAT_MAX);
    jsonw_object_end(w);
    if (w->len > ROOM_CHAT_MAX) {
        return;
    }
    struct out_scope scope = {.see = SEE_ROOM, .room = room};
    if (a->count[room] == 1) {
        scope = (struct out_scope){.see = SEE_OWN, .person = last->person};
    }
    out_log(k, seq, scope);
    scope.but_staff = true; /* they see those of every room */
    ws_told_room(k, seq, room, scope);
    k->room_told[room] = true;
}

static void conduct_told(struct klass *k, const struct event *events, size_t count)
{
    const struct state *s = k->done;
    struct arrivals a = {.count = {0}};
    bool rooms = false;
    memset(k->room_told, 0, sizeof(k->room_told));
    for (size_t i = 0; i < count; i++) {
        const struct event *e = &events[i];
        const struct seat *seat = e->type == EVENT_PERSON_MOVED ? state_seat(s, &e->person) : NULL;
        rooms = rooms || e->type == EVENT_ROOM_OPENED || e->type == EVENT_ROOM_CLOSED;
        if (seat) {
            a.count[seat->room]++;
            a.last[seat->room] = e;
        }
    }
    if (rooms) {
        note_lists(k, &(struct event){.type = EVENT_ROOM_OPENED, .seq = events[count - 1].seq});
    }
    for (uint16_t i = 0; i < STATE_ROOMS_MAX && !stage_is(s); i++) {
        if (a.count[i] == 1) {
            note_moved(k, a.last[i]);
        } else if (a.count[i] > 1) {
            log_arrivals(k, events, count, i, events[count - 1].seq);
        }
    }
    for (uint16_t i = 0; i < STATE_ROOMS_MAX && !stage_is(s); i++) {
        if (a.count[i] > 0) {
            log_room(k, events[count - 1].seq, i, &a);
        }
    }
}

/* ---- session
 * -------------------------------------------------------------------------------------- */

void conduct_change(struct act *act, enum session_state state, struct id by, int64_t due)
{
    act_emit(act, (struct event){
                      .type = EVENT_SESSION_CHANGED, .person = by, .a = (uint32_t)state, .n = due});
}

void conduct_close(struct act *act, struct id by)
{
    conduct_change(act, SESSION_CLOSED, by, 0);
    if (act->klass->work->setting[SETTING_PERMANENT]) {
        conduct_change(act, SESSION_IDLE, by, 0);
    } else {
        dates_go_on(act, by);
    }
}

void conduct_staff_in(struct act *act, struct id by)
{
    const struct state *s = act->klass->work;
    bool rests = s->session == SESSION_IDLE || s->session == SESSION_CLOSED;
    bool early = s->session == SESSION_SCHEDULED || s->session == SESSION_PREPARING ||
                 s->session == SESSION_DOORS;
    bool late = early && s->type != CLASS_WEBINAR && act->now.wall >= s->setting[SETTING_START];
    if (s->setting[SETTING_AUTOSTART] && (rests || late)) {
        conduct_change(act, SESSION_LIVE, by, 0);
    }
}

/* When this class goes to its next state by the calendar, wall time; 0 = not by itself. */
static wall_ms calendar(const struct state *s, enum session_state *next)
{
    int64_t start = s->setting[SETTING_START];
    if (start == 0) {
        return 0;
    }
    if (s->session == SESSION_SCHEDULED) {
        *next = SESSION_PREPARING;
        return start - s->setting[SETTING_PREPARE] * MINUTE_MS;
    }
    if (s->session == SESSION_PREPARING && s->setting[SETTING_DOORS] > 0) {
        *next = SESSION_DOORS;
        return start - s->setting[SETTING_DOORS] * MINUTE_MS;
    }
    return 0;
}

static int64_t earlier(int64_t due, int64_t at)
{
    return at && at < due ? at : due;
}

static int64_t conduct_due(const struct state *s, int64_t clock, wall_ms wall)
{
    enum session_state next;
    wall_ms date = calendar(s, &next);
    int64_t due = date ? clock + (date - wall) : INT64_MAX;
    due = earlier(due, s->closing_due);
    due = earlier(due, s->staffless_due);
    return earlier(due, s->session == SESSION_LIVE ? s->hard_due : 0);
}

static void begin_closing(struct act *act, int64_t clock, int64_t seconds)
{
    struct id nobody = {{0}};
    if (seconds > 0) {
        conduct_change(act, SESSION_CLOSING, nobody, clock + seconds * 1000);
    } else {
        conduct_close(act, nobody);
    }
}

static void conduct_tick(struct act *act, int64_t clock)
{
    const struct state *s = act->klass->work;
    struct id nobody = {{0}};
    enum session_state next;
    wall_ms date = calendar(s, &next);
    if (date && date <= act->now.wall) {
        conduct_change(act, next, nobody, 0);
    } else if (s->closing_due && s->closing_due <= clock) {
        conduct_close(act, nobody);
    } else if (s->staffless_due && s->staffless_due <= clock && ws_open(&s->workshops)) {
        /* Running workshops finish first. */
        act_emit(act, (struct event){.type = EVENT_STAFFLESS_SET, .n = clock + MINUTE_MS});
    } else if (s->staffless_due && s->staffless_due <= clock) {
        begin_closing(act, clock, s->setting[SETTING_CLOSING]);
    } else if (s->hard_due && s->hard_due <= clock && s->session == SESSION_LIVE) {
        begin_closing(act, clock, s->setting[SETTING_CLOSING]);
    }
}

/* ---- what follows
 * --------------------------------------------------------------------------------- */

/* The planned end counts from the moment the class really starts, when that is later. */
static void settle_end(struct act *act)
{
    const struct state *s = act->klass->work;
    int64_t clock = act_clock(act);
    int64_t minutes = s->setting[SETTING_DURATION];
    int64_t start = s->setting[SETTING_START];
    bool live = s->session == SESSION_LIVE;
    if (live && s->end_due == 0 && minutes > 0) {
        int64_t left = start ? start + minutes * MINUTE_MS - act->now.wall : 0;
        left = left < MINUTE_MS ? minutes * MINUTE_MS : left;
        act_emit(act, (struct event){.type = EVENT_END_SET, .n = clock + left});
    }
    if (live && s->hard_due == 0 && s->setting[SETTING_HARD_STOP] > 0) {
        act_emit(act, (struct event){.type = EVENT_HARD_SET,
                                     .n = clock + s->setting[SETTING_HARD_STOP] * MINUTE_MS});
    }
}

static void settle_staff(struct act *act)
{
    const struct state *s = act->klass->work;
    bool left_alone = s->session == SESSION_LIVE && s->seat_count > 0 && !state_has_staff(s) &&
                      s->setting[SETTING_STAFFLESS] > 0;
    if (left_alone && s->staffless_due == 0) {
        act_emit(act,
                 (struct event){.type = EVENT_STAFFLESS_SET,
                                .n = act_clock(act) + s->setting[SETTING_STAFFLESS] * MINUTE_MS});
    } else if (!left_alone && s->staffless_due != 0) {
        act_emit(act, (struct event){.type = EVENT_STAFFLESS_SET});
    }
}

/* Back to the waiting room, where a page of theirs is open to wait with. */
void conduct_send_back(struct act *act, const struct seat *seat, struct id by, bool held)
{
    const struct klass *k = act->klass;
    struct event wait = {.type = EVENT_WAIT_ENTERED, .person = seat->person->id};
    for (unsigned i = 0; i < seat->device_count; i++) {
        const struct live *l = live_find(k->room, k, &seat->devices[i].id);
        if (l && l->conn) {
            wait.device = seat->devices[i].id;
        }
    }
    wait.a = (uint32_t)seat->person->role | (uint32_t)seat->person->role_link << 8;
    wait.b = seat->person->listed ? (uint32_t)CONDUCT_LISTED : 0u;
    wait.text = rtext_get(seat->person->name);
    act_emit(act, (struct event){.type = EVENT_PERSON_LEFT,
                                 .person = wait.person,
                                 .other = by,
                                 .a = LEAVE_WAIT,
                                 .b = held ? 0 : 2});
    if (id_is_zero(&wait.device)) {
        rtext_put(&wait.text);
    } else {
        act_emit(act, wait);
    }
}

static void settle_alone(struct act *act)
{
    const struct state *s = act->klass->work;
    bool alone = s->setting[SETTING_ALONE] && s->session == SESSION_LIVE && !state_has_staff(s);
    for (size_t i = s->seat_count; alone && i-- > 0 && !act->err;) {
        if (role_is_crowd(s->seats[i]->person->role)) {
            conduct_send_back(act, s->seats[i], (struct id){{0}}, false);
        }
    }
}

void conduct_admit(struct act *act, const struct person *p)
{
    struct id id = p->id;
    act_emit(act, (struct event){.type = EVENT_PERSON_JOINED,
                                 .person = id,
                                 .device = p->wait_device,
                                 .a = (uint32_t)p->role | (uint32_t)p->role_link << 8,
                                 .b = p->wait_media,
                                 .n = 1,
                                 .text = rtext_get(p->name)});
    act_trim(act, &id, (struct id){{0}});
}

/* Whoever need not wait any more comes in, in order of arrival. */
static void settle_waiting(struct act *act)
{
    const struct state *s = act->klass->work;
    bool alone = s->setting[SETTING_ALONE] && !state_has_staff(s);
    if (s->wait_count == 0 || alone || s->ended || act->klass->room->draining) {
        return;
    }
    const struct person *waiting[STATE_SEATS_MAX];
    size_t count = state_waiting(s, waiting, STATE_SEATS_MAX);
    for (size_t i = 0; i < count && !act->err; i++) {
        enum class_full why;
        bool room = seats_free(act->klass, waiting[i]->role, &why);
        if (room && !state_must_wait(s, waiting[i], waiting[i]->role, waiting[i]->listed,
                                     waiting[i]->light_wish)) {
            conduct_admit(act, waiting[i]);
        }
    }
}

static void conduct_settle(struct act *act)
{
    settle_end(act);
    settle_staff(act);
    settle_alone(act);
    settle_waiting(act);
}

const struct class_part class_conduct = {
    .first = 100,
    .last = 119,
    .note_h = conduct_note,
    .other_h = conduct_other,
    .told_h = conduct_told,
    .snapshot_h = conduct_snapshot,
    .due_h = conduct_due,
    .tick_h = conduct_tick,
    .settle_h = conduct_settle,
    .handler_h = conduct_handler,
};
