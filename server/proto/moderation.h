/*
 * How long a busy media thread may rest between two turns. When many people send, their packets
 * come one by one all the time, and waking for each costs more than forwarding it (a wake-up finds
 * its caches cold; in 8 rooms of 8 they are some 1460 a second). So it sleeps on for a moment and
 * then takes what has come together, as network cards moderate their interrupts. Few senders are
 * served at once: there is nothing to gather. Nor does anybody wait who is just coming in: what a
 * handshake says next is awaited for a while after each of its messages.
 * Invariants: pure; a rest is at most MODERATION_REST_US; a thread that is late does not rest.
 * Out of scope: sleeping and counting (server/app/shard.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    MODERATION_REST_US = 1500, /* half of it is what media waits on average */
    MODERATION_BEGIN = 4,      /* packets of media in such a rest that make it worth one */
    MODERATION_END = 3,        /* fewer end it */
    MODERATION_BATCH = 24,     /* packets of media to gather: more fall out of the caches */
    MODERATION_HURRY_US = 5 * US_PER_MS,
};

struct moderation {
    mono_us rest_us; /* 0: none */
    mono_us hurry_until;
};

void moderation_init(struct moderation *m);
/* packets: of media that came in the last elapsed us (> 0). */
void moderation_input(struct moderation *m, uint64_t packets, mono_us elapsed);
/* A handshake or a command is under way: the next turns begin at once. */
void moderation_hurry(struct moderation *m, mono_us now);
/* When the turn after the one that began at turn may begin, never later than it would be useful. */
mono_us moderation_until(const struct moderation *m, mono_us turn);
