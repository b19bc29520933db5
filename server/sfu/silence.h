/*
 * Sound nobody can hear costs no decryption: of a muted microphone, or of a silent person when the
 * seats of the room are taken. Its RTP header is in the clear, and so is its level (RFC 6464).
 * Invariants: at least once a SILENCE_PROOF_US a packet of the source is opened, and whatever does
 * not continue the last opened one is, so that the roll-over counter is never lost and a stranger
 * can move nothing further than SILENCE_AHEAD numbers, which the next opened packet puts right.
 * Skipped packets count as received, in the report and in the transport feedback.
 * Out of scope: who is heard (server/proto/speaker.h).
 */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"

struct peer;
struct pkt;
struct sfu;

enum {
    SILENCE_PROOF_US = 900 * US_PER_MS, /* below LAYER_LIVE_US: the source stays alive */
    SILENCE_AHEAD = 128,                /* numbers beyond the last opened packet */
};

/* True when the sealed packet need not be opened; it is counted and can be forgotten. */
bool silence_skip(struct sfu *sfu, struct peer *peer, const struct pkt *pkt, mono_us now);
