#include "server/sfu/thin.h"

#include "server/sfu/core.h"
#include "server/sfu/policy.h"

enum {
    THIN_LOOK_US = 1 * US_PER_S,
    THIN_LOOKS = 3,
    THIN_PICTURES = 8,            /* a second; fewer are stills */
    THIN_MUCH_PICTURES = 12,      /* the same where hardly one of them is whole at once */
    THIN_LOSS_Q8 = 26 * 256,      /* 10 % */
    THIN_MUCH_Q8 = 56 * 256,      /* 22 % */
    THIN_STAYS_Q8 = 41 * 256,     /* 16 %: with that it would be the same again */
    THIN_HOLD_US = 20 * US_PER_S, /* doubling */
    THIN_TIMES_MAX = 4,
    THIN_FORGOTTEN_US = 600 * US_PER_S,
};

/* Something smaller that could be had instead. */
static bool smaller(const struct layer *layer, mono_us now)
{
    for (unsigned i = layer->index + 1U; i < LAYERS_MAX; i++) {
        const struct layer *below = layer->track->layer[i];
        if (below && layer_available(below, now)) {
            return true;
        }
    }
    return false;
}

/* Nothing smaller comes: whatever rate there is, this encoding has it. */
static bool alone(const struct layer *layer)
{
    for (unsigned i = layer->index + 1U; i < LAYERS_MAX; i++) {
        const struct layer *below = layer->track->layer[i];
        if (below && below->live) {
            return false;
        }
    }
    return layer->live && !layer->paused;
}

/* What the path loses now, by the encodings that come. */
static uint16_t loss_of(const struct track *track)
{
    uint16_t most = 0;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if (layer && layer->live && layer->receiver && layer->receiver->loss_q8 > most) {
            most = layer->receiver->loss_q8;
        }
    }
    return most;
}

/* It may be offered again. */
static bool over(const struct layer *layer, mono_us now)
{
    return now - layer->thin_us >= (mono_us)THIN_HOLD_US << layer->thin_times &&
           loss_of(layer->track) < THIN_STAYS_Q8;
}

/* Not on offer while something smaller is; longer each time within some minutes. */
static void withhold(struct layer *layer, mono_us now)
{
    bool again = layer->thin_us && now - layer->thin_us < THIN_FORGOTTEN_US;
    bool more = again && layer->thin_times < THIN_TIMES_MAX;
    layer->thin_times = (uint8_t)(again ? layer->thin_times + more : 0);
    layer->thin_looks = 0;
    layer->thin_us = now;
    layer->thin = true;
}

static bool look(struct layer *layer, mono_us now)
{
    mono_us us = now - layer->look_us;
    if (us < THIN_LOOK_US) {
        return false;
    }
    uint16_t loss = layer->receiver->loss_q8;
    mono_us enough = loss >= THIN_MUCH_Q8 ? THIN_MUCH_PICTURES : THIN_PICTURES;
    bool few = (mono_us)layer->pictures * US_PER_S < enough * us;
    layer->pictures = 0;
    layer->look_us = now;
    if (layer->thin) {
        layer->thin = !over(layer, now);
        return !layer->thin;
    }
    few =
        few && us < 2 * THIN_LOOK_US && alone(layer) && smaller(layer, now) && loss >= THIN_LOSS_Q8;
    layer->thin_looks = (uint8_t)(few ? layer->thin_looks + 1 : 0);
    if (layer->thin_looks < THIN_LOOKS) {
        return false;
    }
    withhold(layer, now);
    return true;
}

void thin_stopped(struct layer *layer, mono_us now)
{
    const struct track *track = layer->track;
    if (!source_policy(track->source)->bursty && smaller(layer, now) &&
        loss_of(track) >= THIN_LOSS_Q8) {
        withhold(layer, now);
    }
}

bool thin_tick(struct track *track, mono_us now)
{
    bool changed = false;
    bool moves = track->owner && !source_policy(track->source)->bursty; /* slides are stills */
    for (unsigned i = 0; moves && i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer && layer->receiver) {
            changed = look(layer, now) || changed;
        }
    }
    return changed;
}

bool thin_withheld(const struct layer *layer, mono_us now)
{
    return layer->thin && smaller(layer, now);
}
