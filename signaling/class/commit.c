/*
 * From a command to a durable event: events fold into the working state at once, go to the storage
 * together, and only when they are durable fold into the committed state, are told, acknowledged
 * and given to the media server. Heap: batches on their way, bounded by the queue of the storage;
 * the bytes of one commit.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/class/conduct.h"
#include "signaling/class/webinar.h"
#include "signaling/journal/fold.h"

const uint8_t *class_key(void *arg, const struct id *person)
{
    const struct klass *k = arg;
    const struct key_entry *e = keyring_find(&k->keys, person);
    return e ? e->key : NULL;
}

struct sealer class_sealer(struct klass *k)
{
    return (struct sealer){
        .ops = k->room->config.token, .key_h = class_key, .arg = k, .home = k->id};
}

void batch_free(struct batch *b)
{
    if (!b) {
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        event_fini(&b->events[i]);
    }
    mem_free(b->events);
    mem_free(b);
}

/* ---- the working state
 * ---------------------------------------------------------------------------- */

/* work = copy of done, then every batch on its way again. */
static int refold(struct klass *k)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    struct state *state = NULL;
    k->room->stats.refolds++;
    int err = state_encode(k->done, NULL, &bytes, &len);
    if (!err) {
        err = state_decode(&state, bytes, len, NULL);
    }
    for (const struct batch *b = k->first; b && !err; b = b->next) {
        for (size_t i = 0; i < b->count && !err; i++) {
            err = state_fold(state, &b->events[i]);
        }
    }
    mem_free(bytes);
    k->broken = err != 0;
    if (err) {
        state_free(state);
        return err;
    }
    state_free(k->work);
    k->work = state;
    return 0;
}

static void refold_or_retry(struct klass *k, struct class_time now)
{
    (void)refold(k);
    twheel_set(&k->room->wheel, &k->retry_timer, now.mono + RETRY_US);
    routes_sync_class(k);
}

int act_begin(struct act *act, struct klass *k, struct class_time now)
{
    *act = (struct act){.klass = k, .now = now};
    if (k->broken && refold(k)) {
        return E_NOMEM;
    }
    act->batch = mem_alloc(sizeof(*act->batch));
    if (!act->batch) {
        return E_NOMEM;
    }
    act->batch->klass = k;
    return 0;
}

static int batch_push(struct batch *b, const struct event *event)
{
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 4;
        struct event *events = mem_realloc(b->events, cap * sizeof(*events));
        if (!events) {
            return E_NOMEM;
        }
        b->events = events;
        b->cap = cap;
    }
    b->events[b->count++] = *event;
    return 0;
}

void act_emit(struct act *act, struct event event)
{
    struct klass *k = act->klass;
    if (act->batch->count == 0 && event.type != EVENT_TIME_ANCHORED) {
        clock_shift(act);
    }
    event.seq = k->work->seq + 1;
    event.at = act->now.wall;
    if (act->batch->count == 0) {
        event.cmd = act->cmd;
        event.actor = act->cmd ? act->actor : event.actor;
    }
    if (!act->err) {
        act->err = batch_push(act->batch, &event);
        if (!act->err) {
            event.text = NULL; /* the batch holds it now */
            act->err = state_fold(k->work, &act->batch->events[act->batch->count - 1]);
        }
    }
    event_fini(&event);
    act->batch->joins += event.type == EVENT_PERSON_JOINED || event.type == EVENT_WAIT_ENTERED;
    act->batch->links += event.type == EVENT_LINK_USED;
}

static void settle_acting(struct act *act)
{
    const struct state *s = act->klass->work;
    const struct person *next = state_succession(s);
    struct id want = next ? next->id : (struct id){{0}};
    if (!act->err && !id_equal(&want, &s->acting)) {
        act_emit(act, (struct event){.type = EVENT_ACTING_CHANGED, .person = want});
    }
}

/* ---- to the storage
 * ------------------------------------------------------------------------------- */

struct records {
    struct class_record *list;
    uint8_t *bytes;
    size_t count;
};

static void records_free(struct records *r)
{
    mem_free(r->list);
    mem_free(r->bytes);
}

/* The id under which the key of an event's text is kept. False: it has none. */
static bool key_id(struct klass *k, const struct event *e, struct id *out)
{
    const struct event_row *row = event_row(e->type);
    struct sealer sealer = class_sealer(k);
    *out = row->fields & EVF_WORDS ? seal_words_id(&e->person) : *event_owner(e, &sealer);
    return e->text && row->fields & EVF_SEALED;
}

