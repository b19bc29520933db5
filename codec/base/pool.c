#include "codec/base/pool.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum {
    POOL_ALIGN = 64,
    POOL_CAP_MAX = 1 << 28,
    POOL_WIDE = 2 << 20, /* bytes of a large page */
    POOL_NEAR = 256,     /* of an object: what is filled in at once */
};

static int init(struct pool *pool, size_t size, uint32_t cap, size_t align)
{
    *pool = (struct pool){0};
    if (cap == 0 || cap > POOL_CAP_MAX || size == 0 || size > SIZE_MAX / POOL_CAP_MAX) {
        return E_RANGE;
    }
    pool->size = (size + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
    pool->cap = cap;
    pool->block = mem_alloc(pool->size * cap + align - 1);
    pool->mark = mem_alloc(sizeof(struct pool_mark) * cap);
    if (!pool->block || !pool->mark) {
        pool_fini(pool);
        return E_NOMEM;
    }
    pool->objects = pool->block + (-(uintptr_t)pool->block & (align - 1));
    return 0;
}

int pool_init(struct pool *pool, size_t size, uint32_t cap)
{
    return init(pool, size, cap, POOL_ALIGN);
}

int pool_init_wide(struct pool *pool, size_t size, uint32_t cap)
{
    int err = init(pool, size, cap, POOL_WIDE);
    if (!err) {
        mem_wide(pool->objects, pool->size * cap);
    }
    return err;
}

void pool_fini(struct pool *pool)
{
    mem_free(pool->block);
    mem_free(pool->mark);
    *pool = (struct pool){0};
}

static pool_id id_of(const struct pool *pool, uint32_t index)
{
    return (pool_id)pool->mark[index].generation << 32 | (index + 1);
}

/* Whoever takes an object takes the next one soon, and both were given back long ago. */
static void near_next(const struct pool *pool)
{
    size_t index = (size_t)pool->free_head - 1;
    if (pool->free_head) {
        __builtin_prefetch(&pool->mark[index], 1);
        for (size_t at = 0; at < pool->size && at < POOL_NEAR; at += POOL_ALIGN) {
            __builtin_prefetch(pool->objects + pool->size * index + at, 1);
        }
    }
}

void *pool_get_raw(struct pool *pool, pool_id *id_out)
{
    uint32_t index;
    if (pool->free_head) {
        index = pool->free_head - 1;
        pool->free_head = pool->mark[index].free_next;
        near_next(pool);
    } else if (pool->touched < pool->cap) {
        index = pool->touched++;
    } else {
        return NULL;
    }
    pool->mark[index].generation++;
    pool->used++;
    if (id_out) {
        *id_out = id_of(pool, index);
    }
    return pool->objects + pool->size * index;
}

void *pool_get(struct pool *pool, pool_id *id_out)
{
    void *object = pool_get_raw(pool, id_out);
    return object ? memset(object, 0, pool->size) : NULL;
}

/* Index of a live object, or UINT32_MAX. */
static uint32_t index_of(const struct pool *pool, pool_id id)
{
    uint32_t index = (uint32_t)id - 1;
    if (index >= pool->touched || pool->mark[index].generation != (uint32_t)(id >> 32) ||
        (pool->mark[index].generation & 1) == 0) {
        return UINT32_MAX;
    }
    return index;
}

void pool_put(struct pool *pool, pool_id id)
{
    uint32_t index = index_of(pool, id);
    if (index == UINT32_MAX) {
        return;
    }
    pool->mark[index].generation++;
    pool->mark[index].free_next = pool->free_head;
    pool->free_head = index + 1;
    pool->used--;
}

void *pool_at(const struct pool *pool, pool_id id)
{
    uint32_t index = index_of(pool, id);
    return index == UINT32_MAX ? NULL : pool->objects + pool->size * index;
}

void *pool_walk(const struct pool *pool, uint32_t index, pool_id *id_out)
{
    if (index >= pool->touched || (pool->mark[index].generation & 1) == 0) {
        return NULL;
    }
    if (id_out) {
        *id_out = id_of(pool, index);
    }
    return pool->objects + pool->size * index;
}
