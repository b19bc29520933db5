/*
 * Which layer of a simulcast source one subscriber should get. Policy is data in, index out; the
 * bandwidth estimator will give `bps_max` a meaning, today's callers pass 0 (no limit known).
 * Out of scope: when to switch (key frames; server/sfu/subscription.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LAYERS_MAX = 3 };

struct layer_view {
    bool live;       /* packets came lately */
    uint16_t height; /* last seen, 0 unknown */
    uint32_t bps;    /* measured, 0 unknown */
};

/*
 * The layer (0 = the publisher's first, largest encoding) for a tile of height_max pixels: the
 * smallest live layer that is at least as high, else the highest live one; layers of unknown size
 * count by their place (each half the one before). -1 when none is live or height_max is 0.
 */
int layer_policy(const struct layer_view *layers, unsigned count, uint16_t height_max,
                 uint32_t bps_max);
