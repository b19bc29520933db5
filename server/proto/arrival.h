/*
 * Groups packets by when they were sent and compares how far apart two groups left and arrived
 * (draft-ietf-rmcat-gcc-02 sections 5.2 and 5.3: pre-filtering and inter-arrival time). Packets
 * sent within a burst, or that arrive closer together than they left, belong to one group.
 * Invariants: one group is open at a time; reordered groups give no measurement.
 * Out of scope: what the difference means (trendline.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { ARRIVAL_BURST_US = 5 * US_PER_MS, ARRIVAL_BURST_MAX_US = 100 * US_PER_MS };

struct arrival_group {
    mono_us first_sent;
    mono_us last_sent;
    int64_t first_got; /* the receiver's clock */
    int64_t last_got;
    uint32_t bytes;
};

struct arrival {
    struct arrival_group now;
    struct arrival_group before;
    uint8_t groups; /* 0, 1 or 2 of them are valid */
    uint8_t reordered;
};

/* Two groups compared. */
struct arrival_delta {
    int64_t sent_us; /* between their last packets */
    int64_t got_us;
    int32_t bytes;
    int64_t got_at; /* when the newer one had arrived */
};

void arrival_init(struct arrival *a);
/* A packet arrived, in order of arrival. True when a group closed and *out says what it tells. */
bool arrival_input(struct arrival *a, mono_us sent, int64_t got, uint32_t bytes,
                   struct arrival_delta *out);
