#include "server/app/load_search.h"

#include "codec/base/mem.h"

enum { HOLD_S = 6, SETTLE_S = 2, RECOVER_S = 3, GROWTH = 8, TRIES = 3, BREAKS = 2 };
static const double fine_enough = 0.04; /* of the number of people */

uint32_t load_search_seats(const struct shape *shape, uint32_t wish)
{
    uint32_t people = shape_people(shape);
    uint32_t seats = wish ? wish : people * GROWTH;
    seats = seats < people ? people : seats;
    return seats > 4000 ? 4000 : seats;
}

uint32_t load_search_rooms(const struct shape *shape, uint32_t seats)
{
    if (shape->subscribers || !shape->publishers) {
        return shape->rooms;
    }
    uint32_t rooms = seats / shape->publishers;
    return rooms > 1 ? rooms : 1;
}

/* People come in these steps: one spectator, or one whole class. */
static uint32_t rounded(const struct shape *shape, uint32_t n, uint32_t seats)
{
    uint32_t unit = shape->subscribers ? 1 : shape->publishers;
    uint32_t least = shape->subscribers ? shape->rooms * shape->publishers + 1 : unit;
    n = n / unit * unit;
    n = n < least ? least : n;
    return n > seats ? seats / unit * unit : n;
}

/* One step: n people, a window, a verdict. False when the run had to stop. */
static bool step(struct load *load, const struct shape *shape, uint32_t n, bool fewer,
                 struct load_window *window, struct verdict *verdict)
{
    unsigned broke = 0;
    load_fresh(load);
    if (!load_grow(load, n)) {
        return false;
    }
    for (unsigned i = 0; i < TRIES; i++) {
        if (!load_settle(load, fewer || i ? RECOVER_S : SETTLE_S) ||
            !load_hold(load, HOLD_S, window)) {
            return false;
        }
        verdict_make(verdict, shape, window, NULL);
        /* What others spoiled is measured again: it is not the server's limit. Neither is what
         * breaks once and not when looked at again, after the arrivals have been digested. */
        broke += !verdict->fits && verdict->cause != CAUSE_NOISE && verdict->cause != CAUSE_TOOL &&
                 verdict->cause != CAUSE_UNKNOWN;
        if (verdict->fits || broke == BREAKS) {
            break;
        }
    }
    return true;
}

static void note(struct report *report, uint32_t n, const struct verdict *v)
{
    if (report->steps < REPORT_STEPS) {
        report->step[report->steps++] =
            (struct report_step){.people = n, .fits = v->fits, .cause = v->cause};
    }
}

void load_search(struct load *load, const struct shape *shape, uint32_t seats, uint32_t *goal,
                 struct load_window *window, struct report *report)
{
    struct load_window *now = mem_alloc(sizeof(*now));
    struct verdict v;
    uint32_t good = 0;
    uint32_t bad = 0;
    uint32_t n =
        rounded(shape, shape->subscribers ? shape_people(shape) / 8 : shape->publishers, seats);
    bool kept = false;
    report->search = true;
    while (now && report->steps < REPORT_STEPS) {
        *goal = n;
        bool recover = report->steps > 0 && !report->step[report->steps - 1].fits;
        if (!step(load, shape, n, recover, now, &v)) {
            break;
        }
        note(report, n, &v);
        if (v.fits) {
            good = n;
        } else {
            bad = n;
            report->broke = v.cause;
        }
        if (v.fits || !kept) {
            *window = *now;
            kept = true;
        }
        if (verdict_unknown(&v)) {
            break; /* beyond what fitted nothing is known */
        }
        if (!bad && n == rounded(shape, seats, seats)) {
            break; /* everything we can bring fits */
        }
        uint32_t next =
            bad ? rounded(shape, (good + bad) / 2, seats) : rounded(shape, n + n / 2 + 1, seats);
        if (bad && (next <= good || next >= bad || bad - good <= fine_enough * bad)) {
            break;
        }
        n = next;
    }
    report->fit = good;
    mem_free(now);
}
