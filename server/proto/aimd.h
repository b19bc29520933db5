/*
 * The delay-based rate (draft-ietf-rmcat-gcc-02 section 5.5): increase, hold, decrease by the state
 * of the detector; multiplicative while far from the rate at which the path last overflowed,
 * additive near it; 0.85 of what arrives when it overflows. Invariants: between AIMD_MIN_BPS and
 * AIMD_MAX_BPS; never above 1.5 of what arrives + 10 kbit/s by its own growth, nor above what a
 * probe has just shown to be all; no growth while application limited. Out of scope: losses
 * (lossbwe.h), probes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/proto/trendline.h"

enum {
    AIMD_MIN_BPS = 20000,
    AIMD_MAX_BPS = 100000000,
    AIMD_SHOWN_US = 10 * US_PER_S, /* what a probe showed counts so long */
};

enum aimd_state { AIMD_HOLD, AIMD_INCREASE, AIMD_DECREASE };

struct aimd {
    double bps;
    double link_bps; /* average of what arrived when it overflowed, 0 = not known */
    double link_var; /* variance of it over its mean */
    mono_us at;      /* last update */
    mono_us decreased_us;
    double shown_bps;  /* what the path carries as far as probes filled it, 0 = not known */
    double shown_last; /* by the last probe alone */
    mono_us shown_us;
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
/* A probe came slower than it was sent. Where the path overflowed at much the same rate, or the
 * probe before showed it too, it is what the path carries (jitter spreads each by another part),
 * and growth ends there until more arrives or it is too long ago. 0 = a probe found no end. */
void aimd_shown(struct aimd *a, uint32_t bps, mono_us now);
