/*
 * Fixed pools of equal objects with generation-checked ids.
 * Memory is reserved once at init and touched only when an object is first used, so a large pool
 * costs nothing until it is needed. An id outlives its object safely: after pool_put it finds NULL.
 * Invariants: id 0 is never given; at most cap objects live; objects are zeroed when handed out.
 * Out of scope: growing, threads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t pool_id; /* generation << 32 | index + 1; 0 = nobody */

/* What is known of a place; apart from the objects, so that those not used are not touched. */
struct pool_mark {
    uint32_t generation; /* odd while live */
    uint32_t free_next;  /* the next free place: index + 1 */
};

struct pool {
    uint8_t *objects;
    uint8_t *block; /* what holds them */
    struct pool_mark *mark;
    size_t size; /* bytes per object, rounded up to 64, where they begin too */
    uint32_t cap;
    uint32_t used;      /* live objects */
    uint32_t touched;   /* objects ever used */
    uint32_t free_head; /* index + 1, 0 = none */
};

/* Reserves cap objects of size bytes. Returns 0, E_RANGE (cap 0 or too large) or E_NOMEM. */
int pool_init(struct pool *pool, size_t size, uint32_t cap);
/*
 * The same for objects that are reached all the time and in no order: they lie on large pages where
 * the system has them, so that the processor finds them without walking its page tables. Such a
 * page is resident as a whole, so nothing for objects of which large parts are never touched.
 */
int pool_init_wide(struct pool *pool, size_t size, uint32_t cap);
/* Frees everything, live objects included. */
void pool_fini(struct pool *pool);
/* A zeroed object and its id (when id_out is not NULL), or NULL when the pool is full. */
void *pool_get(struct pool *pool, pool_id *id_out);
/* The same without zeroing: for buffers whose length says what is valid. */
void *pool_get_raw(struct pool *pool, pool_id *id_out);
/* Gives the object of id back; a stale id does nothing. */
void pool_put(struct pool *pool, pool_id id);
/* The live object of id, or NULL. Borrowed until pool_put. */
void *pool_at(const struct pool *pool, pool_id id);
/* The object at position index (0 .. touched-1) when live, else NULL: for walking. */
void *pool_walk(const struct pool *pool, uint32_t index, pool_id *id_out);
