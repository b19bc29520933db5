#include "server/crypto/seal.h"
#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/crypto.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "server/crypto/hmac.h"

/*
 * Outbound SRTP: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1 (RFC 3711). The index comes from the
 * caller, so there is no state per SSRC here at all and a packet may be sealed again at will.
 *
 * RTCP is rare (a few packets a second and peer), so only its raw key is kept and put into the
 * shard's scratch key when needed: that halves the memory of a peer.
 */
struct srtp_seal {
    struct crypto *crypto;
    enum srtp_profile profile;
    uint32_t key_len;
    struct gcm_key *rtp; /* NULL for AES-CM */
    uint8_t rtp_salt[14];
    uint8_t rtcp_salt[14];
    uint8_t rtp_key[16]; /* AES-CM */
    uint8_t rtcp_key[32];
    struct hmac_key rtp_auth; /* AES-CM */
    struct hmac_key rtcp_auth;
};

/* ---- AES-CM -------------------------------------------------------------------------------------
 */

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

static bool cm_update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int done = 0;
    return !len || EVP_EncryptUpdate(ctx, out, &done, in, (int)len) == 1;
}

static bool cm_encrypt(struct crypto *crypto, const uint8_t key[16], const uint8_t iv[16],
                       const struct gcm_job *job)
{
    EVP_CIPHER_CTX *ctx = crypto->scratch;
    return EVP_EncryptInit_ex(ctx, crypto->ctr128, NULL, key, iv) == 1 &&
           cm_update(ctx, job->body, job->body, job->prefix_len) &&
           cm_update(ctx, job->body + job->prefix_len, job->payload, job->payload_len);
}

/* The tag goes behind the body; the roll-over counter is authenticated but not sent. */
static bool cm_seal_rtp(struct srtp_seal *seal, uint8_t *out, const struct gcm_job *job,
                        uint64_t index)
{
    uint8_t iv[16], roc[4], tag[20];
    cm_iv(iv, seal->rtp_salt, out + 8, index);
    if (!cm_encrypt(seal->crypto, seal->rtp_key, iv, job)) {
        return false;
    }
    size_t len = job->aad_len + job->prefix_len + job->payload_len;
    put_u32(roc, (uint32_t)(index >> 16));
    hmac_sign(&seal->rtp_auth, out, len, roc, sizeof(roc), tag);
    memcpy(out + len, tag, SRTP_CM_TAG);
    return true;
}

static size_t cm_seal_rtcp(struct srtp_seal *seal, uint8_t *data, const struct gcm_job *job,
                           uint32_t index)
{
    uint8_t iv[16], tag[20];
    cm_iv(iv, seal->rtcp_salt, data + 4, index);
    if (!cm_encrypt(seal->crypto, seal->rtcp_key, iv, job)) {
        return 0;
    }
    size_t len = RTCP_HEADER_MIN + job->payload_len;
    put_u32(data + len, index | 0x80000000u);
    hmac_sign(&seal->rtcp_auth, data, len + SRTCP_INDEX_LEN, NULL, 0, tag);
    memcpy(data + len + SRTCP_INDEX_LEN, tag, SRTP_CM_TAG);
    return len + SRTCP_INDEX_LEN + SRTP_CM_TAG;
}

/* ---- both ---------------------------------------------------------------------------------------
 */

size_t seal_rtp(struct srtp_seal *seal, uint8_t *out, size_t header_len, size_t prefix_len,
                const uint8_t *payload, size_t payload_len, uint64_t index)
{
    struct gcm_job job = {
        .aad = out,
        .aad_len = header_len,
        .body = out + header_len,
        .prefix_len = prefix_len,
        .payload = payload,
        .payload_len = payload_len,
    };
    size_t len = header_len + prefix_len + payload_len;
    if (!seal->rtp) {
        if (seal->profile == SRTP_NONE) {
            memcpy(out + header_len + prefix_len, payload, payload_len);
            return len;
        }
        return cm_seal_rtp(seal, out, &job, index) ? len + SRTP_CM_TAG : 0;
    }
    gcm_iv(job.iv, seal->rtp_salt, out + 8, index);
    return gcm_seal(seal->rtp, &job) ? len + SRTP_GCM_TAG : 0;
}

