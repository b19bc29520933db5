/* Heap exception (tidy): this file is the heap of all pure code, see mem.h. */
#include "codec/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_long live_blocks;
static atomic_long fail_countdown;
static atomic_int fail_fired;

static int fails_now(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0) {
        return 0;
    }
    if (atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) != 1) {
        return 0;
    }
    atomic_store_explicit(&fail_fired, 1, memory_order_relaxed);
    return 1;
}

void *mem_alloc(size_t size)
{
    void *p = fails_now() ? NULL : calloc(1, size ? size : 1);
    if (p) {
        atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    }
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    void *q = fails_now() ? NULL : realloc(p, size ? size : 1);
    if (q && !p) {
        atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    }
    return q;
}

void mem_free(void *p)
{
    if (p) {
        atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
        free(p);
    }
}

void *mem_dup(const void *p, size_t len)
{
    char *q = mem_alloc(len + 1);
    if (q && len) {
        memcpy(q, p, len);
    }
    return q;
}

void mem_wide(void *p, size_t size)
{
    (void)madvise(p, size, MADV_HUGEPAGE); /* refused where there are none: nothing is lost */
}

long mem_live(void)
{
    return atomic_load_explicit(&live_blocks, memory_order_relaxed);
}

void mem_fail_at(long k)
{
    atomic_store_explicit(&fail_fired, 0, memory_order_relaxed);
    atomic_store_explicit(&fail_countdown, k, memory_order_relaxed);
}

int mem_fail_fired(void)
{
    return atomic_load_explicit(&fail_fired, memory_order_relaxed);
}
