/*
 * The commands of people in a class: one function and one row each. A handler checks what only it
 * can know (the target, the state) against the working state and emits events; place, right, rate,
 * shape and repetition were checked before (session.c). The target of every command is looked up in
 * the class of the connection, so an id of another class is an unknown id (reliability S27).
 */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/conduct.h"
#include "signaling/class/webinar.h"

static const struct refusal fine = {NULL, NULL, NULL};

static struct refusal no(const char *code, const char *at, const char *why)
{
    return (struct refusal){code, at, why};
}

/* A person present in this class, or NULL. */
static const struct seat *target(const struct act *act, const struct id *person)
{
    return state_seat(act->klass->work, person);
}

static struct refusal nobody(void)
{
    return no("not_found", "person", "nobody of this id is here");
}

/* ---- media
 * ---------------------------------------------------------------------------------------- */

static void set_media(struct act *act, struct id person, struct id device, uint32_t media,
                      struct id by)
{
    act_emit(act, (struct event){.type = EVENT_MEDIA_CHANGED,
                                 .person = person,
                                 .device = device,
                                 .b = media,
                                 .other = id_equal(&by, &person) ? (struct id){{0}} : by});
}

/* One presenter or several (setting presenters): a share of whoever leads replaces the present one
 * where there is one at a time; nobody else's does. */
static struct refusal present(struct act *act, const struct seat *self)
{
    const struct state *s = act->klass->work;
    int64_t rule = s->setting[SETTING_PRESENTERS];
    bool leads = role_is_staff(state_role(s, self->person));
    if (rule == PRESENTERS_STAFF && !leads && !right_has(self->person->grant, RIGHT_SCREEN)) {
        return no("denied", "screen", "whoever leads presents");
    }
    for (size_t i = 0; i < s->seat_count && rule == PRESENTERS_ONE; i++) {
        const struct seat *seat = s->seats[i];
        for (unsigned d = 0; d < seat->device_count; d++) {
            struct device dev = seat->devices[d];
            if (seat == self || seat->room != self->room || !(dev.media & MEDIA_SCREEN)) {
                continue;
            }
            if (!leads) {
                return no("state", "screen", "somebody presents already");
            }
            set_media(act, seat->person->id, dev.id,
                      dev.media & ~(uint32_t)(MEDIA_SCREEN | MEDIA_SOUND), self->person->id);
        }
    }
    return fine;
}

static struct refusal media_state(struct act *act, struct conn *c, const struct msg *msg)
{
    static const struct {
        uint32_t bit;
        enum right right;
        const char *at;
    } sources[] = {
        {MEDIA_MIC, RIGHT_MIC, "mic"},
        {MEDIA_CAM, RIGHT_CAM, "cam"},
        {MEDIA_SCREEN, RIGHT_SCREEN, "screen"},
        {MEDIA_SOUND, RIGHT_SOUND, "sound"},
    };
    const struct msg_media_state *m = &msg->media_state;
    uint32_t media = (m->mic == 1 ? MEDIA_MIC : 0u) | (m->cam ? MEDIA_CAM : 0u) |
                     (m->screen ? MEDIA_SCREEN : 0u) | (m->sound ? MEDIA_SOUND : 0u);
    const struct seat *seat = target(act, &c->person);
    const struct device *d = seat_device(seat, &c->live->device);
    if (!d) {
        return no("state", NULL, "this device has left");
    }
    right_mask rights = state_rights(act->klass->work, seat->person);
    for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if ((media & sources[i].bit) && !right_has(rights, sources[i].right)) {
            return no("denied", sources[i].at, "not allowed to send this");
        }
    }
    struct id device = d->id;
    bool shares = (media & MEDIA_SCREEN) && !(d->media & MEDIA_SCREEN);
    bool differs = media != d->media;
    struct refusal not_now = shares ? present(act, seat) : fine;
    if (!not_now.code && differs) {
        set_media(act, c->person, device, media, c->person);
    }
    return not_now;
}

/* The seat of somebody this person may mute, or NULL: who facilitates a workshop does it for that
 * room alone. */
static const struct seat *mutable_seat(const struct act *act, const struct conn *c,
                                       const struct id *person)
{
    const struct seat *seat = target(act, person);
    const struct seat *self = target(act, &c->person);
    return seat && (role_is_staff(self->person->role) || seat->room == self->room) ? seat : NULL;
}

