/* The commands of the conduct of a class: waiting room, moderation, locks, session. */
#include "signaling/class/conduct.h"

#include <string.h>

#include "codec/base/err.h"

static const struct refusal fine = {NULL, NULL, NULL};

static struct refusal nobody(const char *why)
{
    return refuse_with("not_found", "person", why);
}

/* The rights behind a feature of messages_class.def. */
static right_mask feature_rights(int feature)
{
    static const right_mask masks[] = {
        (right_mask)1 << RIGHT_MIC,
        (right_mask)1 << RIGHT_CAM,
        (right_mask)1 << RIGHT_SCREEN | (right_mask)1 << RIGHT_SOUND,
        (right_mask)1 << RIGHT_CHAT,
        (right_mask)1 << RIGHT_HAND,
    };
    return masks[feature];
}

/* ---- the waiting room
 * ----------------------------------------------------------------------------- */

static struct refusal wait_admit(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)c;
    const struct state *s = act->klass->work;
    const struct msg_wait_admit *m = &msg->wait_admit;
    const struct person *waiting[STATE_SEATS_MAX];
    size_t count = state_waiting(s, waiting, STATE_SEATS_MAX);
    bool found = false;
    for (size_t i = 0; i < count && !act->err; i++) {
        if (m->has_person && !id_equal(&waiting[i]->id, &m->person)) {
            continue;
        }
        found = true;
        enum class_full why;
        if (!seats_free(act->klass, waiting[i]->role, &why)) {
            return seats_refusal(why);
        }
        conduct_admit(act, waiting[i]);
    }
    return m->has_person && !found ? nobody("nobody of this id waits") : fine;
}

static struct refusal wait_refuse(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_wait_refuse *m = &msg->wait_refuse;
    const struct person *p = state_person(act->klass->work, &m->person);
    if (!p || !p->wait_seq) {
        return nobody("nobody of this id waits");
    }
    act_emit(act, (struct event){.type = EVENT_WAIT_LEFT,
                                 .person = m->person,
                                 .other = c->person,
                                 .a = m->ban ? 3 : 2});
    return fine;
}

static struct refusal person_unban(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_person_unban *m = &msg->person_unban;
    const struct person *p = state_person(act->klass->work, &m->person);
    if (!p || !p->banned) {
        return nobody("nobody of this id is kept out");
    }
    act_emit(act,
             (struct event){.type = EVENT_BAN_LIFTED, .person = m->person, .other = c->person});
    return fine;
}

static struct refusal person_wait(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct seat *seat = state_seat(act->klass->work, &msg->person_wait.person);
    if (!seat) {
        return nobody("nobody of this id is here");
    }
    if (role_is_staff(seat->person->role)) {
        return refuse_with("denied", "person", "not somebody who leads the class");
    }
    conduct_send_back(act, seat, c->person, true);
    return fine;
}

/* ---- moderation
 * ----------------------------------------------------------------------------------- */

static struct refusal person_ask(struct act *act, struct conn *c, const struct msg *msg)
{
    struct klass *k = act->klass;
    const struct msg_person_ask *m = &msg->person_ask;
    const struct seat *seat = state_seat(k->done, &m->person);
    const struct person *self = state_person(k->done, &c->person);
    if (!seat || !state_seat(k->work, &m->person)) {
        return nobody("nobody of this id is here");
    }
    struct jsonw *w = out_start(k->room, "asked");
    jsonw_key_str(w, "feature", schema_spell(ENUM_feature, m->feature));
    jsonw_key_strn(w, "name", self ? rtext_str(self->name) : "", self ? rtext_len(self->name) : 0);
    jsonw_object_end(w);
    size_t count = 0;
    for (const struct conn *to = k->conns; to; to = to->next) {
        if (to->place == CONN_CLASS && id_equal(&to->person, &m->person)) {
            k->room->to[count++] = to->num;
        }
    }
    if (count > 0) {
        out_send_to(k->room, k->room->to, count);
    }
    return fine;
}

static struct refusal person_grant(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_person_grant *m = &msg->person_grant;
    const struct seat *seat = state_seat(act->klass->work, &m->person);
    if (!seat) {
        return nobody("nobody of this id is here");
    }
    if (role_is_staff(seat->person->role)) {
        return refuse_with("denied", "person", "not somebody who leads the class");
    }
    right_mask mask = feature_rights(m->feature);
    for (unsigned i = 0; i < RIGHT_COUNT; i++) {
        bool granted = right_has(seat->person->grant, (enum right)i);
        bool denied = right_has(seat->person->deny, (enum right)i);
        int now = granted ? 1 : denied ? 2 : 0;
        if (right_has(mask, (enum right)i) && now != m->mode) {
            act_emit(act, (struct event){.type = EVENT_GRANT_SET,
                                         .person = m->person,
                                         .a = i,
                                         .b = (uint32_t)m->mode,
                                         .other = c->person});
        }
    }
    act_trim(act, &m->person, c->person);
    return fine;
}