size_t seal_rtcp(struct srtp_seal *seal, uint8_t *data, size_t len, uint32_t index)
{
    if (len < RTCP_HEADER_MIN) {
        return 0;
    }
    if (seal->profile == SRTP_NONE) {
        return len;
    }
    index &= 0x7fffffffu;
    uint8_t aad[RTCP_HEADER_MIN + SRTCP_INDEX_LEN]; /* RFC 7714 9.2: header, then E flag + index */
    memcpy(aad, data, RTCP_HEADER_MIN);
    put_u32(aad + RTCP_HEADER_MIN, index | 0x80000000u);
    struct gcm_job job = {
        .aad = aad,
        .aad_len = sizeof(aad),
        .body = data + RTCP_HEADER_MIN,
        .payload = data + RTCP_HEADER_MIN,
        .payload_len = len - RTCP_HEADER_MIN,
    };
    if (!seal->rtp) {
        return cm_seal_rtcp(seal, data, &job, index);
    }
    gcm_iv(job.iv, seal->rtcp_salt, data + 4, index);
    struct gcm_key *key = gcm_key_scratch(seal->crypto, seal->rtcp_key, seal->key_len);
    if (!key || !gcm_seal(key, &job)) {
        return 0;
    }
    memcpy(data + len + SRTP_GCM_TAG, aad + RTCP_HEADER_MIN, SRTCP_INDEX_LEN);
    return len + SRTP_GCM_TAG + SRTCP_INDEX_LEN;
}

struct srtp_seal *seal_from_keys(struct crypto *crypto, enum srtp_profile profile,
                                 const struct srtp_session_keys *rtp,
                                 const struct srtp_session_keys *rtcp)
{
    uint32_t key_len = (uint32_t)srtp_key_len(profile);
    struct srtp_seal *seal = key_len ? mem_alloc(sizeof(*seal)) : NULL;
    if (!seal) {
        return NULL;
    }
    seal->crypto = crypto;
    seal->profile = profile;
    seal->key_len = key_len;
    memcpy(seal->rtp_salt, rtp->salt, sizeof(seal->rtp_salt));
    memcpy(seal->rtcp_salt, rtcp->salt, sizeof(seal->rtcp_salt));
    memcpy(seal->rtcp_key, rtcp->key, sizeof(seal->rtcp_key));
    if (profile == SRTP_AES128_CM_SHA1_80) {
        memcpy(seal->rtp_key, rtp->key, sizeof(seal->rtp_key));
        hmac_key_set(&seal->rtp_auth, rtp->auth, sizeof(rtp->auth));
        hmac_key_set(&seal->rtcp_auth, rtcp->auth, sizeof(rtcp->auth));
        return seal;
    }
    seal->rtp = gcm_key_new(crypto, rtp->key, key_len);
    if (!seal->rtp) {
        seal_free(seal);
        return NULL;
    }
    return seal;
}

struct srtp_seal *seal_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    struct srtp_session_keys rtp, rtcp;
    if (profile == SRTP_NONE) { /* a peer inside this process */
        struct srtp_seal *plain = mem_alloc(sizeof(*plain));
        if (plain) {
            plain->crypto = arg;
        }
        return plain;
    }
    if (srtp_derive(arg, profile, key, &rtp, &rtcp)) {
        return NULL;
    }
    struct srtp_seal *seal = seal_from_keys(arg, profile, &rtp, &rtcp);
    OPENSSL_cleanse(&rtp, sizeof(rtp));
    OPENSSL_cleanse(&rtcp, sizeof(rtcp));
    return seal;
}

void seal_near(const struct srtp_seal *seal)
{
    if (seal->rtp) {
        gcm_key_near(seal->rtp);
    }
}

void seal_free(struct srtp_seal *seal)
{
    if (seal) {
        gcm_key_free(seal->rtp);
        OPENSSL_cleanse(seal, sizeof(*seal));
        mem_free(seal);
    }
}
