#include "server/crypto/dtls_client.h"
#include "server/crypto/internal.h"

#include <string.h>
#include <sys/time.h>

#include <openssl/err.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/crypto/dtls_io.h"

enum { RESEND_DEFAULT_US = 100 * US_PER_MS, MTU_MIN = 256, MTU_MAX = 1500, PROFILES_MAX = 4 };

struct dtls_client {
    SSL *ssl;
    struct dtls_io io;
    uint8_t fingerprint[32];
    uint32_t resend_us;
    enum dtls_state state;
    struct srtp_keys keys;
};

/* OpenSSL asks how long to wait: 0 = the first time, else double what it was. */
static unsigned int resend_time(SSL *ssl, unsigned int last_us)
{
    const struct dtls_client *client = SSL_get_app_data(ssl);
    return last_us ? last_us * 2 : client->resend_us;
}

static int client_profiles(struct dtls_client *client, const enum srtp_profile *profiles)
{
    char list[128] = "";
    size_t used = 0;
    for (int i = 0; i < PROFILES_MAX && profiles[i] != SRTP_NONE; i++) {
        const char *name = srtp_profile_name(profiles[i]);
        if (!name) {
            return E_RANGE;
        }
        int n = snprintf(list + used, sizeof(list) - used, "%s%s", used ? ":" : "", name);
        used += (size_t)n;
    }
    return used && SSL_set_tlsext_use_srtp(client->ssl, list) == 0 ? 0 : E_RANGE;
}

static int client_start(struct dtls_client *client, const struct dtls_client_config *config)
{
    client->ssl = SSL_new(config->identity->client_ctx);
    BIO *bio = client->ssl ? dtls_io_bio(&client->io) : NULL;
    if (!bio) {
        return E_NOMEM;
    }
    SSL_set_bio(client->ssl, bio, bio);
    SSL_set_app_data(client->ssl, client);
    SSL_set_mtu(client->ssl, config->mtu);
    DTLS_set_timer_cb(client->ssl, resend_time);
    SSL_set_connect_state(client->ssl);
    if (config->aes256 && SSL_set_cipher_list(client->ssl, "ECDHE-ECDSA-AES256-GCM-SHA384") != 1) {
        return E_UNSUPPORTED;
    }
    return client_profiles(client, config->profiles);
}

static int client_finish(struct dtls_client *client)
{
    if (peer_fingerprint_check(client->ssl, client->fingerprint) ||
        srtp_keys_export(client->ssl, &client->keys)) {
        client->state = DTLS_FAILED;
        return E_AUTH;
    }
    client->state = DTLS_DONE;
    SSL_free_buffers(client->ssl);
    return 0;
}

static int client_run(struct dtls_client *client)
{
    ERR_clear_error();
    int done = SSL_do_handshake(client->ssl);
    if (done == 1) {
        return client_finish(client);
    }
    if (SSL_get_error(client->ssl, done) == SSL_ERROR_WANT_READ) {
        return 0;
    }
    client->state = DTLS_FAILED;
    return E_BAD;
}

static int client_read(struct dtls_client *client)
{
    uint8_t ignored[64];
    ERR_clear_error();
    int got = SSL_read(client->ssl, ignored, sizeof(ignored));
    int why = SSL_get_error(client->ssl, got);
    if (got <= 0 && why != SSL_ERROR_WANT_READ) {
        client->state = DTLS_CLOSED;
    }
    return 0;
}

struct dtls_client *dtls_client_new(const struct dtls_client_config *config, mono_us now)
{
    (void)now;
    if (config->mtu < MTU_MIN || config->mtu > MTU_MAX) {
        return NULL;
    }
    struct dtls_client *client = mem_alloc(sizeof(*client));
    if (!client) {
        return NULL;
    }
    memcpy(client->fingerprint, config->fingerprint, sizeof(client->fingerprint));
    client->resend_us = config->resend_us ? config->resend_us : RESEND_DEFAULT_US;
    if (client_start(client, config) || client_run(client)) {
        dtls_client_free(client);
        return NULL;
    }
    return client;
}

void dtls_client_free(struct dtls_client *client)
{
    if (client) {
        SSL_free(client->ssl);
        dtls_io_clear(&client->io);
        OPENSSL_cleanse(client, sizeof(*client));
        mem_free(client);
    }
}

int dtls_client_input(struct dtls_client *client, const uint8_t *data, size_t len, mono_us now)
{
    (void)now;
    if (client->state != DTLS_HANDSHAKE && client->state != DTLS_DONE) {
        return E_STATE;
    }
    client->io.in = data;
    client->io.in_len = len;
    int err = client->state == DTLS_HANDSHAKE ? client_run(client) : client_read(client);
    client->io.in = NULL;
    return err;
}

size_t dtls_client_output(struct dtls_client *client, uint8_t *buf, size_t cap)
{
    return dtls_io_pop(&client->io, buf, cap);
}

void dtls_client_timer(struct dtls_client *client, mono_us now)
{
    (void)now;
    if (client->state == DTLS_HANDSHAKE && DTLSv1_handle_timeout(client->ssl) < 0) {
        client->state = DTLS_FAILED;
    }
}

mono_us dtls_client_deadline(const struct dtls_client *client, mono_us now)
{
    struct timeval left;
    if (client->state != DTLS_HANDSHAKE || DTLSv1_get_timeout(client->ssl, &left) != 1) {
        return MONO_NEVER;
    }
    return now + (mono_us)left.tv_sec * US_PER_S + left.tv_usec;
}

enum dtls_state dtls_client_state(const struct dtls_client *client)
{
    return client->state;
}

int dtls_client_keys(struct dtls_client *client, struct srtp_keys *out)
{
    if (client->state != DTLS_DONE) {
        return E_STATE;
    }
    *out = client->keys;
    return 0;
}

void dtls_client_close(struct dtls_client *client)
{
    if (client->state == DTLS_DONE) {
        ERR_clear_error();
        if (SSL_alloc_buffers(client->ssl) == 1) {
            (void)SSL_shutdown(client->ssl);
        }
        client->state = DTLS_CLOSED;
    }
}