/* A key that is not stored yet travels with what is sealed under it. */
static int key_record(struct records *r, struct klass *k, const struct id *owner)
{
    const struct key_entry *key = keyring_need(&k->keys, owner, &k->room->config.rng);
    if (key && !key->stored) {
        r->list[r->count++] = (struct class_record){.kind = RECORD_PERSON_KEY,
                                                    .class_id = k->id,
                                                    .person = *owner,
                                                    .data = key->key,
                                                    .len = PERSON_KEY_LEN};
    }
    return key ? 0 : E_NOMEM;
}

/* Keys of people first named in this batch travel with it. A key for words never stands alone: so
 * one can tell the keys apart by their ids. */
static int add_key(struct records *r, struct batch *b, const struct event *e)
{
    struct id id;
    if (!key_id(b->klass, e, &id)) {
        return 0;
    }
    bool words = event_row(e->type)->fields & EVF_WORDS;
    int err = words ? key_record(r, b->klass, &e->person) : 0;
    return err ? err : key_record(r, b->klass, &id);
}

static void add_forget(struct records *r, const struct batch *b, const struct event *e)
{
    struct id words = seal_words_id(&e->person);
    bool whole = e->type == EVENT_PERSON_FORGOTTEN;
    if (whole || e->type == EVENT_WORDS_FORGOTTEN) {
        r->list[r->count++] =
            (struct class_record){.kind = RECORD_FORGET, .class_id = b->klass->id, .person = words};
    }
    if (whole) {
        r->list[r->count++] = (struct class_record){
            .kind = RECORD_FORGET, .class_id = b->klass->id, .person = e->person};
    }
}

static int encode_batch(struct records *r, struct batch *b)
{
    struct klass *k = b->klass;
    struct sealer sealer = class_sealer(k);
    size_t cap = 0;
    for (size_t i = 0; i < b->count; i++) {
        cap += 192 + rtext_len(b->events[i].text);
    }
    r->list = mem_alloc((b->count * 3 + 1) * sizeof(*r->list));
    r->bytes = mem_alloc(cap);
    if (!r->list || !r->bytes) {
        return E_NOMEM;
    }
    struct wr w = wr_init(r->bytes, cap);
    int err = 0;
    for (size_t i = 0; i < b->count && !err; i++) {
        const struct event *e = &b->events[i];
        err = add_key(r, b, e);
        const uint8_t *at = w.p;
        err = err ? err : event_encode(&w, e, &sealer);
        r->list[r->count++] = (struct class_record){.kind = RECORD_EVENT,
                                                    .class_id = k->id,
                                                    .seq = e->seq,
                                                    .data = at,
                                                    .len = (size_t)(w.p - at)};
        add_forget(r, b, e);
    }
    return err;
}

static void enqueue(struct klass *k, struct batch *b)
{
    if (k->last) {
        k->last->next = b;
    } else {
        k->first = b;
    }
    k->last = b;
    k->joins_out += b->joins;
    k->links_out += b->links;
}

static int hand_over(struct classroom *room, struct batch *b, const struct class_record *list,
                     size_t count)
{
    uint64_t value = (uint64_t)(uintptr_t)b;
    uint64_t ticket = room->ticket + 1;
    if (map_set(&room->tickets, ticket, value)) {
        return E_BUSY;
    }
    int err = room->hooks.commit_h(room->hooks.arg, ticket, list, count);
    if (err) {
        (void)map_del(&room->tickets, ticket);
        return err;
    }
    room->ticket = ticket;
    b->ticket = ticket;
    room->stats.outstanding++;
    return 0;
}

static int submit(struct batch *b)
{
    struct klass *k = b->klass;
    struct records r = {0};
    int err = state_reserve(k->done, k->joins_out + b->joins, k->links_out + b->links);
    err = err ? err : workshops_follow(k->done, k->work);
    if (!err) {
        err = encode_batch(&r, b);
    }
    if (!err) {
        err = hand_over(k->room, b, r.list, r.count);
    }
    records_free(&r);
    return err;
}

static void give_reply(struct classroom *room, const struct batch *b, struct class_time now);

void act_abort(struct act *act)
{
    bool changed = act->batch && act->batch->count > 0;
    batch_free(act->batch);
    act->batch = NULL;
    if (changed) {
        refold_or_retry(act->klass, act->now);
        clock_arm(act->klass, act->now);
    }
}

