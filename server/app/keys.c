#include "server/app/keys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/crypto/x509.h"

enum { SELF_SIGNED_DAYS = 397, PEM_FILE_MAX = 256 * 1024 };
#define WEEK_MS (7LL * 86400 * 1000)

static int file_problem(const char *what, const char *path, int err, char *why, size_t why_cap)
{
    const char *cause = err_text(err);
    if (errno && (err == E_IO || err == E_DENIED || err == E_NOTFOUND || err == E_FULL)) {
        cause = strerror(errno);
    }
    snprintf(why, why_cap, "%s: %.400s: %s", what, path, cause);
    return err;
}

int keys_secret(const struct paths *paths, const struct config *config, uint8_t out[TOKEN_KEY_LEN],
                char *why, size_t why_cap)
{
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    if (*config->auth_secret) {
        token_digest(out, config->auth_secret, strlen(config->auth_secret));
        return 0;
    }
    paths_in(paths, "keys/secret", path);
    int err = file_read(path, 256, &text, &len);
    if (err == E_NOTFOUND) {
        char hex[2 * TOKEN_KEY_LEN + 2];
        token_key_new(out);
        text_hex(hex, out, TOKEN_KEY_LEN);
        hex[sizeof(hex) - 2] = '\n';
        err = file_write_atomic(path, hex, sizeof(hex) - 1, 0600);
        token_wipe(hex, sizeof(hex));
        return err ? file_problem("cannot write the signing key", path, err, why, why_cap) : 0;
    }
    if (err) {
        return file_problem("cannot read the signing key", path, err, why, why_cap);
    }
    if (text_unhex(out, TOKEN_KEY_LEN, text, strcspn(text, "\r\n"))) {
        snprintf(why, why_cap,
                 "%.400s: must hold 64 hex digits: put the file back from a backup, or remove it "
                 "and all links given out become invalid",
                 path);
        err = E_BAD;
    }
    token_wipe(text, len);
    mem_free(text);
    return err;
}

static int make_pair(const char *cert_path, const char *key_path, char *why, size_t why_cap)
{
    char cert[X509_PEM_MAX];
    char key[X509_PEM_MAX];
    char host[128] = "";
    char names[256];
    (void)gethostname(host, sizeof(host) - 1);
    snprintf(names, sizeof(names), "localhost%s%s,127.0.0.1,::1", *host ? "," : "", host);
    int err = x509_self_signed(names, SELF_SIGNED_DAYS, cert, key);
    if (err == E_BAD) { /* a host name that fits no certificate */
        err = x509_self_signed("localhost,127.0.0.1,::1", SELF_SIGNED_DAYS, cert, key);
    }
    if (err) {
        snprintf(why, why_cap, "cannot make a certificate: %s", err_text(err));
        return err;
    }
    errno = 0;
    err = file_write_atomic(key_path, key, strlen(key), 0600);
    token_wipe(key, sizeof(key));
    err = err ? err : file_write_atomic(cert_path, cert, strlen(cert), 0644);
    return err ? file_problem("cannot write the certificate", cert_path, err, why, why_cap) : 0;
}

static int read_pair(struct keys_pair *pair, const char *key_path, struct x509_info *info,
                     char *why, size_t why_cap)
{
    char phrase[128];
    errno = 0;
    int err = file_read(pair->cert_path, PEM_FILE_MAX, &pair->cert, &pair->cert_len);
    if (err) {
        return file_problem("tls.cert", pair->cert_path, err, why, why_cap);
    }
    err = file_read(key_path, PEM_FILE_MAX, &pair->key, &pair->key_len);
    if (err) {
        return file_problem("tls.key", key_path, err, why, why_cap);
    }
    err = x509_check(pair->cert, pair->cert_len, pair->key, pair->key_len, info, phrase,
                     sizeof(phrase));
    if (err) {
        snprintf(why, why_cap, "tls.cert: %.400s: %s", pair->cert_path, phrase);
    }
    return err;
}

int keys_pair_load(struct keys_pair *pair, const struct paths *paths, const struct config *config,
                   char *why, size_t why_cap)
{
    char key_path[PATHS_MAX];
    struct x509_info info;
    bool ours = !*config->tls_cert;
    memset(pair, 0, sizeof(*pair));
    if (ours) {
        paths_in(paths, "keys/tls.crt", pair->cert_path);
        paths_in(paths, "keys/tls.key", key_path);
    } else {
        snprintf(pair->cert_path, sizeof(pair->cert_path), "%s", config->tls_cert);
        snprintf(key_path, sizeof(key_path), "%s", config->tls_key);
    }
    int err = read_pair(pair, key_path, &info, why, why_cap);
    bool stale = !err && info.not_after < clock_wall_ms() + WEEK_MS;
    if (ours && (err == E_NOTFOUND || stale)) {
        keys_pair_fini(pair);
        paths_in(paths, "keys/tls.crt", pair->cert_path);
        err = make_pair(pair->cert_path, key_path, why, why_cap);
        err = err ? err : read_pair(pair, key_path, &info, why, why_cap);
    }
    pair->not_after = err ? 0 : info.not_after;
    if (err) {
        keys_pair_fini(pair);
    }
    return err;
}

void keys_pair_fini(struct keys_pair *pair)
{
    if (pair->key) {
        token_wipe(pair->key, pair->key_len);
    }
    mem_free(pair->key);
    mem_free(pair->cert);
    memset(pair, 0, sizeof(*pair));
}
