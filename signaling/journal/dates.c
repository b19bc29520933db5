#include "signaling/journal/dates.h"

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "signaling/journal/part.h"

enum { DATES_FORMAT = 1, MINUTE_MS = 60000, OPEN_END_MINUTES = 720 };

wall_ms dates_end(wall_ms start, int64_t minutes)
{
    return start + (minutes ? minutes : (int64_t)OPEN_END_MINUTES) * MINUTE_MS;
}

bool dates_ok(const struct class_date *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].start <= 0 || list[i].start > DATE_START_MAX ||
            list[i].minutes > DATE_MINUTES_MAX || (i > 0 && list[i].start <= list[i - 1].start)) {
            return false;
        }
    }
    return count <= DATES_MAX;
}

const struct class_date *dates_after(const struct dates *d, wall_ms wall)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->list[i].start > wall) {
            return &d->list[i];
        }
    }
    return NULL;
}

const struct class_date *dates_at(const struct dates *d, wall_ms wall)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (dates_end(d->list[i].start, d->list[i].minutes) > wall) {
            return &d->list[i];
        }
    }
    return NULL;
}

static int add(struct dates *d, wall_ms start, uint32_t minutes)
{
    bool ascends = d->count == 0 || start > d->list[d->count - 1].start;
    if (d->count == DATES_MAX || start <= 0 || minutes > DATE_MINUTES_MAX || !ascends) {
        return E_CORRUPT;
    }
    d->list[d->count++] = (struct class_date){.start = start, .minutes = (uint16_t)minutes};
    return 0;
}

static int dates_fold(struct state *s, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_DATES_CLEARED:
        s->dates.count = 0;
        return 0;
    case EVENT_DATE_ADDED:
        return add(&s->dates, e->n, e->a);
    case EVENT_EMPTY_SET:
        s->dates.empty_due = e->n;
        return 0;
    default:
        return E_CORRUPT;
    }
}

static void dates_closed(struct state *s, const struct event *e)
{
    (void)e;
    s->dates.empty_due = 0;
}

static int dates_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    (void)sealer;
    wr_u8(w, DATES_FORMAT);
    wr_u64(w, (uint64_t)s->dates.empty_due);
    wr_u16(w, (uint16_t)s->dates.count);
    for (uint32_t i = 0; i < s->dates.count; i++) {
        wr_u64(w, (uint64_t)s->dates.list[i].start);
        wr_u16(w, s->dates.list[i].minutes);
    }
    return 0;
}

static int dates_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    (void)sealer;
    if (rd_u8(r) > DATES_FORMAT) {
        return E_VERSION;
    }
    s->dates.empty_due = (int64_t)rd_u64(r);
    unsigned count = rd_u16(r);
    int err = r->bad || count > DATES_MAX ? E_CORRUPT : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        wall_ms start = (wall_ms)rd_u64(r);
        uint32_t minutes = rd_u16(r);
        err = r->bad ? E_CORRUPT : add(&s->dates, start, minutes);
    }
    return err;
}

const struct state_part dates_part = {
    .tag = 0x4454,
    .first = 140,
    .last = 149,
    .fold_h = dates_fold,
    .closed_h = dates_closed,
    .put_h = dates_put,
    .get_h = dates_get,
};
