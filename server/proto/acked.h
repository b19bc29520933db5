/*
 * How many bits a second arrived, by the receiver's clock: bytes in a sliding window of buckets
 * (draft-ietf-rmcat-gcc-02 section 5.5, R_hat measured over 0.5 s).
 * Invariants: fixed memory; a bucket is cleared when time moves onto it.
 * Out of scope: what of it is useful.
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { ACKED_BUCKETS = 20, ACKED_RECENT = 8, ACKED_BUCKET_US = 25 * US_PER_MS };

struct acked {
    uint32_t bytes[ACKED_BUCKETS];
    uint32_t sum;
    int64_t newest; /* bucket number */
    int64_t first_us;
    uint32_t started;
};

void acked_init(struct acked *a);
void acked_input(struct acked *a, int64_t got, uint32_t bytes);
/* Bits a second over the whole window, 0 = not known yet (less than half of it). */
uint32_t acked_bps(const struct acked *a);
/* The same over its last ACKED_RECENT buckets: what a path that just fell lets through. */
uint32_t acked_recent_bps(const struct acked *a);
