/*
 * Bounded reader and writer over bytes, big endian (network order).
 * Invariants: a reader never leaves [p, end), a writer never leaves its buffer; the first step that
 * would sets `bad`, after which every read gives 0 and every write does nothing. So a parser reads
 * straight through and checks once (sticky error).
 * Out of scope: bits (bits.h), text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct rd rd_init(const void *data, size_t len)
{
    const uint8_t *p = data;
    /* NULL with length 0 is a legal, empty input; NULL + 0 is not legal C. */
    return (struct rd){.p = p, .end = len ? p + len : p, .bad = false};
}

/* Bytes not yet read; 0 once bad. */
static inline size_t rd_left(const struct rd *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* Borrowed pointer to the next len bytes, or NULL (and bad). */
static inline const uint8_t *rd_bytes(struct rd *r, size_t len)
{
    if (r->bad || (size_t)(r->end - r->p) < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += len;
    return at;
}

static inline void rd_skip(struct rd *r, size_t len)
{
    (void)rd_bytes(r, len);
}

static inline uint8_t rd_u8(struct rd *r)
{
    const uint8_t *b = rd_bytes(r, 1);
    return b ? b[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    const uint8_t *b = rd_bytes(r, 2);
    return b ? (uint16_t)((unsigned)b[0] << 8 | b[1]) : 0;
}

static inline uint32_t rd_u24(struct rd *r)
{
    const uint8_t *b = rd_bytes(r, 3);
    return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
    const uint8_t *b = rd_bytes(r, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint64_t rd_u64(struct rd *r)
{
    uint64_t high = rd_u32(r);
    return high << 32 | rd_u32(r);
}

/* A reader over the next len bytes; bad (and r bad) when there are fewer. */
static inline struct rd rd_sub(struct rd *r, size_t len)
{
    const uint8_t *b = rd_bytes(r, len);
    struct rd sub = rd_init(b, b ? len : 0);
    sub.bad = r->bad;
    return sub;
}

struct wr {
    uint8_t *start;
    uint8_t *p;
    uint8_t *end;
    bool bad;
};

static inline struct wr wr_init(void *data, size_t cap)
{
    uint8_t *p = data;
    return (struct wr){.start = p, .p = p, .end = p + cap, .bad = false};
}

/* Bytes written so far. */
static inline size_t wr_len(const struct wr *w)
{
    return (size_t)(w->p - w->start);
}

/* Room for len bytes that the caller fills, or NULL (and bad). */
static inline uint8_t *wr_room(struct wr *w, size_t len)
{
    if (w->bad || (size_t)(w->end - w->p) < len) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->p;
    w->p += len;
    return at;
}

static inline void wr_bytes(struct wr *w, const void *data, size_t len)
{
    uint8_t *at = wr_room(w, len);
    if (at && len) {
        memcpy(at, data, len);
    }
}

static inline void wr_zero(struct wr *w, size_t len)
{
    uint8_t *at = wr_room(w, len);
    if (at && len) {
        memset(at, 0, len);
    }
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    wr_bytes(w, &v, 1);
}

static inline void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *at, uint32_t v)
{
    put_u16(at, (uint16_t)(v >> 16));
    put_u16(at + 2, (uint16_t)v);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t bytes[2];
    put_u16(bytes, v);
    wr_bytes(w, bytes, sizeof(bytes));
}

static inline void wr_u24(struct wr *w, uint32_t v)
{
    wr_u8(w, (uint8_t)(v >> 16));
    wr_u16(w, (uint16_t)v);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t bytes[4];
    put_u32(bytes, v);
    wr_bytes(w, bytes, sizeof(bytes));
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}
