/*
 * Outbound SRTP below the table of server/proto/crypto.h: sealing with session keys that are given
 * instead of derived, as the vectors of RFC 7714 sections 16 and 17 need it.
 */
#pragma once

#include "server/crypto/srtp_kdf.h"

/* A sealing context over ready session keys (copied). NULL when out of memory or unsupported. */
struct srtp_seal *seal_from_keys(struct crypto *crypto, enum srtp_profile profile,
                                 const struct srtp_session_keys *rtp,
                                 const struct srtp_session_keys *rtcp);
