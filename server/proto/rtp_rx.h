/*
 * Receive statistics of one RTP stream: unwrapped sequence numbers, loss and jitter for receiver
 * reports (RFC 3550 sections 6.4.1, A.3 and A.8).
 * Invariants: only authenticated packets reach this machine; the highest number never goes back.
 * Out of scope: asking for what is missing (nack.h), keeping packets (history.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

struct rtp_rx {
    int64_t origin;  /* unwrapped, where its 16-bit numbers begin */
    int64_t base;    /* first unwrapped number */
    int64_t top;     /* highest unwrapped number */
    int64_t skipped; /* numbers nobody expects */
    uint64_t received;
    uint64_t expected_prior; /* at the last report */
    uint64_t received_prior;
    mono_us last_us; /* arrival of the newest packet */
    uint32_t last_timestamp;
    uint32_t jitter_q4; /* in timestamp units, times 16 */
    uint32_t clock_hz;
    bool started;
};

/* The report block of one stream, ready for codec/wire/rtcp.h. */
struct rtp_rx_report {
    uint8_t fraction_lost; /* of 256, since the previous report */
    int32_t lost;          /* since the beginning, 24 bits signed */
    uint32_t highest;      /* extended highest sequence number */
    uint32_t jitter;       /* timestamp units */
    bool fresh;            /* something came since the previous report */
};

void rtp_rx_init(struct rtp_rx *rx, uint32_t clock_hz);
/* Another stream takes its place: it counts from nothing, and its unwrapped numbers lie above all
 * that were given so far. */
void rtp_rx_anew(struct rtp_rx *rx);
/* The unwrapped number of seq, without any effect (codec/wire/rtp_seq.h). */
int64_t rtp_rx_peek(const struct rtp_rx *rx, uint16_t seq);
/* Counts a packet that came over its own stream (not a retransmission); its unwrapped number. */
int64_t rtp_rx_input(struct rtp_rx *rx, uint16_t seq, uint32_t timestamp, mono_us now);
/* What is missing before the next packet, number seq, is not told as lost: it went into a path that
 * is no more, and says nothing about this one. True when something is. */
bool rtp_rx_skip(struct rtp_rx *rx, uint16_t seq);
/* Fills the block and begins the next interval. False when nothing was ever received. */
bool rtp_rx_report(struct rtp_rx *rx, struct rtp_rx_report *out);
