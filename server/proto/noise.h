/*
 * How far the lowest one-way time of a few packets may stand above the path's best without a queue
 * of ours. Two signs that a queue does not have:
 * - packets overtake one another: a queue keeps their order (late time, RFC 4737 section 4.2.3);
 * - the lowest times of three feedbacks in a row are far from one line: a queue grows and drains
 *   for longer than that.
 * Invariants: pure, constant work a packet; 0 on a steady path that keeps the order.
 * Out of scope: what to make of it (bwe.h).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { NOISE_SLACK_MAX_US = 120 * US_PER_MS };

struct noise {
    mono_us sent; /* of the packet that left last among those that came, 0 = none */
    int64_t got;  /* its arrival, by the receiver's clock */
    double overtaken_us;
    int64_t low[2]; /* lowest one-way times of the last feedbacks, newest first */
    uint8_t lows;
    double swing_us;
};

void noise_init(struct noise *n);
/* A packet that left at sent (> 0) arrived at got. */
void noise_packet(struct noise *n, mono_us sent, int64_t got);
/* A feedback was read: low is the lowest one-way time in it, without what our own packets made of
 * it. */
void noise_feedback(struct noise *n, int64_t low);
/* 0 .. NOISE_SLACK_MAX_US. */
int64_t noise_slack(const struct noise *n);
