#include "server/proto/history.h"

#include "codec/base/err.h"

void history_init(struct history *h, struct pkt **memory, uint32_t cap)
{
    *h = (struct history){.slot = memory, .cap = cap};
}

static struct pkt **at(const struct history *h, int64_t seq)
{
    return &h->slot[(uint64_t)seq & (h->cap - 1)];
}

/* Drops everything below number `oldest`. */
static void drop_below(struct history *h, int64_t oldest)
{
    for (; h->oldest < oldest && h->count; h->oldest++) {
        struct pkt **slot = at(h, h->oldest);
        __builtin_prefetch(*at(h, h->oldest + 2)); /* seconds old: no cache has it any more */
        if (*slot) {
            h->count--;
            pkt_put(slot);
        }
    }
    h->oldest = oldest > h->oldest ? oldest : h->oldest;
}

void history_fini(struct history *h)
{
    if (h->slot) {
        drop_below(h, h->top + 1);
    }
    *h = (struct history){0};
}

int history_check(const struct history *h, int64_t seq)
{
    if (!h->started || seq > h->top) {
        return 0;
    }
    if (seq < h->oldest) {
        return E_RANGE;
    }
    return *at(h, seq) ? E_DUP : 0;
}

void history_put(struct history *h, struct pkt *pkt)
{
    int64_t seq = pkt->desc.ext_seq;
    if (!h->started) {
        h->started = true;
        h->top = seq;
        /* The beginning may come out of order. */
        h->oldest = seq - h->cap / 2 + 1;
    }
    if (seq > h->top) {
        drop_below(h, seq - h->cap + 1);
        h->top = seq;
    }
    *at(h, seq) = pkt_get(pkt);
    h->count++;
}

void history_skip(struct history *h, int64_t seq)
{
    h->top = h->started && h->top > seq ? h->top : seq;
    h->started = true;
    drop_below(h, seq + 1);
}

struct pkt *history_get(const struct history *h, int64_t seq)
{
    return h->started && seq >= h->oldest && seq <= h->top ? *at(h, seq) : NULL;
}

void history_expire(struct history *h, mono_us before)
{
    if (h->count == 0) {
        return;
    }
    int64_t seq = h->oldest;
    for (; seq <= h->top; seq++) {
        const struct pkt *pkt = *at(h, seq);
        if (pkt && pkt->arrival >= before) {
            break;
        }
    }
    drop_below(h, seq);
}
