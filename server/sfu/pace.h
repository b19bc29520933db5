/*
 * When packets leave to one peer: sound at once, retransmissions next, pictures within the budget
 * of server/proto/pacer.h, and the probe clusters of the estimator. Invariant: the queue is
 * bounded: pictures that cannot leave in useful time are given up and begun anew with a key frame.
 * Out of scope: numbering and sealing (drain.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/sfu/cc.h"

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
/* Is there a budget at all? Fills it. Without an estimate everything leaves at once. */
bool pace_limited(struct peer *peer, mono_us now);
/* May a picture's packet leave now? */
bool pace_may_send(const struct peer *peer);
/* A numbered datagram of bytes left: budget, cluster and estimator are told. */
void pace_sent(struct sfu *sfu, struct peer *peer, enum cc_kind kind, size_t bytes, mono_us now);
/* A datagram without a number of its own left: it repeats another to the bit, or the receiver knows
 * none. It spends the budget. */
void pace_unnumbered(struct peer *peer, size_t bytes);
/* What is queued waits for the budget. */
void pace_wait(struct sfu *sfu, struct peer *peer, mono_us now);
/* peer->pace_node came due. */
void pace_timer(struct sfu *sfu, struct peer *peer, mono_us now);
