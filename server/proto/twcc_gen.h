/*
 * Feedback for a publisher that numbers its packets across streams
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01): remembers arrivals and says every 50 to
 * 100 ms what came when, so that browsers raise their rate. A packet that comes after its number
 * was reported as lost is reported again.
 * Invariants: the newest TWCC_GEN_WINDOW numbers are remembered; the deadline is cached.
 * Out of scope: the format (codec/wire/twcc.h), estimating anything.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/rw.h"
#include "codec/base/time.h"
#include "codec/wire/rtp_seq.h"
#include "codec/wire/twcc.h"

enum {
    TWCC_GEN_WINDOW = 512,
    TWCC_GEN_FAST_US = 50 * US_PER_MS,
    TWCC_GEN_SLOW_US = 100 * US_PER_MS,
    TWCC_GEN_BUSY = 20, /* packets in an interval that make the next one short */
};

struct twcc_gen_slot {
    uint32_t at_us; /* low bits of the arrival time */
    uint32_t seq;   /* low bits of the number + 1; 0 = empty */
};

struct twcc_gen {
    struct rtp_seq seq;
    int64_t first; /* next number to report */
    mono_us deadline;
    mono_us interval_us;
    uint32_t media_ssrc; /* of the last packet */
    uint32_t pending;    /* packets since the last feedback */
    uint8_t number;
    bool anew; /* what is missing before the next packet is not reported */
    struct twcc_gen_slot slot[TWCC_GEN_WINDOW];
};

void twcc_gen_init(struct twcc_gen *gen);
/* An authenticated packet with transport-wide number seq arrived. */
void twcc_gen_input(struct twcc_gen *gen, uint16_t seq, uint32_t media_ssrc, mono_us now);
/* The path is another one: what is missing before the next packet says nothing about it. */
void twcc_gen_anew(struct twcc_gen *gen);
/* Appends feedback packets for what arrived since the last call, as far as w has room; the rest
 * stays for the next call. Returns true when something was written. */
bool twcc_gen_write(struct twcc_gen *gen, struct wr *w, uint32_t sender_ssrc, mono_us now);

static inline mono_us twcc_gen_deadline(const struct twcc_gen *gen)
{
    return gen->deadline;
}
