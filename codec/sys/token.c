#include "codec/sys/token.h"

#include <sodium.h>
#include <string.h>

#include "codec/base/err.h"

_Static_assert(TOKEN_KEY_LEN == crypto_secretbox_KEYBYTES, "one key size for both uses");
_Static_assert(TOKEN_MAC_LEN == crypto_auth_hmacsha256_BYTES, "full-length MAC");
_Static_assert(TOKEN_SEAL_EXTRA == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES,
               "nonce and tag");

int token_init(void)
{
    return sodium_init() < 0 ? E_IO : 0;
}

void token_key_new(uint8_t key[TOKEN_KEY_LEN])
{
    randombytes_buf(key, TOKEN_KEY_LEN);
}

void token_derive(uint8_t out[TOKEN_KEY_LEN], const uint8_t master[TOKEN_KEY_LEN],
                  const char *purpose)
{
    token_sign(out, master, purpose, strlen(purpose));
}

void token_sign(uint8_t mac[TOKEN_MAC_LEN], const uint8_t key[TOKEN_KEY_LEN], const void *data,
                size_t len)
{
    crypto_auth_hmacsha256(mac, data, len, key);
}

int token_verify(const uint8_t mac[TOKEN_MAC_LEN], const uint8_t key[TOKEN_KEY_LEN],
                 const void *data, size_t len)
{
    return crypto_auth_hmacsha256_verify(mac, data, len, key) ? E_AUTH : 0;
}

int token_seal(uint8_t *out, size_t cap, const uint8_t key[TOKEN_KEY_LEN], const void *text,
               size_t len)
{
    if (cap < TOKEN_SEAL_EXTRA || cap - TOKEN_SEAL_EXTRA < len) {
        return E_FULL;
    }
    randombytes_buf(out, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, text, len, out, key);
    return 0;
}

int token_open(uint8_t *text, size_t cap, size_t *text_len, const uint8_t key[TOKEN_KEY_LEN],
               const void *box, size_t len)
{
    const uint8_t *p = box;
    *text_len = 0;
    if (len < TOKEN_SEAL_EXTRA) {
        return E_TRUNC;
    }
    if (len - TOKEN_SEAL_EXTRA > cap) {
        return E_FULL;
    }
    if (crypto_secretbox_open_easy(text, p + crypto_secretbox_NONCEBYTES,
                                   len - crypto_secretbox_NONCEBYTES, p, key)) {
        return E_AUTH;
    }
    *text_len = len - TOKEN_SEAL_EXTRA;
    return 0;
}

void token_digest(uint8_t out[TOKEN_DIGEST_LEN], const void *data, size_t len)
{
    crypto_hash_sha256(out, data, len);
}

void token_wipe(void *secret, size_t len)
{
    sodium_memzero(secret, len);
}
