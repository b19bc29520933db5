#include "signaling/journal/floor.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/part.h"
#include "signaling/schema/id_rw.h"

enum { FLOOR_FORMAT = 1 };

/* ---- questions
 * ------------------------------------------------------------------------------------ */

bool floor_bars(const struct state *s, const struct seat *seat)
{
    const struct floor *f = &s->floor;
    unsigned role = state_role(s, seat->person);
    return f->mode != FLOOR_OPEN && seat->room == ROOM_MAIN && !role_is_staff(role) &&
           role != ROLE_INTERPRETER && !id_equal(&f->holder, &seat->person->id);
}

int floor_place(const struct floor *f, const struct id *person)
{
    for (int i = 0; i < FLOOR_RING_MAX; i++) {
        if (id_equal(&f->ring[i], person)) {
            return i;
        }
    }
    return -1;
}

int floor_listed(const struct floor *f, const struct id *person)
{
    for (int i = 0; i < f->list_count; i++) {
        if (id_equal(&f->list[i].person, person)) {
            return i;
        }
    }
    return -1;
}

bool floor_had_turn(const struct floor *f, const struct id *person)
{
    for (int i = 0; i < f->past_count; i++) {
        if (id_equal(&f->past[i].person, person) && !f->past[i].reply) {
            return true;
        }
    }
    return false;
}

bool floor_ready(const struct state *s, const struct id *person)
{
    const struct seat *seat = state_seat(s, person);
    return seat && !seat->away && seat->room == ROOM_MAIN &&
           right_has(right_table(state_role(s, seat->person), s->type), RIGHT_FLOOR_OWN);
}

bool floor_less_heard(const struct person *a, const struct person *b)
{
    return a->heard_ms + a->floor_ms < b->heard_ms + b->floor_ms;
}

size_t floor_queue(const struct state *s, const struct seat **out, size_t cap)
{
    const struct seat *hands[STATE_SEATS_MAX];
    size_t hand_count = state_hands(s, hands, STATE_SEATS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < hand_count && count < cap; i++) {
        bool asks = hands[i]->hand_kind == HAND_SPEAK || hands[i]->hand_kind == HAND_REPLY;
        if (hands[i]->room != ROOM_MAIN || !asks) {
            continue;
        }
        size_t at = count++;
        while (s->setting[SETTING_FLOOR_LEAST] && at > 0 &&
               floor_less_heard(hands[i]->person, out[at - 1]->person)) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = hands[i];
    }
    return count;
}

int64_t floor_spent(const struct floor *f, int64_t clock)
{
    int64_t run = f->paused || id_is_zero(&f->holder) ? 0 : clock - f->started;
    return f->spent_ms + (run > 0 ? run : 0);
}

static int64_t earlier(int64_t due, int64_t at)
{
    return at && at < due ? at : due;
}

int64_t floor_due(const struct state *s)
{
    const struct floor *f = &s->floor;
    if (id_is_zero(&f->holder)) {
        return INT64_MAX;
    }
    int64_t due = earlier(INT64_MAX, f->held_until);
    if (!f->paused) {
        due = earlier(due, f->over ? f->over_due : f->due);
    }
    return due;
}

/* ---- changes
 * -------------------------------------------------------------------------------------- */

static void clear_holder(struct floor *f)
{
    f->holder = (struct id){{0}};
    f->reply = f->paused = f->over = f->prompted = false;
    f->started = f->spent_ms = f->due = f->over_due = f->left_ms = f->held_until = 0;
}

static void list_remove(struct floor *f, int at)
{
    memmove(&f->list[at], &f->list[at + 1], (size_t)(f->list_count - at - 1) * sizeof(f->list[0]));
    f->list_count--;
}

static void list_insert(struct floor *f, int at, struct floor_turn turn)
{
    memmove(&f->list[at + 1], &f->list[at], (size_t)(f->list_count - at) * sizeof(f->list[0]));
    f->list[at] = turn;
    f->list_count++;
}

