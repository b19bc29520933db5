/*
 * HMAC-SHA1 (RFC 2104) with a key prepared once: the two compressions of the key are done when it
 * is set, so a message costs only its own blocks. SHA-1 serves STUN (RFC 8489) and the AES-CM
 * profile of SRTP (RFC 3711), which know nothing else; there HMAC-SHA1 is still sound.
 * Out of scope: any other use of SHA-1.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The compression function works on five words; a whole library context per half would be three
 * times as large. */
struct hmac_key {
    uint32_t inner[5];
    uint32_t outer[5];
};

/* Prepares key (any length). */
void hmac_key_set(struct hmac_key *out, const uint8_t *key, size_t key_len);
/* The 20-byte code of data followed by tail (tail_len may be 0). */
void hmac_sign(const struct hmac_key *key, const uint8_t *data, size_t len, const uint8_t *tail,
               size_t tail_len, uint8_t out[20]);
