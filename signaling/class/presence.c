/*
 * Connections, devices and seats. A lost connection leaves the seat where it is for the grace; then
 * the device, and with the last device the person, is gone. Everything is decided by comparing the
 * working state with the connections (presence_review), so it comes out the same after a failed
 * commit or a restart.
 * Heap: conn and live, bounded by conns_max.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/class/impl.h"

/* ---- devices
 * -------------------------------------------------------------------------------------- */

bool live_seated(const struct live *l, const struct state *s)
{
    const struct seat *seat = state_seat(s, &l->person);
    return seat && seat_device(seat, &l->device);
}

/* Is this the page that waits for its person, in this state? */
static bool live_waiting(const struct live *l, const struct state *s)
{
    const struct person *p = state_person(s, &l->person);
    return p && p->wait_seq && id_equal(&p->wait_device, &l->device);
}

static bool live_needed(const struct live *l)
{
    const struct klass *k = l->klass;
    return live_seated(l, k->work) || live_seated(l, k->done) || live_waiting(l, k->work) ||
           live_waiting(l, k->done);
}

struct live *live_find(struct classroom *room, const struct klass *k, const struct id *device)
{
    uint64_t value;
    if (!map_find(&room->keys, id_key(device), &value)) {
        return NULL;
    }
    struct live *l = (struct live *)(uintptr_t)value;
    return l->klass == k && id_equal(&l->device, device) ? l : NULL;
}

struct live *live_new(struct klass *k, const struct id *device, const struct id *person,
                      struct class_time now)
{
    struct classroom *room = k->room;
    struct live *l = mem_alloc(sizeof(*l));
    if (!l) {
        return NULL;
    }
    uint64_t value = (uint64_t)(uintptr_t)l;
    uint64_t num = room->device + 1;
    if (map_set(&room->devices, num, value)) {
        mem_free(l);
        return NULL;
    }
    if (map_set(&room->keys, id_key(device), value)) {
        (void)map_del(&room->devices, num);
        mem_free(l);
        return NULL;
    }
    room->device = num;
    l->num = num;
    l->device = *device;
    l->person = *person;
    l->klass = k;
    l->lost_at = now.mono;
    l->rate = (struct rate){.micro = (int64_t)RATE_BURST * US_PER_S, .at = now.mono};
    l->grace_timer.reason = TIMER_GRACE;
    l->slots_timer.reason = TIMER_SLOTS;
    l->next = k->lives;
    if (l->next) {
        l->next->prev = l;
    }
    k->lives = l;
    return l;
}

static void live_free(struct live *l)
{
    struct klass *k = l->klass;
    struct classroom *room = k->room;
    routes_close(l);
    twheel_cancel(&room->wheel, &l->grace_timer);
    twheel_cancel(&room->wheel, &l->slots_timer);
    (void)map_del(&room->devices, l->num);
    (void)map_del(&room->keys, id_key(&l->device));
    if (l->prev) {
        l->prev->next = l->next;
    } else {
        k->lives = l->next;
    }
    if (l->next) {
        l->next->prev = l->prev;
    }
    mem_free(l);
}

void live_settle(struct live *l)
{
    if (!l->conn && !live_needed(l)) {
        live_free(l);
    }
}

/* ---- connections
 * ---------------------------------------------------------------------------------- */

