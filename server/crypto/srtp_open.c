#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/crypto.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"

/*
 * Inbound SRTP. AES-GCM (RFC 7714) is ours, as for sealing: libsrtp2's contexts cost 17 KB a peer,
 * most of a viewer's memory, and ten times the time. AES-CM, which few still use, is libsrtp2's.
 *
 * The order is the same in both: look (lengths, index, replay window), authenticate, and only then
 * remember. A packet that fails leaves no SSRC, no window, no counter behind (S8).
 *
 * A viewer sends RTCP only, so the RTP key is prepared when the first RTP packet has proved itself;
 * until then, and for RTCP, the shard's scratch key does.
 */

enum {
    WORD_BITS = 64,
    RTP_WORDS = SRTP_REPLAY_WINDOW / WORD_BITS,
    RTCP_WORDS = 2,
    STREAMS_FIRST = 2, /* a viewer's own SSRC and one more; then it doubles up to the limit */
};

/* Bit b of the window is index top - b; bits are only set for authenticated packets. */
struct window {
    uint64_t top;
    bool any;
};

struct stream {
    uint32_t ssrc;
    struct window rtp;
    struct window rtcp;
    uint64_t rtp_seen[RTP_WORDS];
    uint64_t rtcp_seen[RTCP_WORDS];
};

struct srtp_open {
    struct crypto *crypto;
    struct open_cm *cm; /* NULL for AES-GCM */
    size_t trailer;     /* tag bytes */
    uint32_t key_len;
    uint32_t streams;
    uint32_t streams_cap;
    struct stream *stream;
    struct gcm_key *rtp;
    uint8_t rtp_key[32];
    uint8_t rtcp_key[32];
    uint8_t rtp_salt[SRTP_GCM_SALT];
    uint8_t rtcp_salt[SRTP_GCM_SALT];
};

/* ---- replay window (RFC 3711 3.3.2) -------------------------------------------------------------
 */

static bool bit_at(const uint64_t *seen, size_t words, uint64_t index)
{
    return seen[index / WORD_BITS % words] >> index % WORD_BITS & 1;
}

/* The window is a ring of bits indexed by the packet index itself: nothing is ever shifted. */
static int window_check(const struct window *w, const uint64_t *seen, size_t words, uint64_t index)
{
    if (!w->any || index > w->top) {
        return 0;
    }
    bool old = w->top - index >= words * WORD_BITS;
    return old || bit_at(seen, words, index) ? E_REPLAY : 0;
}

static void window_commit(struct window *w, uint64_t *seen, size_t words, uint64_t index)
{
    if (!w->any || index > w->top) {
        uint64_t ahead = w->any ? index - w->top : words * WORD_BITS;
        if (ahead >= words * WORD_BITS) {
            memset(seen, 0, words * sizeof(*seen));
        } else {
            for (uint64_t i = w->top + 1; i < index; i++) {
                seen[i / WORD_BITS % words] &= ~((uint64_t)1 << i % WORD_BITS);
            }
        }
        w->top = index;
        w->any = true;
    }
    seen[index / WORD_BITS % words] |= (uint64_t)1 << index % WORD_BITS;
}

/* RFC 3711 3.3.1: the roll-over counter that brings seq closest to the highest index so far.
 * E_REPLAY when that would be before the stream began. */
static int index_guess(const struct window *w, uint16_t seq, uint64_t *index)
{
    uint64_t roc = w->any ? w->top >> 16 : 0;
    int32_t ahead = w->any ? (int32_t)seq - (int32_t)(w->top & 0xffff) : 0;
    if (ahead > 0x8000) {
        if (roc == 0) {
            return E_REPLAY;
        }
        roc--;
    } else if (ahead < -0x8000) {
        roc++;
    }
    *index = roc << 16 | seq;
    return roc > UINT32_MAX ? E_LIMIT : 0; /* 2^48 packets: the key is used up */
}

/* ---- streams ------------------------------------------------------------------------------------
 */

static struct stream *stream_find(const struct srtp_open *open, uint32_t ssrc)
{
    for (uint32_t i = 0; i < open->streams; i++) {
        if (open->stream[i].ssrc == ssrc) {
            return &open->stream[i];
        }
    }
    return NULL;
}

