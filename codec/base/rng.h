/*
 * Randomness as an argument. Pure code draws from a struct rng; the shell fills it from the
 * kernel's CSPRNG (codec/sys/random.h), simulations from a seed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rng {
    /* Fills out with len random bytes; never fails. */
    void (*fill_h)(void *arg, void *out, size_t len);
    void *arg;
};

static inline void rng_fill(const struct rng *rng, void *out, size_t len)
{
    rng->fill_h(rng->arg, out, len);
}

static inline uint32_t rng_u32(const struct rng *rng)
{
    uint32_t v;
    rng_fill(rng, &v, sizeof(v));
    return v;
}

static inline uint64_t rng_u64(const struct rng *rng)
{
    uint64_t v;
    rng_fill(rng, &v, sizeof(v));
    return v;
}

/* Uniform in [0, n), n > 0, without modulo bias. */
uint32_t rng_below(const struct rng *rng, uint32_t n);

/* Deterministic generator for tests, simulations and load: xoshiro256** seeded by splitmix64. */
struct rng_seeded {
    uint64_t s[4];
};

void rng_seed(struct rng_seeded *state, uint64_t seed);
/* A struct rng that draws from state; state must outlive it. NOT for secrets. */
struct rng rng_from_seeded(struct rng_seeded *state);
