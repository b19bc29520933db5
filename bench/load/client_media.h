/* The media half of a load client: ICE checks, DTLS, SRTP, counting. See client.h. */
#pragma once

#include <stdint.h>

#include "bench/load/client.h"

/* SHA-256 of the certificate all load clients show. */
void client_media_fingerprint(const struct client *client, uint8_t out[32]);
/* The answer is here: begin checks at once. */
void client_media_begin(struct client *client, mono_us now);
/* Live when both the media is connected and the snapshot has come. */
void client_media_maybe_live(struct client *client);
void client_media_end(struct client *client);
/* SSRC our reports come from. */
uint32_t client_media_ssrc(const struct client *client);
/* client.c: tells the server that the page is connected. */
void client_ready(struct client *client);

/* Below: for tests that send what no honest client would. */

/* One datagram from the client's own address. */
void client_media_put(struct client *client, const void *data, size_t len);
/* Seals a plain RTP packet (roll-over counter << 16 | seq = index) into out, which has room for
 * SRTP_TRAILER_MAX more; its length, 0 when it is no RTP. */
size_t client_media_seal(struct client *client, const uint8_t *packet, size_t len, uint64_t index,
                         uint8_t *out);
/* Seals and sends an RTCP compound of at most 1000 bytes. */
void client_media_rtcp(struct client *client, const uint8_t *plain, size_t len);
/* Begins the handshake that no_dtls held back. */
void client_media_handshake(struct client *client, mono_us now);
