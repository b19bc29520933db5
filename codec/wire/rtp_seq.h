/*
 * From numbers that wrap to numbers that do not: RTP sequence (16 bits), transport-cc sequence
 * (16), picture ids (7, 15), timestamps (32). The value nearest to the reference is meant (RFC
 * 3550 A.1, RFC 3711 3.3.1).
 * Invariant: the first value of a stream unwraps to itself + 2^16, so that packets from before it
 * stay positive.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The number nearest to ref whose low `bits` (1 .. 32) bits are value; ties go forward. */
static inline int64_t rtp_unwrap(int64_t ref, uint32_t value, unsigned bits)
{
    int64_t span = (int64_t)1 << bits;
    int64_t diff = ((int64_t)value - ref) & (span - 1);
    return diff > span / 2 ? ref + diff - span : ref + diff;
}

struct rtp_seq {
    int64_t newest; /* highest unwrapped number so far */
    bool started;
};

/* Unwraps without moving the state: for packets not yet authenticated (rule S8). */
static inline int64_t rtp_seq_peek(const struct rtp_seq *s, uint16_t seq)
{
    return s->started ? rtp_unwrap(s->newest, seq, 16) : (int64_t)seq + 65536;
}

/* Unwraps and, when it is the newest, remembers it. */
static inline int64_t rtp_seq_unwrap(struct rtp_seq *s, uint16_t seq)
{
    int64_t ext = rtp_seq_peek(s, seq);
    if (!s->started || ext > s->newest) {
        s->newest = ext;
        s->started = true;
    }
    return ext;
}

/* True when a comes after b in a 16-bit world. */
static inline bool rtp_seq_newer(uint16_t a, uint16_t b)
{
    return a != b && (uint16_t)(a - b) < 0x8000;
}
