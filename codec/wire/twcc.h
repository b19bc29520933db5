/*
 * Transport-wide congestion control feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01:
 * arrival times of packets numbered across all streams of one connection.
 *
 *   |          base sequence          |      packet status count      |
 *   |            reference time (64 ms)               | fb pkt. count |
 *   |   packet chunks (16 bits each): run length or status vector     |
 *   |   recv deltas: 1 byte (0 .. 63.75 ms) or 2 bytes signed, 250 us |
 *
 * Invariants: parsing costs at most `cap` steps and refuses what does not fit its own bytes;
 * twcc_build followed by twcc_parse gives the same packets and times rounded down to 250 us.
 * Out of scope: bandwidth estimation, when to send feedback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"
#include "codec/base/time.h"
#include "codec/wire/rtcp.h"

enum {
    TWCC_STATUS_MAX = 4096,    /* packets one feedback may speak of */
    TWCC_TICK_US = 250,        /* unit of a delta */
    TWCC_REFERENCE_US = 64000, /* unit of the reference time */
    TWCC_REFERENCE_BITS = 24,
};

struct twcc_feedback {
    uint32_t sender;
    uint32_t media;
    uint16_t base_seq;
    uint16_t count;     /* statuses filled */
    uint32_t reference; /* 24 bits, in 64 ms, wraps */
    uint8_t number;     /* feedback packet count, wraps */
};

struct twcc_status {
    uint16_t seq;
    bool received;
    int16_t delta; /* to the previous received packet (the first: to the reference), 250 us */
};

/*
 * Parses a transport-cc feedback into status[0 .. out->count). Returns 0, E_LIMIT (count above cap
 * or 0) or E_BAD (no such feedback, chunks or deltas missing, reserved symbol).
 */
int twcc_parse(struct twcc_feedback *out, struct twcc_status *status, size_t cap,
               const struct rtcp_packet *pkt);
/* Arrival of the first delta's origin in microseconds of the sender of the feedback's clock, near
 * ref_us (the last known such time, any value at first): unwraps the 24-bit reference. */
int64_t twcc_reference_us(const struct twcc_feedback *fb, int64_t ref_us);

struct twcc_arrival {
    int64_t seq; /* unwrapped (rtp_seq.h) */
    mono_us at;
};

/*
 * Appends one feedback packet for arrivals[0 .. n), strictly ascending by seq, reporting from
 * `first` (<= arrivals[0].seq; the packets between are lost). Takes as many arrivals as fit the
 * writer, the 16-bit deltas and TWCC_STATUS_MAX. Returns how many were taken: call again for the
 * rest with the next number and first = last taken seq + 1. 0 when n is 0 or nothing fits (then
 * nothing was written).
 */
size_t twcc_build(struct wr *w, uint32_t sender, uint32_t media, uint8_t number, int64_t first,
                  const struct twcc_arrival *arrivals, size_t n);
