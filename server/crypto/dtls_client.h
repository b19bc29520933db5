/*
 * The client side of the DTLS-SRTP handshake, for the load generator and for tests; the server
 * never uses it. DTLS 1.2 (RFC 6347), RFC 5764. The functions are those of struct crypto_ops.
 * Out of scope: simulations (they fake the whole table). OpenSSL times this side's retransmissions
 * by its own clock; dtls_client_deadline translates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "server/crypto/crypto.h"

struct dtls_client;

struct dtls_client_config {
    const struct crypto_identity *identity; /* borrowed: certificate shown to the server */
    uint8_t fingerprint[32];                /* SHA-256 the server's certificate must have */
    enum srtp_profile profiles[4];          /* in order of preference, SRTP_NONE ends */
    uint32_t mtu;                           /* datagram size, 256 .. 1500; small = fragments */
    bool aes256;                            /* offer only the AES-256 cipher suite */
    uint32_t resend_us;                     /* first retransmission, 0 = 100 ms */
};

/* The first flight is ready for dtls_client_output at once. NULL when out of memory or bad. */
struct dtls_client *dtls_client_new(const struct dtls_client_config *config, mono_us now);
void dtls_client_free(struct dtls_client *client);
/* One datagram in. 0, E_BAD, E_AUTH (wrong certificate) or E_STATE. */
int dtls_client_input(struct dtls_client *client, const uint8_t *data, size_t len, mono_us now);
/* Next datagram out: its length, 0 when there is none. */
size_t dtls_client_output(struct dtls_client *client, uint8_t *buf, size_t cap);
void dtls_client_timer(struct dtls_client *client, mono_us now);
mono_us dtls_client_deadline(const struct dtls_client *client, mono_us now);
enum dtls_state dtls_client_state(const struct dtls_client *client);
/* 0 or E_STATE. The client seals with out->client and opens with out->server. */
int dtls_client_keys(struct dtls_client *client, struct srtp_keys *out);
/* Queues a close_notify. */
void dtls_client_close(struct dtls_client *client);
