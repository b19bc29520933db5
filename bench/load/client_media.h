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
/* client.c: tells the server that the page is connected. */
void client_ready(struct client *client);