/* Remembers an SSRC that has proved itself; NULL at the limit or without memory. */
static struct stream *stream_add(struct srtp_open *open, uint32_t ssrc)
{
    uint32_t max = open->crypto->config.ssrcs_max;
    if (open->streams == open->streams_cap) {
        uint32_t cap = open->streams_cap ? open->streams_cap * 2 : STREAMS_FIRST;
        cap = cap < max ? cap : max;
        struct stream *grown =
            open->streams < max ? mem_realloc(open->stream, cap * sizeof(*grown)) : NULL;
        if (!grown) {
            return NULL;
        }
        open->stream = grown;
        open->streams_cap = cap;
    }
    struct stream *stream = &open->stream[open->streams++];
    *stream = (struct stream){.ssrc = ssrc};
    return stream;
}

/* ---- AES-GCM ------------------------------------------------------------------------------------
 */

static int gcm_rtp(struct srtp_open *open, uint32_t ssrc, uint8_t *data, size_t header, size_t *len)
{
    static const struct window fresh;
    struct stream *stream = stream_find(open, ssrc);
    uint64_t index;
    int err = index_guess(stream ? &stream->rtp : &fresh,
                          (uint16_t)((unsigned)data[2] << 8 | data[3]), &index);
    if (!err && stream) {
        err = window_check(&stream->rtp, stream->rtp_seen, RTP_WORDS, index);
    } else if (!err && open->streams == open->crypto->config.ssrcs_max) {
        err = E_LIMIT;
    }
    if (err) {
        return err;
    }
    struct gcm_job job = {
        .aad = data,
        .aad_len = header,
        .body = data + header,
        .payload_len = *len - header - SRTP_GCM_TAG,
    };
    gcm_iv(job.iv, open->rtp_salt, data + 8, index);
    struct gcm_key *key =
        open->rtp ? open->rtp : gcm_key_scratch(open->crypto, open->rtp_key, open->key_len);
    if (!key || !gcm_open(key, &job)) {
        return E_AUTH;
    }
    if (!open->rtp) { /* a publisher after all; without memory the scratch key goes on serving */
        open->rtp = gcm_key_new(open->crypto, open->rtp_key, open->key_len);
    }
    stream = stream ? stream : stream_add(open, ssrc);
    if (!stream) {
        return E_LIMIT;
    }
    window_commit(&stream->rtp, stream->rtp_seen, RTP_WORDS, index);
    *len -= SRTP_GCM_TAG;
    return 0;
}

/* RFC 7714 9.2: ciphertext, tag, then E flag and index, of which the last is authenticated too. */
static int gcm_rtcp(struct srtp_open *open, uint32_t ssrc, uint8_t *data, size_t *len)
{
    struct stream *stream = stream_find(open, ssrc);
    const uint8_t *word = data + *len - SRTCP_INDEX_LEN;
    struct rd r = rd_init(word, SRTCP_INDEX_LEN);
    uint32_t index = rd_u32(&r);
    if (!(index & 0x80000000u)) {
        return E_AUTH; /* in the clear: nobody of ours sends that */
    }
    index &= 0x7fffffffu;
    int err = 0;
    if (stream) {
        err = window_check(&stream->rtcp, stream->rtcp_seen, RTCP_WORDS, index);
    } else if (open->streams == open->crypto->config.ssrcs_max) {
        err = E_LIMIT;
    }
    if (err) {
        return err;
    }
    uint8_t aad[RTCP_HEADER_MIN + SRTCP_INDEX_LEN];
    memcpy(aad, data, RTCP_HEADER_MIN);
    memcpy(aad + RTCP_HEADER_MIN, word, SRTCP_INDEX_LEN);
    struct gcm_job job = {
        .aad = aad,
        .aad_len = sizeof(aad),
        .body = data + RTCP_HEADER_MIN,
        .payload_len = *len - RTCP_HEADER_MIN - SRTP_GCM_TAG - SRTCP_INDEX_LEN,
    };
    gcm_iv(job.iv, open->rtcp_salt, data + 4, index);
    struct gcm_key *key = gcm_key_scratch(open->crypto, open->rtcp_key, open->key_len);
    if (!key || !gcm_open(key, &job)) {
        return E_AUTH;
    }
    stream = stream ? stream : stream_add(open, ssrc);
    if (!stream) {
        return E_LIMIT;
    }
    window_commit(&stream->rtcp, stream->rtcp_seen, RTCP_WORDS, index);
    *len -= SRTP_GCM_TAG + SRTCP_INDEX_LEN;
    return 0;
}

