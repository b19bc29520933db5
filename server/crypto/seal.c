#include "server/crypto/seal.h"
#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/crypto.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "server/crypto/hmac.h"

/*
 * Outbound SRTP. AES-GCM (RFC 7714) runs on ipsec-mb's direct calls or on an OpenSSL context keyed
 * once; AES-CM with HMAC-SHA1 (RFC 3711) on OpenSSL. The index comes from the caller, so there is
 * no per-SSRC state here at all and a packet may be sealed again at will.
 *
 * RTCP is rare (a few packets a second and peer), so only its raw key is kept and put into the
 * shard's scratch context when needed: that halves the memory of a peer.
 */

enum seal_engine { SEAL_GCM_MB, SEAL_GCM_EVP, SEAL_CM };

struct srtp_seal {
    struct crypto *crypto;
    void *block; /* what mem_alloc gave */
    enum seal_engine engine;
    uint32_t key_len;
    uint8_t rtp_salt[14];
    uint8_t rtcp_salt[14];
    uint8_t rtcp_key[32];
    union {
        EVP_CIPHER_CTX *evp; /* SEAL_GCM_EVP */
        struct {
            uint8_t rtp_key[16];
            struct hmac_key rtp_auth;
            struct hmac_key rtcp_auth;
        } cm;
#if AMPHI_HAVE_IPSEC_MB
        _Alignas(64) struct gcm_key_data mb; /* SEAL_GCM_MB; the library stores aligned */
#endif
    };
};

/* The parts of one packet on its way out. */
struct seal_job {
    uint8_t *out;           /* header, then prefix in the clear */
    size_t header_len;      /* authenticated only */
    size_t prefix_len;      /* encrypted in place */
    const uint8_t *payload; /* encrypted into out behind the prefix */
    size_t payload_len;
    const uint8_t *aad; /* GCM: what is authenticated besides the ciphertext */
    size_t aad_len;
    uint8_t iv[16]; /* 12 bytes for GCM */
};

static size_t job_body(const struct seal_job *job)
{
    return job->header_len + job->prefix_len + job->payload_len;
}

#if AMPHI_HAVE_IPSEC_MB
static void gcm_mb_seal(const struct gcm_mb *mb, const struct gcm_key_data *key,
                        const struct seal_job *job)
{
    struct gcm_context_data ctx;
    uint8_t *body = job->out + job->header_len;
    uint8_t *tag = job->out + job_body(job);
    if (!job->prefix_len) {
        mb->enc(key, &ctx, body, job->payload, job->payload_len, job->iv, job->aad, job->aad_len,
                tag, SRTP_GCM_TAG);
        return;
    }
    mb->init(key, &ctx, job->iv, job->aad, job->aad_len);
    mb->update(key, &ctx, body, body, job->prefix_len);
    if (job->payload_len) {
        mb->update(key, &ctx, body + job->prefix_len, job->payload, job->payload_len);
    }
    mb->finalize(key, &ctx, tag, SRTP_GCM_TAG);
}

static const struct gcm_mb *seal_mb(const struct srtp_seal *seal)
{
    return seal->key_len == 32 ? &seal->crypto->mb256 : &seal->crypto->mb128;
}
#endif

/* One update of at most a datagram; false when the library failed. */
static bool evp_update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int done = 0;
    return !len || EVP_EncryptUpdate(ctx, out, &done, in, (int)len) == 1;
}

/* ctx holds the key. Returns the datagram's length, 0 when the library failed. */
static size_t gcm_evp_seal(EVP_CIPHER_CTX *ctx, const struct seal_job *job)
{
    uint8_t *body = job->out + job->header_len;
    uint8_t *tag = job->out + job_body(job);
    int done = 0;
    bool ok = EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, job->iv) == 1 &&
              evp_update(ctx, NULL, job->aad, job->aad_len) &&
              evp_update(ctx, body, body, job->prefix_len) &&
              evp_update(ctx, body + job->prefix_len, job->payload, job->payload_len) &&
              EVP_EncryptFinal_ex(ctx, tag, &done) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG, tag) == 1;
    return ok ? job_body(job) + SRTP_GCM_TAG : 0;
}

static bool cm_encrypt(struct crypto *crypto, const uint8_t key[16], const struct seal_job *job)
{
    EVP_CIPHER_CTX *ctx = crypto->scratch;
    uint8_t *body = job->out + job->header_len;
    return EVP_EncryptInit_ex(ctx, crypto->ctr128, NULL, key, job->iv) == 1 &&
           evp_update(ctx, body, body, job->prefix_len) &&
           evp_update(ctx, body + job->prefix_len, job->payload, job->payload_len);
}

