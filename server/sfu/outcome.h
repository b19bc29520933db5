/*
 * What became of the packets of pictures to one peer, by its transport-wide feedback. A browser
 * asks for a lost packet only until the next picture it can show without it is there: what belongs
 * to the upper temporal layers is asked for once or twice, and when the request or the answer is
 * lost as well it is never asked for again, although everything up to the next base picture waits
 * for it. So what is told as lost and was not asked for yet is sent again unasked while it is
 * young, from the first loss of a path on; on paths that lose much (those whose sound is repeated)
 * also what no feedback told of.
 * Invariants: nothing is kept for peers that lose nothing; a packet whose later sending is still on
 * its way, or that was told to have come, is not repeated.
 * Out of scope: how it is sent again (retransmit.c), the estimate (cc.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/time.h"

struct peer;
struct sfu;
struct subscription;
struct twcc_status;

enum {
    OUTCOME_KEPT = 512,
    OUTCOME_CALM_US = 10 * US_PER_S, /* this long without a loss, and nothing is noted any more */
};

enum outcome_kind {
    OUTCOME_NONE,
    OUTCOME_FIRST, /* who misses it asks until it comes */
    OUTCOME_UPPER, /* the same of an upper temporal layer: he may ask once, or not at all */
    OUTCOME_REPAIR,
};

struct outcome_entry {
    uint16_t number; /* transport-wide */
    uint16_t seq;    /* of the slot */
    uint16_t stamp;  /* rtx_stamp of this sending; 0 = the first one */
    uint8_t slot;
    uint8_t kind; /* enum outcome_kind */
};

struct outcome {
    pool_id id;
    uint16_t told; /* numbers before it were told of, or never will be */
    struct outcome_entry entry[OUTCOME_KEPT];
};

/* Packet seq of the slot has just left with the peer's newest number. */
void outcome_note(struct sfu *sfu, struct subscription *sub, uint16_t seq, uint16_t stamp,
                  enum outcome_kind kind);
/* A feedback: what came and what did not. */
void outcome_told(struct sfu *sfu, struct peer *peer, const struct twcc_status *status,
                  size_t count, mono_us now);
/* Gives everything back. */
void outcome_close(struct sfu *sfu, struct peer *peer);
