#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/err.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "server/crypto/dtls_after.h"
#include "server/crypto/dtls_hello.h"
#include "server/crypto/dtls_io.h"

/*
 * The server side of one DTLS 1.2 handshake. OpenSSL does the cryptography; around it stands what
 * a media port on the open internet needs:
 *
 * - Records are read here first. OpenSSL gets a ClientHello only once it is whole and worth an
 *   answer, handshake messages only within bounds, and nothing that the state does not call for;
 *   so the memory of a handshake is bounded whatever is sent (S2).
 * - A handshake that goes wrong is discarded without a word and the next ClientHello starts anew;
 *   a plaintext alert means nothing (S1). When a ClientHello with another random arrives, both
 *   handshakes live side by side until one of them is finished, because either may be forged.
 * - Our flight is kept and sent again by our own deadlines: OpenSSL's timer reads the wall clock,
 *   which may jump (F16). Plaintext records are numbered on the way out, so that a copy is a new
 *   record (RFC 6347 4.2.4).
 * - The certificate is compared when the peer has proved to own it and before our Finished or a
 *   key leaves (S16). Then OpenSSL's object goes; dtls_after.h reads what may still come, and a
 *   repeated Finished gets our last flight again. Our close_notify is written before and kept.
 */

enum {
    LIFE_US = 10 * US_PER_S,          /* from the first byte to done, or dead */
    RESEND_FIRST_US = 75 * US_PER_MS, /* a school's round trip is shorter (design.md D3) */
    RESEND_MAX_US = 1200 * US_PER_MS,
    RIVALS = 2,
    RIVAL_GAP_US = 50 * US_PER_MS, /* between further ClientHellos: each costs us a signature */
    ATTEMPTS_FREE = 2,
    MESSAGE_MAX = 4096, /* a chain of certificates; browsers send 300 bytes */
    MESSAGE_SEQ_MAX = 4,
    REPEAT_GAP_US = 20 * US_PER_MS, /* between repetitions of our last flight */
    REPEATS_MAX = 32,
    EARLY_MAX = 8, /* encrypted records before the handshake is done: one Finished, repeated */
    BYE_MAX = 64,  /* an alert of AES-GCM is 39 bytes */

    RECORD_CCS = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    CLIENT_HELLO = 1,
};

struct session {
    SSL *ssl; /* NULL = slot is free */
    struct dtls_io io;
    uint8_t random[DTLS_RANDOM_LEN];
    uint8_t *flight; /* what we would have to send again, in the form of the queue */
    size_t flight_len;
    mono_us begun;
    mono_us resend_at;
    int32_t resend_us;
    uint8_t early;
    bool ccs;
};

struct dtls {
    struct crypto *crypto;
    uint8_t fingerprint[32];
    enum dtls_state state;
    bool started;
    mono_us started_at;
    mono_us attempt_at;
    uint32_t attempts;
    uint64_t record_seq; /* of the next plaintext record out */
    struct dtls_hello hello;
    struct session session[RIVALS];
    struct srtp_keys keys;
    struct dtls_after after; /* DTLS_DONE */
    mono_us repeated_at;
    uint8_t repeats;
    bool settled;         /* not counted any more */
    uint8_t bye[BYE_MAX]; /* our close_notify */
    uint8_t bye_len;      /* 0 once it was taken */
};

struct record {
    uint8_t type;
    uint16_t epoch;
    const uint8_t *whole; /* head included */
    size_t len;
};

static void session_drop(struct session *s)
{
    SSL_free(s->ssl);
    dtls_io_clear(&s->io);
    mem_free(s->flight);
    *s = (struct session){0};
}

static void drop_all_but(struct dtls *dtls, const struct session *keep)
{
    for (int i = 0; i < RIVALS; i++) {
        if (&dtls->session[i] != keep) {
            session_drop(&dtls->session[i]);
        }
    }
    dtls_hello_clear(&dtls->hello);
}

static int fail(struct dtls *dtls, int err)
{
    drop_all_but(dtls, NULL);
    dtls->state = DTLS_FAILED;
    return err;
}

struct dtls *dtls_new(void *arg, const uint8_t fingerprint[32], mono_us now)
{
    struct crypto *crypto = arg;
    (void)now;
    if (crypto->handshakes >= crypto->config.handshakes_max) {
        return NULL;
    }
    struct dtls *dtls = mem_alloc(sizeof(*dtls));
    if (dtls) {
        dtls->crypto = crypto;
        memcpy(dtls->fingerprint, fingerprint, sizeof(dtls->fingerprint));
        crypto->handshakes++;
    }
    return dtls;
}

