/*
 * Coming in: hello with a link or with a resume token, and join. A person is an identity (personal
 * link or guest token), a device is one page of it. What fails here concerns only the connection it
 * came on (reliability S29): nothing about a victim can be reached with another one's token.
 */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/conduct.h"
#include "signaling/journal/stage.h"

/* Refuses a hello: says why and closes. */
static void refuse(struct classroom *room, struct conn *c, const char *code, const char *at,
                   const char *why, struct class_time now)
{
    uint16_t close = strcmp(code, "gone") == 0 ? CLOSE_ENDED : CLOSE_AUTH;
    room->stats.refused++;
    room->stats.auth_failed += close == CLOSE_AUTH;
    out_error(room, c->num, NULL, code, at, why);
    conn_drop(room, c, close, code, now);
}

int token_resume(char out[TOKEN_TEXT_MAX], const struct klass *k, const struct id *person,
                 const struct device *device)
{
    const struct classroom_config *config = &k->room->config;
    struct token_claim claim = {.kind = TOKEN_RESUME,
                                .class_id = k->id,
                                .person = *person,
                                .device = device->id,
                                .generation = device->generation};
    return token_make(out, &claim, config->key, &config->token);
}

static int read_token(struct token_claim *out, struct classroom *room, const struct msg_str *text,
                      struct class_time now)
{
    return token_read(out, text->s, text->len, room->config.key, &room->config.token, now.wall);
}

/* ---- hello with a link
 * ---------------------------------------------------------------------------- */

/* Who this is: the person of the link, or of the guest token, or somebody new. */
static bool identify(struct classroom *room, const struct msg_hello *m,
                     const struct token_claim *link, struct id *person, struct class_time now)
{
    *person = link->person;
    if (m->has_guest && id_is_zero(person)) {
        struct token_claim guest;
        if (read_token(&guest, room, &m->guest, now) || guest.kind != TOKEN_GUEST ||
            !id_equal(&guest.class_id, &link->class_id)) {
            return false;
        }
        *person = guest.person;
    }
    if (id_is_zero(person)) {
        *person = id_new(&room->config.rng);
    }
    return true;
}

void enter_door(struct classroom *room, struct conn *c, struct class_time now)
{
    (void)now;
    c->place = CONN_DOOR;
    twheel_cancel(&room->wheel, &c->hello_timer);
    out_door(c->klass, c);
}

/* A join token works once: its use is durable before the door opens. */
static void burn(struct classroom *room, struct conn *c, const struct token_claim *link,
                 struct class_time now)
{
    struct act act;
    int err = act_begin(&act, c->klass, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_DOOR, .conn = c->num};
        c->place = CONN_WAIT;
        act_emit(&act, (struct event){
                           .type = EVENT_LINK_USED, .other = link->jti, .n = link->expires_at});
        err = act_end(&act);
    }
    if (err) {
        out_error(room, c->num, NULL, err == E_BUSY ? "busy" : "internal", NULL,
                  "could not be stored; try again");
        conn_drop(room, c, CLOSE_RESTART, "storage", now);
    }
}

static void no_seat(struct classroom *room, struct conn *c, const struct klass *k,
                    enum class_full why, struct class_time now)
{
    struct refusal no = seats_refusal(why);
    seats_told(c, k, why);
    out_error(room, c->num, NULL, no.code, no.at, no.why);
    conn_drop(room, c, CLOSE_RESTART, "full", now);
}

/* A token of the standard doors that was withdrawn. */
static bool withdrawn(const struct classroom *room, const struct token_claim *link,
                      const struct msg_str *text)
{
    struct id id = token_id(text->s, text->len, room->config.key, &room->config.token);
    return link->kind == TOKEN_WHIP && classroom_withdrawn(room, &link->class_id, &id);
}

