/*
 * What was sent to one peer under its transport-wide numbers, until feedback speaks of it
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3). A ring indexed by the number: it
 * begins small and doubles while its packets span less time than feedback may need.
 * Invariants: noting a packet costs one store; a packet is acknowledged at most once, and what was
 * called lost may still be acknowledged; numbers outside the ring are unknown, not lost.
 * Out of scope: parsing feedback (codec/wire/twcc.h), estimating.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    SENDLOG_MIN = 128,
    SENDLOG_MAX = 2048,
    SENDLOG_SPAN_US =
        4 * US_PER_S, /* feedback interval + round trip + the longest queue there is */
    /* What a feedback spoke of may still come, and counts as lost or not only when it is too late
     * for that (BWE_LOSS_LAG_US): until then and a round trip and an interval longer it has its
     * place. */
    SENDLOG_TOLD_US = 600 * US_PER_MS,
};

enum sendlog_state { SENDLOG_NONE, SENDLOG_SENT, SENDLOG_LOST, SENDLOG_ACKED };

struct sendlog_record {
    uint32_t at_us; /* low bits of the time */
    uint16_t bytes;
    uint8_t cluster; /* of a probe, 0 = none */
    uint8_t state;   /* enum sendlog_state */
};

struct sendlog {
    uint32_t size; /* power of two */
    uint32_t count;
    uint16_t next; /* number behind the newest */
    struct sendlog_record record[SENDLOG_MAX];
};

void sendlog_init(struct sendlog *log);
/* Notes a packet; numbers come in ascending order. */
void sendlog_sent(struct sendlog *log, uint16_t number, uint16_t bytes, uint8_t cluster,
                  mono_us now);
/* The record of a number, or NULL when nothing is known of it. Borrowed until the next sending. */
static inline struct sendlog_record *sendlog_at(struct sendlog *log, uint16_t number)
{
    uint16_t age = (uint16_t)(log->next - number);
    struct sendlog_record *r = &log->record[number & (log->size - 1)];
    return age == 0 || age > log->count || r->state == SENDLOG_NONE ? 0 : r;
}

/* When it was sent; now is at most 71 minutes later. */
static inline mono_us sendlog_time(const struct sendlog_record *r, mono_us now)
{
    return now - (mono_us)(uint32_t)((uint32_t)now - r->at_us);
}
