/*
 * The delay-based rate (draft-ietf-rmcat-gcc-02 section 5.5): increase, hold, decrease by the state
 * of the detector; multiplicative while far from the rate at which the path last overflowed,
 * additive near it; 0.85 of what arrives when it overflows. Invariants: between AIMD_MIN_BPS and
 * AIMD_MAX_BPS; never above 1.5 of what arrives + 10 kbit/s by its own growth; no growth while
 * application limited. Out of scope: losses (lossbwe.h), probes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/proto/trendline.h"

enum { AIMD_MIN_BPS = 20000, AIMD_MAX_BPS = 100000000 };

enum aimd_state { AIMD_HOLD, AIMD_INCREASE, AIMD_DECREASE };

struct aimd {
    double bps;
    double link_bps; /* average of what arrived when it overflowed, 0 = not known */
    double link_var; /* variance of it over its mean */
    mono_us at;      /* last update */
    mono_us decreased_us;
    enum aimd_state state;
};

struct aimd_input {
    enum overuse use;
    uint32_t acked_bps;  /* 0 = not known */
    uint32_t recent_bps; /* the same over a shorter time */
    bool limited;        /* by the application */
    mono_us rtt_us;
};

void aimd_init(struct aimd *a, uint32_t bps, mono_us now);
/* One feedback was judged; true when it was a decrease. */
bool aimd_update(struct aimd *a, const struct aimd_input *in, mono_us now);
/* A probe or a report said so. */
void aimd_set(struct aimd *a, uint32_t bps, mono_us now);