static void hello_link(struct classroom *room, struct conn *c, const struct msg_hello *m,
                       struct class_time now)
{
    struct token_claim link;
    int err = read_token(&link, room, &m->link, now);
    bool is_link = link.kind == TOKEN_LINK || link.kind == TOKEN_LINK_PERSON ||
                   link.kind == TOKEN_LINK_ONCE ||
                   (link.kind == TOKEN_WHIP && classroom_inside(c->num));
    struct klass *k = !err && is_link ? class_find(room, &link.class_id) : NULL;
    struct id person;
    if (!k || !identify(room, m, &link, &person, now)) {
        const char *at = k ? "guest" : "link";
        refuse(room, c, "auth", at, err == E_EXPIRED ? "this link has expired" : "not valid", now);
        return;
    }
    const struct person *known = state_person(k->work, &person);
    bool once = link.kind == TOKEN_LINK_ONCE;
    if (withdrawn(room, &link, &m->link)) {
        refuse(room, c, "auth", "link", "this token was withdrawn", now);
    } else if (k->work->ended || k->work->session == SESSION_ARCHIVED) {
        refuse(room, c, "gone", NULL,
               k->work->ended ? "this class has ended" : "this class is in the archive", now);
    } else if (known && known->banned) {
        refuse(room, c, "auth", NULL, "removed from this class", now);
    } else if (once && state_link_used(k->work, &link.jti)) {
        refuse(room, c, "auth", "link", "this link has been used", now);
    } else if (room->draining || (once && k->work->link_count + 1 >= STATE_LINKS_MAX)) {
        out_error(room, c->num, NULL, "busy", NULL, "nobody new can enter now");
        conn_drop(room, c, CLOSE_RESTART, "draining", now);
    } else {
        struct id device = id_new(&room->config.rng);
        struct live *l = live_new(k, &device, &person, now);
        if (!l) {
            no_seat(room, c, k, CLASS_FULL_CAPACITY, now);
            return;
        }
        l->confirmed = true;
        conn_attach(c, l);
        c->link_role = link.role;
        c->link_own = !id_is_zero(&link.person);
        if (once) {
            burn(room, c, &link, now);
        } else {
            enter_door(room, c, now);
        }
    }
}

/* ---- hello with a resume token
 * ---------------------------------------------------------------------- */

/* Takes the device over from the connection that had it, if any. */
static void take_over(struct classroom *room, struct conn *c, struct live *l, struct class_time now)
{
    struct conn *old = l->conn;
    if (old) {
        l->conn = NULL; /* the device is not lost, it moves */
        conn_drop(room, old, CLOSE_MOVED, "moved", now);
    }
    conn_attach(c, l);
    c->place = CONN_JOINING;
    l->confirmed = false;
    twheel_cancel(&room->wheel, &c->hello_timer);
}

/* The newest token is good; the one before it too until the newest was seen to arrive, so that an
 * answer lost on the way costs nobody the seat. */
static bool generation_ok(const struct live *l, const struct token_claim *t, uint32_t generation)
{
    if (t->generation == generation) {
        return true;
    }
    return t->generation + 1 == generation && (!l || !l->confirmed);
}

/* Events of coming back into a seat that was kept. */
static void resume_seat(struct act *act, const struct seat *seat, const struct device *device)
{
    struct id person = seat->person->id;
    bool away = seat->away;
    act_emit(act, (struct event){.type = EVENT_DEVICE_RESUMED,
                                 .person = person,
                                 .device = device->id,
                                 .n = (int64_t)device->generation + 1});
    if (away) {
        act_emit(act, (struct event){.type = EVENT_PERSON_AWAY, .person = person, .a = 0});
    }
}

/* Events of coming back after the seat was given up: same name and role, microphone closed. */
static void resume_again(struct act *act, const struct person *p)
{
    act_emit(act, (struct event){.type = EVENT_PERSON_JOINED,
                                 .person = p->id,
                                 .device = p->last_device,
                                 .a = (uint32_t)p->role | (uint32_t)p->role_link << 8,
                                 .n = (int64_t)p->last_generation + 1,
                                 .text = rtext_get(p->name)});
}

