/*
 * One message of a page: size, rate, shape, place, right, repetition, then its handler. Each check
 * has one place, here; what fails answers with the reason and touches nobody else.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "signaling/class/impl.h"
#include "signaling/class/ws.h"

/* ---- rate
 * ----------------------------------------------------------------------------------------- */

static bool rate_take(struct rate *r, mono_us now)
{
    const int64_t full = (int64_t)RATE_BURST * US_PER_S;
    int64_t passed = now > r->at ? now - r->at : 0;
    r->at = now > r->at ? now : r->at;
    r->micro = passed > full / RATE_PER_S ? full : r->micro + passed * RATE_PER_S;
    r->micro = r->micro > full ? full : r->micro;
    if (r->micro < US_PER_S) {
        return false;
    }
    r->micro -= US_PER_S;
    return true;
}

/* ---- commands
 * ------------------------------------------------------------------------------------- */

/* Command ids are remembered by a hash: chosen only by the person it belongs to, who could at most
 * make a command of their own look repeated. */
static uint64_t command_hash(const char *id)
{
    static const struct hash_key key = {0x616d7068692e3120ULL, 0x636f6d6d616e6473ULL};
    uint64_t hash = hash_bytes(&key, id, strlen(id));
    return hash ? hash : 1;
}

static void refuse(struct classroom *room, const struct conn *c, const char *id, struct refusal no)
{
    room->stats.refused++;
    out_error(room, c->num, id, no.code, no.at, no.why);
}

/* An ack that waits for whatever is on its way, as what it confirms may hang on it. */
static void acknowledge(struct conn *c, const struct msg *msg, struct class_time now)
{
    struct act act;
    if (act_begin(&act, c->klass, now)) {
        return;
    }
    act.batch->reply = (struct reply){.kind = REPLY_ACK, .conn = c->num};
    memcpy(act.batch->reply.id, msg->id, sizeof(msg->id));
    (void)act_end(&act);
}

static void run(struct classroom *room, struct conn *c, const struct msg *msg,
                struct class_time now)
{
    struct act act;
    struct refusal no = {NULL, NULL, NULL};
    int err = act_begin(&act, c->klass, now);
    if (!err) {
        act.actor = c->person;
        act.cmd = command_hash(msg->id);
        act.batch->reply = (struct reply){.kind = REPLY_ACK, .conn = c->num};
        memcpy(act.batch->reply.id, msg->id, sizeof(msg->id));
        no = command_handler(msg->type)(&act, c, msg);
        if (no.code) {
            act_abort(&act);
        } else {
            err = act_end(&act);
        }
    }
    if (err) {
        no = (struct refusal){err == E_BUSY ? "busy" : "internal", NULL,
                              "could not be stored; try again"};
    }
    if (no.code) {
        refuse(room, c, msg->id, no);
    }
}

static void execute(struct classroom *room, struct conn *c, const struct msg *msg,
                    struct class_time now)
{
    const struct state *s = c->klass->work;
    const struct seat *seat = state_seat(s, &c->person);
    if (!seat || !seat_device(seat, &c->live->device)) {
        refuse(room, c, msg->id, (struct refusal){"state", NULL, "not in the class any more"});
        return;
    }
    if (seat_knows(seat, command_hash(msg->id))) {
        room->stats.repeated++;
        acknowledge(c, msg, now);
        return;
    }
    enum right right = schema_msg(msg->type)->right;
    if (right != RIGHT_NONE && !right_has(state_rights(s, seat->person), right)) {
        refuse(room, c, msg->id, (struct refusal){"denied", NULL, "not allowed"});
        return;
    }
    run(room, c, msg, now);
}

/* ---- dispatch
 * ------------------------------------------------------------------------------------- */

static enum msg_place place_of(const struct conn *c)
{
    switch (c->place) {
    case CONN_NEW:
        return PLACE_NEW;
    case CONN_DOOR:
    case CONN_QUEUE:
    case CONN_JOINING: /* the join waits for its commit; media goes on meanwhile */
        return PLACE_DOOR;
    case CONN_CLASS:
        return PLACE_CLASS;
    case CONN_WAIT:
        break;
    }
    return (enum msg_place)0;
}

static void dispatch(struct classroom *room, struct conn *c, const struct msg *msg,
                     struct class_time now)
{
    const struct schema_msg *row = schema_msg(msg->type);
    bool repeated_join = msg->type == MSG_JOIN && c->place == CONN_CLASS;
    if (!(row->place & place_of(c)) && !repeated_join) {
        const char *why = c->place == CONN_NEW        ? "say hello first"
                          : place_of(c) == PLACE_DOOR ? "join first"
                                                      : "not now";
        refuse(room, c, msg->id, (struct refusal){"state", NULL, why});
        return;
    }
    if (c->live && c->place == CONN_CLASS) {
        c->live->confirmed = true; /* whoever speaks here has heard our answer */
    }
    switch ((unsigned)msg->type) {
    case MSG_HELLO:
        enter_hello(room, c, msg, now);
        break;
    case MSG_JOIN:
        if (repeated_join) {
            out_snapshot(c->klass, c, now);
        } else if (c->place != CONN_JOINING) { /* a repeat gets the answer of the first */
            enter_join(room, c, msg, now);
        }
        break;
    case MSG_KNOCK:
        enter_knock(room, c, msg, now);
        break;
    case MSG_PING:
        out_pong(room, c->num);
        break;
    case MSG_RELAYS:
        out_relays(c->klass, c->num, &c->person);
        break;
    case MSG_SYNC:
        out_snapshot(c->klass, c, now);
        break;
    case MSG_MEDIA_OFFER:
        routes_offer(room, c, msg);
        break;
    case MSG_MEDIA_READY:
        routes_ready(room, c);
        break;
    case MSG_VIEW:
        routes_view(room, c, msg);
        break;
    case MSG_WS_REPORT:
        ws_report(room, c, msg);
        break;
    default:
        execute(room, c, msg, now);
        break;
    }
}

void session_input(struct classroom *room, struct conn *c, const char *text, size_t len,
                   struct class_time now)
{
    room->stats.messages_in++;
    room->stats.bytes_in += len;
    if (!rate_take(&c->rate, now.mono)) {
        room->stats.refused++;
        room->stats.rate_closed++;
        out_error(room, c->num, NULL, "too_fast", NULL, "at most 50 messages a second");
        conn_drop(room, c, CLOSE_POLICY, "too_fast", now);
        return;
    }
    struct msg msg;
    struct schema_error error;
    int err = schema_parse(&msg, text, len, &error);
    if (err) {
        room->stats.refused++;
        out_error(room, c->num, error.id, error.code, error.at, error.why);
        if (err == E_TOOBIG) {
            conn_drop(room, c, CLOSE_TOO_BIG, "too_large", now);
        }
        return;
    }
    dispatch(room, c, &msg, now);
    msg_fini(&msg);
}

void classroom_input(struct classroom *room, conn_num num, const char *text, size_t len,
                     struct class_time now)
{
    struct conn *c = conn_find(room, num);
    if (c) {
        session_input(room, c, text, len, now);
    }
}
