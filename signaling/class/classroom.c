/* Heap: the classroom, its classes and maps, all sized from the configuration at start. */
#include "signaling/class/classroom.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/class/impl.h"
#include "signaling/class/webinar.h"
#include "signaling/journal/fold.h"
#include "signaling/journal/stage.h"

enum {
    CLASSES_MAX = 1000,
    CONNS_MAX = 4096,
    PEOPLE_MAX = 600,
    GRACE_MS = 60000,
    TICKETS_MAX = 16384,
};

/* ---- life
 * ----------------------------------------------------------------------------------------- */

static int make_tables(struct classroom *room)
{
    const struct rng *rng = &room->config.rng;
    uint32_t conns = room->config.conns_max;
    room->classes = mem_alloc(room->config.classes_max * sizeof(struct klass *));
    room->to = mem_alloc(conns * sizeof(conn_num));
    if (!room->classes || !room->to) {
        return E_NOMEM;
    }
    /* A lost device keeps its place besides the connection that follows it. */
    int err = map_init(&room->conns, conns, rng_u64(rng));
    err = err ? err : map_init(&room->devices, conns * 2, rng_u64(rng));
    err = err ? err : map_init(&room->keys, conns * 2, rng_u64(rng));
    return err ? err : map_init(&room->tickets, TICKETS_MAX, rng_u64(rng));
}

int classroom_new(struct classroom **out, const struct classroom_config *config,
                  const struct classroom_hooks *hooks)
{
    *out = NULL;
    struct classroom *room = mem_alloc(sizeof(*room));
    if (!room) {
        return E_NOMEM;
    }
    room->config = *config;
    room->hooks = *hooks;
    struct classroom_config *c = &room->config;
    c->classes_max = c->classes_max ? c->classes_max : CLASSES_MAX;
    c->conns_max = c->conns_max ? c->conns_max : CONNS_MAX;
    c->people_max = c->people_max ? c->people_max : PEOPLE_MAX;
    c->grace_ms = c->grace_ms ? c->grace_ms : GRACE_MS;
    c->boot.b[0] |= id_is_zero(&c->boot); /* whoever gives none has one machine */
    jsonw_init(&room->json, OUT_TEXT_MAX);
    bool sane =
        c->people_max <= STATE_SEATS_MAX && c->conns_max <= 1u << 20 && c->classes_max <= 1u << 20;
    int err = sane ? make_tables(room) : E_RANGE;
    if (err) {
        classroom_free(room);
        return err;
    }
    *out = room;
    return 0;
}

static void free_conns(struct classroom *room)
{
    const struct map *map = &room->conns;
    for (uint32_t i = 0; map->slots && i <= map->mask; i++) {
        if (map->used[i]) {
            mem_free((void *)(uintptr_t)map->slots[i].value);
        }
    }
    const struct map *tickets = &room->tickets;
    for (uint32_t i = 0; tickets->slots && i <= tickets->mask; i++) {
        struct batch *b =
            tickets->used[i] ? (struct batch *)(uintptr_t)tickets->slots[i].value : NULL;
        if (b && b->snapshot) {
            batch_free(b); /* in no queue of a class */
        }
    }
}

void classroom_free(struct classroom *room)
{
    if (!room) {
        return;
    }
    free_conns(room);
    for (uint32_t i = 0; room->classes && i < room->class_count; i++) {
        class_free(room->classes[i]);
    }
    map_fini(&room->conns);
    map_fini(&room->devices);
    map_fini(&room->keys);
    map_fini(&room->tickets);
    jsonw_fini(&room->json);
    mem_free(room->classes);
    mem_free(room->to);
    mem_free(room);
}

struct klass *class_find(const struct classroom *room, const struct id *id)
{
    for (uint32_t i = 0; i < room->class_count; i++) {
        if (id_equal(&room->classes[i]->id, id)) {
            return room->classes[i];
        }
    }
    return NULL;
}

struct klass *class_new(struct classroom *room, const struct id *id)
{
    struct klass *k = room->class_count < room->config.classes_max ? mem_alloc(sizeof(*k)) : NULL;
    if (!k) {
        return NULL;
    }
    k->room = room;
    k->id = *id;
    k->index = room->class_count;
    k->work = state_new(id);
    k->done = state_new(id);
    k->presence_timer.reason = TIMER_PRESENCE;
    k->retry_timer.reason = TIMER_RETRY;
    k->speaking_timer.reason = TIMER_SPEAKING;
    k->due_timer.reason = TIMER_DUE;
    if (!k->work || !k->done) {
        class_free(k);
        return NULL;
    }
    room->classes[room->class_count++] = k;
    return k;
}

void class_free(struct klass *k)
{
    while (k->first) {
        struct batch *next = k->first->next;
        batch_free(k->first);
        k->first = next;
    }
    while (k->lives) {
        struct live *next = k->lives->next;
        mem_free(k->lives);
        k->lives = next;
    }
    for (size_t i = 0; i < OUT_LOG_MAX; i++) {
        rtext_put(&k->log[i].json);
    }
    for (size_t i = 0; i < STATE_ROOMS_MAX; i++) {
        mem_free(k->voices[i]);
    }
    keyring_fini(&k->keys);
    state_free(k->work);
    state_free(k->done);
    mem_free(k);
}

/* ---- loading
 * -------------------------------------------------------------------------------------- */

