#include "codec/base/packet.h"

#include "codec/base/err.h"

/* The buffer knows its own pool id, so a header can give it back. */
struct buffer {
    pool_id id;
    uint8_t bytes[PKT_DATA_MAX];
};

int pkt_pool_init(struct pkt_pool *pool, uint16_t shard, uint32_t count, uint32_t borrowed)
{
    *pool = (struct pkt_pool){.shard = shard};
    int err = pool_init(&pool->headers, sizeof(struct pkt), count + borrowed);
    if (!err) {
        err = pool_init(&pool->buffers, sizeof(struct buffer), count);
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
    struct buffer *buffer = pool_get_raw(&pool->buffers, &id);
    struct pkt *pkt = buffer ? header_new(pool) : NULL;
    if (!pkt) {
        if (buffer) {
            pool_put(&pool->buffers, id);
        }
        return NULL;
    }
    buffer->id = id;
    pkt->data = buffer->bytes;
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
        struct buffer *buffer =
            (struct buffer *)(void *)(pkt->data - offsetof(struct buffer, bytes));
        pool_put(&pool->buffers, buffer->id);
    }
    pool_put(&pool->headers, pkt->id);
}