int act_end(struct act *act)
{
    struct klass *k = act->klass;
    if (act->batch->count > 0) {
        settle_acting(act);
        parts_settle(act);
        clock_anchor(act);
    }
    if (!act->err && act->batch->count > 0) {
        act->err = submit(act->batch);
    }
    if (act->err) {
        act_abort(act);
        return act->err;
    }
    struct batch *b = act->batch;
    act->batch = NULL;
    if (b->count == 0 && !k->first) {
        give_reply(k->room, b, act->now);
        batch_free(b);
        return 0;
    }
    enqueue(k, b);
    for (size_t i = 0; i < b->count; i++) {
        routes_sync_event(k, &b->events[i]);
    }
    if (b->count > 0) {
        clock_arm(k, act->now);
    }
    return 0;
}

/* ---- back from the storage
 * ------------------------------------------------------------------------ */

static void reply_resume(struct klass *k, struct conn *conn, const struct reply *r,
                         struct class_time now)
{
    const struct person *p = state_person(k->done, &conn->person);
    conn->place = CONN_CLASS;
    out_resumed(k, conn, now);
    bool same_view = p && p->seat && r->have >= p->seat->view_seq;
    if (same_view && r->has_have && out_covers(k, r->have)) {
        conn->sent = r->have;
        conn->seen = r->have;
        conn->view = out_view(k->done, p->seat);
        out_rights(k, conn, state_rights(k->done, p));
        out_flush(k, now);
    } else {
        out_snapshot(k, conn, now);
    }
    routes_tell_slots(conn->live);
}

static void reply_admin(struct klass *k, uint64_t request)
{
    struct classroom *room = k->room;
    char id[ID_TEXT_MAX];
    jsonw_reset(&room->json);
    jsonw_object(&room->json);
    jsonw_key_str(&room->json, "class", id_print(id, ID_CLASS, &k->id));
    jsonw_object_end(&room->json);
    size_t len = 0;
    const char *text = jsonw_text(&room->json, &len);
    room->hooks.admin_h(room->hooks.arg, request, 0, text ? text : "{}", text ? len : 2);
}

static void give_reply(struct classroom *room, const struct batch *b, struct class_time now)
{
    const struct reply *r = &b->reply;
    struct conn *conn = r->conn ? conn_find(room, r->conn) : NULL;
    if (r->kind == REPLY_ADMIN) {
        reply_admin(b->klass, r->request);
    } else if (r->kind == REPLY_PASS) {
        admin_pass_made(b->klass, r->request, &r->pass);
    }
    if (!conn) {
        return;
    }
    if (r->kind == REPLY_ACK) {
        room->stats.accepted++;
        out_ack(room, conn->num, r->id, b->count ? b->events[b->count - 1].seq : 0);
    } else if (r->kind == REPLY_JOIN && conn->place == CONN_JOINING) {
        room->stats.accepted++;
        conn->place = CONN_CLASS;
        out_snapshot(b->klass, conn, now);
        routes_tell_slots(conn->live);
    } else if (r->kind == REPLY_WAIT && conn->place == CONN_JOINING) {
        room->stats.accepted++;
        conn->place = CONN_QUEUE;
        out_waiting(b->klass, conn);
    } else if (r->kind == REPLY_RESUME && conn->place == CONN_JOINING) {
        reply_resume(b->klass, conn, r, now);
    } else if (r->kind == REPLY_DOOR && conn->place == CONN_WAIT) {
        enter_door(room, conn, now);
    }
}

static void refuse_reply(struct classroom *room, const struct batch *b, int err,
                         struct class_time now)
{
    const struct reply *r = &b->reply;
    bool full = err == E_FULL;
    if (r->kind == REPLY_ADMIN || r->kind == REPLY_PASS) {
        static const char disk[] = "{\"why\":\"could not be stored: the disk is full\"}";
        static const char other[] = "{\"why\":\"could not be stored\"}";
        room->hooks.admin_h(room->hooks.arg, r->request, full ? err : E_IO, full ? disk : other,
                            full ? sizeof(disk) - 1 : sizeof(other) - 1);
        return;
    }
    struct conn *conn = r->conn ? conn_find(room, r->conn) : NULL;
    if (!conn) {
        return;
    }
    room->stats.refused++;
    out_error(room, conn->num, r->id, "internal", NULL,
              full ? "could not be stored: the disk of the server is full"
                   : "could not be stored; try again");
    if (r->kind == REPLY_JOIN || r->kind == REPLY_WAIT) {
        conn->place = CONN_DOOR;
    } else if (r->kind == REPLY_RESUME || r->kind == REPLY_DOOR) {
        conn_drop(room, conn, CLOSE_RESTART, "storage", now);
    }
}

/* Is this connection the page that waits for its person? */
static bool waits_here(const struct klass *k, const struct conn *c)
{
    const struct person *p = state_person(k->done, &c->person);
    return p && p->wait_seq && c->live && id_equal(&p->wait_device, &c->live->device);
}