static struct refusal people_mute(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct state *s = act->klass->work;
    const struct seat *self = state_seat(s, &c->person);
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        if (role_is_staff(seat->person->role) || seat->room != self->room) {
            continue;
        }
        for (unsigned d = 0; d < seat->device_count; d++) {
            if (seat->devices[d].media & MEDIA_MIC) {
                act_emit(act, (struct event){.type = EVENT_MEDIA_CHANGED,
                                             .person = seat->person->id,
                                             .device = seat->devices[d].id,
                                             .b = seat->devices[d].media & ~(uint32_t)MEDIA_MIC,
                                             .other = c->person});
            }
        }
    }
    return fine;
}

static struct refusal lock_set(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    const struct msg_lock_set *m = &msg->lock_set;
    int room = m->has_room ? state_room(s, &m->room) : 0;
    if (room < 0 || (m->has_room && room == ROOM_MAIN)) {
        return refuse_with("not_found", "room", "no such workshop is open");
    }
    const struct right_policy *policy = room ? &s->rooms[room].policy : &s->policy;
    right_mask mask = feature_rights(m->feature);
    for (unsigned i = 0; i < RIGHT_COUNT; i++) {
        bool locked = !right_has(policy->allow[ROLE_PARTICIPANT], (enum right)i);
        if (right_has(mask, (enum right)i) && locked != m->locked) {
            act_emit(
                act,
                (struct event){
                    .type = EVENT_LOCK_SET, .a = i, .b = m->locked, .n = room, .other = c->person});
        }
    }
    act_trim(act, NULL, c->person);
    return fine;
}

/* ---- session
 * -------------------------------------------------------------------------------------- */

static struct refusal class_set(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct msg_class_set *m = &msg->class_set;
    int number = setting_find(m->key.s, m->key.len);
    int64_t value;
    if (number < 0) {
        return refuse_with("not_found", "key", "no such setting");
    }
    if (setting_read((unsigned)number, m->value.s, m->value.len, &value)) {
        return refuse_with("bad_message", "value", "not a value of this setting");
    }
    if (act->klass->work->setting[number] != value) {
        act_emit(act, (struct event){.type = EVENT_CLASS_SET,
                                     .a = (uint32_t)number,
                                     .n = value,
                                     .person = c->person});
    }
    return fine;
}

static struct refusal session_doors(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    uint32_t want = msg->session_doors.state ? SESSION_DOORS : SESSION_PREPARING;
    bool before = s->session != SESSION_LIVE && s->session != SESSION_CLOSING;
    if (!before) {
        return refuse_with("state", NULL, "the class has begun");
    }
    if ((uint32_t)s->session != want) {
        act_emit(act,
                 (struct event){.type = EVENT_SESSION_CHANGED, .person = c->person, .a = want});
    }
    return fine;
}

static struct refusal session_extend(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    int64_t clock = act_clock(act);
    int64_t from = s->end_due > clock ? s->end_due : clock;
    if (s->session != SESSION_LIVE && s->session != SESSION_CLOSING) {
        return refuse_with("state", NULL, "the class is not under way");
    }
    if (s->session == SESSION_CLOSING) {
        act_emit(act, (struct event){
                          .type = EVENT_SESSION_CHANGED, .person = c->person, .a = SESSION_LIVE});
    }
    act_emit(act, (struct event){.type = EVENT_END_SET,
                                 .person = c->person,
                                 .n = from + msg->session_extend.minutes * 60000});
    return fine;
}

static struct refusal host_take(struct act *act, struct conn *c, const struct msg *msg)
{
    (void)msg;
    const struct state *s = act->klass->work;
    const struct person *p = state_person(s, &c->person);
    if (!p || p->role != ROLE_HOST) {
        return refuse_with("denied", NULL, "only the host takes back");
    }
    if (!id_equal(&s->acting, &c->person)) {
        act_emit(act, (struct event){.type = EVENT_ACTING_CHANGED, .person = c->person});
    }
    return fine;
}

command_h conduct_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_WAIT_ADMIT] = wait_admit,       [MSG_WAIT_REFUSE] = wait_refuse,
        [MSG_PERSON_WAIT] = person_wait,     [MSG_PERSON_ASK] = person_ask,
        [MSG_PERSON_GRANT] = person_grant,   [MSG_PEOPLE_MUTE] = people_mute,
        [MSG_LOCK_SET] = lock_set,           [MSG_CLASS_SET] = class_set,
        [MSG_SESSION_DOORS] = session_doors, [MSG_SESSION_EXTEND] = session_extend,
        [MSG_HOST_TAKE] = host_take,         [MSG_PERSON_UNBAN] = person_unban,
    };
    return handlers[type];
}