struct conn *conn_find(const struct classroom *room, conn_num num)
{
    uint64_t value;
    return map_find(&room->conns, num, &value) ? (struct conn *)(uintptr_t)value : NULL;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void conn_attach(struct conn *c, struct live *l)
{
    struct klass *k = l->klass;
    c->klass = k;
    c->live = l;
    c->person = l->person;
    c->rate.micro = least(c->rate.micro, l->rate.micro);
    l->conn = c;
    twheel_cancel(&k->room->wheel, &l->grace_timer);
    c->prev = NULL;
    c->next = k->conns;
    if (c->next) {
        c->next->prev = c;
    }
    k->conns = c;
}

void conn_detach(struct conn *c, struct class_time now)
{
    struct klass *k = c->klass;
    struct live *l = c->live;
    if (!k) {
        return;
    }
    if (c->prev) {
        c->prev->next = c->next;
    } else if (k->conns == c) {
        k->conns = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    }
    c->klass = NULL;
    c->live = NULL;
    c->next = NULL;
    c->prev = NULL;
    if (!l || l->conn != c) {
        return;
    }
    l->conn = NULL;
    l->lost_at = now.mono;
    l->rate = c->rate;
    struct id person = l->person;
    if (live_needed(l)) {
        twheel_set(&k->room->wheel, &l->grace_timer,
                   now.mono + (int64_t)k->room->config.grace_ms * US_PER_MS);
        presence_review(k, &person, now);
    } else {
        live_settle(l);
    }
}

void conn_drop(struct classroom *room, struct conn *c, uint16_t code, const char *reason,
               struct class_time now)
{
    conn_num num = c->num;
    (void)map_del(&room->conns, num);
    twheel_cancel(&room->wheel, &c->hello_timer);
    if (code) {
        room->hooks.close_h(room->hooks.arg, num, code, reason);
    }
    conn_detach(c, now);
    mem_free(c);
}

void classroom_open(struct classroom *room, conn_num num, struct class_time now)
{
    wheel_ready(room, now);
    if (conn_find(room, num)) {
        return;
    }
    struct conn *c = mem_alloc(sizeof(*c));
    if (!c || map_set(&room->conns, num, (uint64_t)(uintptr_t)c)) {
        mem_free(c);
        room->hooks.close_h(room->hooks.arg, num, CLOSE_RESTART, "full");
        return;
    }
    c->num = num;
    c->rate = (struct rate){.micro = (int64_t)RATE_BURST * US_PER_S, .at = now.mono};
    c->hello_timer.reason = TIMER_HELLO;
    twheel_set(&room->wheel, &c->hello_timer, now.mono + HELLO_US);
}

void classroom_close(struct classroom *room, conn_num num, struct class_time now)
{
    struct conn *c = conn_find(room, num);
    if (c) {
        conn_drop(room, c, 0, "", now);
    }
}

/* ---- seats
 * ---------------------------------------------------------------------------------------- */

struct seat_view {
    bool here;       /* some device has a connection */
    unsigned gone;   /* devices whose grace is over */
    struct id first; /* one of those */
};

static struct seat_view look(struct klass *k, const struct seat *seat, struct class_time now)
{
    struct seat_view view = {0};
    int64_t grace_us = (int64_t)k->room->config.grace_ms * US_PER_MS;
    for (unsigned i = 0; i < seat->device_count; i++) {
        const struct live *l = live_find(k->room, k, &seat->devices[i].id);
        view.here = view.here || (l && l->conn);
        if (!l || (!l->conn && now.mono - l->lost_at >= grace_us)) {
            view.gone++;
            view.first = seat->devices[i].id;
        }
    }
    return view;
}

/* Somebody in the waiting room whose page has been gone for the grace. */
static void review_waiting(struct klass *k, struct id person, struct class_time now)
{
    const struct person *p = state_person(k->work, &person);
    const struct live *l = p && p->wait_seq ? live_find(k->room, k, &p->wait_device) : NULL;
    int64_t grace_us = (int64_t)k->room->config.grace_ms * US_PER_MS;
    bool gone = !l || (!l->conn && now.mono - l->lost_at >= grace_us);
    struct act act;
    if (!p || !p->wait_seq || !gone) {
        return;
    }
    if (act_begin(&act, k, now)) {
        twheel_set(&k->room->wheel, &k->retry_timer, now.mono + RETRY_US);
        return;
    }
    act_emit(&act, (struct event){.type = EVENT_WAIT_LEFT, .person = person});
    (void)act_end(&act);
}

static void review_seat(struct klass *k, struct id person, struct class_time now)
{
    review_waiting(k, person, now);
    /* Each pass settles one thing and looks again: at most one pass per device and one for away. */
    for (unsigned pass = 0; pass <= STATE_DEVICES_MAX; pass++) {
        const struct seat *seat = state_seat(k->work, &person);
        if (!seat) {
            return;
        }
        struct seat_view view = look(k, seat, now);
        struct event e = {.person = person};
        if (view.gone == seat->device_count) {
            e.type = EVENT_PERSON_LEFT;
            e.a = LEAVE_LOST;
        } else if (view.gone > 0) {
            e.type = EVENT_DEVICE_LEFT;
            e.device = view.first;
        } else if (view.here == seat->away) {
            e.type = EVENT_PERSON_AWAY;
            e.a = !view.here;
        } else {
            return;
        }
        struct act act;
        if (act_begin(&act, k, now)) {
            twheel_set(&k->room->wheel, &k->retry_timer, now.mono + RETRY_US);
            return;
        }
        act_emit(&act, e);
        if (act_end(&act)) {
            return; /* the retry timer is armed */
        }
    }
}

void presence_review(struct klass *k, const struct id *person, struct class_time now)
{
    if (person) {
        review_seat(k, *person, now);
        return;
    }
    /* Seats may vanish under the walk: go by person, newest first. */
    for (size_t i = k->work->seat_count; i-- > 0;) {
        if (i < k->work->seat_count) {
            review_seat(k, k->work->seats[i]->person->id, now);
        }
    }
    for (size_t i = k->work->person_count; i-- > 0 && k->work->wait_count > 0;) {
        if (i < k->work->person_count && k->work->persons[i]->wait_seq) {
            review_waiting(k, k->work->persons[i]->id, now);
        }
    }
    for (struct live *l = k->lives, *next; l; l = next) {
        next = l->next;
        live_settle(l);
    }
}

void presence_due(struct live *l, struct class_time now)
{
    struct klass *k = l->klass;
    struct id person = l->person;
    presence_review(k, &person, now);
}
