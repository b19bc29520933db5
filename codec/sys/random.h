/*
 * Randomness from the kernel's CSPRNG as the struct rng that pure code takes.
 * Invariants: never fails and never falls back to anything weaker; nothing is buffered, so a fork
 * cannot repeat bytes.
 */
#pragma once

#include <stddef.h>

#include "codec/base/rng.h"

/* Fills out with len random bytes. Aborts when the kernel has no randomness to give. */
void random_fill(void *out, size_t len);
/* A struct rng over random_fill; usable from any thread. */
struct rng random_rng(void);