static void remember(struct floor *f, struct floor_turn turn)
{
    if (f->past_count == FLOOR_PAST_MAX) {
        memmove(&f->past[0], &f->past[1], (FLOOR_PAST_MAX - 1) * sizeof(f->past[0]));
        f->past_count--;
    }
    f->past[f->past_count++] = turn;
}

static int mode_set(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    if (e->a >= FLOOR_MODE_COUNT || !id_is_zero(&f->holder)) {
        return E_CORRUPT;
    }
    f->mode = (uint8_t)e->a;
    f->vacant = false;
    if (e->b == 1) { /* a new round */
        f->list_count = 0;
        f->past_count = 0;
    }
    return 0;
}

static int seated(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    int now = floor_place(f, &e->person);
    if (id_is_zero(&e->person) || (e->a >= FLOOR_RING_MAX && e->a != 255)) {
        return E_CORRUPT;
    }
    struct id other = e->a == 255 ? (struct id){{0}} : f->ring[e->a];
    if (now >= 0) {
        f->ring[now] = other; /* two people change places */
    }
    if (e->a != 255) {
        f->ring[e->a] = e->person;
    }
    return 0;
}

static int listed(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    int now = floor_listed(f, &e->person);
    if (!state_person(s, &e->person) || e->a > FLOOR_LIST_MAX ||
        (now < 0 && f->list_count == FLOOR_LIST_MAX)) {
        return E_CORRUPT;
    }
    if (now >= 0) {
        list_remove(f, now);
    }
    int at = e->a < f->list_count ? (int)e->a : f->list_count;
    list_insert(f, at, (struct floor_turn){.person = e->person, .reply = e->b == 1});
    return 0;
}

static int unlisted(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    int at = floor_listed(f, &e->person);
    if (at < 0 || e->a >= TURN_END_COUNT) {
        return E_CORRUPT;
    }
    if (e->a != TURN_DONE) {
        struct floor_turn turn = f->list[at];
        turn.how = (uint8_t)e->a;
        remember(f, turn);
    }
    list_remove(f, at);
    return 0;
}

static int given(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    const struct seat *seat = state_seat(s, &e->person);
    if (!id_is_zero(&f->holder) || !seat || seat->room != ROOM_MAIN || f->mode == FLOOR_OPEN) {
        return E_CORRUPT;
    }
    int at = floor_listed(f, &e->person);
    if (at >= 0) {
        list_remove(f, at);
    }
    clear_holder(f);
    f->vacant = false;
    f->holder = e->person;
    f->reply = e->b == 1;
    f->started = e->n;
    f->due = e->a ? e->n + (int64_t)e->a : 0;
    return 0;
}

static int ended(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    struct person *p = state_person(s, &e->person);
    if (!id_equal(&f->holder, &e->person) || !p || e->a >= TURN_END_COUNT) {
        return E_CORRUPT;
    }
    p->floor_ms += e->b;
    remember(f,
             (struct floor_turn){
                 .person = e->person, .reply = f->reply, .how = (uint8_t)e->a, .spent_ms = e->b});
    clear_holder(f);
    return 0;
}

static int paused(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    if (id_is_zero(&f->holder) || f->paused == (e->a == 1)) {
        return E_CORRUPT;
    }
    if (e->a == 1) { /* n = now */
        f->spent_ms = floor_spent(f, e->n);
        f->left_ms = f->due > e->n ? f->due - e->n : 0;
        f->paused = true;
        return 0;
    }
    f->paused = false;
    f->started = e->n;
    f->due = f->due ? e->n + f->left_ms : 0;
    f->over_due = f->over ? e->n + FLOOR_OVERTIME_MS : 0;
    f->left_ms = 0;
    return 0;
}

