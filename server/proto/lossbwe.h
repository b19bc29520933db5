/*
 * The loss-based rate, second generation: over the last observations (a quarter of a second each)
 * the losses are explained by an inherent loss of the path plus what exceeds its bandwidth, p =
 * inherent + (1 - inherent) * (sent - bandwidth) / sent    when sent > bandwidth, and of a few
 * candidate bandwidths the one with the highest likelihood is taken. So a radio link that loses at
 * random keeps its rate, while losses that follow our own rate bring it down. The older rule (2 % /
 * 10 % thresholds, draft-ietf-rmcat-gcc-02 section 6) cannot tell the two. Invariants:
 * LOSSBWE_WINDOW observations; work only when one closes; no limit while nothing is lost. Out of
 * scope: delay, combining the two (bwe.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { LOSSBWE_WINDOW = 20, LOSSBWE_OBSERVE_US = 250 * US_PER_MS };
#define LOSSBWE_NONE 1e12 /* no limit */

struct lossbwe_observation {
    uint32_t packets;
    uint32_t lost;
    double sent_bps;
};

struct lossbwe {
    struct lossbwe_observation seen[LOSSBWE_WINDOW];
    uint32_t count;
    uint32_t packets; /* of the open observation */
    uint32_t lost;
    uint64_t bytes;
    mono_us first_sent;
    mono_us last_sent;
    double bps;      /* LOSSBWE_NONE = no limit */
    double inherent; /* share of packets the path loses by itself */
    double loss;     /* weighted average */
    mono_us lowered_us;
};

void lossbwe_init(struct lossbwe *l);
/* One packet of a feedback: sent then, arrived or not. */
void lossbwe_input(struct lossbwe *l, mono_us sent, uint32_t bytes, bool lost);
/* After a feedback: closes the observation when it is long enough. delay_bps: the other estimate;
 * acked_bps: what arrives (0 = not known). True when the rate was worked out anew. */
bool lossbwe_update(struct lossbwe *l, double delay_bps, double acked_bps, mono_us now);
/* A probe showed more. */
void lossbwe_raise(struct lossbwe *l, double bps);
