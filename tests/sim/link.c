/* The model of a link: loss (single or in bursts), delay, jitter, order, a rate and its queue. */
#include <string.h>

#include "tests/sim/sim.h"

enum { QUEUE_US = 300 * US_PER_MS, HELD_BACK_US = 50 * US_PER_MS };

/* Two states (Gilbert): while bad everything is lost; the mean of both is the loss asked for. */
static bool lost_in_burst(struct world *w, struct sim_link *link)
{
    uint32_t leave = 1000000 / link->burst;
    uint32_t enter = leave * link->loss / (1000 - link->loss);
    if (rng_below(&w->rng, 1000000) < (link->bad ? leave : enter)) {
        link->bad = !link->bad;
    }
    return link->bad;
}

static bool lost(struct world *w, struct sim_link *link)
{
    if (link->cut) {
        return true;
    }
    return link->burst && link->loss ? lost_in_burst(w, link)
                                     : rng_below(&w->rng, 1000) < link->loss;
}

mono_us link_pass(struct world *w, struct sim_link *link, size_t len)
{
    mono_us at = w->now;
    link->offered += len;
    if (lost(w, link)) {
        return 0;
    }
    if (link->bps) {
        mono_us start = link->busy_until > at ? link->busy_until : at;
        if (start - at > (link->queue_us ? link->queue_us : QUEUE_US)) {
            return 0;
        }
        uint64_t bucket = (uint64_t)(start - at) / LINK_BUCKET_US;
        link->delays[bucket < LINK_BUCKETS ? bucket : LINK_BUCKETS - 1]++;
        link->busy_until = start + (mono_us)len * 8 * US_PER_S / link->bps;
        at = link->busy_until;
    }
    link->passed++;
    at += link->delay_us;
    at += link->jitter_us ? rng_below(&w->rng, (uint32_t)link->jitter_us) : 0;
    if (link->reorder && rng_below(&w->rng, 1000) < link->reorder) {
        at += rng_below(&w->rng, HELD_BACK_US);
    }
    return at;
}

void link_clear(struct sim_link *link)
{
    link->offered = 0;
    link->passed = 0;
    memset(link->delays, 0, sizeof(link->delays));
}

mono_us link_delay(const struct sim_link *link, double share)
{
    uint64_t all = 0;
    uint64_t seen = 0;
    for (unsigned i = 0; i < LINK_BUCKETS; i++) {
        all += link->delays[i];
    }
    for (unsigned i = 0; i < LINK_BUCKETS; i++) {
        seen += link->delays[i];
        if (all && (double)seen >= share * (double)all) {
            return (mono_us)(i + 1) * LINK_BUCKET_US;
        }
    }
    return 0;
}
