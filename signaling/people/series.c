#include "signaling/people/series.h"

#include <string.h>

/* Which dates of the class have their slot. */
struct match {
    const struct series_slot *dates;
    size_t count;
    bool slot_done[SERIES_SLOTS_MAX];
    bool date_done[SERIES_SLOTS_MAX];
};

static void take(struct series *s, struct match *m, size_t slot, size_t date)
{
    s->slot[slot].start = m->dates[date].start;
    s->slot[slot].minutes = m->dates[date].minutes;
    m->slot_done[slot] = true;
    m->date_done[date] = true;
}

/* Dates that stand where they stood, and cancelled ones that are back. */
static void keep(struct series *s, struct match *m, bool back)
{
    for (size_t i = 0; i < s->count; i++) {
        wall_ms at = back ? s->slot[i].slot : s->slot[i].start;
        for (size_t k = 0; k < m->count && at && !m->slot_done[i]; k++) {
            if (!m->date_done[k] && m->dates[k].start == at) {
                take(s, m, i, k);
            }
        }
    }
}

static bool is_free(const struct series *s, const struct match *m, size_t i, wall_ms now)
{
    return !m->slot_done[i] && s->slot[i].start > now;
}

/* Moved: what came goes to the nearest of those that went. */
static void move(struct series *s, struct match *m, wall_ms now)
{
    for (size_t k = 0; k < m->count; k++) {
        size_t best = s->count;
        int64_t distance = INT64_MAX;
        for (size_t i = 0; i < s->count && !m->date_done[k]; i++) {
            int64_t d = s->slot[i].start - m->dates[k].start;
            d = d < 0 ? -d : d;
            if (is_free(s, m, i, now) && d < distance) {
                best = i;
                distance = d;
            }
        }
        if (best < s->count) {
            take(s, m, best, k);
        }
    }
}

/* A date that nobody knew; one moved away from this very moment is another date from now on. */
static void add(struct series *s, const struct series_slot *date)
{
    size_t at = 0;
    while (at < s->count && s->slot[at].slot < date->start) {
        at++;
    }
    struct series_slot fresh = *date;
    fresh.slot = date->start;
    if (at < s->count && s->slot[at].slot == date->start) {
        struct series_slot moved = s->slot[at];
        s->slot[at] = fresh;
        if (moved.start && moved.start != date->start) {
            add(s, &moved);
        }
        return;
    }
    if (s->count < SERIES_SLOTS_MAX) {
        memmove(&s->slot[at + 1], &s->slot[at], (s->count - at) * sizeof(s->slot[0]));
        s->slot[at] = fresh;
        s->count++;
    }
}

/* Slots that are to come and of which no date is left. */
static void drop_to_come(struct series *s, const struct match *m, wall_ms now)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        bool over = s->slot[i].start && s->slot[i].start <= now;
        if (m->slot_done[i] || over) {
            s->slot[n++] = s->slot[i];
        }
    }
    s->count = n;
}

/* Whether nothing that was to come stands where it stood, but other dates came. */
static bool is_other(const struct series *s, const struct match *m, wall_ms now)
{
    size_t free_slots = 0;
    size_t fresh = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (m->slot_done[i] && s->slot[i].start > now) {
            return false;
        }
        free_slots += is_free(s, m, i, now);
    }
    for (size_t k = 0; k < m->count; k++) {
        fresh += !m->date_done[k];
    }
    return free_slots != 1 && fresh > 0;
}

bool series_follow(struct series *s, const struct series_slot *dates, size_t count, wall_ms now)
{
    struct series before = *s;
    struct match m = {.dates = dates, .count = count < SERIES_SLOTS_MAX ? count : SERIES_SLOTS_MAX};
    keep(s, &m, false);
    bool full = s->count + m.count > SERIES_SLOTS_MAX;
    if (is_other(s, &m, now) || full) {
        drop_to_come(s, &m, now);
    } else {
        keep(s, &m, true);
        move(s, &m, now);
        for (size_t i = 0; i < s->count; i++) {
            s->slot[i].start = is_free(s, &m, i, now) ? 0 : s->slot[i].start;
        }
    }
    for (size_t k = 0; k < m.count; k++) {
        if (!m.date_done[k]) {
            add(s, &dates[k]);
        }
    }
    return before.count != s->count ||
           memcmp(before.slot, s->slot, s->count * sizeof(s->slot[0])) != 0;
}
