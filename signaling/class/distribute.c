#include "signaling/class/distribute.h"

#include <stdbool.h>
#include <string.h>

#include "codec/base/err.h"

enum {
    PEOPLE_MAX = 4096,
    SWAPS = 6000, /* exchanges tried when people shall meet others */
};

struct deal {
    struct dist_input *in;
    const struct rng *rng;
    uint16_t size[DIST_ROOMS_MAX];
    uint16_t order[PEOPLE_MAX]; /* who is not pinned, in the order drawn */
    size_t left;
};

static bool has_place(const struct deal *d, uint16_t room)
{
    return d->in->capacity[room] == 0 || d->size[room] < d->in->capacity[room];
}

static void put(struct deal *d, size_t person, uint16_t room)
{
    d->in->people[person].room = room;
    d->size[room]++;
}

/* Smallest room with a place, the first of equals from `from` on; DIST_NONE when all are full. */
static uint16_t smallest(const struct deal *d, uint16_t from)
{
    uint16_t best = DIST_NONE;
    for (uint16_t i = 0; i < d->in->rooms; i++) {
        uint16_t room = (uint16_t)((from + i) % d->in->rooms);
        if (has_place(d, room) && (best == DIST_NONE || d->size[room] < d->size[best])) {
            best = room;
        }
    }
    return best;
}

static void put_smallest(struct deal *d, size_t person)
{
    uint16_t room = smallest(d, (uint16_t)rng_below(d->rng, d->in->rooms));
    if (room != DIST_NONE) {
        put(d, person, room);
    }
}

static void shuffle(struct deal *d)
{
    for (size_t i = d->left; i > 1; i--) {
        size_t j = rng_below(d->rng, (uint32_t)i);
        uint16_t swap = d->order[i - 1];
        d->order[i - 1] = d->order[j];
        d->order[j] = swap;
    }
}

static void deal_even(struct deal *d)
{
    for (size_t i = 0; i < d->left; i++) {
        put_smallest(d, d->order[i]);
    }
}

/* Where the pinned people of a label are, or DIST_NONE. */
static uint16_t home_of(const struct deal *d, uint32_t label)
{
    for (size_t i = 0; i < d->in->count; i++) {
        const struct dist_person *p = &d->in->people[i];
        if (p->label == label && p->room != DIST_NONE) {
            return p->room;
        }
    }
    return DIST_NONE;
}

static void deal_label(struct deal *d)
{
    /* In the order of the list, so that the first group named goes to the first room. */
    uint16_t next = 0;
    for (size_t i = 0; i < d->in->count; i++) {
        struct dist_person *p = &d->in->people[i];
        if (p->room != DIST_NONE || p->label == 0) {
            continue;
        }
        uint16_t room = home_of(d, p->label);
        if (room == DIST_NONE) {
            room = next;
            next = (uint16_t)((next + 1) % d->in->rooms);
        }
        room = has_place(d, room) ? room : smallest(d, room);
        if (room != DIST_NONE) {
            put(d, i, room);
        }
    }
    for (size_t i = 0; i < d->left; i++) {
        if (d->in->people[d->order[i]].label == 0) {
            put_smallest(d, d->order[i]);
        }
    }
}

static void deal_last(struct deal *d)
{
    for (size_t i = 0; i < d->left; i++) {
        uint16_t last = d->in->people[d->order[i]].last;
        if (last < d->in->rooms && has_place(d, last)) {
            put(d, d->order[i], last);
        }
    }
    for (size_t i = 0; i < d->left; i++) {
        if (d->in->people[d->order[i]].room == DIST_NONE) {
            put_smallest(d, d->order[i]);
        }
    }
}

/* How often the person has met those who are in the room, `without` left out. */
static uint32_t meetings(const struct deal *d, size_t person, uint16_t room, size_t without)
{
    const struct dist_input *in = d->in;
    uint32_t sum = 0;
    for (size_t j = 0; in->met && j < in->count; j++) {
        if (in->people[j].room == room && j != person && j != without) {
            sum += in->met[person * in->count + j];
        }
    }
    return sum;
}

/* Two people of different rooms change places when that makes fewer meet again. */
static void try_swap(struct deal *d, size_t a, size_t b)
{
    struct dist_person *pa = &d->in->people[a];
    struct dist_person *pb = &d->in->people[b];
    if (pa->room == pb->room || pa->room == DIST_NONE || pb->room == DIST_NONE) {
        return;
    }
    uint32_t now = meetings(d, a, pa->room, b) + meetings(d, b, pb->room, a);
    uint32_t then = meetings(d, a, pb->room, b) + meetings(d, b, pa->room, a);
    if (then < now) {
        uint16_t room = pa->room;
        pa->room = pb->room;
        pb->room = room;
    }
}

static void deal_mix(struct deal *d)
{
    for (size_t i = 0; i < d->left; i++) {
        size_t person = d->order[i];
        uint16_t best = smallest(d, (uint16_t)rng_below(d->rng, d->in->rooms));
        uint32_t least = best == DIST_NONE ? 0 : meetings(d, person, best, person);
        for (uint16_t room = 0; best != DIST_NONE && room < d->in->rooms; room++) {
            bool fits = has_place(d, room) && d->size[room] == d->size[best];
            uint32_t met = fits ? meetings(d, person, room, person) : least;
            if (met < least) {
                best = room;
                least = met;
            }
        }
        if (best != DIST_NONE) {
            put(d, person, best);
        }
    }
    for (unsigned i = 0; i < SWAPS && d->left > 1 && d->in->met; i++) {
        try_swap(d, d->order[rng_below(d->rng, (uint32_t)d->left)],
                 d->order[rng_below(d->rng, (uint32_t)d->left)]);
    }
}

int distribute(struct dist_input *in, enum dist_how how, const struct rng *rng)
{
    struct deal d = {.in = in, .rng = rng};
    if (in->rooms < 1 || in->rooms > DIST_ROOMS_MAX || in->count > PEOPLE_MAX) {
        return E_RANGE;
    }
    for (size_t i = 0; i < in->count; i++) {
        struct dist_person *p = &in->people[i];
        p->room = DIST_NONE;
        if (p->pinned < in->rooms) {
            put(&d, i, p->pinned);
        } else {
            d.order[d.left++] = (uint16_t)i;
        }
    }
    shuffle(&d);
    switch (how) {
    case DIST_EVEN:
        deal_even(&d);
        break;
    case DIST_LABEL:
        deal_label(&d);
        break;
    case DIST_LAST:
        deal_last(&d);
        break;
    case DIST_MIX:
        deal_mix(&d);
        break;
    }
    return 0;
}
