/*
 * When and in what runs queued packets leave to one subscriber.
 * Budget: pictures leave at PACER_FACTOR times the estimate, in bursts of at most PACER_BURST_US;
 * retransmissions spend it first, sound is not held back but counted. Runs: packets of nearly equal
 * size form one UDP_SEGMENT message (design.md D5): shorter ones are lifted to the longest by RTP
 * padding (RFC 3550 5.1) when the difference is small.
 * Out of scope: the estimate, sealing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    PACER_PAD_MAX = 8,
    PACER_RUN_MAX = 32,
    PACER_FACTOR_PERCENT = 250,
    PACER_BURST_US = 40 * US_PER_MS,
    PACER_BPS_MIN = 200000,
};

struct pacer_budget {
    mono_us at;   /* of the last filling */
    int64_t bits; /* that may leave now; below 0: overdrawn */
};

/* Time passed: fills the budget for a path of estimate_bps. */
void pacer_fill(struct pacer_budget *b, uint64_t estimate_bps, mono_us now);
static inline bool pacer_may_send(const struct pacer_budget *b)
{
    return b->bits > 0;
}
/* A datagram of so many bytes left, whether there was a budget for it or not. */
void pacer_spend(struct pacer_budget *b, uint32_t bytes);
/* When there will be something again. */
mono_us pacer_ready(const struct pacer_budget *b, uint64_t estimate_bps);

struct pacer_item {
    uint16_t len;     /* bytes of the datagram without padding */
    uint16_t padding; /* out: bytes of padding to add */
    uint8_t may_pad;  /* 1 when padding is allowed */
};

/*
 * Plans the run that begins with item[0]: how many of the n (>= 1) items it takes, and their
 * padding. All items of a run but the last have the same length and the last is not longer.
 * pad_max: most bytes of padding per packet, 0 .. PACER_PAD_MAX (0 switches padding off).
 */
uint32_t pacer_run(struct pacer_item *item, uint32_t n, uint16_t pad_max);
