/*
 * Is less sent than the estimate allows (application limited)? Then what arrives says little about
 * the path: the estimate must neither grow by itself nor fall to what happens to be sent.
 * Utilisation of the target over about half a second, with two thresholds. Invariants: constant
 * work per feedback. Out of scope: probing (probing.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

struct alr {
    double use; /* smoothed utilisation */
    mono_us at;
    mono_us since; /* application limited since, MONO_NEVER = not */
};

void alr_init(struct alr *a, mono_us now);
/* bytes were sent since the last call while target_bps was allowed. */
void alr_input(struct alr *a, uint64_t bytes, uint32_t target_bps, mono_us now);

static inline bool alr_limited(const struct alr *a)
{
    return a->since != MONO_NEVER;
}