void dtls_free(struct dtls *dtls)
{
    if (dtls) {
        drop_all_but(dtls, NULL);
        dtls->crypto->handshakes -= !dtls->settled;
        OPENSSL_cleanse(dtls, sizeof(*dtls));
        mem_free(dtls);
    }
}

/* Keeps what is in the queue, to send it again. */
static int flight_keep(struct session *s)
{
    size_t len = s->io.out_tail - s->io.out_head;
    mem_free(s->flight);
    s->flight = len ? mem_dup(s->io.out + s->io.out_head, len) : NULL;
    s->flight_len = s->flight ? len : 0;
    return s->flight ? 0 : E_LIMIT;
}

static void flight_send(struct session *s)
{
    size_t at = 0;
    while (at + DTLS_IO_HEAD <= s->flight_len) {
        size_t len = (size_t)s->flight[at] << 8 | s->flight[at + 1];
        dtls_io_push(&s->io, s->flight + at + DTLS_IO_HEAD, len);
        at += DTLS_IO_HEAD + len;
    }
}

/* Has OpenSSL write our close_notify, behind what waits to be sent, and takes it out again. */
static int bye_keep(struct dtls *dtls, struct session *s)
{
    size_t at = s->io.out_tail;
    (void)SSL_shutdown(s->ssl);
    if (s->io.out_tail <= at + DTLS_IO_HEAD || s->io.out_tail - at - DTLS_IO_HEAD > BYE_MAX) {
        return E_LIMIT;
    }
    dtls->bye_len = (uint8_t)(s->io.out_tail - at - DTLS_IO_HEAD);
    memcpy(dtls->bye, s->io.out + at + DTLS_IO_HEAD, dtls->bye_len);
    s->io.out_tail = at;
    return 0;
}

static int session_finish(struct dtls *dtls, struct session *s, mono_us now)
{
    if (peer_fingerprint_check(s->ssl, dtls->fingerprint)) {
        return fail(dtls, E_AUTH);
    }
    if (srtp_keys_export(s->ssl, &dtls->keys) ||
        dtls_after_init(&dtls->after, dtls->crypto, s->ssl) || flight_keep(s) ||
        bye_keep(dtls, s)) {
        OPENSSL_cleanse(&dtls->keys, sizeof(dtls->keys));
        return fail(dtls, E_LIMIT);
    }
    drop_all_but(dtls, s);
    SSL_free(s->ssl);
    s->ssl = NULL;
    dtls->state = DTLS_DONE;
    dtls->repeated_at = now;
    return 0;
}

/* Lets OpenSSL work on one record. 0, E_BAD (the session is gone) or E_AUTH, E_LIMIT (the handshake
 * is over). */
static int session_run(struct dtls *dtls, struct session *s, const uint8_t *record, size_t len,
                       mono_us now)
{
    s->io.in = record;
    s->io.in_len = len;
    ERR_clear_error();
    int done = SSL_accept(s->ssl);
    s->io.in = NULL;
    if (done == 1) {
        return session_finish(dtls, s, now);
    }
    if (SSL_get_error(s->ssl, done) == SSL_ERROR_WANT_READ) {
        return 0;
    }
    session_drop(s); /* with its alert: nobody is told */
    return E_BAD;
}

static struct session *session_slot(struct dtls *dtls)
{
    struct session *slot = NULL;
    for (int i = 0; i < RIVALS; i++) {
        struct session *s = &dtls->session[i];
        if (!s->ssl) {
            return s;
        }
        if (!s->ccs && (!slot || s->begun < slot->begun)) {
            slot = s;
        }
    }
    if (slot) {
        session_drop(slot);
    }
    return slot;
}

static int session_open(struct dtls *dtls, struct session *s)
{
    s->ssl = SSL_new(dtls->crypto->server_ctx);
    BIO *bio = s->ssl ? dtls_io_bio(&s->io) : NULL;
    if (!bio) {
        session_drop(s);
        return E_LIMIT;
    }
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_mtu(s->ssl, DTLS_DATAGRAM_MAX);
    return 0;
}