static struct refusal person_mute(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct seat *seat = mutable_seat(act, c, &msg->person_mute.person);
    if (!seat) {
        return nobody();
    }
    for (unsigned i = 0; i < seat->device_count; i++) {
        struct device d = seat->devices[i];
        if (d.media & MEDIA_MIC) {
            set_media(act, msg->person_mute.person, d.id, d.media & ~(uint32_t)MEDIA_MIC,
                      c->person);
        }
    }
    return fine;
}

/* An encoder has nobody who could be asked: whoever may mute it opens it again, as it came and as
 * far as it may. People's own pages are never opened from afar. */
static struct refusal person_unmute(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct seat *seat = mutable_seat(act, c, &msg->person_unmute.person);
    bool feeds = false;
    bool open = false;
    for (unsigned i = 0; seat && i < seat->device_count; i++) {
        struct device d = seat->devices[i];
        uint32_t now = d.media;
        d.media = d.feed | now;
        uint32_t may = state_media(act->klass->work, seat, &d);
        feeds = feeds || d.feed != 0;
        open = open || (may & d.feed) != 0;
        if (d.feed && may != now) {
            set_media(act, msg->person_unmute.person, d.id, may, c->person);
        }
    }
    return !seat    ? nobody()
           : !feeds ? no("denied", "person", "only asking opens a microphone of people")
           : !open  ? no("state", "person", "it may send nothing now")
                    : fine;
}

/* ---- chat and hands
 * ------------------------------------------------------------------------------- */

static struct refusal chat_send(struct act *act, struct conn *c, const struct msg *msg)
{
    const char *silence = webinar_silence(act->klass, c, act->now);
    if (silence) {
        return no("denied", "text", silence);
    }
    struct rtext *text = rtext_new(msg->chat_send.text.s, msg->chat_send.text.len);
    if (!text) {
        act->err = E_NOMEM;
        return fine;
    }
    act_emit(act, (struct event){.type = EVENT_CHAT_POSTED,
                                 .person = c->person,
                                 .other = id_new(&act->klass->room->config.rng),
                                 .text = text});
    return fine;
}

static struct refusal hand_raise(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct seat *seat = target(act, &c->person);
    bool up = seat->hand_seq != 0 && seat->hand_kind == msg->hand_raise.kind;
    if (!up) {
        act_emit(act, (struct event){.type = EVENT_HAND_RAISED,
                                     .person = c->person,
                                     .a = (uint32_t)msg->hand_raise.kind});
    }
    return fine;
}

static void lower(struct act *act, struct id person, struct id by)
{
    act_emit(act, (struct event){.type = EVENT_HAND_LOWERED,
                                 .person = person,
                                 .other = id_equal(&by, &person) ? (struct id){{0}} : by});
}

static struct refusal hand_lower(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_hand_lower *m = &msg->hand_lower;
    struct id person = m->has_person ? m->person : c->person;
    const struct person *self = state_person(act->klass->work, &c->person);
    if (!id_equal(&person, &c->person) &&
        !right_has(state_rights(act->klass->work, self), RIGHT_HAND_OTHERS)) {
        return no("denied", "person", "only your own hand");
    }
    const struct seat *seat = target(act, &person);
    if (!seat) {
        return nobody();
    }
    if (seat->hand_seq) {
        lower(act, person, c->person);
    }
    return fine;
}

static struct refusal hand_clear(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct state *s = act->klass->work;
    for (size_t i = 0; i < s->seat_count; i++) {
        if (s->seats[i]->hand_seq) {
            lower(act, s->seats[i]->person->id, c->person);
        }
    }
    return fine;
}

/* ---- people
 * --------------------------------------------------------------------------------------- */

static struct refusal person_remove(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_person_remove *m = &msg->person_remove;
    const struct seat *seat = target(act, &m->person);
    if (!seat) {
        return nobody();
    }
    if (id_equal(&m->person, &c->person)) {
        return no("denied", "person", "to leave, use leave");
    }
    if (seat->person->role == ROLE_HOST || id_equal(&act->klass->work->acting, &m->person)) {
        return no("denied", "person", "the host cannot be removed");
    }
    act_emit(act, (struct event){.type = EVENT_PERSON_LEFT,
                                 .person = m->person,
                                 .other = c->person,
                                 .a = LEAVE_REMOVED,
                                 .b = m->ban ? 1 : 0});
    return fine;
}

