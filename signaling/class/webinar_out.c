/*
 * What people are told of a webinar. Three kinds of people are told different things: staff all,
 * stage and wings each other, the audience the stage (and names of its own only when the class
 * shows them). The pulse (how many, hands, reactions) is counted here and told at most once a
 * second; it never goes through the journal.
 */
#include <string.h>

#include "codec/base/hash.h"
#include "signaling/class/impl.h"
#include "signaling/class/webinar.h"
#include "signaling/journal/stage.h"

enum {
    PULSE_US = 1 * US_PER_S,
    PULSE_FIRST_US = 100 * US_PER_MS, /* the first after a silence gathers only this long */
    REACT_EVERY_US = 1 * US_PER_S,
    REACT_BURST = 5,
};

struct webinar_load webinar_load(const struct state *s, uint32_t people_max)
{
    struct webinar_load l = {
        .most = (uint32_t)stage_seats(s, people_max),
        .light_most = (uint32_t)s->setting[SETTING_LIGHT],
        .waiting = (uint32_t)s->wait_count,
    };
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        bool member = stage_member(s, &seat->person->id) != NULL;
        l.light += !member && seat->light;
        l.taken += !member && !seat->light;
    }
    /* Told again only after it has really eased: one who goes and comes is no news. */
    uint32_t eased_full = l.most - l.most / 20;
    uint32_t eased = l.most / 10 * 7;
    l.level = l.taken >= l.most ? 2 : (uint64_t)l.taken * 5 >= (uint64_t)l.most * 4 ? 1 : 0;
    if (s->stage->fill == 2 && l.level == 1 && l.taken >= eased_full) {
        l.level = 2;
    } else if (s->stage->fill >= 1 && l.level == 0 && l.taken >= eased && l.most > 0) {
        l.level = 1;
    }
    return l;
}

/* ---- the stage as one may know it
 * --------------------------------------------------------------- */

