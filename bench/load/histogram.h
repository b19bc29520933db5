/*
 * Times as a histogram of microseconds: exact below 128 us, within 1/64 above, up to 134 s.
 */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 22 };

struct histogram {
    uint64_t count;
    int64_t max;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t us);
/* The value at share (0..1) of the sorted samples, microseconds; 0 when empty. */
int64_t histogram_at(const struct histogram *h, double share);
