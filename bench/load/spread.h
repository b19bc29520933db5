/*
 * Times as a histogram (spread) of microseconds: exact below 128 us, within 1/64 above, up to 134
 * s.
 */
#pragma once

#include <stdint.h>

enum { SPREAD_BUCKETS = 64 * 22 };

struct spread {
    uint64_t count;
    int64_t max;
    uint64_t bucket[SPREAD_BUCKETS];
};

void spread_add(struct spread *h, int64_t us);
/* The value at share (0..1) of the sorted samples, microseconds; 0 when empty. */
int64_t spread_at(const struct spread *h, double share);
/* Lower end of a bucket, microseconds. */
int64_t spread_bucket(unsigned index);
