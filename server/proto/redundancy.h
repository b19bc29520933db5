/*
 * How much of the past each audio packet to one receiver repeats (RFC 2198), by what that receiver
 * loses: nothing on a good path, one packet from some per cent on, two on a bad one. Deeper at
 * once, shallower only after the loss has stayed low for a while. Invariants: depth 0 ..
 * REDUNDANCY_MAX; constant work. Out of scope: building the packets (server/sfu/voice.h),
 * measuring.
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { REDUNDANCY_MAX = 2, REDUNDANCY_CALM_US = 8 * US_PER_S };

struct redundancy {
    uint8_t depth;
    mono_us calm_us; /* the present depth was last needed */
};

/* The receiver loses `loss` (0 .. 1) of what is sent to it. Returns the depth to use. */
unsigned redundancy_input(struct redundancy *r, double loss, mono_us now);
