/*
 * SRTP session keys from a master key (RFC 3711 4.3.1 and 4.3.3; RFC 7714 11 for AES-256 and the
 * 96-bit salt). Key derivation rate 0: once per connection.
 * Out of scope: re-keying, MKI.
 */
#pragma once

#include <stdint.h>

#include "server/proto/crypto.h"

struct crypto;

/* RFC 3711 4.3.2: labels of the six keys. */
enum srtp_label {
    SRTP_LABEL_RTP_KEY = 0,
    SRTP_LABEL_RTP_AUTH = 1,
    SRTP_LABEL_RTP_SALT = 2,
    SRTP_LABEL_RTCP_KEY = 3,
    SRTP_LABEL_RTCP_AUTH = 4,
    SRTP_LABEL_RTCP_SALT = 5,
};

/* Keys of one protocol, RTP or RTCP. auth is only used by AES-CM; salt has 12 bytes for GCM. */
struct srtp_session_keys {
    uint8_t key[32];
    uint8_t auth[20];
    uint8_t salt[14];
};

/* Derives both sets. 0, E_UNSUPPORTED (profile) or E_IO (the library failed). */
int srtp_derive(struct crypto *crypto, enum srtp_profile profile, const struct srtp_key *master,
                struct srtp_session_keys *rtp, struct srtp_session_keys *rtcp);
