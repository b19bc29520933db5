#include "server/app/histogram.h"

static const int64_t bounds_us[HISTOGRAM_BUCKETS] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000,
};

int64_t histogram_bound_us(unsigned i)
{
    return bounds_us[i];
}

void histogram_add(struct histogram *h, mono_us time_us)
{
    unsigned i = 0;
    int64_t t = time_us > 0 ? time_us : 0;
    while (i < HISTOGRAM_BUCKETS && t > bounds_us[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, (uint64_t)t, memory_order_relaxed);
}
