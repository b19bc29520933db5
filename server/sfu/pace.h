/*
 * When packets leave to one peer: audio at once, then retransmissions, then pictures within a
 * budget, and probes of the estimator.
 * Out of scope: numbering and sealing (drain.c).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

struct peer;
struct sfu;

struct pace_probe {
    uint8_t cluster; /* 1 .. 255, told back with every packet of it (struct cc_packet) */
    uint32_t bps;    /* at which it leaves, media included */
    uint32_t bytes;  /* when so many have left it is over */
};

/* Sends a cluster: media that waits anyway, then recent packets again as RTX, then padding. A new
 * one replaces one that is under way. */
void pace_probe(struct sfu *sfu, struct peer *peer, const struct pace_probe *probe, mono_us now);
