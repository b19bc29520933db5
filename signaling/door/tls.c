#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "signaling/door/state.h"

enum { PEM_MAX = 256 * 1024, WHY_MAX = 256, CHECK_EVERY_S = 24 * 3600, DAY_S = 24 * 3600 };

/* A certificate, its chain and its key, parsed. */
struct pair {
    X509 *cert;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

static void pair_fini(struct pair *pair)
{
    X509_free(pair->cert);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
}

/* Never asks on a terminal: a key with a passphrase is unusable for a server that restarts. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int read_pem(const char *path, const char *what, BIO **bio, char **data, char *why,
                    size_t cap)
{
    size_t len = 0;
    int err = path ? file_read(path, PEM_MAX, data, &len) : E_NOTFOUND;
    if (err) {
        (void)snprintf(why, cap, "cannot read the %s %s (%s): check the path and its permissions",
                       what, path ? path : "(none)", err_text(err));
        return err;
    }
    *bio = BIO_new_mem_buf(*data, (int)len);
    return *bio ? 0 : E_NOMEM;
}

static int read_chain(struct pair *pair, BIO *bio)
{
    pair->chain = sk_X509_new_null();
    pair->cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    if (!pair->cert || !pair->chain) {
        return E_BAD;
    }
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        if (!sk_X509_push(pair->chain, next)) {
            X509_free(next);
            return E_NOMEM;
        }
    }
    ERR_clear_error(); /* the end of the file counts as one */
    return 0;
}

static int pair_read(struct pair *pair, const struct door_config *config, char *why, size_t cap)
{
    char *cert_data = NULL;
    char *key_data = NULL;
    BIO *cert_bio = NULL;
    BIO *key_bio = NULL;
    int err = read_pem(config->cert_path, "certificate", &cert_bio, &cert_data, why, cap);
    err = err ? err : read_pem(config->key_path, "private key", &key_bio, &key_data, why, cap);
    if (err) {
        goto out;
    }
    err = read_chain(pair, cert_bio);
    if (err) {
        (void)snprintf(why, cap, "%s holds no PEM certificate", config->cert_path);
        goto out;
    }
    pair->key = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
    if (!pair->key) {
        err = E_BAD;
        (void)snprintf(why, cap, "%s holds no PEM private key without passphrase",
                       config->key_path);
    }
out:
    BIO_free(cert_bio);
    BIO_free(key_bio);
    if (key_data) {
        OPENSSL_cleanse(key_data, strlen(key_data));
    }
    mem_free(cert_data);
    mem_free(key_data);
    return err;
}

static int64_t expires(const X509 *cert)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm)) {
        return 0;
    }
    return (int64_t)timegm(&tm);
}

int tls_load(const struct door_config *config, struct ssl_ctx_st *ctx, int64_t *expires_s,
             char *why, size_t cap)
{
    struct pair pair = {0};
    SSL_CTX *probe = NULL;
    int err = pair_read(&pair, config, why, cap);
    if (err) {
        goto out;
    }
    /* The probe refuses what the real context would: a pair that does not match, weak keys. */
    probe = SSL_CTX_new(TLS_server_method());
    err = probe ? 0 : E_NOMEM;
    if (!err && SSL_CTX_use_cert_and_key(probe, pair.cert, pair.key, pair.chain, 1) != 1) {
        err = E_BAD;
        (void)snprintf(why, cap, "the private key %s does not belong to the certificate %s",
                       config->key_path, config->cert_path);
    }
    if (!err && ctx && SSL_CTX_use_cert_and_key(ctx, pair.cert, pair.key, pair.chain, 1) != 1) {
        err = E_BAD;
        (void)snprintf(why, cap, "OpenSSL refuses the certificate %s", config->cert_path);
    }
    if (!err && expires_s) {
        *expires_s = expires(pair.cert);
    }
out:
    SSL_CTX_free(probe);
    pair_fini(&pair);
    ERR_clear_error();
    return err;
}

int tls_setup(struct door *door, struct ssl_ctx_st *ctx)
{
    char why[WHY_MAX] = "";
    int64_t end = 0;
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    /* Tickets resume without memory here; a server-side cache would only be filled by strangers. */
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    if (SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        tls_load(&door->config, ctx, &end, why, sizeof(why))) {
        log_error("door", "certificate unusable", L_STR("why", why));
        return -1;
    }
    door->stats.value[DOOR_STAT_cert_expires_s] = (uint64_t)end;
    door->ssl_ctx[door->ssl_ctx_count++] = ctx;
    return 0;
}

void tls_reload(struct door *door)
{
    char why[WHY_MAX] = "";
    int64_t end = 0;
    if (!door->ssl_ctx_count) {
        return;
    }
    for (size_t i = 0; i < door->ssl_ctx_count; i++) {
        int err = tls_load(&door->config, door->ssl_ctx[i], &end, why, sizeof(why));
        if (err) {
            log_error("door", "new certificate refused, the old one stays", L_STR("why", why));
            return;
        }
    }
    door->stats.value[DOOR_STAT_cert_expires_s] = (uint64_t)end;
    door_count(door, DOOR_STAT_cert_reloads);
    door->cert_checked = 0;
    log_info("door", "certificate loaded", L_INT("expires_unix_s", end));
}

void tls_tick(struct door *door, mono_us now)
{
    int64_t end = (int64_t)door->stats.value[DOOR_STAT_cert_expires_s];
    if (!end || (door->cert_checked && now < door->cert_checked)) {
        return;
    }
    door->cert_checked = now + (mono_us)CHECK_EVERY_S * US_PER_S;
    int64_t left_s = end - clock_wall_ms() / 1000;
    int64_t days = left_s / DAY_S;
    if (left_s < 0) {
        log_error("door", "CERTIFICATE EXPIRED: browsers refuse to connect; replace it and SIGHUP",
                  L_INT("days_ago", -days));
    } else if (days < 1) {
        log_error("door", "certificate expires within a day", L_INT("hours", left_s / 3600));
    } else if (days < 7) {
        log_error("door", "certificate expires within 7 days", L_INT("days", days));
    } else if (days < 14) {
        log_warn("door", "certificate expires within 14 days", L_INT("days", days));
    }
}
