/*
 * Is the queue of the path growing? Least squares over the last accumulated one-way delay
 * variations (the trendline filter that replaced the Kalman filter of draft-ietf-rmcat-gcc-02 5.3;
 * Carlucci et al., "Congestion control for web real-time communication", 2017), and the detector of
 * section 5.4 of the draft with its adaptive threshold.
 * Invariants: at most TRENDLINE_WINDOW points; constant work per group of packets.
 * Out of scope: what to do about it (aimd.h).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { TRENDLINE_WINDOW = 20 };

enum overuse { OVERUSE_NORMAL, OVERUSE_UNDER, OVERUSE_OVER };

struct trendline {
    double at_ms[TRENDLINE_WINDOW]; /* arrival, since the first point */
    double delay_ms[TRENDLINE_WINDOW];
    double sum_ms; /* accumulated variation */
    double smooth_ms;
    double slope; /* ms of delay per ms */
    int64_t first_got;
    uint32_t points;
};

void trendline_init(struct trendline *t);
/* One more group: got_us - sent_us is its variation. True when the slope is known. */
void trendline_input(struct trendline *t, int64_t variation_us, int64_t got_at);

struct detector {
    double threshold_ms;
    double over_ms; /* how long the slope has been above */
    double slope_before;
    int64_t updated_us; /* 0 = never */
    uint32_t over_count;
    enum overuse state;
};

void detector_init(struct detector *d);
/* Judges the slope after a group that left sent_us behind the last one and arrived at got_at. */
enum overuse detector_input(struct detector *d, const struct trendline *t, int64_t sent_us,
                            int64_t got_at);