/* ---- both ---------------------------------------------------------------------------------------
 */

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

static uint32_t get_u32(const uint8_t *at)
{
    struct rd r = rd_init(at, 4);
    return rd_u32(&r);
}

int open_rtp(struct srtp_open *open, uint8_t *data, size_t *len)
{
    size_t header = rtp_header_len(data, *len);
    if (!header || *len > INT32_MAX || *len - header < open->trailer) {
        return E_TRUNC;
    }
    if (!open->trailer) {
        return 0; /* of a peer inside this process */
    }
    uint32_t ssrc = get_u32(data + 8);
    return open->cm ? open_cm_rtp(open->cm, ssrc, data, len)
                    : gcm_rtp(open, ssrc, data, header, len);
}

int open_rtcp(struct srtp_open *open, uint8_t *data, size_t *len)
{
    if (*len < RTCP_HEADER_MIN + open->trailer + SRTCP_INDEX_LEN || *len > INT32_MAX) {
        return E_TRUNC;
    }
    if (!open->trailer) {
        return E_STATE;
    }
    uint32_t ssrc = get_u32(data + 4);
    return open->cm ? open_cm_rtcp(open->cm, ssrc, data, len) : gcm_rtcp(open, ssrc, data, len);
}

static int gcm_keys_set(struct srtp_open *open, enum srtp_profile profile,
                        const struct srtp_key *key)
{
    struct srtp_session_keys rtp, rtcp;
    int err = srtp_derive(open->crypto, profile, key, &rtp, &rtcp);
    if (!err) {
        memcpy(open->rtp_key, rtp.key, sizeof(open->rtp_key));
        memcpy(open->rtcp_key, rtcp.key, sizeof(open->rtcp_key));
        memcpy(open->rtp_salt, rtp.salt, sizeof(open->rtp_salt));
        memcpy(open->rtcp_salt, rtcp.salt, sizeof(open->rtcp_salt));
    }
    OPENSSL_cleanse(&rtp, sizeof(rtp));
    OPENSSL_cleanse(&rtcp, sizeof(rtcp));
    return err;
}

struct srtp_open *open_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    struct crypto *crypto = arg;
    bool plain = profile == SRTP_NONE; /* a peer inside this process */
    struct srtp_open *open = plain || srtp_key_len(profile) ? mem_alloc(sizeof(*open)) : NULL;
    if (!open) {
        return NULL;
    }
    open->crypto = crypto;
    if (plain) {
        return open;
    }
    open->key_len = (uint32_t)srtp_key_len(profile);
    bool failed;
    if (profile == SRTP_AES128_CM_SHA1_80) {
        open->trailer = SRTP_CM_TAG;
        open->cm = open_cm_new(key, crypto->config.ssrcs_max);
        failed = !open->cm;
    } else {
        open->trailer = SRTP_GCM_TAG;
        failed = gcm_keys_set(open, profile, key) != 0;
    }
    if (failed) {
        open_free(open);
        return NULL;
    }
    return open;
}

void open_near(const struct srtp_open *open)
{
    enum { LINE = 64 };
    for (size_t at = 0; open->stream && at < sizeof(*open->stream); at += LINE) {
        __builtin_prefetch((const char *)open->stream + at);
    }
    if (open->rtp) {
        gcm_key_near(open->rtp);
    }
}

void open_free(struct srtp_open *open)
{
    if (open) {
        open_cm_free(open->cm);
        gcm_key_free(open->rtp);
        mem_free(open->stream);
        OPENSSL_cleanse(open, sizeof(*open));
        mem_free(open);
    }
}
