#include "server/proto/acked.h"

void acked_init(struct acked *a)
{
    *a = (struct acked){0};
}

void acked_input(struct acked *a, int64_t got, uint32_t bytes)
{
    int64_t bucket = got / ACKED_BUCKET_US;
    if (!a->started || bucket > a->newest + 100 * ACKED_BUCKETS ||
        bucket < a->newest - 100 * ACKED_BUCKETS) {
        acked_init(a);
        a->started = 1;
        a->newest = bucket;
        a->first_us = got;
    }
    if (bucket <= a->newest - ACKED_BUCKETS) {
        return;
    }
    while (a->newest < bucket) {
        a->newest++;
        uint32_t *slot = &a->bytes[(uint64_t)a->newest % ACKED_BUCKETS];
        a->sum -= *slot;
        *slot = 0;
    }
    a->bytes[(uint64_t)bucket % ACKED_BUCKETS] += bytes;
    a->sum += bytes;
}

uint32_t acked_bps(const struct acked *a)
{
    int64_t span = (a->newest + 1) * ACKED_BUCKET_US - a->first_us;
    int64_t window = (int64_t)ACKED_BUCKETS * ACKED_BUCKET_US;
    if (!a->started || span < window / 2) {
        return 0;
    }
    span = span < window ? span : window;
    uint64_t bps = (uint64_t)a->sum * 8 * US_PER_S / (uint64_t)span;
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}

uint32_t acked_recent_bps(const struct acked *a)
{
    uint64_t sum = 0;
    if (acked_bps(a) == 0) {
        return 0;
    }
    for (unsigned i = 1; i <= ACKED_RECENT; i++) { /* the newest is not full yet */
        sum += a->bytes[(uint64_t)(a->newest - i) % ACKED_BUCKETS];
    }
    return (uint32_t)(sum * 8 * US_PER_S / (ACKED_RECENT * ACKED_BUCKET_US));
}