static void resume(struct classroom *room, struct conn *c, struct klass *k, struct live *l,
                   const struct person *p, const struct msg_hello *m, struct class_time now)
{
    struct seat *seat = p->seat;
    struct device *device = seat ? seat_device(seat, &l->device) : NULL;
    take_over(room, c, l, now);
    struct act act;
    int err = act_begin(&act, k, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_RESUME,
                                          .conn = c->num,
                                          .has_have = m->has_have && seat != NULL,
                                          .have = m->has_have ? (uint64_t)m->have : 0};
        if (device) {
            resume_seat(&act, seat, device);
        } else {
            resume_again(&act, p);
        }
        err = act_end(&act);
    }
    if (err) {
        room->stats.refused++;
        out_error(room, c->num, NULL, err == E_BUSY ? "busy" : "internal", NULL,
                  "could not be stored; try again");
        conn_drop(room, c, CLOSE_RESTART, "storage", now);
    }
}

static void hello_resume(struct classroom *room, struct conn *c, const struct msg_hello *m,
                         struct class_time now)
{
    struct token_claim t;
    int err = read_token(&t, room, &m->resume, now);
    struct klass *k = !err && t.kind == TOKEN_RESUME ? class_find(room, &t.class_id) : NULL;
    if (!k) {
        refuse(room, c, "auth", "resume", "not valid", now);
        return;
    }
    if (k->work->ended) {
        refuse(room, c, "gone", NULL, "this class has ended", now);
        return;
    }
    const struct person *p = state_person(k->work, &t.person);
    const struct device *d = p && p->seat ? seat_device(p->seat, &t.device) : NULL;
    bool closed = k->work->session == SESSION_CLOSED || k->work->session == SESSION_ARCHIVED;
    bool lost = p && !p->seat && !id_is_zero(&p->last_device) &&
                id_equal(&p->last_device, &t.device) && !closed;
    struct live *l = live_find(room, k, &t.device);
    if (!p || p->banned || (!d && !lost) ||
        !generation_ok(l, &t, d ? d->generation : p->last_generation)) {
        refuse(room, c, "auth", "resume", "not valid any more", now);
        return;
    }
    enum class_full why = CLASS_FULL_CAPACITY;
    bool seat = !lost || seats_free(k, p->role, &why);
    l = l || !seat ? l : live_new(k, &t.device, &t.person, now);
    if (!seat || !l) {
        no_seat(room, c, k, why, now);
        return;
    }
    resume(room, c, k, l, p, m, now);
}

void enter_hello(struct classroom *room, struct conn *c, const struct msg *msg,
                 struct class_time now)
{
    const struct msg_hello *m = &msg->hello;
    if (m->has_link == m->has_resume) {
        room->stats.refused++;
        out_error(room, c->num, NULL, "bad_message", m->has_link ? "resume" : "link",
                  "exactly one of link and resume");
    } else if (m->has_link) {
        hello_link(room, c, m, now);
    } else {
        hello_resume(room, c, m, now);
    }
}

/* ---- join
 * ----------------------------------------------------------------------------------------- */

enum role enter_role(const struct person *known, enum role link)
{
    if (!known) {
        return link;
    }
    bool more = role_rank(link) > role_rank(known->role) && link != (enum role)known->role_link;
    return more ? link : (enum role)known->role;
}

/* The strongest link this person has shown. */
static enum role strongest(const struct person *known, enum role link)
{
    return known && role_rank(link) < role_rank(known->role_link) ? (enum role)known->role_link
                                                                  : link;
}

