#include "server/proto/alloc.h"

#include <string.h>

#include "codec/media/rungs.h"

enum { SLOTS_MAX = 64 };

/* Slides may take more than there is for a while: text that comes late beats text nobody can read.
 * That is all the grace they have; pictures of people have some for encoders that wander. */
const struct alloc_policy alloc_policies[ALLOC_CLASSES] = {
    [ALLOC_SLIDES] = {500000, 100, 110, 120, false},
    [ALLOC_FOCUS] = {0, 115, 110, 120, false},
    [ALLOC_TILE] = {0, 115, 110, 120, true},
};

uint32_t alloc_guess_bps(uint16_t height)
{
    static const struct {
        uint16_t height;
        uint32_t bps;
    } rows[] = {{90, 80000}, {180, 150000}, {360, 500000}, {540, 900000}, {720, 1500000}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (height <= rows[i].height) {
            return rows[i].bps;
        }
    }
    return 2500000;
}

/* More pixels, or as many and more of them a second. */
static bool better(const struct alloc_option *a, const struct alloc_option *b)
{
    unsigned ta = rung_temporal(a->rung);
    unsigned tb = rung_temporal(b->rung);
    return a->height != b->height ? a->height > b->height : ta > tb;
}

static void option_del(struct alloc_slot *slot, unsigned at)
{
    slot->options--;
    memmove(&slot->option[at], &slot->option[at + 1],
            (slot->options - at) * sizeof(slot->option[0]));
}

/*
 * What is higher than another that is as high as wished shows nothing more. It is not offered, and
 * takes nobody's place: upper temporal layers of the one that was wished would go for being dearer
 * than some of a larger picture, and he would have every other picture of it on a path with plenty.
 */
static bool beyond_wish(struct alloc_slot *slot, const struct alloc_option *option)
{
    if (option->height < slot->height) {
        return false;
    }
    for (unsigned i = slot->options; i-- > 0 && slot->option[i].height >= slot->height;) {
        if (slot->option[i].height < option->height) {
            return true;
        }
        if (slot->option[i].height > option->height) {
            option_del(slot, i);
        }
    }
    return false;
}

void alloc_offer(struct alloc_slot *slot, struct alloc_option option)
{
    unsigned at = 0;
    if (beyond_wish(slot, &option)) {
        return;
    }
    while (at < slot->options && better(&option, &slot->option[at])) {
        at++;
    }
    while (at > 0 && slot->option[at - 1].bps >= option.bps) {
        option_del(slot, --at); /* shows less and costs as much */
    }
    if ((at < slot->options && slot->option[at].bps <= option.bps) ||
        slot->options == ALLOC_OPTIONS_MAX) {
        return;
    }
    memmove(&slot->option[at + 1], &slot->option[at],
            (slot->options - at) * sizeof(slot->option[0]));
    slot->option[at] = option;
    slot->options++;
}

/* The best there is: nothing that is higher than need be is offered. */
static int8_t ideal_of(const struct alloc_slot *slot, uint8_t temporal_max)
{
    int best = slot->options;
    while (--best >= 0 && rung_temporal(slot->option[best].rung) > temporal_max) {
    }
    return (int8_t)best;
}

struct work {
    struct alloc_slot *slot[SLOTS_MAX];
    unsigned n;
    int64_t left;
    int64_t spare; /* of what is reserved: for pictures that are shown already */
    mono_us now;
};

/* Of two equals the one that is shown: nobody's picture goes away for a newcomer of no more weight.
 */
static bool before(const struct alloc_slot *a, const struct alloc_slot *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind;
    }
    return a->height != b->height ? a->height > b->height : a->current >= 0 && b->current < 0;
}

static void sort_in(struct work *w, struct alloc_slot *slot)
{
    unsigned at = w->n++;
    while (at > 0 && before(slot, w->slot[at - 1])) {
        w->slot[at] = w->slot[at - 1];
        at--;
    }
    w->slot[at] = slot;
}

static uint32_t cost_of(const struct alloc_slot *slot, int option)
{
    return option < 0 ? 0 : slot->option[option].bps;
}

/* Is it too early after a step down to pay so much more? */
static bool held(const struct work *w, const struct alloc_slot *slot, int64_t extra)
{
    mono_us since = w->now - slot->lowered_us;
    mono_us hold = ALLOC_HOLD_US << (slot->falls < ALLOC_FALLS_MAX ? slot->falls : ALLOC_FALLS_MAX);
    if (!slot->lowered_us || since >= hold) {
        return false;
    }
    return since < ALLOC_HOLD_US || extra * ALLOC_PLENTY_PERCENT / 100 > w->left;
}

/* May the slot go to option k now? */
static bool fits(const struct work *w, const struct alloc_slot *slot, int k)
{
    const struct alloc_policy *policy = &alloc_policies[slot->kind];
    int64_t extra = (int64_t)cost_of(slot, k) - cost_of(slot, slot->chosen);
    if (k == slot->current) {
        extra = extra * 100 / policy->stay_percent;
    } else if (k > slot->current) {
        if (held(w, slot, extra)) {
            return false;
        }
        bool resumes = slot->current < 0 && k == 0;
        extra = extra * (resumes ? policy->resume_percent : policy->up_percent) / 100;
    }
    return extra <= w->left + policy->oversend_bps;
}

static bool take(struct work *w, struct alloc_slot *slot, int k)
{
    if (k > slot->ideal || !fits(w, slot, k)) {
        return false;
    }
    w->left -= (int64_t)cost_of(slot, k) - cost_of(slot, slot->chosen);
    slot->chosen = (int8_t)k;
    return true;
}