/* More (or less) time: n = the new limit, or what is left of it while paused. */
static int timed(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    if (id_is_zero(&f->holder) || e->n <= 0) {
        return E_CORRUPT;
    }
    f->over = f->prompted = false;
    f->over_due = 0;
    if (f->paused) {
        f->left_ms = e->n;
        f->due = f->due ? f->due : 1;
    } else {
        f->due = e->n;
    }
    return 0;
}

static int over(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    if (id_is_zero(&f->holder)) {
        return E_CORRUPT;
    }
    if (e->a == 1) { /* the overtime is over: whoever leads decides */
        f->prompted = true;
        f->over_due = 0;
    } else {
        f->over = true;
        f->over_due = e->n;
    }
    return 0;
}

static int heard(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || e->n < 0) {
        return E_CORRUPT;
    }
    p->heard_ms += e->n;
    return 0;
}

static int floor_fold(struct state *s, const struct event *e)
{
    struct floor *f = &s->floor;
    switch ((unsigned)e->type) {
    case EVENT_FLOOR_MODE:
        return mode_set(s, e);
    case EVENT_FLOOR_SEATED:
        return seated(s, e);
    case EVENT_FLOOR_LISTED:
        return listed(s, e);
    case EVENT_FLOOR_UNLISTED:
        return unlisted(s, e);
    case EVENT_FLOOR_GIVEN:
        return given(s, e);
    case EVENT_FLOOR_ENDED:
        return ended(s, e);
    case EVENT_FLOOR_PAUSED:
        return paused(s, e);
    case EVENT_FLOOR_TIMED:
        return timed(s, e);
    case EVENT_FLOOR_OVER:
        return over(s, e);
    case EVENT_FLOOR_HELD:
        if (id_is_zero(&f->holder)) {
            return E_CORRUPT;
        }
        f->held_until = e->n;
        return 0;
    case EVENT_FLOOR_HEARD:
        return heard(s, e);
    case EVENT_FLOOR_IDLE:
        f->vacant = false;
        return 0;
    default:
        return E_CORRUPT;
    }
}

/* Whoever leaves for good is off the list; whoever was lost keeps his place in it. */
static void floor_vacate(struct state *s, struct seat *seat, const struct event *e)
{
    struct floor *f = &s->floor;
    const struct id person = seat->person->id;
    int at = floor_listed(f, &person);
    bool lost = e->type == EVENT_PERSON_LEFT && e->a == LEAVE_LOST;
    if (at >= 0 && !lost) {
        list_remove(f, at);
        f->swept_seq = e->seq;
    }
    if (id_equal(&f->holder, &person)) {
        f->swept_seq = e->seq;
        clear_holder(f);
        f->vacant = true;
        if (lost && floor_listed(f, &person) < 0 && f->list_count < FLOOR_LIST_MAX) {
            list_insert(f, 0, (struct floor_turn){.person = person});
        }
    }
}

/* Into a workshop: off the list, and back at its end. */
static void floor_moved(struct state *s, struct seat *seat, uint16_t from, const struct event *e)
{
    struct floor *f = &s->floor;
    if (from != ROOM_MAIN) {
        return;
    }
    int at = floor_listed(f, &seat->person->id);
    if (at >= 0) {
        f->swept_seq = e->seq;
        struct floor_turn turn = f->list[at];
        list_remove(f, at);
        list_insert(f, f->list_count, turn);
    }
    if (id_equal(&f->holder, &seat->person->id)) {
        f->swept_seq = e->seq;
        clear_holder(f);
        f->vacant = true;
    }
}

/* The table stays laid for the next time; turns do not. */
static void floor_closed(struct state *s, const struct event *e)
{
    (void)e;
    struct floor *f = &s->floor;
    clear_holder(f);
    f->mode = FLOOR_OPEN;
    f->vacant = false;
    f->list_count = 0;
    f->past_count = 0;
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->floor_ms = 0;
    }
}

/* ---- snapshot
 * ------------------------------------------------------------------------------------- */

