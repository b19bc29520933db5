/*
 * Bounded bit reader, most significant bit first, with the sticky error of rw.h: the first read
 * past the end sets `bad`, after which every read gives 0. Used by payload formats whose fields do
 * not fall on bytes (AV1 dependency descriptor, VP9 scalability structure, H.264 parameter sets).
 * The writer fills a buffer the caller has measured; what does not fit sets `bad`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
    const uint8_t *data;
    size_t at;  /* next bit */
    size_t end; /* bits in data */
    bool bad;
};

static inline struct bits bits_init(const void *data, size_t len)
{
    return (struct bits){.data = data, .at = 0, .end = len * 8, .bad = false};
}

/* Bits not yet read; 0 once bad. */
static inline size_t bits_left(const struct bits *b)
{
    return b->bad ? 0 : b->end - b->at;
}

static inline uint32_t bits_1(struct bits *b)
{
    if (b->bad || b->at >= b->end) {
        b->bad = true;
        return 0;
    }
    uint32_t bit = (uint32_t)(b->data[b->at >> 3] >> (7 - (b->at & 7))) & 1u;
    b->at++;
    return bit;
}

/* The next n (0 .. 32) bits as a number. */
static inline uint32_t bits_u(struct bits *b, unsigned n)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < n; i++) {
        v = v << 1 | bits_1(b);
    }
    return b->bad ? 0 : v;
}

/* ns(n) of the AV1 specification, 4.10.7: a number in [0, n), n >= 1, in as few bits as possible.
 */
static inline uint32_t bits_ns(struct bits *b, uint32_t n)
{
    unsigned w = 0;
    for (uint32_t x = n; x; x >>= 1) {
        w++;
    }
    uint32_t m = (uint32_t)((1ull << w) - n);
    uint32_t v = bits_u(b, w - 1);
    if (v < m) {
        return v;
    }
    return (v << 1) - m + bits_1(b);
}

/* ue(v) of H.264, 9.1: Exp-Golomb, at most 32 leading zeros. */
static inline uint32_t bits_ue(struct bits *b)
{
    unsigned zeros = 0;
    while (!b->bad && bits_1(b) == 0) {
        if (++zeros > 31) {
            b->bad = true;
        }
    }
    return b->bad ? 0 : (1u << zeros) - 1u + bits_u(b, zeros);
}

/* se(v) of H.264, 9.1.1. */
static inline int32_t bits_se(struct bits *b)
{
    uint32_t v = bits_ue(b);
    return v & 1u ? (int32_t)(v / 2 + 1) : -(int32_t)(v / 2);
}

struct bits_out {
    uint8_t *data;
    size_t at; /* next bit */
    size_t end;
    bool bad;
};

static inline struct bits_out bits_out_init(void *data, size_t cap)
{
    return (struct bits_out){.data = data, .at = 0, .end = cap * 8, .bad = false};
}

/* The low n (0 .. 32) bits of v. */
static inline void bits_put(struct bits_out *w, unsigned n, uint32_t v)
{
    if (w->bad || w->end - w->at < n) {
        w->bad = true;
        return;
    }
    while (n-- > 0) {
        uint8_t *byte = &w->data[w->at >> 3];
        unsigned shift = 7 - (w->at & 7);
        *byte = (uint8_t)((shift == 7 ? 0 : *byte) | (v >> n & 1u) << shift);
        w->at++;
    }
}

/* Bytes begun; 0 once bad. */
static inline size_t bits_out_len(const struct bits_out *w)
{
    return w->bad ? 0 : (w->at + 7) / 8;
}
