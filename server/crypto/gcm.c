#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/crypto.h>

#include "codec/base/mem.h"
#include "codec/base/rw.h"

/*
 * AES-GCM with a key prepared once: ipsec-mb's direct calls where build and processor have them, an
 * OpenSSL context otherwise. ipsec-mb's key data holds 48 powers of the hash key, so that a whole
 * packet is hashed at the width of the vector unit.
 */
struct gcm_key {
    struct crypto *crypto;
    uint8_t *block; /* what mem_alloc gave */
    uint32_t key_len;
    EVP_CIPHER_CTX *evp; /* NULL with ipsec-mb */
#if AMPHI_HAVE_IPSEC_MB
    _Alignas(64) struct gcm_key_data mb; /* the library stores aligned */
#endif
};

#if AMPHI_HAVE_IPSEC_MB
static const struct gcm_mb *mb_of(const struct gcm_key *key)
{
    return key->key_len == 32 ? &key->crypto->mb256 : &key->crypto->mb128;
}
#endif

static bool key_set(struct gcm_key *key, const uint8_t *bytes, uint32_t key_len)
{
    const struct crypto *crypto = key->crypto;
    key->key_len = key_len;
#if AMPHI_HAVE_IPSEC_MB
    if (crypto->mb) {
        mb_of(key)->pre(bytes, &key->mb);
        return true;
    }
#endif
    const EVP_CIPHER *cipher = key_len == 32 ? crypto->gcm256 : crypto->gcm128;
    return EVP_CipherInit_ex(key->evp, cipher, NULL, bytes, NULL, 1) == 1;
}

struct gcm_key *gcm_key_new(struct crypto *crypto, const uint8_t *bytes, uint32_t key_len)
{
    enum { LINE = 64 };
    uint8_t *block = mem_alloc(sizeof(struct gcm_key) + LINE - 1);
    if (!block) {
        return NULL;
    }
    void *aligned = block + (-(uintptr_t)block & (LINE - 1));
    struct gcm_key *key = aligned;
    key->crypto = crypto;
    key->block = block;
    key->evp = crypto->mb ? NULL : EVP_CIPHER_CTX_new();
    if ((!crypto->mb && !key->evp) || !key_set(key, bytes, key_len)) {
        gcm_key_free(key);
        return NULL;
    }
    return key;
}

/* Round keys and powers of the hash key; those unused with 128 bits lie between. */
void gcm_key_near(const struct gcm_key *key)
{
    enum { LINE = 64 };
    __builtin_prefetch(key);
#if AMPHI_HAVE_IPSEC_MB
    for (size_t at = 0; !key->evp && at < sizeof(key->mb); at += LINE) {
        __builtin_prefetch((const char *)&key->mb + at);
    }
#endif
}

void gcm_key_free(struct gcm_key *key)
{
    if (key) {
        EVP_CIPHER_CTX_free(key->evp);
        uint8_t *block = key->block;
        OPENSSL_cleanse(key, sizeof(*key));
        mem_free(block);
    }
}

struct gcm_key *gcm_key_scratch(struct crypto *crypto, const uint8_t *bytes, uint32_t key_len)
{
    return key_set(crypto->gcm_scratch, bytes, key_len) ? crypto->gcm_scratch : NULL;
}

static uint32_t u32_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* In words: what reads it would wait for single bytes to be written. */
void gcm_iv(uint8_t iv[12], const uint8_t *salt, const uint8_t *ssrc, uint64_t index)
{
    uint32_t source = u32_at(ssrc);
    put_u32(iv, u32_at(salt) ^ source >> 16);
    put_u32(iv + 4, u32_at(salt + 4) ^ (source << 16 | (uint16_t)(index >> 32)));
    put_u32(iv + 8, u32_at(salt + 8) ^ (uint32_t)index);
}

/* One update of at most a datagram; false when the library failed. */
static bool evp_update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int done = 0;
    return !len || EVP_CipherUpdate(ctx, out, &done, in, (int)len) == 1;
}

static bool evp_seal(EVP_CIPHER_CTX *ctx, const struct gcm_job *job)
{
    uint8_t *tag = job->body + job->prefix_len + job->payload_len;
    int done = 0;
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, job->iv, 1) == 1 &&
           evp_update(ctx, NULL, job->aad, job->aad_len) &&
           evp_update(ctx, job->body, job->body, job->prefix_len) &&
           evp_update(ctx, job->body + job->prefix_len, job->payload, job->payload_len) &&
           EVP_CipherFinal_ex(ctx, tag, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG, tag) == 1;
}

static bool evp_open(EVP_CIPHER_CTX *ctx, const struct gcm_job *job)
{
    uint8_t *tag = job->body + job->payload_len;
    int done = 0;
    return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, job->iv, 0) == 1 &&
           evp_update(ctx, NULL, job->aad, job->aad_len) &&
           evp_update(ctx, job->body, job->body, job->payload_len) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG, tag) == 1 &&
           EVP_CipherFinal_ex(ctx, tag, &done) == 1;
}

#if AMPHI_HAVE_IPSEC_MB
static void mb_seal(const struct gcm_key *key, const struct gcm_job *job)
{
    const struct gcm_mb *mb = mb_of(key);
    struct gcm_context_data ctx;
    uint8_t *tag = job->body + job->prefix_len + job->payload_len;
    if (!job->prefix_len) {
        mb->enc(&key->mb, &ctx, job->body, job->payload, job->payload_len, job->iv, job->aad,
                job->aad_len, tag, SRTP_GCM_TAG);
        return;
    }
    mb->init(&key->mb, &ctx, job->iv, job->aad, job->aad_len);
    mb->update(&key->mb, &ctx, job->body, job->body, job->prefix_len);
    if (job->payload_len) {
        mb->update(&key->mb, &ctx, job->body + job->prefix_len, job->payload, job->payload_len);
    }
    mb->finalize(&key->mb, &ctx, tag, SRTP_GCM_TAG);
}

static bool mb_open(const struct gcm_key *key, const struct gcm_job *job)
{
    struct gcm_context_data ctx;
    uint8_t tag[SRTP_GCM_TAG];
    mb_of(key)->dec(&key->mb, &ctx, job->body, job->body, job->payload_len, job->iv, job->aad,
                    job->aad_len, tag, sizeof(tag));
    return CRYPTO_memcmp(tag, job->body + job->payload_len, sizeof(tag)) == 0;
}
#endif

bool gcm_seal(struct gcm_key *key, const struct gcm_job *job)
{
#if AMPHI_HAVE_IPSEC_MB
    if (!key->evp) {
        mb_seal(key, job);
        return true;
    }
#endif
    return evp_seal(key->evp, job);
}

bool gcm_open(struct gcm_key *key, const struct gcm_job *job)
{
#if AMPHI_HAVE_IPSEC_MB
    if (!key->evp) {
        return mb_open(key, job);
    }
#endif
    return evp_open(key->evp, job);
}