/* Those whose seat went with this event hear why their connection closes. */
static void dismiss(struct klass *k, const struct event *e, struct class_time now)
{
    bool all =
        e->type == EVENT_CLASS_ENDED ||
        (e->type == EVENT_SESSION_CHANGED && (e->a == SESSION_CLOSED || e->a == SESSION_ARCHIVED));
    bool one = e->type == EVENT_PERSON_LEFT && e->a != LEAVE_LOST;
    bool page = e->type == EVENT_DEVICE_LEFT;
    if (!all && !one && !page) {
        return;
    }
    bool removed = one && e->a == LEAVE_REMOVED;
    bool moved = (page && e->a == 1) || (one && e->a == LEAVE_WAIT);
    uint16_t code = all       ? CLOSE_ENDED
                    : removed ? CLOSE_REMOVED
                    : moved   ? CLOSE_MOVED
                              : CLOSE_NORMAL;
    for (struct conn *c = k->conns, *next; c; c = next) {
        next = c->next;
        /* A seat in the working state was taken after this event: it is not meant. */
        bool again = c->live && live_seated(c->live, k->work);
        bool inside = (c->place == CONN_CLASS || c->place == CONN_JOINING ||
                       (all && c->place == CONN_QUEUE)) &&
                      !again;
        bool meant = page  ? inside && id_equal(&c->live->device, &e->device)
                     : one ? id_equal(&c->person, &e->person) && (inside || e->b == 1)
                           : inside || e->type == EVENT_CLASS_ENDED;
        if (meant && one && e->a == LEAVE_WAIT && waits_here(k, c)) {
            c->place = CONN_QUEUE;
            out_waiting(k, c);
        } else if (meant) {
            conn_drop(k->room, c, code, all ? "ended" : "left", now);
        }
    }
}

static void settle_lives(struct klass *k)
{
    for (struct live *l = k->lives, *next; l; l = next) {
        next = l->next;
        live_settle(l);
    }
}

static void tell_erasure(struct klass *k, struct class_time now)
{
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place == CONN_CLASS) {
            out_snapshot(k, c, now);
        }
    }
}

/* Those who wait hear of it when why they wait or where they stand may be another now. */
static void tell_queue_of(struct klass *k, const struct batch *b)
{
    bool moved = false;
    for (size_t i = 0; i < b->count; i++) {
        enum event_type t = b->events[i].type;
        moved = moved || t == EVENT_SESSION_CHANGED || t == EVENT_CLASS_SET ||
                t == EVENT_PERSON_JOINED || t == EVENT_PERSON_LEFT || t == EVENT_WAIT_LEFT ||
                t == EVENT_WAIT_KNOCKED || t == EVENT_STAGE_PHASE || t == EVENT_STAGE_LIGHT;
    }
    if (moved) {
        conduct_tell_queue(k);
    }
}

/* True when texts were erased. */
static bool settle_keys(struct klass *k, const struct event *e)
{
    struct id id;
    struct key_entry *key = key_id(k, e, &id) ? keyring_find(&k->keys, &id) : NULL;
    bool whole = e->type == EVENT_PERSON_FORGOTTEN;
    bool erased = whole || e->type == EVENT_WORDS_FORGOTTEN;
    if (key) {
        key->stored = true; /* it travelled with the text */
    }
    key = key && event_row(e->type)->fields & EVF_WORDS ? keyring_find(&k->keys, &e->person) : NULL;
    if (key) {
        key->stored = true; /* so did that of the name */
    }
    if (whole) {
        keyring_forget(&k->keys, &e->person);
    }
    if (erased) {
        struct id words = seal_words_id(&e->person);
        keyring_forget(&k->keys, &words);
    }
    return erased;
}

/* Everything that had to wait for the disk. */
static void apply(struct klass *k, struct batch *b, struct class_time now)
{
    bool rights = false;
    bool at_once = false;
    bool erased = false;
    for (size_t i = 0; i < b->count; i++) {
        const struct event *e = &b->events[i];
        struct out_before before = out_before(k, e);
        int err = state_fold(k->done, e);
        if (err) {
            /* Reserved and checked before: a committed event that does not fold is a broken
             * invariant. The supervisor restarts us and the journal is folded afresh. */
            __builtin_trap();
        }
        out_note(k, e, &before);
        uint8_t see = event_row(e->type)->see;
        at_once = at_once || ((see & SEE_TOLD) && !(see & SEE_PRESENCE));
        rights = rights || (see & SEE_RIGHTS);
        erased = settle_keys(k, e) || erased;
    }
    parts_told(k, b->events, b->count);
    k->room->stats.events += b->count;
    webinar_pulse_soon(k, now);
    if (k->done->wait_count > 0 && b->count > 0) {
        tell_queue_of(k, b);
    }
    if (rights) {
        out_review(k, now);
    }
    if (erased) {
        tell_erasure(k, now);
    }
    if (at_once) {
        out_flush(k, now);
    } else if (k->log_count > 0 && !k->presence_timer.armed) {
        twheel_set(&k->room->wheel, &k->presence_timer, now.mono + PRESENCE_US);
    }
}

