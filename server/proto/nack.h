/*
 * Which packets of a received stream are missing and when to ask for them (RFC 4585 6.2.1).
 * The first request goes out with the batch that showed the gap, the second a round trip later, the
 * others twice in a round trip (after NACK_STEADY of them, less and less often), at most NACK_TRIES
 * times and never for packets older than the keep time. What cannot be had any more is reported
 * once, so that the owner asks for a key frame instead.
 * Invariants: at most NACK_MISSING_MAX numbers, ascending; the deadline is cached.
 * Out of scope: building the RTCP packet, measuring loss (rtp_rx.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { NACK_MISSING_MAX = 192, NACK_TRIES = 20, NACK_STEADY = 14 };

struct nack_item {
    int64_t seq;
    mono_us since_us; /* when the gap was seen */
    mono_us next_us;  /* when to ask (again) */
    uint32_t sent_ms; /* low bits of the time of the last request */
    uint8_t tries;
};

struct nack {
    int64_t top; /* highest number seen */
    mono_us keep_us;
    mono_us rtt_us; /* smoothed; of requests that were answered */
    mono_us rtt_least_us;
    mono_us deadline;
    uint32_t count;
    uint32_t lost; /* given up since the last nack_lost */
    bool started;
    struct nack_item item[NACK_MISSING_MAX];
};

/* keep_us: how long a late packet is still of use. */
void nack_init(struct nack *nack, mono_us keep_us);
/* A packet arrived: gaps before it are noted, its own closes. answer: it was sent again, so it
 * tells the round trip; one that was only held up on its way does not. */
void nack_input(struct nack *nack, int64_t seq, bool answer, mono_us now);
/* The round trip of the path is at least this, as somebody else has measured: packets that a sender
 * repeats by itself to probe the path look like quick answers. */
static inline void nack_rtt_least(struct nack *nack, mono_us rtt_us)
{
    nack->rtt_least_us = rtt_us;
}
/* Packets up to seq are not wanted, whether they came or not: none of them is asked for. */
void nack_skip(struct nack *nack, int64_t seq);
/* Writes up to cap numbers to ask for now, ascending; returns how many. */
uint32_t nack_collect(struct nack *nack, int64_t *out, uint32_t cap, mono_us now);
/* How many packets were given up since the last call. */
uint32_t nack_lost(struct nack *nack);

static inline mono_us nack_deadline(const struct nack *nack)
{
    return nack->deadline;
}