static void put_turns(struct wr *w, const struct floor_turn *turns, unsigned count)
{
    wr_u8(w, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        id_write(w, &turns[i].person);
        wr_u8(w, turns[i].reply);
        wr_u8(w, turns[i].how);
        wr_u64(w, (uint64_t)turns[i].spent_ms);
    }
}

static int floor_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    (void)sealer;
    const struct floor *f = &s->floor;
    wr_u8(w, FLOOR_FORMAT);
    wr_u8(w, f->mode);
    for (unsigned i = 0; i < FLOOR_RING_MAX; i++) {
        id_write(w, &f->ring[i]);
    }
    put_turns(w, f->list, f->list_count);
    put_turns(w, f->past, f->past_count);
    id_write(w, &f->holder);
    wr_u8(w,
          (uint8_t)(f->reply | f->paused << 1 | f->over << 2 | f->prompted << 3 | f->vacant << 4));
    const int64_t times[] = {f->started,  f->spent_ms, f->due,
                             f->over_due, f->left_ms,  f->held_until};
    for (unsigned i = 0; i < 6; i++) {
        wr_u64(w, (uint64_t)times[i]);
    }
    wr_u64(w, f->swept_seq);
    for (size_t i = 0; i < s->person_count; i++) {
        wr_u64(w, (uint64_t)s->persons[i]->floor_ms);
    }
    return 0;
}

static int get_turns(struct rd *r, struct floor_turn *turns, unsigned max, uint8_t *count)
{
    unsigned n = rd_u8(r);
    if (n > max) {
        return E_CORRUPT;
    }
    for (unsigned i = 0; i < n; i++) {
        turns[i].person = id_read(r);
        turns[i].reply = rd_u8(r) != 0;
        turns[i].how = rd_u8(r);
        turns[i].spent_ms = (int64_t)rd_u64(r);
        if (turns[i].how >= TURN_END_COUNT) {
            return E_CORRUPT;
        }
    }
    *count = (uint8_t)n;
    return 0;
}

static int floor_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    (void)sealer;
    struct floor *f = &s->floor;
    if (rd_u8(r) > FLOOR_FORMAT) {
        return E_VERSION;
    }
    f->mode = rd_u8(r);
    for (unsigned i = 0; i < FLOOR_RING_MAX; i++) {
        f->ring[i] = id_read(r);
    }
    int err = get_turns(r, f->list, FLOOR_LIST_MAX, &f->list_count);
    err = err ? err : get_turns(r, f->past, FLOOR_PAST_MAX, &f->past_count);
    f->holder = id_read(r);
    unsigned bits = rd_u8(r);
    f->reply = bits & 1;
    f->paused = (bits & 2) != 0;
    f->over = (bits & 4) != 0;
    f->prompted = (bits & 8) != 0;
    f->vacant = (bits & 16) != 0;
    int64_t *times[] = {&f->started,  &f->spent_ms, &f->due,
                        &f->over_due, &f->left_ms,  &f->held_until};
    for (unsigned i = 0; i < 6; i++) {
        *times[i] = (int64_t)rd_u64(r);
    }
    f->swept_seq = rd_u64(r);
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->floor_ms = (int64_t)rd_u64(r);
    }
    bool sane =
        f->mode < FLOOR_MODE_COUNT && (id_is_zero(&f->holder) || state_seat(s, &f->holder) != NULL);
    f->mode = sane ? f->mode : (uint8_t)FLOOR_OPEN;
    f->holder = sane ? f->holder : (struct id){{0}};
    return err ? err : sane ? 0 : E_CORRUPT;
}

const struct state_part floor_part = {
    .tag = 3,
    .first = 120,
    .last = 131,
    .fold_h = floor_fold,
    .vacate_h = floor_vacate,
    .moved_h = floor_moved,
    .closed_h = floor_closed,
    .put_h = floor_put,
    .get_h = floor_get,
};
