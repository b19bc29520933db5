/*
 * Times counted into fixed buckets by one thread and read by another, for the metrics page.
 * Invariants: counters only grow; a reader may see a count a moment before its sum.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { HISTOGRAM_BUCKETS = 14 };

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS + 1]; /* last: above every bound */
    _Atomic uint64_t sum_us;
};

/* Upper bound of bucket i in microseconds. */
int64_t histogram_bound_us(unsigned i);
/* Counts one time; negative counts as 0. */
void histogram_add(struct histogram *h, mono_us time_us);
