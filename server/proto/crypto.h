/*
 * Cryptography as the protocol machines see it: a table of functions. server/crypto fills it with
 * OpenSSL, libsrtp2 and our RFC 7714 sealing; simulations fill it with a fake that needs no time
 * and no keys. DTLS: RFC 6347 with RFC 5764 (use_srtp), always the server, certificate ECDSA P-256.
 * SRTP: RFC 3711 and RFC 7714.
 * Invariants: nothing here blocks; a context belongs to one shard.
 * Out of scope: when a datagram may reach DTLS (server/proto/ice.h decides, rule S1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum srtp_profile { /* RFC 5764 4.1.2, RFC 7714 14.2: values of the use_srtp extension */
                    SRTP_NONE = 0,
                    SRTP_AES128_CM_SHA1_80 = 0x0001,
                    SRTP_AEAD_AES_128_GCM = 0x0007,
                    SRTP_AEAD_AES_256_GCM = 0x0008,
};

enum dtls_state { DTLS_HANDSHAKE = 0, DTLS_DONE, DTLS_CLOSED, DTLS_FAILED };

enum { SRTP_TRAILER_MAX = 16, SRTCP_TRAILER_MAX = 20, DTLS_DATAGRAM_MAX = 1200 };

/* Keys of one direction (RFC 5764 4.2): lengths follow from the profile. */
struct srtp_key {
    uint8_t key[32];
    uint8_t salt[14];
};

struct srtp_keys {
    enum srtp_profile profile;
    struct srtp_key client; /* what the client seals with: we open */
    struct srtp_key server; /* what we seal with */
};

struct dtls;      /* one handshake */
struct srtp_open; /* inbound: all SSRCs of one peer */
struct srtp_seal; /* outbound: all SSRCs of one peer */

struct crypto_ops {
    void *arg;

    /* A server handshake that accepts only a certificate with this SHA-256; NULL when exhausted. */
    struct dtls *(*dtls_new)(void *arg, const uint8_t fingerprint[32], mono_us now);
    void (*dtls_free)(struct dtls *dtls);
    /* One datagram in. 0, or E_BAD/E_AUTH/E_LIMIT; after an error dtls_state tells whether it died.
     */
    int (*dtls_input)(struct dtls *dtls, const uint8_t *data, size_t len, mono_us now);
    /* Next datagram out into buf (cap >= DTLS_DATAGRAM_MAX): its length, 0 when there is none. */
    size_t (*dtls_output)(struct dtls *dtls, uint8_t *buf, size_t cap);
    /* Retransmissions; call at dtls_deadline. */
    void (*dtls_timer)(struct dtls *dtls, mono_us now);
    mono_us (*dtls_deadline)(const struct dtls *dtls);
    enum dtls_state (*dtls_state)(const struct dtls *dtls);
    /* Keys, only in DTLS_DONE and only after the fingerprint was compared. 0 or E_STATE. */
    int (*dtls_keys)(struct dtls *dtls, struct srtp_keys *out);
    /* The other side has finished too: what only a handshake needs is given back, keys included. */
    void (*dtls_settle)(struct dtls *dtls);
    /* Our close_notify, once, in DTLS_DONE or DTLS_CLOSED: its length, or 0. */
    size_t (*dtls_bye)(struct dtls *dtls, uint8_t *buf, size_t cap);

    /* SRTP_NONE opens and seals nothing: for peers inside this process, never from a handshake. */
    struct srtp_open *(*open_new)(void *arg, enum srtp_profile profile, const struct srtp_key *key);
    void (*open_free)(struct srtp_open *open);
    /* Asks the processor for what opening will read (no more than a hint); NULL = nothing to ask.
     */
    void (*open_near)(const struct srtp_open *open);
    /* Authenticate, check replay (window 1024), decrypt in place; *len shrinks by the tag.
     * 0, E_AUTH, E_REPLAY, E_TRUNC, E_LIMIT (too many SSRCs). A failure changes no state (S8). */
    int (*open_rtp)(struct srtp_open *open, uint8_t *data, size_t *len);
    int (*open_rtcp)(struct srtp_open *open, uint8_t *data, size_t *len);

    struct srtp_seal *(*seal_new)(void *arg, enum srtp_profile profile, const struct srtp_key *key);
    void (*seal_free)(struct srtp_seal *seal);
    /* Asks the processor for what seal_rtp will read (no more than a hint); NULL = nothing to ask.
     */
    void (*seal_near)(const struct srtp_seal *seal);
    /*
     * Seals one RTP packet straight into its send slot: encryption is the copy. out already holds
     * header_len bytes of RTP header followed by prefix_len plaintext bytes (a rewritten payload
     * start, may be 0); payload is the shared, const rest. index = roll-over counter << 16 | seq.
     * Returns the datagram's length (header + prefix + payload + tag); out must have room for it.
     */
    size_t (*seal_rtp)(struct srtp_seal *seal, uint8_t *out, size_t header_len, size_t prefix_len,
                       const uint8_t *payload, size_t payload_len, uint64_t index);
    /* Seals a compound RTCP packet in place with SRTCP index; returns the new length. */
    size_t (*seal_rtcp)(struct srtp_seal *seal, uint8_t *data, size_t len, uint32_t index);

    /* HMAC-SHA1 for STUN MESSAGE-INTEGRITY (RFC 8489 14.5). */
    void (*hmac_sha1)(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                      uint8_t out[20]);
    /* SHA-256 of our own certificate. */
    void (*fingerprint)(void *arg, uint8_t out[32]);
};