/* RFC 7714 8.1 and 9.1: 00 00 SSRC, then six bytes of index, all XOR the salt. */
static void gcm_iv(uint8_t iv[16], const uint8_t *salt, const uint8_t *ssrc, uint64_t index)
{
    uint8_t raw[12] = {0};
    memcpy(raw + 2, ssrc, 4);
    put_u16(raw + 6, (uint16_t)(index >> 32));
    put_u32(raw + 8, (uint32_t)index);
    for (size_t i = 0; i < sizeof(raw); i++) {
        iv[i] = raw[i] ^ salt[i];
    }
}

/* RFC 3711 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16). */
static void cm_iv(uint8_t iv[16], const uint8_t *salt, const uint8_t *ssrc, uint64_t index)
{
    uint8_t raw[16] = {0};
    memcpy(raw + 4, ssrc, 4);
    put_u16(raw + 8, (uint16_t)(index >> 32));
    put_u32(raw + 10, (uint32_t)index);
    for (size_t i = 0; i < 14; i++) {
        iv[i] = raw[i] ^ salt[i];
    }
    iv[14] = 0;
    iv[15] = 0;
}

static size_t cm_seal_rtp(struct srtp_seal *seal, struct seal_job *job, uint64_t index)
{
    cm_iv(job->iv, seal->rtp_salt, job->out + 8, index);
    if (!cm_encrypt(seal->crypto, seal->cm.rtp_key, job)) {
        return 0;
    }
    uint8_t roc[4];
    put_u32(roc, (uint32_t)(index >> 16));
    uint8_t tag[20];
    size_t body = job_body(job);
    hmac_sign(&seal->cm.rtp_auth, job->out, body, roc, sizeof(roc), tag);
    memcpy(job->out + body, tag, SRTP_CM_TAG);
    return body + SRTP_CM_TAG;
}

size_t seal_rtp(struct srtp_seal *seal, uint8_t *out, size_t header_len, size_t prefix_len,
                const uint8_t *payload, size_t payload_len, uint64_t index)
{
    struct seal_job job = {
        .out = out,
        .header_len = header_len,
        .prefix_len = prefix_len,
        .payload = payload,
        .payload_len = payload_len,
        .aad = out,
        .aad_len = header_len,
    };
    if (seal->engine == SEAL_CM) {
        return cm_seal_rtp(seal, &job, index);
    }
    gcm_iv(job.iv, seal->rtp_salt, out + 8, index);
#if AMPHI_HAVE_IPSEC_MB
    if (seal->engine == SEAL_GCM_MB) {
        gcm_mb_seal(seal_mb(seal), &seal->mb, &job);
        return job_body(&job) + SRTP_GCM_TAG;
    }
#endif
    return gcm_evp_seal(seal->evp, &job);
}

static size_t cm_seal_rtcp(struct srtp_seal *seal, struct seal_job *job, uint32_t index)
{
    cm_iv(job->iv, seal->rtcp_salt, job->out + 4, index);
    if (!cm_encrypt(seal->crypto, seal->rtcp_key, job)) {
        return 0;
    }
    size_t body = job_body(job);
    put_u32(job->out + body, index | 0x80000000u);
    uint8_t tag[20];
    hmac_sign(&seal->cm.rtcp_auth, job->out, body + SRTCP_INDEX_LEN, NULL, 0, tag);
    memcpy(job->out + body + SRTCP_INDEX_LEN, tag, SRTP_CM_TAG);
    return body + SRTCP_INDEX_LEN + SRTP_CM_TAG;
}

static size_t gcm_seal_rtcp(struct srtp_seal *seal, const struct seal_job *job)
{
    struct crypto *crypto = seal->crypto;
#if AMPHI_HAVE_IPSEC_MB
    if (seal->engine == SEAL_GCM_MB) {
        const struct gcm_mb *mb = seal_mb(seal);
        mb->pre(seal->rtcp_key, crypto->mb_scratch);
        gcm_mb_seal(mb, crypto->mb_scratch, job);
        return job_body(job) + SRTP_GCM_TAG;
    }
#endif
    const EVP_CIPHER *cipher = seal->key_len == 32 ? crypto->gcm256 : crypto->gcm128;
    if (EVP_EncryptInit_ex(crypto->scratch, cipher, NULL, seal->rtcp_key, NULL) != 1) {
        return 0;
    }
    return gcm_evp_seal(crypto->scratch, job);
}

