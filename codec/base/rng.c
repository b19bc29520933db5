#include "codec/base/rng.h"

#include <string.h>

static uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

uint32_t rng_below(const struct rng *rng, uint32_t n)
{
    /* Values under the threshold would make the first residues likelier: draw again. */
    uint32_t threshold = (uint32_t)(0U - n) % n;
    for (;;) {
        uint32_t v = rng_u32(rng);
        if (v >= threshold) {
            return v % n;
        }
    }
}

void rng_seed(struct rng_seeded *state, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ULL;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
        state->s[i] = z ^ z >> 31;
    }
}

static uint64_t seeded_next(struct rng_seeded *state)
{
    uint64_t *s = state->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static void seeded_fill(void *arg, void *out, size_t len)
{
    uint8_t *p = out;
    while (len) {
        uint64_t v = seeded_next(arg);
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(p, &v, n);
        p += n;
        len -= n;
    }
}

struct rng rng_from_seeded(struct rng_seeded *state)
{
    return (struct rng){.fill_h = seeded_fill, .arg = state};
}