static struct refusal may_join(const struct classroom *room, const struct klass *k,
                               const struct person *known, enum role role, bool moves,
                               enum class_full *full)
{
    const struct state *s = k->work;
    bool over = s->session == SESSION_CLOSED || s->session == SESSION_ARCHIVED;
    if (s->ended || (over && !role_is_staff(role))) {
        return (struct refusal){"gone", NULL, "the session has ended"};
    }
    if (known && known->banned) {
        return (struct refusal){"denied", NULL, "removed from this class"};
    }
    if (room->draining) {
        return (struct refusal){"busy", NULL, "nobody new can enter now"};
    }
    if (known && known->seat && known->seat->device_count == STATE_DEVICES_MAX && !moves) {
        return (struct refusal){"full", "devices", "open on three devices already"};
    }
    bool seat = known && known->seat;
    return seat || seats_free(k, role, full) ? (struct refusal){NULL, NULL, NULL}
                                             : seats_refusal(*full);
}

/* What an encoder that comes back by itself must not open again: what was closed meanwhile. */
static uint32_t closed_feed(const struct seat *seat)
{
    uint32_t closed = 0;
    for (unsigned i = 0; i < seat->device_count; i++) {
        closed |= seat->devices[i].feed & ~seat->devices[i].media;
    }
    return closed;
}

/* Another page of somebody present. */
static void join_again(struct act *act, const struct conn *c, const struct person *known,
                       struct event e, struct rtext *name, bool moves)
{
    enum role role = enter_role(known, c->link_role);
    bool renamed = rtext_len(known->name) != name->len ||
                   memcmp(rtext_str(known->name), name->s, name->len) != 0;
    bool raised = role != (enum role)known->role;
    /* Places for the new page first: a person keeps at least one all the time. */
    const struct seat *seat = known->seat;
    uint32_t closed = closed_feed(seat);
    while (moves && !act->err && seat->device_count > 1) {
        act_emit(act, (struct event){.type = EVENT_DEVICE_LEFT,
                                     .person = c->person,
                                     .device = seat->devices[0].id,
                                     .a = 1});
    }
    struct id old = seat->devices[0].id;
    bool away = seat->away;
    e.type = EVENT_DEVICE_JOINED;
    e.b &= ~(e.b >> MEDIA_FEED ? closed : 0u);
    act_emit(act, e);
    if (away) {
        act_emit(act, (struct event){.type = EVENT_PERSON_AWAY, .person = c->person, .a = 0});
    }
    if (moves && !act->err) {
        act_emit(act, (struct event){
                          .type = EVENT_DEVICE_LEFT, .person = c->person, .device = old, .a = 1});
    }
    if (raised) {
        act_emit(act, (struct event){.type = EVENT_ROLE_CHANGED, .person = c->person, .a = role});
    }
    if (renamed) {
        act_emit(act, (struct event){.type = EVENT_PERSON_RENAMED,
                                     .person = c->person,
                                     .text = rtext_get(name)});
    }
    /* It sends what this person may send, and so do the others if a role was lost with it. */
    act_trim(act, &c->person, (struct id){{0}});
}

static void join_events(struct act *act, const struct conn *c, const struct msg_join *m, bool waits)
{
    const struct state *s = act->klass->work;
    const struct person *known = state_person(s, &c->person);
    enum role role = enter_role(known, c->link_role);
    struct rtext *name = rtext_new(m->name.s, m->name.len);
    if (!name) {
        act->err = E_NOMEM;
        return;
    }
    uint32_t media = (m->mic ? MEDIA_MIC : 0u) | (m->cam ? MEDIA_CAM : 0u);
    struct event e = {.person = c->person, .device = c->live->device, .b = media, .n = 1};
    e.b |= classroom_inside(c->num) && !waits ? media << MEDIA_FEED : 0u;
    if (known && known->seat) {
        join_again(act, c, known, e, name, m->has_how && m->how == 1);
    } else {
        e.type = waits ? EVENT_WAIT_ENTERED : EVENT_PERSON_JOINED;
        e.a = (uint32_t)role | (uint32_t)strongest(known, c->link_role) << 8;
        e.b |= waits && c->link_own ? CONDUCT_LISTED : 0u;
        e.n = waits ? 0 : 1;
        e.text = rtext_get(name);
        act_emit(act, e);
        act_trim(act, &c->person, (struct id){{0}});
        if (waits && stage_is(s) && m->has_light && m->light) {
            act_emit(act, (struct event){.type = EVENT_STAGE_LIGHT, .person = c->person, .a = 1});
        }
    }
    rtext_put(&name);
    if (role_is_staff(role)) {
        conduct_staff_in(act, c->person);
    }
}

