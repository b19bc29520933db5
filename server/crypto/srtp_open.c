#include "server/crypto/internal.h"

#include <pthread.h>
#include <string.h>

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

/*
 * Inbound SRTP through libsrtp2. It looks at an index, authenticates, and only then makes a stream
 * or moves a replay window, so a forged packet leaves no trace (S8). Around it: every length is
 * checked before the library does arithmetic with it (S10), and the SSRCs that have proved
 * themselves are counted, so that one peer cannot make streams without end (S11).
 */

enum { REPLAY_WINDOW = 1024 }; /* S10: a retransmission at 30 % loss comes late */

struct srtp_open {
    srtp_t session;
    uint32_t trailer_rtp;
    uint32_t trailer_rtcp;
    uint32_t ssrcs_max;
    uint32_t ssrcs;
    uint32_t ssrc[]; /* ssrcs_max entries */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_err;

static void library_start(void)
{
    library_err = srtp_init() == srtp_err_status_ok ? 0 : E_IO;
}

int open_library_init(void)
{
    pthread_once(&library_once, library_start);
    return library_err;
}

static int policy_fill(srtp_policy_t *policy, enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_AES128_CM_SHA1_80:
        srtp_crypto_policy_set_rtp_default(&policy->rtp);
        srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
        return 0;
    case SRTP_AEAD_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
        return 0;
    case SRTP_AEAD_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
        return 0;
    case SRTP_NONE:
        break;
    }
    return E_UNSUPPORTED;
}

struct srtp_open *open_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    const struct crypto *crypto = arg;
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_any_inbound},
        .window_size = REPLAY_WINDOW,
    };
    if (policy_fill(&policy, profile)) {
        return NULL;
    }
    size_t table = crypto->config.ssrcs_max * sizeof(uint32_t);
    struct srtp_open *open = mem_alloc(sizeof(*open) + table);
    if (!open) {
        return NULL;
    }
    uint8_t material[32 + 14]; /* key, then salt */
    size_t key_len = srtp_key_len(profile);
    memcpy(material, key->key, key_len);
    memcpy(material + key_len, key->salt, srtp_salt_len(profile));
    policy.key = material;
    uint32_t tag = profile == SRTP_AES128_CM_SHA1_80 ? SRTP_CM_TAG : SRTP_GCM_TAG;
    open->trailer_rtp = tag;
    open->trailer_rtcp = tag + SRTCP_INDEX_LEN;
    open->ssrcs_max = crypto->config.ssrcs_max;
    srtp_err_status_t status = srtp_create(&open->session, &policy);
    OPENSSL_cleanse(material, sizeof(material));
    if (status != srtp_err_status_ok) {
        mem_free(open);
        return NULL;
    }
    return open;
}

void open_free(struct srtp_open *open)
{
    if (open) {
        srtp_dealloc(open->session);
        mem_free(open);
    }
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool ssrc_known(const struct srtp_open *open, uint32_t ssrc)
{
    for (uint32_t i = 0; i < open->ssrcs; i++) {
        if (open->ssrc[i] == ssrc) {
            return true;
        }
    }
    return false;
}

static int open_error(srtp_err_status_t status)
{
    switch ((int)status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return E_REPLAY;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return E_TRUNC;
    case srtp_err_status_alloc_fail:
        return E_LIMIT;
    default:
        return E_AUTH;
    }
}

/* Runs one of libsrtp2's two unprotect calls on a packet of SSRC ssrc. */
static int open_packet(struct srtp_open *open, uint32_t ssrc, uint8_t *data, size_t *len,
                       srtp_err_status_t (*unprotect)(srtp_t, void *, int *))
{
    bool known = ssrc_known(open, ssrc);
    if (!known && open->ssrcs == open->ssrcs_max) {
        return E_LIMIT;
    }
    int octets = (int)*len;
    int err = open_error(unprotect(open->session, data, &octets));
    if (err) {
        return err;
    }
    if (!known) {
        open->ssrc[open->ssrcs++] = ssrc;
    }
    *len = (size_t)octets;
    return 0;
}

/* Bytes of the RTP header with CSRCs and extension (RFC 3550 5.1, 5.3.1), 0 when they do not fit.
 */
static size_t rtp_header_len(const uint8_t *data, size_t len)
{
    if (len < RTP_HEADER_MIN) {
        return 0;
    }
    size_t header = RTP_HEADER_MIN + (size_t)(data[0] & 0x0f) * 4;
    if (data[0] & 0x10) {
        if (len < header + 4) {
            return 0;
        }
        size_t words = (size_t)data[header + 2] << 8 | data[header + 3];
        header += 4 + words * 4;
    }
    return header <= len ? header : 0;
}

int open_rtp(struct srtp_open *open, uint8_t *data, size_t *len)
{
    size_t header = rtp_header_len(data, *len);
    if (!header || *len > INT32_MAX || *len - header < open->trailer_rtp) {
        return E_TRUNC;
    }
    return open_packet(open, get_u32(data + 8), data, len, srtp_unprotect);
}

int open_rtcp(struct srtp_open *open, uint8_t *data, size_t *len)
{
    if (*len < RTCP_HEADER_MIN + open->trailer_rtcp || *len > INT32_MAX) {
        return E_TRUNC;
    }
    return open_packet(open, get_u32(data + 4), data, len, srtp_unprotect_rtcp);
}