/* A whole ClientHello: starts a session for it unless it is one we answer already. */
static int hello_whole(struct dtls *dtls, mono_us now)
{
    size_t len = 0;
    const uint8_t *record = dtls_hello_record(&dtls->hello, &len);
    size_t head = DTLS_RECORD_HEAD + DTLS_MESSAGE_HEAD;
    uint8_t random[DTLS_RANDOM_LEN];
    enum srtp_profile profile;
    if (dtls_hello_read(record + head, len - head, random, &profile)) {
        return E_BAD;
    }
    for (int i = 0; i < RIVALS; i++) {
        if (dtls->session[i].ssl && !memcmp(dtls->session[i].random, random, sizeof(random))) {
            return 0;
        }
    }
    if (dtls->attempts >= ATTEMPTS_FREE && now - dtls->attempt_at < RIVAL_GAP_US) {
        return E_LIMIT;
    }
    struct session *s = session_slot(dtls);
    if (!s || session_open(dtls, s)) {
        return E_LIMIT;
    }
    dtls->attempts++;
    dtls->attempt_at = now;
    memcpy(s->random, random, sizeof(random));
    s->begun = now;
    s->resend_us = RESEND_FIRST_US;
    s->resend_at = now + RESEND_FIRST_US;
    int err = session_run(dtls, s, record, len, now);
    return err ? err : flight_keep(s);
}

static int hello_input(struct dtls *dtls, const struct dtls_fragment *fragment, mono_us now)
{
    int whole = dtls_hello_add(&dtls->hello, fragment);
    if (whole == 1) {
        whole = hello_whole(dtls, now);
        dtls_hello_clear(&dtls->hello);
    }
    return whole == E_TOOBIG || whole == E_NOMEM ? E_LIMIT : whole;
}

/* Feeds every live session: only one of them can make sense of it. 0 when one did. */
static int sessions_run(struct dtls *dtls, const struct record *record, mono_us now)
{
    int result = E_BAD;
    for (int i = 0; i < RIVALS && dtls->state == DTLS_HANDSHAKE; i++) {
        struct session *s = &dtls->session[i];
        if (!s->ssl) {
            continue;
        }
        if (record->epoch) {
            if (!s->ccs || s->early >= EARLY_MAX) {
                continue;
            }
            s->early++;
        }
        s->ccs = s->ccs || record->type == RECORD_CCS;
        int err = session_run(dtls, s, record->whole, record->len, now);
        if (dtls->state == DTLS_FAILED) {
            return err;
        }
        result = err ? result : 0;
    }
    return result;
}

/* Plaintext handshake messages: ClientHello fragments are gathered here, others pass in bounds. */
static int handshake_input(struct dtls *dtls, const struct record *record, mono_us now)
{
    size_t at = DTLS_RECORD_HEAD;
    bool hello = false;
    while (at < record->len) {
        struct dtls_fragment fragment;
        if (dtls_fragment_next(&fragment, record->whole, record->len, &at)) {
            return E_BAD;
        }
        if (fragment.type == CLIENT_HELLO) {
            hello = true;
            int err = hello_input(dtls, &fragment, now);
            if (err) {
                return err;
            }
        } else if (hello || fragment.message_seq == 0 || fragment.message_seq > MESSAGE_SEQ_MAX) {
            return E_BAD;
        } else if (fragment.length > MESSAGE_MAX) {
            return E_LIMIT;
        }
    }
    return hello ? 0 : sessions_run(dtls, record, now);
}

static int record_input(struct dtls *dtls, const struct record *record, mono_us now)
{
    if (record->epoch > 1) {
        return E_BAD;
    }
    if (record->epoch == 0) {
        switch (record->type) {
        case RECORD_HANDSHAKE:
            return handshake_input(dtls, record, now);
        case RECORD_CCS:
            return sessions_run(dtls, record, now);
        default:
            return E_BAD; /* plaintext alerts above all: anybody can write one */
        }
    }
    return sessions_run(dtls, record, now);
}

static int done_input(struct dtls *dtls, const struct record *record, mono_us now)
{
    if (record->epoch == 0) { /* the flight before, once more, or something forged */
        return record->type == RECORD_HANDSHAKE || record->type == RECORD_CCS ? 0 : E_BAD;
    }
    switch (dtls_after_read(dtls->crypto, &dtls->after, record->whole, record->len)) {
    case DTLS_AFTER_CLOSE:
        drop_all_but(dtls, NULL);
        dtls->state = DTLS_CLOSED;
        return 0;
    case DTLS_AFTER_FINISHED:
        if (now - dtls->repeated_at >= REPEAT_GAP_US && dtls->repeats < REPEATS_MAX) {
            dtls->repeated_at = now;
            dtls->repeats++;
            flight_send(dtls->session[0].flight ? &dtls->session[0] : &dtls->session[1]);
        }
        return 0;
    case DTLS_AFTER_NOTHING:
        break;
    }
    return E_BAD;
}

