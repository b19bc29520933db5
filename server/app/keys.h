/*
 * Secrets of this server in data/keys: the key that signs links, the pair of the https door. Made
 * once when missing, mode 0600.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "codec/sys/token.h"
#include "server/app/paths.h"

/* The signing key: auth.secret when set, else keys/secret, made when missing. 0, or an error with
 * one line in why. */
int keys_secret(const struct paths *paths, const struct config *config, uint8_t out[TOKEN_KEY_LEN],
                char *why, size_t why_cap);

struct keys_pair {
    char *cert; /* PEM chain, owned (mem_free) */
    size_t cert_len;
    char *key;
    size_t key_len;
    char cert_path[PATHS_MAX];
    wall_ms not_after;
};

/*
 * Reads and checks the certificate of the door: tls.cert and tls.key, else keys/tls.{crt,key}, made
 * when missing and made again when they have expired or end within a week. 0, or an error with one
 * line in why. An expired certificate that was configured is no error (F20): it is for the caller
 * to say loudly.
 */
int keys_pair_load(struct keys_pair *pair, const struct paths *paths, const struct config *config,
                   char *why, size_t why_cap);
void keys_pair_fini(struct keys_pair *pair);
