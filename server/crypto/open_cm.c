#include "server/crypto/internal.h"

#include <pthread.h>
#include <string.h>

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

/*
 * Inbound AES-CM with HMAC-SHA1 through libsrtp2. It looks at an index, authenticates, and only
 * then makes a stream or moves a replay window, so a forged packet leaves no trace (S8). Lengths
 * were checked before (srtp_open.c); the SSRCs that have proved themselves are counted here, so
 * that one peer cannot make streams without end (S11).
 */

struct open_cm {
    srtp_t session;
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

struct open_cm *open_cm_new(const struct srtp_key *key, uint32_t ssrcs_max)
{
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_any_inbound},
        .window_size = SRTP_REPLAY_WINDOW,
    };
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    struct open_cm *open = mem_alloc(sizeof(*open) + ssrcs_max * sizeof(uint32_t));
    if (!open) {
        return NULL;
    }
    uint8_t material[16 + 14]; /* key, then salt */
    memcpy(material, key->key, 16);
    memcpy(material + 16, key->salt, 14);
    policy.key = material;
    open->ssrcs_max = ssrcs_max;
    srtp_err_status_t status = srtp_create(&open->session, &policy);
    OPENSSL_cleanse(material, sizeof(material));
    if (status != srtp_err_status_ok) {
        mem_free(open);
        return NULL;
    }
    return open;
}

void open_cm_free(struct open_cm *open)
{
    if (open) {
        srtp_dealloc(open->session);
        mem_free(open);
    }
}

static bool ssrc_known(const struct open_cm *open, uint32_t ssrc)
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
static int open_packet(struct open_cm *open, uint32_t ssrc, uint8_t *data, size_t *len,
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

int open_cm_rtp(struct open_cm *open, uint32_t ssrc, uint8_t *data, size_t *len)
{
    return open_packet(open, ssrc, data, len, srtp_unprotect);
}

int open_cm_rtcp(struct open_cm *open, uint32_t ssrc, uint8_t *data, size_t *len)
{
    return open_packet(open, ssrc, data, len, srtp_unprotect_rtcp);
}
