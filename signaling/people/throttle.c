#include "signaling/people/throttle.h"

#include <stddef.h>

enum { ONE = 1000, PROBES = 16 };

static int64_t refilled(const struct throttle *t, const struct throttle_bucket *b, int64_t now_ms)
{
    int64_t most = (int64_t)t->burst * ONE;
    int64_t passed = now_ms > b->at ? now_ms - b->at : 0;
    int64_t need = most - b->left;
    if (passed / 60 >= need) { /* also keeps the product below from overflowing */
        return most;
    }
    int64_t left = b->left + passed * t->per_minute * ONE / 60000;
    return left < most ? left : most;
}

/* The bucket of key among PROBES neighbours, else the free or fullest one of them. */
static struct throttle_bucket *bucket_of(struct throttle *t, uint64_t key, int64_t now_ms)
{
    struct throttle_bucket *best = NULL;
    for (uint64_t i = 0; i < PROBES; i++) {
        struct throttle_bucket *b = &t->bucket[(key + i) % THROTTLE_BUCKETS];
        if (b->key == key) {
            return b;
        }
        if (!best || !b->key || (best->key && refilled(t, b, now_ms) > refilled(t, best, now_ms))) {
            best = b;
        }
    }
    *best = (struct throttle_bucket){.key = key, .at = now_ms, .left = (int64_t)t->burst * ONE};
    return best;
}

static const struct throttle_bucket *find(const struct throttle *t, uint64_t key)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        const struct throttle_bucket *b = &t->bucket[(key + i) % THROTTLE_BUCKETS];
        if (b->key == key) {
            return b;
        }
    }
    return NULL;
}

bool throttle_take(struct throttle *t, uint64_t key, int64_t now_ms)
{
    struct throttle_bucket *b = bucket_of(t, key, now_ms);
    b->left = refilled(t, b, now_ms);
    b->at = now_ms;
    if (b->left < ONE) {
        return false;
    }
    b->left -= ONE;
    return true;
}

void throttle_return(struct throttle *t, uint64_t key)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct throttle_bucket *b = &t->bucket[(key + i) % THROTTLE_BUCKETS];
        if (b->key == key) {
            int64_t most = (int64_t)t->burst * ONE;
            b->left = b->left + ONE < most ? b->left + ONE : most;
            return;
        }
    }
}

uint32_t throttle_wait_s(const struct throttle *t, uint64_t key)
{
    const struct throttle_bucket *b = find(t, key);
    int64_t missing = b && b->left < ONE ? ONE - b->left : 0;
    int64_t s = t->per_minute
                    ? (missing * 60 + t->per_minute * ONE - 1) / ((int64_t)t->per_minute * ONE)
                    : 60;
    return s < 1 ? 1 : (uint32_t)s;
}