size_t seal_rtcp(struct srtp_seal *seal, uint8_t *data, size_t len, uint32_t index)
{
    if (len < RTCP_HEADER_MIN) {
        return 0;
    }
    index &= 0x7fffffffu;
    uint8_t aad[RTCP_HEADER_MIN + SRTCP_INDEX_LEN]; /* RFC 7714 9.2: header, then E flag + index */
    memcpy(aad, data, RTCP_HEADER_MIN);
    put_u32(aad + RTCP_HEADER_MIN, index | 0x80000000u);
    struct seal_job job = {
        .out = data,
        .header_len = RTCP_HEADER_MIN,
        .payload = data + RTCP_HEADER_MIN,
        .payload_len = len - RTCP_HEADER_MIN,
        .aad = aad,
        .aad_len = sizeof(aad),
    };
    if (seal->engine == SEAL_CM) {
        return cm_seal_rtcp(seal, &job, index);
    }
    gcm_iv(job.iv, seal->rtcp_salt, data + 4, index);
    size_t done = gcm_seal_rtcp(seal, &job);
    if (!done) {
        return 0;
    }
    memcpy(data + done, aad + RTCP_HEADER_MIN, SRTCP_INDEX_LEN);
    return done + SRTCP_INDEX_LEN;
}

static int seal_key_rtp(struct srtp_seal *seal, const struct srtp_session_keys *rtp,
                        const struct srtp_session_keys *rtcp)
{
    if (seal->engine == SEAL_CM) {
        memcpy(seal->cm.rtp_key, rtp->key, sizeof(seal->cm.rtp_key));
        hmac_key_set(&seal->cm.rtp_auth, rtp->auth, sizeof(rtp->auth));
        hmac_key_set(&seal->cm.rtcp_auth, rtcp->auth, sizeof(rtcp->auth));
        return 0;
    }
#if AMPHI_HAVE_IPSEC_MB
    if (seal->engine == SEAL_GCM_MB) {
        seal_mb(seal)->pre(rtp->key, &seal->mb);
        return 0;
    }
#endif
    const EVP_CIPHER *cipher = seal->key_len == 32 ? seal->crypto->gcm256 : seal->crypto->gcm128;
    seal->evp = EVP_CIPHER_CTX_new();
    if (!seal->evp) {
        return E_NOMEM;
    }
    return EVP_EncryptInit_ex(seal->evp, cipher, NULL, rtp->key, NULL) == 1 ? 0 : E_IO;
}

static enum seal_engine seal_choose(const struct crypto *crypto, enum srtp_profile profile)
{
    if (profile == SRTP_AES128_CM_SHA1_80) {
        return SEAL_CM;
    }
    return crypto->mb ? SEAL_GCM_MB : SEAL_GCM_EVP;
}

struct srtp_seal *seal_from_keys(struct crypto *crypto, enum srtp_profile profile,
                                 const struct srtp_session_keys *rtp,
                                 const struct srtp_session_keys *rtcp)
{
    /* ipsec-mb's key data wants a cache line; the heap promises 16 bytes. */
    uint8_t *block = srtp_key_len(profile) ? mem_alloc(sizeof(struct srtp_seal) + 63) : NULL;
    if (!block) {
        return NULL;
    }
    void *aligned = block + (-(uintptr_t)block & 63);
    struct srtp_seal *seal = aligned;
    seal->crypto = crypto;
    seal->block = block;
    seal->engine = seal_choose(crypto, profile);
    seal->key_len = (uint32_t)srtp_key_len(profile);
    memcpy(seal->rtp_salt, rtp->salt, sizeof(seal->rtp_salt));
    memcpy(seal->rtcp_salt, rtcp->salt, sizeof(seal->rtcp_salt));
    memcpy(seal->rtcp_key, rtcp->key, sizeof(seal->rtcp_key));
    if (seal_key_rtp(seal, rtp, rtcp)) {
        seal_free(seal);
        return NULL;
    }
    return seal;
}

struct srtp_seal *seal_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    struct srtp_session_keys rtp, rtcp;
    if (srtp_derive(arg, profile, key, &rtp, &rtcp)) {
        return NULL;
    }
    struct srtp_seal *seal = seal_from_keys(arg, profile, &rtp, &rtcp);
    OPENSSL_cleanse(&rtp, sizeof(rtp));
    OPENSSL_cleanse(&rtcp, sizeof(rtcp));
    return seal;
}

void seal_free(struct srtp_seal *seal)
{
    if (!seal) {
        return;
    }
    if (seal->engine == SEAL_GCM_EVP) {
        EVP_CIPHER_CTX_free(seal->evp);
    }
    void *block = seal->block;
    OPENSSL_cleanse(seal, sizeof(*seal));
    mem_free(block);
}
