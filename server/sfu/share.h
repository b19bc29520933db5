/*
 * How the bits of one peer's path are shared out over its slots: collects what every slot wishes
 * and what its source offers, lets server/proto/alloc.h decide, and applies the answer.
 * Out of scope: the decision, the estimate (cc.h).
 */
#pragma once

#include "codec/base/time.h"

struct peer;
struct sfu;

/* The estimate of the peer, its wishes or what sources offer changed. */
void share_update(struct sfu *sfu, struct peer *peer, mono_us now);
