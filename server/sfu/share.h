/*
 * How the bits of one peer's path are shared out over its slots: collects what every slot wishes
 * and what its source offers, lets server/proto/alloc.h decide, and applies the answer, once per
 * turn and peer.
 * Out of scope: the decision, the estimate (cc.h).
 */
#pragma once

#include "codec/base/time.h"

struct peer;
struct sfu;

/* The estimate of the peer, its wishes or what sources offer changed: shared anew before the next
 * packets leave. */
void share_update(struct sfu *sfu, struct peer *peer, mono_us now);
/* Shares for all that need it. */
void share_run(struct sfu *sfu, mono_us now);
/* Another step of shedding is in force: everybody's share is made anew. */
void share_overload(struct sfu *sfu, uint32_t step, mono_us now);
/* The peer closes. */
void share_forget(struct sfu *sfu, struct peer *peer);