void enter_join(struct classroom *room, struct conn *c, const struct msg *msg,
                struct class_time now)
{
    const struct state *s = c->klass->work;
    const struct person *known = state_person(s, &c->person);
    enum role role = enter_role(known, c->link_role);
    bool moves = msg->join.has_how && msg->join.how == 1;
    enum class_full full = CLASS_FULL_REASONS;
    struct refusal no = may_join(room, c->klass, known, role, moves, &full);
    if (full != CLASS_FULL_REASONS) {
        seats_told(c, c->klass, full);
    }
    bool light = msg->join.has_light && msg->join.light;
    /* An encoder cannot wait, and staff made its token by hand: that was its admission. */
    bool comes = classroom_inside(c->num) && s->session == SESSION_LIVE && !(known && known->held);
    bool waits =
        !comes && !(known && known->seat) && state_must_wait(s, known, role, c->link_own, light);
    enum conn_place before = c->place;
    struct act act = {.err = 0};
    if (!no.code) {
        int err = act_begin(&act, c->klass, now);
        if (!err) {
            act.actor = c->person;
            act.batch->reply =
                (struct reply){.kind = waits ? REPLY_WAIT : REPLY_JOIN, .conn = c->num};
            memcpy(act.batch->reply.id, msg->id, sizeof(msg->id));
            c->place = CONN_JOINING;
            join_events(&act, c, &msg->join, waits);
            err = act_end(&act);
        }
        if (err) {
            c->place = before;
            no = (struct refusal){err == E_BUSY ? "busy" : "internal", NULL,
                                  "could not be stored; try again"};
        }
    }
    if (no.code) {
        room->stats.refused++;
        out_error(room, c->num, msg->id, no.code, no.at, no.why);
    }
}

/* ---- the waiting room
 * ----------------------------------------------------------------------------- */

void enter_knock(struct classroom *room, struct conn *c, const struct msg *msg,
                 struct class_time now)
{
    const struct person *p = state_person(c->klass->work, &c->person);
    struct refusal no = {NULL, NULL, NULL};
    struct act act;
    if (!p || !p->wait_seq || c->place != CONN_QUEUE) {
        no = refuse_with("state", NULL, "only from the waiting room");
    } else if (act_begin(&act, c->klass, now)) {
        no = refuse_with("internal", NULL, "could not be stored; try again");
    } else {
        act.batch->reply = (struct reply){.kind = REPLY_ACK, .conn = c->num};
        memcpy(act.batch->reply.id, msg->id, sizeof(msg->id));
        if (!p->knocked_at || now.wall - p->knocked_at >= KNOCK_MS) {
            act_emit(&act, (struct event){.type = EVENT_WAIT_KNOCKED, .person = c->person});
        }
        if (act_end(&act)) {
            no = refuse_with("busy", NULL, "could not be stored; try again");
        }
    }
    if (no.code) {
        room->stats.refused++;
        out_error(room, c->num, msg->id, no.code, no.at, no.why);
    }
}

void enter_admitted(struct klass *k, const struct event *e, struct class_time now)
{
    if (e->type == EVENT_WAIT_LEFT && e->a >= 2) {
        for (struct conn *c = k->conns, *next; c; c = next) {
            next = c->next;
            if (c->place == CONN_QUEUE && id_equal(&c->person, &e->person)) {
                conn_drop(k->room, c, CLOSE_REMOVED, "refused", now);
            }
        }
        return;
    }
    if (e->type != EVENT_PERSON_JOINED) {
        return;
    }
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place == CONN_QUEUE && c->live && id_equal(&c->live->device, &e->device)) {
            c->place = CONN_CLASS;
            out_snapshot(k, c, now);
            routes_tell_slots(c->live);
        }
    }
}
