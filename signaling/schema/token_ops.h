/*
 * The secret arithmetic pure code needs, handed in as functions: the program fills this with
 * codec/sys/token.h (same signatures), simulations with cheap stand-ins.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_OPS_KEY_LEN = 32,
    TOKEN_OPS_MAC_LEN = 32,
    TOKEN_OPS_SEAL_EXTRA = 24 + 16, /* nonce and tag around a sealed text */
};

struct token_ops {
    /* HMAC-SHA-256 of data under key. */
    void (*sign_h)(uint8_t mac[TOKEN_OPS_MAC_LEN], const uint8_t key[TOKEN_OPS_KEY_LEN],
                   const void *data, size_t len);
    /* 0 when mac signs data under key, else E_AUTH; constant time. */
    int (*verify_h)(const uint8_t mac[TOKEN_OPS_MAC_LEN], const uint8_t key[TOKEN_OPS_KEY_LEN],
                    const void *data, size_t len);
    /* nonce | box into out: len + TOKEN_OPS_SEAL_EXTRA bytes. 0 or E_FULL. */
    int (*seal_h)(uint8_t *out, size_t cap, const uint8_t key[TOKEN_OPS_KEY_LEN], const void *text,
                  size_t len);
    /* Opens a box. 0, E_TRUNC, E_FULL or E_AUTH. */
    int (*open_h)(uint8_t *text, size_t cap, size_t *text_len, const uint8_t key[TOKEN_OPS_KEY_LEN],
                  const void *box, size_t len);
};