static void trim_seat(struct act *act, const struct seat *seat, struct id by)
{
    for (unsigned i = 0; i < seat->device_count; i++) {
        struct device d = seat->devices[i];
        uint32_t allowed = state_media(act->klass->work, seat, &d);
        if (allowed != d.media) {
            set_media(act, seat->person->id, d.id, allowed, by);
        }
    }
}

void act_trim(struct act *act, const struct id *person, struct id by)
{
    const struct state *s = act->klass->work;
    for (size_t i = 0; i < s->seat_count; i++) {
        if (!person || id_equal(&s->seats[i]->person->id, person)) {
            trim_seat(act, s->seats[i], by);
        }
    }
}

static struct refusal role_set(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_role_set *m = &msg->role_set;
    const struct seat *seat = target(act, &m->person);
    if (!seat) {
        return nobody();
    }
    if (seat->person->role == ROLE_HOST || id_equal(&m->person, &c->person)) {
        return no("denied", "person", "not the host's role, not your own");
    }
    const struct person *self = state_person(act->klass->work, &c->person);
    if (m->role == ROLE_HOST && self->role != ROLE_HOST) {
        return no("denied", "role", "only the host hands the class over");
    }
    if (m->role == ROLE_HOST) {
        /* Exactly one host: whoever hands over leads as an animator. */
        act_emit(act, (struct event){
                          .type = EVENT_ROLE_CHANGED, .person = c->person, .a = ROLE_ANIMATOR});
    }
    if ((int)seat->person->role != m->role) {
        act_emit(act, (struct event){.type = EVENT_ROLE_CHANGED,
                                     .person = m->person,
                                     .a = (uint32_t)m->role,
                                     .other = c->person});
        act_trim(act, &m->person, c->person);
    }
    return fine;
}

/* Has this person another page that is connected? One that is lost keeps nobody here. */
static bool on_another_page(const struct conn *c)
{
    for (const struct live *l = c->klass->lives; l; l = l->next) {
        if (l != c->live && l->conn && id_equal(&l->person, &c->person)) {
            return true;
        }
    }
    return false;
}

static struct refusal leave(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct seat *seat = target(act, &c->person);
    struct event e = {.type = EVENT_PERSON_LEFT, .person = c->person, .a = LEAVE_LEFT};
    if (seat->device_count > 1 && on_another_page(c)) {
        /* The person stays on the other pages. */
        e.type = EVENT_DEVICE_LEFT;
        e.device = c->live->device;
    }
    act_emit(act, e);
    return fine;
}

/* ---- session
 * -------------------------------------------------------------------------------------- */

static struct refusal session_start(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    if (act->klass->work->session != SESSION_LIVE) {
        act_emit(act, (struct event){
                          .type = EVENT_SESSION_CHANGED, .person = c->person, .a = SESSION_LIVE});
    }
    return fine;
}

static struct refusal session_end(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    int64_t after = msg->session_end.has_after ? msg->session_end.after : 0;
    bool runs = s->session == SESSION_LIVE || s->session == SESSION_CLOSING;
    if (after > 0 && runs) {
        act_emit(act, (struct event){.type = EVENT_SESSION_CHANGED,
                                     .person = c->person,
                                     .a = SESSION_CLOSING,
                                     .n = act_clock(act) + after * 1000});
    } else {
        conduct_close(act, c->person);
    }
    return fine;
}

command_h command_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_LEAVE] = leave,
        [MSG_MEDIA_STATE] = media_state,
        [MSG_CHAT_SEND] = chat_send,
        [MSG_HAND_RAISE] = hand_raise,
        [MSG_HAND_LOWER] = hand_lower,
        [MSG_HAND_CLEAR] = hand_clear,
        [MSG_PERSON_REMOVE] = person_remove,
        [MSG_PERSON_MUTE] = person_mute,
        [MSG_PERSON_UNMUTE] = person_unmute,
        [MSG_ROLE_SET] = role_set,
        [MSG_SESSION_START] = session_start,
        [MSG_SESSION_END] = session_end,
    };
    return handlers[type] ? handlers[type] : parts_handler(type);
}