/* The batch is durable and out of the queue. */
static void finish(struct klass *k, struct batch *b, struct class_time now)
{
    apply(k, b, now);
    give_reply(k->room, b, now);
    for (size_t i = 0; i < b->count; i++) {
        routes_sync_event(k, &b->events[i]);
        enter_admitted(k, &b->events[i], now);
        dismiss(k, &b->events[i], now);
    }
    if (b->count > 0) {
        settle_lives(k);
    }
    batch_free(b);
}

static struct batch *pop(struct klass *k)
{
    struct batch *b = k->first;
    k->first = b->next;
    if (!k->first) {
        k->last = NULL;
    }
    b->next = NULL;
    k->joins_out -= b->joins;
    k->links_out -= b->links;
    return b;
}

/* A failed commit takes everything behind it along: those events were checked against it. */
static void lose_all(struct klass *k, int err, struct class_time now)
{
    struct batch *lost = k->first;
    k->first = NULL;
    k->last = NULL;
    k->joins_out = 0;
    k->links_out = 0;
    for (const struct batch *b = lost; b; b = b->next) {
        if (b->ticket && map_del(&k->room->tickets, b->ticket)) {
            k->room->stats.outstanding--;
        }
    }
    refold_or_retry(k, now);
    clock_arm(k, now);
    while (lost) {
        struct batch *next = lost->next;
        refuse_reply(k->room, lost, err, now);
        batch_free(lost);
        lost = next;
    }
    settle_lives(k);
}

static void store_snapshot(struct klass *k)
{
    if (k->snapshot_out || k->done->seq < k->snapshot_seq + SNAPSHOT_EVERY) {
        return;
    }
    struct sealer sealer = class_sealer(k);
    uint8_t *bytes = NULL;
    size_t len = 0;
    struct class_record list[2];
    struct records r = {.list = list};
    struct batch *b = mem_alloc(sizeof(*b));
    /* A class of an older release has no key of its own yet. */
    if (b && key_record(&r, k, &k->id) == 0 && state_encode(k->done, &sealer, &bytes, &len) == 0) {
        b->klass = k;
        b->snapshot = true;
        b->snapshot_seq = k->done->seq;
        list[r.count++] = (struct class_record){.kind = RECORD_SNAPSHOT,
                                                .class_id = k->id,
                                                .seq = k->done->seq,
                                                .data = bytes,
                                                .len = len};
        if (hand_over(k->room, b, list, r.count) == 0) {
            k->snapshot_out = true;
            b = NULL;
        }
    }
    mem_free(bytes);
    batch_free(b);
}

static void snapshot_stored(struct batch *b, int err)
{
    b->klass->snapshot_out = false;
    struct key_entry *key = keyring_find(&b->klass->keys, &b->klass->id);
    if (!err) {
        b->klass->snapshot_seq = b->snapshot_seq;
    }
    if (!err && key) {
        key->stored = true;
    }
    batch_free(b);
}

void classroom_committed(struct classroom *room, uint64_t ticket, int err, struct class_time now)
{
    uint64_t value;
    if (!map_find(&room->tickets, ticket, &value)) {
        return; /* lost together with one before it */
    }
    (void)map_del(&room->tickets, ticket);
    room->stats.outstanding--;
    room->stats.commits += err == 0;
    room->stats.commits_failed += err != 0;
    struct batch *b = (struct batch *)(uintptr_t)value;
    struct klass *k = b->klass;
    if (b->snapshot) {
        snapshot_stored(b, err);
        return;
    }
    if (err) {
        lose_all(k, err, now);
        return;
    }
    /* Tickets are answered in order, so what stands before this one has no ticket. */
    while (k->first && k->first != b && k->first->ticket == 0) {
        finish(k, pop(k), now);
    }
    if (k->first != b) {
        __builtin_trap(); /* the storage answered out of order */
    }
    finish(k, pop(k), now);
    while (k->first && k->first->ticket == 0) {
        finish(k, pop(k), now);
    }
    store_snapshot(k);
}
