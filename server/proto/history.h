/*
 * The last packets of one source layer, kept once for every subscriber's retransmissions (design.md
 * D6): a ring of references indexed by unwrapped sequence number. It also tells duplicates.
 * Invariants: holds one reference per kept packet, all within [top - cap + 1, top] and not older
 * than the caller's limit after history_expire.
 * Out of scope: what a subscriber was sent (rtx.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/packet.h"

struct history {
    struct pkt **slot; /* borrowed memory of cap pointers, all NULL at first */
    uint32_t cap;      /* power of two */
    uint32_t count;
    int64_t top;    /* highest number seen */
    int64_t oldest; /* no packet is kept below */
    bool started;
};

/* Takes cap (a power of two) pointers of the caller's memory; the memory stays the caller's. */
void history_init(struct history *h, struct pkt **memory, uint32_t cap);
/* Drops every reference. */
void history_fini(struct history *h);
/* 0 when number seq is new; E_DUP: kept already; E_RANGE: too old to be told from a duplicate. */
int history_check(const struct history *h, int64_t seq);
/* Keeps a reference of its own to pkt under pkt->desc.ext_seq (after history_check == 0). */
void history_put(struct history *h, struct pkt *pkt);
/* The packet seq, borrowed, or NULL. */
struct pkt *history_get(const struct history *h, int64_t seq);
/* Packets up to seq are not wanted: kept ones go, later ones of them are too old. */
void history_skip(struct history *h, int64_t seq);
/* Drops what arrived before the given time. */
void history_expire(struct history *h, mono_us before);
