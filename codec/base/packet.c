#include "codec/base/packet.h"

#include "codec/base/err.h"

int pkt_pool_init(struct pkt_pool *pool, uint16_t shard, uint32_t count, uint32_t borrowed)
{
    *pool = (struct pkt_pool){.shard = shard};
    int err = pool_init_wide(&pool->headers, sizeof(struct pkt), count + borrowed);
    if (!err) {
        err = pool_init_wide(&pool->buffers, PKT_DATA_MAX, count);
    }
    if (err) {
        pkt_pool_fini(pool);
    }
    return err;
}

void pkt_pool_fini(struct pkt_pool *pool)
{
    pool_fini(&pool->headers);
    pool_fini(&pool->buffers);
}

static struct pkt *header_new(struct pkt_pool *pool)
{
    pool_id id;
    struct pkt *pkt = pool_get(&pool->headers, &id);
    if (pkt) {
        pkt->id = id;
        pkt->pool = pool;
        pkt->refs = 1;
        pkt->home = pool->shard;
    }
    return pkt;
}

struct pkt *pkt_new(struct pkt_pool *pool)
{
    pool_id id;
    uint8_t *bytes = pool_get_raw(&pool->buffers, &id);
    struct pkt *pkt = bytes ? header_new(pool) : NULL;
    if (!pkt) {
        if (bytes) {
            pool_put(&pool->buffers, id);
        }
        return NULL;
    }
    pkt->buffer = id;
    pkt->data = bytes;
    return pkt;
}

struct pkt *pkt_borrow(struct pkt_pool *pool, struct pkt *origin)
{
    struct pkt *pkt = header_new(pool);
    if (pkt) {
        pkt->data = origin->data;
        pkt->len = origin->len;
        pkt->home = origin->home;
        pkt->arrival = origin->arrival;
        pkt->desc = origin->desc;
        pkt->origin = origin;
    }
    return pkt;
}

void pkt_free_last(struct pkt *pkt)
{
    struct pkt_pool *pool = pkt->pool;
    if (pkt->origin) {
        pool->release_h(pool->release_arg, pkt->origin);
    } else {
        pool_put(&pool->buffers, pkt->buffer);
    }
    pool_put(&pool->headers, pkt->id);
}
