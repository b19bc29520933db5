/* The streaming SHA-1 calls are marked old in favour of EVP, which allocates and looks up the
 * algorithm for each message: ten times the cost of a STUN check. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "server/crypto/hmac.h"
#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

static void state_save(uint32_t out[5], const SHA_CTX *ctx)
{
    out[0] = ctx->h0;
    out[1] = ctx->h1;
    out[2] = ctx->h2;
    out[3] = ctx->h3;
    out[4] = ctx->h4;
}

/* A context that has already eaten one block. */
static void state_load(SHA_CTX *ctx, const uint32_t in[5])
{
    SHA1_Init(ctx);
    ctx->h0 = in[0];
    ctx->h1 = in[1];
    ctx->h2 = in[2];
    ctx->h3 = in[3];
    ctx->h4 = in[4];
    ctx->Nl = SHA_CBLOCK * 8; /* bits */
}

static void pad_compress(uint32_t out[5], const uint8_t key[SHA_CBLOCK], uint8_t pad)
{
    uint8_t block[SHA_CBLOCK];
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = key[i] ^ pad;
    }
    SHA_CTX ctx;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, block, sizeof(block));
    state_save(out, &ctx);
    OPENSSL_cleanse(block, sizeof(block));
}

void hmac_key_set(struct hmac_key *out, const uint8_t *key, size_t key_len)
{
    uint8_t block[SHA_CBLOCK] = {0};
    if (key_len > sizeof(block)) {
        SHA_CTX ctx;
        SHA1_Init(&ctx);
        SHA1_Update(&ctx, key, key_len);
        SHA1_Final(block, &ctx);
    } else if (key_len) {
        memcpy(block, key, key_len);
    }
    pad_compress(out->inner, block, 0x36);
    pad_compress(out->outer, block, 0x5c);
    OPENSSL_cleanse(block, sizeof(block));
}

void hmac_sign(const struct hmac_key *key, const uint8_t *data, size_t len, const uint8_t *tail,
               size_t tail_len, uint8_t out[20])
{
    SHA_CTX ctx;
    state_load(&ctx, key->inner);
    SHA1_Update(&ctx, data, len);
    if (tail_len) {
        SHA1_Update(&ctx, tail, tail_len);
    }
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1_Final(digest, &ctx);
    state_load(&ctx, key->outer);
    SHA1_Update(&ctx, digest, sizeof(digest));
    SHA1_Final(out, &ctx);
}

void hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t out[20])
{
    struct hmac_key prepared;
    hmac_key_set(&prepared, key, key_len);
    hmac_sign(&prepared, data, len, NULL, 0, out);
}
