#include "tests/sim/fake_crypto.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtp_seq.h"

enum { TAG_LEN = 16, SSRCS_MAX = 64, WINDOW = 1024, RTCP_TRAILER = TAG_LEN + 4 };

static long live;

long fake_crypto_live(void)
{
    return live;
}

void fake_hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t out[20])
{
    struct hash_key k = {.k0 = hash_bytes(&(struct hash_key){1, 2}, key, key_len), .k1 = 7};
    for (unsigned i = 0; i < 3; i++) {
        k.k1 += i;
        uint64_t h = hash_bytes(&k, data, len);
        memcpy(out + (size_t)8 * i, &h, i < 2 ? 8 : 4);
    }
}

/* ---- handshake ---- */

struct dtls {
    uint8_t fingerprint[32];
    uint8_t got[32];
    unsigned halves;
    uint8_t out;
    bool said_bye;
    enum dtls_state state;
};

static struct dtls *dtls_new(void *arg, const uint8_t fingerprint[32], mono_us now)
{
    struct dtls *d = mem_alloc(sizeof(*d));
    (void)arg;
    (void)now;
    if (d) {
        live++;
        memcpy(d->fingerprint, fingerprint, 32);
    }
    return d;
}

static void dtls_free(struct dtls *d)
{
    live--;
    mem_free(d);
}

static int dtls_input(struct dtls *d, const uint8_t *data, size_t len, mono_us now)
{
    (void)now;
    if (len < 18) {
        return E_BAD;
    }
    switch (data[1]) {
    case FAKE_HELLO_1:
    case FAKE_HELLO_2:
        memcpy(d->got + (data[1] == FAKE_HELLO_2 ? 16 : 0), data + 2, 16);
        d->halves |= data[1];
        d->out = d->halves == 3 ? FAKE_SERVER_HELLO : 0;
        return 0;
    case FAKE_FINISHED:
        if (d->halves != 3 || memcmp(d->got, d->fingerprint, 32) != 0) {
            d->state = DTLS_FAILED;
            return E_AUTH;
        }
        d->state = DTLS_DONE;
        d->out = FAKE_SERVER_DONE;
        return 0;
    case FAKE_BYE:
        if (data[0] != FAKE_ALERT || d->state != DTLS_DONE || memcmp(data + 2, d->got, 16) != 0) {
            return E_AUTH;
        }
        d->state = DTLS_CLOSED;
        return 0;
    case FAKE_BROKEN:
        d->state = d->state == DTLS_DONE ? DTLS_DONE : DTLS_FAILED;
        return E_BAD;
    default:
        return E_BAD;
    }
}

static size_t dtls_output(struct dtls *d, uint8_t *buf, size_t cap)
{
    if (!d->out || cap < 18) {
        return 0;
    }
    memset(buf, 0, 18);
    buf[0] = FAKE_DTLS;
    buf[1] = d->out;
    d->out = 0;
    return 18;
}

static void dtls_timer(struct dtls *d, mono_us now)
{
    (void)d;
    (void)now;
}

static mono_us dtls_deadline(const struct dtls *d)
{
    (void)d;
    return MONO_NEVER;
}

static enum dtls_state dtls_state(const struct dtls *d)
{
    return d->state;
}

static void dtls_settle(struct dtls *d)
{
    (void)d;
}

static size_t dtls_bye(struct dtls *d, uint8_t *buf, size_t cap)
{
    if (d->said_bye || (d->state != DTLS_DONE && d->state != DTLS_CLOSED) || cap < 18) {
        return 0;
    }
    memset(buf, 0, 18);
    buf[0] = FAKE_ALERT;
    buf[1] = FAKE_SERVER_BYE;
    d->said_bye = true;
    return 18;
}

static int dtls_keys(struct dtls *d, struct srtp_keys *out)
{
    if (d->state != DTLS_DONE) {
        return E_STATE;
    }
    *out = (struct srtp_keys){.profile = SRTP_AEAD_AES_128_GCM};
    memcpy(out->client.key, d->fingerprint, 16);
    memcpy(out->server.key, d->fingerprint + 16, 16);
    return 0;
}

/* ---- SRTP ---- */

struct srtp_seal {
    struct hash_key key;
};

struct stream {
    uint32_t ssrc;
    int64_t top;
    uint64_t seen[WINDOW / 64];
};

struct srtp_open {
    struct hash_key key;
    uint32_t streams;
    int64_t rtcp_top;
    struct stream stream[SSRCS_MAX];
};

static struct hash_key key_of(const struct srtp_key *key)
{
    struct hash_key k;
    memcpy(&k, key->key, sizeof(k));
    return k;
}

static void cipher(const struct hash_key *key, uint8_t *data, size_t len, uint64_t index)
{
    uint8_t pad = (uint8_t)(key->k0 ^ index);
    for (size_t i = 0; i < len; i++) {
        data[i] ^= pad;
    }
}

static void tag(const struct hash_key *key, const uint8_t *data, size_t len, uint64_t index,
                uint8_t out[TAG_LEN])
{
    struct hash_key k = {.k0 = key->k0 ^ index, .k1 = key->k1};
    uint64_t h = hash_bytes(&k, data, len);
    memcpy(out, &h, 8);
    memset(out + 8, 0, 8);
}

static struct srtp_open *open_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    struct srtp_open *o = mem_alloc(sizeof(*o));
    (void)arg;
    (void)profile;
    if (o) {
        live++;
        o->key = key_of(key);
        o->rtcp_top = -1;
    }
    return o;
}