static void member_value(struct jsonw *w, const struct stage_member *m)
{
    jsonw_object(w);
    out_key_id(w, "person", ID_PERSON, &m->person);
    jsonw_key_str(w, "place", schema_spell(ENUM_stage_place, m->place));
    jsonw_key_bool(w, "guest", m->home != 0);
    if (m->due) {
        jsonw_key_int(w, "due", m->due);
    }
    if (m->place == PLACE_WINGS) {
        jsonw_key(w, "check");
        jsonw_object(w);
        jsonw_key_bool(w, "mic", (m->checked & STAGE_CHECKED_MIC) != 0);
        jsonw_key_bool(w, "cam", (m->checked & STAGE_CHECKED_CAM) != 0);
        jsonw_key_bool(w, "sound", (m->checked & STAGE_CHECKED_SOUND) != 0);
        jsonw_key_bool(w, "ready", (m->checked & STAGE_CHECKED_READY) != 0);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void seats_value(struct jsonw *w, const struct state *s, uint32_t people_max)
{
    struct webinar_load l = webinar_load(s, people_max);
    jsonw_object(w);
    jsonw_key_int(w, "taken", l.taken);
    jsonw_key_int(w, "most", l.most);
    jsonw_key_int(w, "light", l.light);
    jsonw_key_int(w, "lightMost", l.light_most);
    jsonw_key_int(w, "waiting", l.waiting);
    jsonw_object_end(w);
}

/* The stage never shows that it counts down to those who wait in front of it. */
static enum stage_phase phase_for(const struct stage *st, unsigned audience)
{
    return stage_is_below(audience) && st->phase == STAGE_STARTING ? st->before : st->phase;
}

static void stage_value(struct jsonw *w, const struct state *s, unsigned audience)
{
    const struct stage *st = s->stage;
    bool below = stage_is_below(audience);
    jsonw_object(w);
    jsonw_key_str(w, "phase", schema_spell(ENUM_stage_phase, (int)phase_for(st, audience)));
    jsonw_key_int(w, "at", st->changed_at);
    if (st->air_at) {
        jsonw_key_int(w, "airAt", st->air_at);
    }
    if (st->due && !below) {
        jsonw_key_int(w, "due", st->due);
    }
    if (st->opens_due) {
        jsonw_key_int(w, "opens", st->opens_due);
    }
    jsonw_key_strn(w, "holding", rtext_str(st->holding), rtext_len(st->holding));
    jsonw_key_bool(w, "music", st->music);
    jsonw_key(w, "members");
    jsonw_array(w);
    for (size_t i = 0; i < st->member_count; i++) {
        if (st->members[i].place == PLACE_STAGE || !below) {
            member_value(w, &st->members[i]);
        }
    }
    jsonw_array_end(w);
    if (audience == AUDIENCE_OF_STAFF) {
        jsonw_key_int(w, "level", st->fill);
    }
    jsonw_object_end(w);
}

static void invites_value(struct jsonw *w, const struct state *s, const struct id *own)
{
    jsonw_array(w);
    for (size_t i = 0; i < s->stage->invite_count; i++) {
        const struct stage_invite *v = &s->stage->invites[i];
        if (own && !id_equal(own, &v->person)) {
            continue;
        }
        jsonw_object(w);
        out_key_id(w, "person", ID_PERSON, &v->person);
        jsonw_key_int(w, "due", v->due);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

void webinar_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    if (!stage_is(s)) {
        return;
    }
    jsonw_key(w, "stage");
    stage_value(w, s, state_audience(s, v->seat));
    jsonw_key(w, "invites");
    invites_value(w, s, v->staff ? NULL : &v->person->id);
    if (v->seat->light) {
        jsonw_key_bool(w, "light", true);
    }
}

/* ---- events
 * ------------------------------------------------------------------------------------- */

static struct out_scope scope_for(unsigned audience)
{
    return (struct out_scope){.see = SEE_ALL,
                              .hidden_from = (uint8_t)(UINT8_MAX - (1u << audience))};
}

/* The kinds there are now, with and without staff. */
static unsigned kinds(const struct state *s, unsigned list[3])
{
    unsigned names = s->setting[SETTING_AUDIENCE] == AUDIENCE_SHOWN ? AUDIENCE_NAMES : 0;
    list[0] = AUDIENCE_OF_STAFF;
    list[1] = AUDIENCE_OF_STAGE + names;
    list[2] = AUDIENCE_OF_SEATS + names;
    return 3;
}

/* To staff; to those on the stage and in the wings too; to everybody. */
enum reach { REACH_STAFF = 1, REACH_CREW, REACH_ALL };

static void log_stage(struct klass *k, uint64_t seq, enum reach reach)
{
    unsigned list[3];
    (void)kinds(k->done, list);
    for (unsigned i = 0; i < (unsigned)reach; i++) {
        struct jsonw *w = out_event(k, "stage.set");
        jsonw_key(w, "stage");
        stage_value(w, k->done, list[i]);
        jsonw_object_end(w);
        out_log(k, seq, scope_for(list[i]));
    }
}

/* A person comes into the sight of some, or out of it; his own page gets a new snapshot. */
static void log_sight(struct klass *k, const struct event *e, const struct seat *seat, bool seen,
                      struct out_scope scope)
{
    struct jsonw *w = out_event(k, seen ? "person.joined" : "person.left");
    if (seen) {
        jsonw_key(w, "person");
        out_person(w, k->done, seat);
    } else {
        out_key_id(w, "person", ID_PERSON, &e->person);
        jsonw_key_str(w, "reason", schema_spell(ENUM_leave_reason, LEAVE_LEFT));
    }
    jsonw_object_end(w);
    scope.person = e->person;
    scope.but_own = true;
    out_log(k, e->seq, scope);
}

/* At a table people know each other, whoever may be hidden in the hall. */
static void sight_of_tables(struct klass *k, const struct event *e, const struct seat *seat,
                            const struct out_before *before)
{
    struct out_scope scope = {.see = SEE_ROOM,
                              .hidden_from = (uint8_t)~state_hidden_from(k->done, seat->person)};
    scope.room = before->room;
    if (scope.room != ROOM_MAIN) {
        log_sight(k, e, seat, false, scope);
    }
    scope.room = seat->room;
    if (scope.room != ROOM_MAIN) {
        log_sight(k, e, seat, true, scope);
    }
}

void webinar_sight(struct klass *k, const struct event *e, const struct out_before *before)
{
    const struct state *s = k->done;
    const struct seat *seat = stage_is(s) ? state_seat(s, &e->person) : NULL;
    unsigned list[3];
    unsigned count = kinds(s, list);
    for (unsigned i = 1; seat && i < count; i++) {
        bool seen = stage_seen_by(s, list[i], seat->person);
        if (seen == ((before->hidden_from >> list[i] & 1) == 0)) {
            continue;
        }
        struct out_scope scope = scope_for(list[i]);
        scope.table = seat->room;
        scope.but_table = true; /* they know him in any case */
        log_sight(k, e, seat, seen, scope);
    }
    if (seat && e->type == EVENT_PERSON_MOVED && seat->room != before->room) {
        sight_of_tables(k, e, seat, before);
    }
}

static void log_invites(struct klass *k, const struct event *e)
{
    struct jsonw *w = out_event(k, "invites.set");
    jsonw_key(w, "invites");
    invites_value(w, k->done, NULL);
    jsonw_object_end(w);
    out_log(k, e->seq, scope_for(AUDIENCE_OF_STAFF));
    const struct person *p = state_person(k->done, &e->person);
    if (!p || stage_kind(k->done, p) == AUDIENCE_OF_STAFF) {
        return;
    }
    w = out_event(k, "invites.set");
    jsonw_key(w, "invites");
    invites_value(w, k->done, &e->person);
    jsonw_object_end(w);
    struct out_scope own = {
        .see = SEE_OWN, .person = e->person, .hidden_from = 1u << AUDIENCE_OF_STAFF};
    out_log(k, e->seq, own);
}

void webinar_gone(struct klass *k, const struct event *e)
{
    log_stage(k, e->seq, REACH_ALL);
    log_invites(k, e);
}

/* Only the page that has the seat hears what kind it is. */
static void log_light(struct klass *k, const struct event *e)
{
    const struct seat *seat = state_seat(k->done, &e->person);
    if (!seat) {
        return;
    }
    struct jsonw *w = out_event(k, "light.set");
    jsonw_key_bool(w, "light", seat->light);
    jsonw_object_end(w);
    out_log(k, e->seq, (struct out_scope){.see = SEE_OWN, .person = e->person});
}

void webinar_note(struct klass *k, const struct event *e)
{
    unsigned type = e->type;
    if (type == EVENT_STAGE_LIGHT) {
        log_light(k, e);
    } else if (type == EVENT_STAGE_PLACED) {
        log_stage(k, e->seq, REACH_ALL);
        log_invites(k, e);
    } else if (type == EVENT_STAGE_INVITED || type == EVENT_STAGE_INVITE_ENDED) {
        log_invites(k, e);
    } else {
        log_stage(k, e->seq,
                  type == EVENT_STAGE_FILL      ? REACH_STAFF
                  : type == EVENT_STAGE_CHECKED ? REACH_CREW
                                                : REACH_ALL);
    }
}

/* ---- words of the audience
 * ----------------------------------------------------------------------- */

bool webinar_shows_hand(const struct state *s, const struct seat *viewer, const struct seat *hand)
{
    return state_sees(s, viewer, hand->person) &&
           (!stage_is(s) || state_same_table(viewer, hand) || viewer == hand ||
            stage_kind(s, viewer->person) == AUDIENCE_OF_STAFF);
}

bool webinar_reads(const struct seat *viewer, const struct chat_entry *c)
{
    return !c->to_staff || role_is_staff(viewer->person->role) ||
           id_equal(&c->from, &viewer->person->id);
}

bool webinar_named(const struct state *s, const struct seat *viewer, const struct chat_entry *c)
{
    return id_equal(&c->from, &viewer->person->id) ||
           (c->unnamed_for >> state_audience(s, viewer) & 1) == 0;
}

static void log_chat(struct klass *k, const struct event *e, struct out_scope scope, bool named)
{
    struct jsonw *w = out_event(k, "chat.posted");
    jsonw_key(w, "chat");
    out_chat(w, state_chat(k->done, k->done->chat_count - 1), named);
    jsonw_object_end(w);
    out_log(k, e->seq, scope);
}

bool webinar_chat(struct klass *k, const struct event *e, struct out_scope scope)
{
    const struct state *s = k->done;
    const struct chat_entry *c = state_chat(s, s->chat_count - 1);
    if (!stage_is(s)) {
        return false;
    }
    /* Named for those who may know the author, and for the author himself. */
    scope.hidden_from = c->to_staff ? (uint8_t)(UINT8_MAX - 1) : c->unnamed_for;
    log_chat(k, e, scope, true);
    if (!c->to_staff) {
        scope.hidden_from = (uint8_t)(UINT8_MAX - c->unnamed_for);
        scope.but_own = true;
        log_chat(k, e, scope, false);
    }
    return true;
}

const char *webinar_silence(struct klass *k, struct conn *c, struct class_time now)
{
    const struct state *s = k->work;
    if (!stage_is(s) || stage_place(s, &c->person) != PLACE_AUDIENCE) {
        return NULL;
    }
    if (s->setting[SETTING_CHAT_TO] == STAGE_CHAT_OFF) {
        return "messages of the audience are closed";
    }
    mono_us slow = s->setting[SETTING_CHAT_SLOW] * US_PER_S;
    if (c->live->chat_at && now.mono - c->live->chat_at < slow) {
        return "a little slower";
    }
    c->live->chat_at = now.mono;
    return NULL;
}

/* ---- the pulse
 * ---------------------------------------------------------------------------------- */

bool webinar_react(struct klass *k, struct conn *c, unsigned kind, struct class_time now)
{
    struct live *l = c->live;
    mono_us from = l->react_at > now.mono ? l->react_at : now.mono;
    if (kind >= PULSE_KINDS || from - now.mono > (REACT_BURST - 1) * (mono_us)REACT_EVERY_US) {
        return false;
    }
    l->react_at = from + REACT_EVERY_US;
    k->pulse.react[kind]++;
    webinar_pulse_soon(k, now);
    return true;
}

void webinar_pulse_soon(struct klass *k, struct class_time now)
{
    if (k->pulse.timer.armed || !stage_is(k->done)) {
        return;
    }
    mono_us next = k->pulse.at + PULSE_US;
    mono_us first = now.mono + PULSE_FIRST_US;
    k->pulse.timer.reason = TIMER_PULSE;
    twheel_set(&k->room->wheel, &k->pulse.timer, next > first ? next : first);
}

/* One text; what is counted depends on what this kind of people may know. */
static void pulse_write(struct klass *k, bool staff, size_t hands, unsigned rank)
{
    const struct state *s = k->done;
    struct jsonw *w = out_start(k->room, "audience");
    if (staff || s->setting[SETTING_AUDIENCE] != AUDIENCE_HIDDEN) {
        jsonw_key_int(w, "count", (int64_t)stage_audience(s));
        jsonw_key_int(w, "hands", (int64_t)hands);
    }
    if (staff) {
        jsonw_key(w, "seats");
        seats_value(w, s, k->room->config.people_max);
    }
    jsonw_key_int(w, "rank", rank);
    jsonw_key(w, "reactions");
    jsonw_array(w);
    for (unsigned i = 0; i < PULSE_KINDS; i++) {
        if (k->pulse.react[i]) {
            jsonw_array(w);
            jsonw_str(w, schema_spell(ENUM_reaction, (int)i));
            jsonw_int(w, k->pulse.react[i]);
            jsonw_array_end(w);
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static uint64_t pulse_hash(struct klass *k)
{
    static const struct hash_key key = {0x616d7068692e3120ULL, 0x70756c7365000000ULL};
    size_t len;
    const char *text = jsonw_text(&k->room->json, &len);
    return text ? hash_bytes(&key, text, len) : 0;
}

/* To whoever has not been told just this; a text with reactions is news in any case. */
static void pulse_send(struct klass *k, bool staff, size_t hands, bool news)
{
    struct classroom *room = k->room;
    size_t count = 0;
    pulse_write(k, staff, hands, 0);
    uint64_t hash = pulse_hash(k);
    for (struct conn *c = k->conns; c; c = c->next) {
        const struct seat *seat = c->place == CONN_CLASS ? state_seat(k->done, &c->person) : NULL;
        if (!seat || seat->hand_seq || role_is_staff(seat->person->role) != staff ||
            (!news && c->pulse_told == hash)) {
            continue;
        }
        c->pulse_told = hash;
        room->to[count++] = c->num;
    }
    if (count > 0) {
        out_send_to(room, room->to, count);
    }
}

/* Whoever has a hand up is told how far it is, whoever else may be hidden. */
static void pulse_ranks(struct klass *k, const struct seat *const *hands, size_t count, bool news)
{
    for (struct conn *c = k->conns; c; c = c->next) {
        const struct seat *seat = c->place == CONN_CLASS ? state_seat(k->done, &c->person) : NULL;
        if (!seat || !seat->hand_seq) {
            continue;
        }
        unsigned rank = 0;
        for (size_t i = 0; i < count && !rank; i++) {
            rank = hands[i] == seat ? (unsigned)i + 1 : 0;
        }
        pulse_write(k, role_is_staff(seat->person->role), count, rank);
        uint64_t hash = pulse_hash(k);
        if (news || c->pulse_told != hash) {
            c->pulse_told = hash;
            out_send(k->room, c->num);
        }
    }
}

void webinar_timer_pulse(struct klass *k, struct class_time now)
{
    const struct seat *hands[STATE_SEATS_MAX];
    size_t count = state_hands(k->done, hands, STATE_SEATS_MAX);
    bool news = false;
    for (unsigned i = 0; i < PULSE_KINDS; i++) {
        news = news || k->pulse.react[i] > 0;
    }
    k->pulse.at = now.mono;
    pulse_send(k, true, count, news);
    pulse_send(k, false, count, news);
    if (count > 0) {
        pulse_ranks(k, hands, count, news);
    }
    memset(k->pulse.react, 0, sizeof(k->pulse.react));
}
