#include "bench/load/link.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

bool link_matters(const struct link_config *config)
{
    return config->loss > 0 || config->delay || config->jitter || config->bps;
}

int link_init(struct link *link, const struct link_config *config, uint64_t seed)
{
    *link = (struct link){.config = *config};
    rng_seed(&link->seeded, seed);
    link->wait = mem_alloc(sizeof(*link->wait) * LINK_QUEUE);
    return link->wait ? 0 : E_NOMEM;
}

void link_fini(struct link *link)
{
    for (uint32_t i = 0; link->wait && i < link->count; i++) {
        mem_free(link->wait[(link->head + i) % LINK_QUEUE].bytes);
    }
    mem_free(link->wait);
    *link = (struct link){.count = 0};
}

static mono_us due_of(struct link *link, struct rng *rng, size_t len, mono_us now)
{
    const struct link_config *c = &link->config;
    mono_us out = now;
    if (c->bps) {
        mono_us start = link->free_at > now ? link->free_at : now;
        link->free_at = start + (mono_us)(len * 8 * US_PER_S / c->bps);
        out = link->free_at;
    }
    out += c->delay + (c->jitter ? (mono_us)rng_below(rng, (uint32_t)c->jitter) : 0);
    link->last_due = out > link->last_due ? out : link->last_due;
    return link->last_due;
}

bool link_put(struct link *link, const void *data, size_t len, mono_us now)
{
    struct rng rng = rng_from_seeded(&link->seeded);
    if (link->config.loss > 0 &&
        rng_below(&rng, 1000000) < (uint32_t)(link->config.loss * 1000000)) {
        link->lost++;
        return false;
    }
    mono_us due = due_of(link, &rng, len, now);
    if (due <= now && !link->count) {
        link->passed++;
        return true;
    }
    uint8_t *bytes = link->count < LINK_QUEUE ? mem_dup(data, len) : NULL;
    if (!bytes) {
        link->lost++;
        return false;
    }
    link->wait[(link->head + link->count++) % LINK_QUEUE] =
        (struct link_wait){.due = due, .len = (uint16_t)len, .bytes = bytes};
    return false;
}

size_t link_get(struct link *link, void *out, size_t cap, mono_us now)
{
    struct link_wait *first = &link->wait[link->head];
    if (!link->count || first->due > now) {
        return 0;
    }
    size_t len = first->len < cap ? first->len : cap;
    memcpy(out, first->bytes, len);
    mem_free(first->bytes);
    link->head = (link->head + 1) % LINK_QUEUE;
    link->count--;
    link->passed++;
    return len;
}