static int record_next(struct record *out, struct rd *r)
{
    const uint8_t *whole = r->p;
    out->type = rd_u8(r);
    uint16_t version = rd_u16(r);
    out->epoch = rd_u16(r);
    rd_skip(r, 6); /* sequence number */
    size_t len = rd_u16(r);
    rd_skip(r, len);
    out->whole = whole;
    out->len = DTLS_RECORD_HEAD + len;
    return r->bad || version >> 8 != 0xfe ? E_BAD : 0;
}

int dtls_input(struct dtls *dtls, const uint8_t *data, size_t len, mono_us now)
{
    dtls_timer(dtls, now);
    struct rd r = rd_init(data, len);
    int result = len ? 0 : E_BAD;
    while (rd_left(&r)) {
        struct record record;
        if (record_next(&record, &r)) {
            return E_BAD;
        }
        int err = E_BAD;
        if (dtls->state == DTLS_HANDSHAKE) {
            if (!dtls->started) {
                dtls->started = true;
                dtls->started_at = now;
            }
            err = record_input(dtls, &record, now);
        } else if (dtls->state == DTLS_DONE) {
            err = done_input(dtls, &record, now);
        }
        result = result ? result : err;
    }
    return result;
}

/* Gives the plaintext records of a datagram numbers of their own. */
static void renumber(struct dtls *dtls, uint8_t *datagram, size_t len)
{
    struct rd r = rd_init(datagram, len);
    struct record record;
    while (rd_left(&r) && !record_next(&record, &r)) {
        if (record.epoch == 0) {
            uint8_t *at = datagram + (record.whole - datagram) + 5;
            put_u16(at, (uint16_t)(dtls->record_seq >> 32));
            put_u32(at + 2, (uint32_t)dtls->record_seq);
            dtls->record_seq++;
        }
    }
}

size_t dtls_output(struct dtls *dtls, uint8_t *buf, size_t cap)
{
    size_t len = 0;
    for (int i = 0; i < RIVALS && !len; i++) {
        len = dtls_io_pop(&dtls->session[i].io, buf, cap);
    }
    renumber(dtls, buf, len);
    return len;
}

static void session_resend(struct session *s, mono_us now)
{
    flight_send(s);
    s->resend_us = s->resend_us * 2 < RESEND_MAX_US ? s->resend_us * 2 : RESEND_MAX_US;
    s->resend_at = now + s->resend_us;
}

void dtls_timer(struct dtls *dtls, mono_us now)
{
    if (dtls->state != DTLS_HANDSHAKE || !dtls->started) {
        return;
    }
    if (now - dtls->started_at >= LIFE_US) {
        fail(dtls, E_EXPIRED);
        return;
    }
    for (int i = 0; i < RIVALS; i++) {
        struct session *s = &dtls->session[i];
        if (s->ssl && now >= s->resend_at) {
            session_resend(s, now);
        }
    }
}

mono_us dtls_deadline(const struct dtls *dtls)
{
    if (dtls->state != DTLS_HANDSHAKE || !dtls->started) {
        return MONO_NEVER;
    }
    mono_us deadline = dtls->started_at + LIFE_US;
    for (int i = 0; i < RIVALS; i++) {
        if (dtls->session[i].ssl) {
            deadline = mono_min(deadline, dtls->session[i].resend_at);
        }
    }
    return deadline;
}

enum dtls_state dtls_state_of(const struct dtls *dtls)
{
    return dtls->state;
}

void dtls_settle(struct dtls *dtls)
{
    if (dtls->state == DTLS_DONE && !dtls->settled) {
        drop_all_but(dtls, NULL);
        OPENSSL_cleanse(&dtls->keys, sizeof(dtls->keys));
        dtls->settled = true;
        dtls->crypto->handshakes--;
    }
}

size_t dtls_bye(struct dtls *dtls, uint8_t *buf, size_t cap)
{
    size_t len = dtls->bye_len;
    if (len > cap || (dtls->state != DTLS_DONE && dtls->state != DTLS_CLOSED)) {
        return 0;
    }
    memcpy(buf, dtls->bye, len);
    dtls->bye_len = 0;
    return len;
}

int dtls_keys(struct dtls *dtls, struct srtp_keys *out)
{
    if (dtls->state != DTLS_DONE || dtls->settled) {
        return E_STATE;
    }
    *out = dtls->keys;
    return 0;
}