static void give(struct work *w, struct alloc_slot *slot)
{
    slot->chosen = 0;
    w->left -= cost_of(slot, 0);
}

/* What is kept for a voice that may begin is not needed yet: no picture begins with it, but one
 * that is shown is not taken away for it. */
static bool keep(struct work *w, struct alloc_slot *slot)
{
    int64_t lacks = (int64_t)cost_of(slot, 0) - w->left;
    if (slot->current < 0 || slot->ideal < 0 || lacks > w->spare) {
        return false;
    }
    w->spare -= lacks;
    give(w, slot);
    return true;
}

/*
 * The smallest option of everybody the budget carries. In a trial what is shown stays: the estimate
 * is still a guess then, and a picture that turns out dearer than guessed is no reason to take it
 * away from a path that showed no queue (one that does ends the trial).
 */
static void begin(struct work *w, bool trial)
{
    bool any = false;
    for (unsigned i = 0; i < w->n; i++) {
        struct alloc_slot *slot = w->slot[i];
        if (!take(w, slot, 0) && !keep(w, slot) && trial && slot->current >= 0 &&
            slot->ideal >= 0) {
            give(w, slot);
        }
        any = any || slot->chosen >= 0;
    }
    for (unsigned i = 0; trial && !any && i < w->n; i++) {
        if (w->slot[i]->ideal >= 0) {
            give(w, w->slot[i]);
            any = true;
        }
    }
}

/* One after the other, as high as it goes. */
static void raise_high(struct work *w, enum alloc_class kind)
{
    for (unsigned i = 0; i < w->n; i++) {
        struct alloc_slot *slot = w->slot[i];
        if (slot->kind != kind || slot->chosen < 0) {
            continue;
        }
        for (int k = slot->ideal; k > slot->chosen; k--) {
            if (take(w, slot, k)) {
                break;
            }
        }
    }
}

static void raise_in_turns(struct work *w, enum alloc_class kind)
{
    bool raised = true;
    while (raised) {
        raised = false;
        for (unsigned i = 0; i < w->n; i++) {
            struct alloc_slot *slot = w->slot[i];
            if (slot->kind == kind && slot->chosen >= 0) {
                raised = take(w, slot, slot->chosen + 1) || raised;
            }
        }
    }
}

static void explain(struct alloc_slot *slot, uint8_t temporal_max)
{
    if (slot->height == 0) {
        slot->reason = ALLOC_BY_YOU;
    } else if (slot->options == 0 || slot->ideal < 0) {
        slot->reason = slot->options ? ALLOC_BY_SERVER : ALLOC_BY_SOURCE;
    } else if (slot->chosen < slot->ideal) {
        slot->reason = slot->chosen < 0 ? ALLOC_PAUSED_BY_CONNECTION : ALLOC_BY_CONNECTION;
    } else if (slot->option[slot->ideal].height < slot->height) {
        slot->reason = ALLOC_BY_SOURCE;
    } else {
        int8_t all = ideal_of(slot, UINT8_MAX);
        slot->reason = temporal_max < 3 && all > slot->ideal ? ALLOC_BY_SERVER : ALLOC_FULL;
    }
}

/* What the budget must hold before fits() gives the slot its ideal. The prober aims at this: at
 * less it would call a path good enough on which nothing is ever raised. */
static uint64_t room_for_ideal(const struct alloc_slot *slot)
{
    const struct alloc_policy *policy = &alloc_policies[slot->kind];
    uint32_t percent = slot->chosen < 0 ? policy->resume_percent : policy->up_percent;
    uint64_t has = cost_of(slot, slot->chosen);
    return has + ((uint64_t)cost_of(slot, slot->ideal) - has) * percent / 100;
}

void alloc_run(struct alloc_slot *slot, unsigned n, const struct alloc_limits *limits,
               struct alloc_sum *sum)
{
    struct work w = {.now = limits->now, .left = INT64_MAX / 4, .spare = limits->spare_bps};
    if (limits->estimate_bps) {
        w.left = (int64_t)limits->estimate_bps - limits->reserved_bps;
    }
    *sum = (struct alloc_sum){.used_bps = limits->reserved_bps};
    for (unsigned i = 0; i < n && i < SLOTS_MAX; i++) {
        slot[i].chosen = -1;
        slot[i].ideal = slot[i].height ? ideal_of(&slot[i], limits->temporal_max) : -1;
        if (slot[i].ideal >= 0) {
            sort_in(&w, &slot[i]);
        }
    }
    for (unsigned i = limits->video_max; i < w.n; i++) {
        w.slot[i]->ideal = -1; /* the server shows no more than so many */
    }
    begin(&w, limits->trial);
    for (enum alloc_class kind = 0; kind < ALLOC_CLASSES; kind++) {
        (alloc_policies[kind].in_turns ? raise_in_turns : raise_high)(&w, kind);
    }
    uint64_t wanted = limits->reserved_bps;
    /* A trial sends what the estimate does not carry yet: it is measured best at once. */
    bool short_of = limits->trial && w.left < 0;
    for (unsigned i = 0; i < n && i < SLOTS_MAX; i++) {
        explain(&slot[i], limits->temporal_max);
        sum->used_bps += cost_of(&slot[i], slot[i].chosen);
        wanted += room_for_ideal(&slot[i]);
        short_of = short_of || slot[i].chosen < slot[i].ideal;
    }
    sum->wanted_bps = short_of ? wanted : 0;
}
