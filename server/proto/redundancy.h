/*
 * How much of the past each audio packet to one receiver repeats (RFC 2198), by what that receiver
 * loses: nothing on a good path, one packet from some per cent on, two on a bad one. Deeper as soon
 * as several packets were lost of the last few hundred (one alone is no share of anything),
 * shallower only after the loss has stayed low for a while. Invariants: depth 0 ..
 * REDUNDANCY_MAX; constant work. Out of scope: building the packets (server/sfu/voice.h),
 * measuring.
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { REDUNDANCY_MAX = 2, REDUNDANCY_CALM_US = 8 * US_PER_S };

/* Who tells of losses. They count the same packets in part, so each is counted by itself. */
enum redundancy_teller { REDUNDANCY_REPORT, REDUNDANCY_FEEDBACK, REDUNDANCY_TELLERS };

/* Packets of the last seconds, the older the less. */
struct redundancy_count {
    double packets;
    double lost;
    mono_us at;
};

struct redundancy {
    uint8_t depth;
    mono_us calm_us; /* the present depth was last needed */
    struct redundancy_count count[REDUNDANCY_TELLERS];
};

/* Of `packets` more that were sent to the receiver `lost` did not arrive. The depth to use. */
unsigned redundancy_input(struct redundancy *r, enum redundancy_teller teller, double packets,
                          double lost, mono_us now);
