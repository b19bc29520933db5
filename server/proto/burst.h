/*
 * How much of a queue in the path is our own doing: what leaves faster than the path carries stands
 * in it for a while, a key frame above all, and says nothing about the path as long as it is no
 * more than that. A second queue is kept in numbers: every packet known to have arrived goes in
 * when it was sent, the estimate flows out; what a packet waited beyond it is the path's.
 * Invariants: constant work per packet; at most BURST_MAX_US are explained, so that who sends too
 * much for long is told. Out of scope: what is done about it (bwe.h).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { BURST_MAX_US = 250 * US_PER_MS };

struct burst {
    double us;  /* a path of the estimate's rate would be busy for */
    mono_us at; /* sending time of the last packet */
};

void burst_init(struct burst *b, mono_us now);
/* A packet of so many bytes left at `sent`; how long a path of bps would have kept it waiting. */
mono_us burst_input(struct burst *b, uint32_t bytes, double bps, mono_us sent);
