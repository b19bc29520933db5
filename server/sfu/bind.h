/*
 * Which source and layer an SSRC of a peer is: announced in the offer, or told by MID and RID on
 * its first packets (RFC 8843 9.2, RFC 8852), kept for the session because browsers stop sending
 * them. Invariants: a table per connection, at most PEER_SSRCS entries (S11); only authenticated
 * packets get here (S8).
 */
#pragma once

#include "codec/base/drop.h"
#include "codec/base/time.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/sfu/peer.h"

/* The binding of a packet's SSRC, made when the packet tells enough. NULL: *drop says why. */
struct ssrc_bind *bind_find(struct peer *peer, const struct rtp_header *hdr,
                            const struct rtpext_set *exts, const uint8_t *data, bool rtx,
                            mono_us now, enum drop *drop);
/* The binding an SSRC has already, for a header that is not authenticated; NULL = none. */
const struct ssrc_bind *bind_known(struct peer *peer, uint32_t ssrc);
