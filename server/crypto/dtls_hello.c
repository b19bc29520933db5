#include "server/crypto/dtls_hello.h"

#include <stdbool.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"

enum {
    RECORD_HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    VERSION_DTLS_1_2 = 0xfefd,
    EXT_USE_SRTP = 14, /* RFC 5764 4.1 */
};

int dtls_fragment_next(struct dtls_fragment *out, const uint8_t *record, size_t len, size_t *at)
{
    struct rd r = rd_init(record + *at, len - *at);
    out->type = rd_u8(&r);
    out->length = rd_u24(&r);
    out->message_seq = rd_u16(&r);
    out->offset = rd_u24(&r);
    out->body_len = rd_u24(&r);
    out->body = rd_bytes(&r, out->body_len);
    if (r.bad || out->offset > out->length || out->body_len > out->length - out->offset) {
        return E_BAD;
    }
    *at += DTLS_MESSAGE_HEAD + (size_t)out->body_len;
    return 0;
}

void dtls_hello_clear(struct dtls_hello *hello)
{
    mem_free(hello->message);
    *hello = (struct dtls_hello){0};
}

static int hello_begin(struct dtls_hello *hello, uint32_t length)
{
    dtls_hello_clear(hello);
    size_t head = DTLS_RECORD_HEAD + DTLS_MESSAGE_HEAD;
    hello->message = mem_alloc(head + length + (length + 7) / 8);
    if (!hello->message) {
        return E_NOMEM;
    }
    hello->have = hello->message + head + length;
    hello->length = length;
    hello->missing = length;
    return 0;
}

int dtls_hello_add(struct dtls_hello *hello, const struct dtls_fragment *fragment)
{
    if (fragment->type != CLIENT_HELLO || fragment->message_seq != 0 || !fragment->length) {
        return E_BAD;
    }
    if (fragment->length > DTLS_HELLO_MAX) {
        return E_TOOBIG;
    }
    if (!hello->message || hello->length != fragment->length) {
        int err = hello_begin(hello, fragment->length);
        if (err) {
            return err;
        }
    }
    uint8_t *body = hello->message + DTLS_RECORD_HEAD + DTLS_MESSAGE_HEAD;
    for (uint32_t i = 0; i < fragment->body_len; i++) {
        uint32_t at = fragment->offset + i;
        uint8_t bit = (uint8_t)(1u << (at & 7));
        if (!(hello->have[at >> 3] & bit)) {
            hello->have[at >> 3] |= bit;
            body[at] = fragment->body[i];
            hello->missing--;
        }
    }
    return hello->missing == 0;
}

const uint8_t *dtls_hello_record(struct dtls_hello *hello, size_t *len)
{
    size_t total = DTLS_RECORD_HEAD + DTLS_MESSAGE_HEAD + hello->length;
    uint8_t *head = hello->message;
    uint8_t *message = head + DTLS_RECORD_HEAD;
    memset(head, 0, DTLS_RECORD_HEAD + DTLS_MESSAGE_HEAD); /* numbers and offset are 0 */
    head[0] = RECORD_HANDSHAKE;
    put_u16(head + 1, VERSION_DTLS_1_2);
    put_u16(head + 11, (uint16_t)(DTLS_MESSAGE_HEAD + hello->length));
    message[0] = CLIENT_HELLO;
    message[1] = (uint8_t)(hello->length >> 16);
    put_u16(message + 2, (uint16_t)hello->length);
    message[9] = message[1];
    put_u16(message + 10, (uint16_t)hello->length);
    *len = total;
    return hello->message;
}

/* ECDHE-ECDSA with AES-128-GCM or AES-256-GCM (RFC 5289), which everybody offers. */
static bool suites_ok(struct rd suites)
{
    bool ok = false;
    while (rd_left(&suites) >= 2) {
        uint16_t suite = rd_u16(&suites);
        ok = ok || suite == 0xc02b || suite == 0xc02c;
    }
    return ok;
}

/* Lower is better; our order decides, whatever the client's (slots.md: Chromium lists CM first). */
static enum srtp_profile better(enum srtp_profile a, uint16_t offered)
{
    static const enum srtp_profile order[] = {SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
                                              SRTP_AES128_CM_SHA1_80};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (a == order[i]) {
            return a;
        }
        if (offered == (uint16_t)order[i]) {
            return order[i];
        }
    }
    return a;
}

/* RFC 5764 4.1.1: profiles<2..2^16-1>, then an MKI, which we leave unused. */
static enum srtp_profile use_srtp_read(struct rd ext)
{
    enum srtp_profile best = SRTP_NONE;
    size_t list_len = rd_u16(&ext);
    struct rd list = rd_sub(&ext, list_len);
    while (rd_left(&list) >= 2) {
        best = better(best, rd_u16(&list));
    }
    return best;
}

int dtls_hello_read(const uint8_t *body, size_t len, uint8_t random[DTLS_RANDOM_LEN],
                    enum srtp_profile *profile)
{
    *profile = SRTP_NONE;
    struct rd r = rd_init(body, len);
    uint16_t version = rd_u16(&r); /* DTLS 1.3 says 1.2 here as well (RFC 9147 5.3) */
    const uint8_t *drawn = rd_bytes(&r, DTLS_RANDOM_LEN);
    rd_skip(&r, rd_u8(&r)); /* session_id */
    rd_skip(&r, rd_u8(&r)); /* cookie */
    size_t suites_len = rd_u16(&r);
    struct rd suites = rd_sub(&r, suites_len);
    rd_skip(&r, rd_u8(&r)); /* compression methods */
    size_t exts_len = rd_u16(&r);
    struct rd exts = rd_sub(&r, exts_len);
    if (r.bad) {
        return E_BAD;
    }
    /* Versions count downwards: 1.2 is 0xfefd, 1.0 is 0xfeff. */
    if (version > VERSION_DTLS_1_2) {
        return E_VERSION;
    }
    while (rd_left(&exts)) {
        uint16_t type = rd_u16(&exts);
        size_t ext_len = rd_u16(&exts);
        struct rd ext = rd_sub(&exts, ext_len);
        if (type == EXT_USE_SRTP && !ext.bad) {
            *profile = use_srtp_read(ext);
        }
    }
    if (exts.bad) {
        return E_BAD;
    }
    memcpy(random, drawn, DTLS_RANDOM_LEN);
    return *profile != SRTP_NONE && suites_ok(suites) ? 0 : E_UNSUPPORTED;
}
