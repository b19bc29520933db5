#include "signaling/journal/roll.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "signaling/journal/part.h"
#include "signaling/schema/id_rw.h"

enum { ROLL_FORMAT = 1 };

bool roll_asks(const struct person *p)
{
    return !role_is_staff((enum role)p->role) && p->role != ROLE_RECORDER;
}

void roll_tally(const struct state *s, uint32_t *asked, uint32_t *answered)
{
    *asked = 0;
    *answered = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        *asked += s->seats[i]->person->check != ROLL_NOT_ASKED;
        *answered += s->seats[i]->person->check == ROLL_ANSWERED;
    }
}

static void nobody_asked(struct state *s)
{
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->check = ROLL_NOT_ASKED;
    }
}

static int asked(struct state *s, const struct event *e)
{
    struct roll *r = &s->roll;
    bool again = e->a > 1;
    if (e->a < 1 || e->a > ROLL_ROUNDS || id_is_zero(&e->other) ||
        again != id_equal(&r->check, &e->other)) {
        return E_CORRUPT;
    }
    if (!again) {
        nobody_asked(s);
        for (size_t i = 0; i < s->seat_count; i++) {
            struct person *p = s->seats[i]->person;
            p->check = roll_asks(p) ? ROLL_ASKED : ROLL_NOT_ASKED;
        }
        r->by = e->person;
        r->next = 0;
        r->asked++;
    }
    r->check = e->other;
    r->round = (uint8_t)e->a;
    r->due = e->n;
    return 0;
}

static int answered(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p || p->check != ROLL_ASKED || !id_equal(&s->roll.check, &e->other)) {
        return E_CORRUPT;
    }
    p->check = ROLL_ANSWERED;
    return 0;
}

static void over(struct roll *r)
{
    r->check = (struct id){{0}};
    r->by = (struct id){{0}};
    r->round = 0;
    r->due = 0;
}

static int roll_fold(struct state *s, const struct event *e)
{
    if (e->type == EVENT_CHECK_ASKED) {
        return asked(s, e);
    }
    if (e->type == EVENT_CHECK_ANSWERED) {
        return answered(s, e);
    }
    if (e->type == EVENT_CHECK_CLOSED) {
        if (id_is_zero(&s->roll.check)) {
            return E_CORRUPT;
        }
        nobody_asked(s);
        over(&s->roll);
    } else if (e->type == EVENT_CHECK_PLANNED) {
        s->roll.next = e->n;
    }
    return 0;
}

static void roll_closed(struct state *s, const struct event *e)
{
    (void)e;
    nobody_asked(s);
    s->roll = (struct roll){.asked = 0};
}

/* Whoever gives up his seat is not asked any more. */
static void roll_vacate(struct state *s, struct seat *seat, const struct event *e)
{
    (void)s;
    (void)e;
    seat->person->check = ROLL_NOT_ASKED;
}

static int roll_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    (void)sealer;
    wr_u8(w, ROLL_FORMAT);
    id_write(w, &s->roll.check);
    id_write(w, &s->roll.by);
    wr_u8(w, s->roll.round);
    wr_u64(w, (uint64_t)s->roll.due);
    wr_u64(w, (uint64_t)s->roll.next);
    wr_u32(w, s->roll.asked);
    for (size_t i = 0; i < s->person_count; i++) {
        wr_u8(w, s->persons[i]->check);
    }
    return 0;
}

static int roll_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    (void)sealer;
    if (rd_u8(r) > ROLL_FORMAT) {
        return E_VERSION;
    }
    s->roll.check = id_read(r);
    s->roll.by = id_read(r);
    s->roll.round = rd_u8(r);
    s->roll.due = (int64_t)rd_u64(r);
    s->roll.next = (int64_t)rd_u64(r);
    s->roll.asked = rd_u32(r);
    bool sane = !r->bad && s->roll.round <= ROLL_ROUNDS &&
                (s->roll.round == 0) == id_is_zero(&s->roll.check);
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->check = rd_u8(r);
        sane = sane && s->persons[i]->check <= ROLL_ANSWERED;
    }
    return sane ? 0 : E_CORRUPT;
}

const struct state_part roll_part = {
    .tag = 0x524f,
    .first = 80,
    .last = 99,
    .fold_h = roll_fold,
    .vacate_h = roll_vacate,
    .closed_h = roll_closed,
    .put_h = roll_put,
    .get_h = roll_get,
};
