#include "bench/load/spread.h"

/* Buckets 0..127 are 1 us wide; after that each power of two has 64. */
static unsigned index_of(int64_t us)
{
    uint64_t v = us > 0 ? (uint64_t)us : 0;
    if (v < 128) {
        return (unsigned)v;
    }
    unsigned shift = (unsigned)(63 - __builtin_clzll(v)) - 6;
    unsigned index = 64 * shift + (unsigned)(v >> shift);
    return index < SPREAD_BUCKETS ? index : SPREAD_BUCKETS - 1;
}

int64_t spread_bucket(unsigned index)
{
    if (index < 128) {
        return (int64_t)index;
    }
    unsigned shift = index / 64 - 1;
    return (int64_t)((uint64_t)(index - 64 * shift) << shift);
}

void spread_add(struct spread *h, int64_t us)
{
    h->count++;
    h->max = us > h->max ? us : h->max;
    h->bucket[index_of(us)]++;
}

int64_t spread_at(const struct spread *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count);
    uint64_t seen = 0;
    for (unsigned i = 0; i < SPREAD_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > wanted) {
            return spread_bucket(i);
        }
    }
    return h->max;
}