static int fold_image(struct klass *k, const struct class_image *image, struct state **out)
{
    struct sealer sealer = class_sealer(k);
    struct state *s = NULL;
    int err = 0;
    if (image->snapshot.data) {
        err = state_decode(&s, image->snapshot.data, image->snapshot.len, &sealer);
        if (!err && (!id_equal(&s->class_id, &k->id) || s->seq != image->snapshot.seq)) {
            err = E_CORRUPT;
        }
    } else {
        s = state_new(&k->id);
        err = s ? 0 : E_NOMEM;
    }
    for (size_t i = 0; i < image->event_count && !err; i++) {
        struct event e;
        err = event_decode(&e, image->events[i].data, image->events[i].len, &sealer);
        if (!err) {
            err = e.seq == image->events[i].seq ? state_fold(s, &e) : E_CORRUPT;
            event_fini(&e);
        }
    }
    if (err) {
        state_free(s);
        return err;
    }
    *out = s;
    return 0;
}

int classroom_load(struct classroom *room, const struct class_image *image)
{
    if (class_find(room, &image->class_id)) {
        return E_CORRUPT;
    }
    if (room->class_count == room->config.classes_max) {
        return E_LIMIT;
    }
    struct klass *k = class_new(room, &image->class_id);
    if (!k) {
        return E_NOMEM;
    }
    int err = 0;
    for (size_t i = 0; i < image->key_count && !err; i++) {
        err = keyring_add(&k->keys, &image->keys[i]);
    }
    struct state *work = NULL;
    struct state *done = NULL;
    err = err ? err : fold_image(k, image, &done);
    err = err ? err : fold_image(k, image, &work);
    if (err) {
        state_free(done);
        room->class_count--;
        class_free(k);
        return err;
    }
    state_free(k->work);
    state_free(k->done);
    k->work = work;
    k->done = done;
    k->log_floor = done->seq;
    k->snapshot_seq = image->snapshot.data ? image->snapshot.seq : 0;
    return 0;
}

/* Whoever waited has the grace to come back to his place. */
static void start_waiting(struct klass *k, struct class_time now)
{
    for (size_t i = 0; i < k->work->person_count; i++) {
        const struct person *p = k->work->persons[i];
        struct live *l = p->wait_seq ? live_new(k, &p->wait_device, &p->id, now) : NULL;
        if (l) {
            twheel_set(&k->room->wheel, &l->grace_timer,
                       now.mono + (int64_t)k->room->config.grace_ms * US_PER_MS);
        }
    }
}

static void start_class(struct klass *k, struct class_time now)
{
    for (size_t i = 0; i < k->work->seat_count; i++) {
        const struct seat *seat = k->work->seats[i];
        for (unsigned d = 0; d < seat->device_count; d++) {
            struct live *l = live_new(k, &seat->devices[d].id, &seat->person->id, now);
            if (l) {
                twheel_set(&k->room->wheel, &l->grace_timer,
                           now.mono + (int64_t)k->room->config.grace_ms * US_PER_MS);
            }
        }
    }
    start_waiting(k, now);
    presence_review(k, NULL, now);
    clock_arm(k, now);
}

void classroom_start(struct classroom *room, struct class_time now)
{
    wheel_ready(room, now);
    for (uint32_t i = 0; i < room->class_count; i++) {
        start_class(room->classes[i], now);
    }
}

/* ---- time
 * ----------------------------------------------------------------------------------------- */

#define OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static void fire(struct classroom *room, struct twheel_node *node, struct class_time now)
{
    struct live *l;
    struct klass *k;
    switch ((enum timer_reason)node->reason) {
    case TIMER_HELLO:
        conn_drop(room, OWNER(node, struct conn, hello_timer), CLOSE_POLICY, "no hello", now);
        break;
    case TIMER_GRACE:
        l = OWNER(node, struct live, grace_timer);
        presence_due(l, now);
        break;
    case TIMER_SLOTS:
        routes_timer_slots(OWNER(node, struct live, slots_timer), now);
        break;
    case TIMER_PRESENCE:
        out_flush(OWNER(node, struct klass, presence_timer), now);
        break;
    case TIMER_RETRY:
        k = OWNER(node, struct klass, retry_timer);
        presence_review(k, NULL, now);
        break;
    case TIMER_SPEAKING:
        voices_timer(OWNER(node, struct klass, speaking_timer), now);
        break;
    case TIMER_PULSE:
        webinar_timer_pulse(OWNER(node, struct klass, pulse.timer), now);
        break;
    case TIMER_DUE:
        clock_due(OWNER(node, struct klass, due_timer), now);
        break;
    }
}

void classroom_timer(struct classroom *room, struct class_time now)
{
    struct twheel_node *node;
    while (room->wheel_set && (node = twheel_pop(&room->wheel, now.mono)) != NULL) {
        fire(room, node, now);
    }
}

mono_us classroom_deadline(const struct classroom *room)
{
    return room->wheel_set ? twheel_next(&room->wheel) : MONO_NEVER;
}

/* ---- the operator
 * --------------------------------------------------------------------------------- */

void classroom_drain(struct classroom *room, bool on)
{
    room->draining = on;
}

void classroom_shutdown(struct classroom *room, uint16_t code, struct class_time now)
{
    (void)now;
    /* Seats stay as they are: after the restart everybody is away with the grace, and resumes. */
    const struct map *map = &room->conns;
    for (uint32_t i = 0; i <= map->mask; i++) {
        if (map->used[i]) {
            room->hooks.close_h(room->hooks.arg, map->slots[i].key, code, "restart");
        }
    }
}

void classroom_stats(const struct classroom *room, struct classroom_stats *out)
{
    *out = room->stats;
    out->classes = room->class_count;
    out->conns = room->conns.count;
    for (uint32_t i = 0; i < room->class_count; i++) {
        const struct klass *k = room->classes[i];
        out->people += (uint32_t)k->done->seat_count;
        out->webinars_near += k->done->stage->fill >= 1;
        out->webinars_full += k->done->stage->fill == 2;
        out->webinars_light += (uint32_t)stage_light(k->done);
        for (const struct live *l = k->lives; l; l = l->next) {
            out->devices_media += l->open;
        }
    }
}
