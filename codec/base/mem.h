/*
 * The only heap of pure code. Counting lets a unit test see a leak; the fail point lets it see what
 * happens when the k-th allocation fails. Both cost one relaxed atomic each and stay in all builds:
 * packets never allocate, so no hot path pays.
 * Out of scope: pools for packets and objects (pool.h).
 */
#pragma once

#include <stddef.h>

/* Returns size zeroed bytes owned by the caller, or NULL. size 0 gives a unique pointer. */
void *mem_alloc(size_t size);
/* Resizes p (NULL allowed); new bytes are not zeroed. NULL leaves p untouched. */
void *mem_realloc(void *p, size_t size);
/* Frees p; NULL is fine. */
void mem_free(void *p);
/* Copy of len bytes (plus a NUL behind them) owned by the caller, or NULL. */
void *mem_dup(const void *p, size_t len);
/* A wish: the size bytes at p, part of a block of mem_alloc, lie on large pages. */
void mem_wide(void *p, size_t size);

/* Live blocks. Tests compare before and after. */
long mem_live(void);
/* Makes the k-th allocation from now (1 = the next) fail once; 0 switches the fail point off. */
void mem_fail_at(long k);
/* True when an armed fail point has fired since mem_fail_at. */
int mem_fail_fired(void);