static void open_free(struct srtp_open *o)
{
    live--;
    mem_free(o);
}

static struct stream *stream_of(struct srtp_open *o, uint32_t ssrc)
{
    for (uint32_t i = 0; i < o->streams; i++) {
        if (o->stream[i].ssrc == ssrc) {
            return &o->stream[i];
        }
    }
    return NULL;
}

static bool replayed(struct stream *s, int64_t index)
{
    if (index > s->top) {
        for (int64_t i = s->top + 1; i <= index && i <= s->top + WINDOW; i++) {
            s->seen[(uint64_t)i % WINDOW / 64] &= ~(1ULL << ((uint64_t)i % 64));
        }
        s->top = index;
    } else if (index <= s->top - WINDOW) {
        return true;
    }
    uint64_t *word = &s->seen[(uint64_t)index % WINDOW / 64];
    uint64_t bit = 1ULL << ((uint64_t)index % 64);
    bool seen = (*word & bit) != 0;
    *word |= bit;
    return seen;
}

static int open_rtp(struct srtp_open *o, uint8_t *data, size_t *len)
{
    struct rtp_header hdr;
    uint8_t want[TAG_LEN];
    if (*len < RTP_HEADER_MIN + TAG_LEN) {
        return E_TRUNC;
    }
    size_t body = *len - TAG_LEN;
    uint8_t first = data[0];
    data[0] &= 0xdf; /* the padding count is still encrypted */
    int bad = rtp_parse(&hdr, data, body);
    data[0] = first;
    if (bad) {
        return E_AUTH;
    }
    struct stream *s = stream_of(o, hdr.ssrc);
    int64_t index = s ? rtp_unwrap(s->top, hdr.seq, 16) : (int64_t)hdr.seq;
    tag(&o->key, data, body, (uint64_t)index, want);
    if (index < 0 || memcmp(want, data + body, TAG_LEN) != 0) {
        return E_AUTH;
    }
    if (!s && o->streams == SSRCS_MAX) {
        return E_LIMIT;
    }
    if (!s) {
        s = &o->stream[o->streams++];
        *s = (struct stream){.ssrc = hdr.ssrc, .top = index - 1};
    }
    if (replayed(s, index)) {
        return E_REPLAY;
    }
    cipher(&o->key, data + hdr.header_len, body - hdr.header_len, (uint64_t)index);
    *len = body;
    return 0;
}

static int open_rtcp(struct srtp_open *o, uint8_t *data, size_t *len)
{
    uint8_t want[TAG_LEN];
    if (*len < 8 + RTCP_TRAILER) {
        return E_TRUNC;
    }
    size_t body = *len - RTCP_TRAILER;
    struct rd r = rd_init(data + body + TAG_LEN, 4);
    uint32_t index = rd_u32(&r);
    tag(&o->key, data, body, index, want);
    if (memcmp(want, data + body, TAG_LEN) != 0) {
        return E_AUTH;
    }
    if ((int64_t)index <= o->rtcp_top - 64) {
        return E_REPLAY;
    }
    o->rtcp_top = (int64_t)index > o->rtcp_top ? (int64_t)index : o->rtcp_top;
    cipher(&o->key, data + 8, body - 8, index);
    *len = body;
    return 0;
}

static struct srtp_seal *seal_new(void *arg, enum srtp_profile profile, const struct srtp_key *key)
{
    struct srtp_seal *s = mem_alloc(sizeof(*s));
    (void)arg;
    (void)profile;
    if (s) {
        live++;
        s->key = key_of(key);
    }
    return s;
}

static void seal_free(struct srtp_seal *s)
{
    live--;
    mem_free(s);
}

static size_t seal_rtp(struct srtp_seal *s, uint8_t *out, size_t header_len, size_t prefix_len,
                       const uint8_t *payload, size_t payload_len, uint64_t index)
{
    size_t body = header_len + prefix_len + payload_len;
    if (payload_len) {
        memcpy(out + header_len + prefix_len, payload, payload_len);
    }
    cipher(&s->key, out + header_len, prefix_len + payload_len, index);
    tag(&s->key, out, body, index, out + body);
    return body + TAG_LEN;
}

static size_t seal_rtcp(struct srtp_seal *s, uint8_t *data, size_t len, uint32_t index)
{
    struct wr w = wr_init(data + len + TAG_LEN, 4);
    cipher(&s->key, data + 8, len - 8, index);
    tag(&s->key, data, len, index, data + len);
    wr_u32(&w, index);
    return len + RTCP_TRAILER;
}

static void fingerprint(void *arg, uint8_t out[32])
{
    (void)arg;
    memset(out, 0x5a, 32);
}

struct crypto_ops fake_crypto_ops(void)
{
    return (struct crypto_ops){
        .dtls_new = dtls_new,
        .dtls_free = dtls_free,
        .dtls_input = dtls_input,
        .dtls_output = dtls_output,
        .dtls_timer = dtls_timer,
        .dtls_deadline = dtls_deadline,
        .dtls_state = dtls_state,
        .dtls_keys = dtls_keys,
        .dtls_settle = dtls_settle,
        .dtls_bye = dtls_bye,
        .open_new = open_new,
        .open_free = open_free,
        .open_rtp = open_rtp,
        .open_rtcp = open_rtcp,
        .seal_new = seal_new,
        .seal_free = seal_free,
        .seal_rtp = seal_rtp,
        .seal_rtcp = seal_rtcp,
        .hmac_sha1 = fake_hmac,
        .fingerprint = fingerprint,
    };
}
