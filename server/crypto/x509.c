#include "server/crypto/x509.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"

/* "DNS:a,IP:b" out of "a,b". */
static int alt_names(char *out, size_t cap, const char *names)
{
    size_t len = 0;
    for (const char *p = names; *p;) {
        char name[256];
        struct addr parsed;
        size_t n = strcspn(p, ",");
        if (!n || n >= sizeof(name) ||
            strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_*") < n) {
            return E_BAD;
        }
        memcpy(name, p, n);
        name[n] = '\0';
        int wrote = snprintf(out + len, cap - len, "%s%s:%s", len ? "," : "",
                             addr_parse(&parsed, name) ? "DNS" : "IP", name);
        if (wrote < 0 || (size_t)wrote >= cap - len) {
            return E_RANGE;
        }
        len += (size_t)wrote;
        p += n + (p[n] == ',');
    }
    return len ? 0 : E_BAD;
}

static int add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    int ok = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok ? 0 : E_NOMEM;
}

static int set_serial(X509 *cert)
{
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return E_IO;
    }
    bytes[0] &= 0x7f; /* RFC 5280 4.1.2.2: positive, at most 20 bytes */
    BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
    int ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return ok ? 0 : E_NOMEM;
}

static int fill(X509 *cert, EVP_PKEY *key, const char *names, unsigned days)
{
    char alt[2048];
    char common[65]; /* RFC 5280 appendix A.1: ub-common-name 64 */
    union {
        char *text;
        unsigned char *bytes;
    } name = {.text = common};
    int err = alt_names(alt, sizeof(alt), names);
    if (err) {
        return err;
    }
    snprintf(common, sizeof(common), "%.*s", (int)strcspn(names, ","), names);
    X509_NAME *subject = X509_get_subject_name(cert);
    err = set_serial(cert);
    if (err) {
        return err;
    }
    if (!X509_set_version(cert, 2) ||
        !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name.bytes, -1, -1, 0) ||
        !X509_set_issuer_name(cert, subject) || !X509_set_pubkey(cert, key) ||
        !X509_gmtime_adj(X509_getm_notBefore(cert), -86400L) ||
        !X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * (long)days)) {
        return E_NOMEM;
    }
    err = add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
    err = err ? err : add_extension(cert, NID_key_usage, "critical,digitalSignature");
    err = err ? err : add_extension(cert, NID_ext_key_usage, "serverAuth");
    err = err ? err : add_extension(cert, NID_subject_alt_name, alt);
    return err ? err : (X509_sign(cert, key, EVP_sha256()) ? 0 : E_NOMEM);
}

static int bio_text(BIO *bio, char out[X509_PEM_MAX])
{
    int len = BIO_read(bio, out, X509_PEM_MAX - 1);
    if (len <= 0 || BIO_pending(bio)) {
        return E_RANGE;
    }
    out[len] = '\0';
    return 0;
}

int x509_self_signed(const char *names, unsigned days, char cert[X509_PEM_MAX],
                     char key[X509_PEM_MAX])
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem());
    int err = pkey && x && cert_bio && key_bio ? 0 : E_NOMEM;
    if (!err && (!days || days > 36500)) {
        err = E_RANGE;
    }
    err = err ? err : fill(x, pkey, names, days);
    if (!err && (!PEM_write_bio_X509(cert_bio, x) ||
                 !PEM_write_bio_PrivateKey(key_bio, pkey, NULL, NULL, 0, NULL, NULL))) {
        err = E_NOMEM;
    }
    err = err ? err : bio_text(cert_bio, cert);
    err = err ? err : bio_text(key_bio, key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return err;
}

static wall_ms asn1_wall(const ASN1_TIME *at)
{
    struct tm tm;
    if (!at || !ASN1_TIME_to_tm(at, &tm)) {
        return 0;
    }
    return (wall_ms)timegm(&tm) * 1000;
}

static int say(char *why, size_t cap, int err, const char *text)
{
    snprintf(why, cap, "%s", text);
    return err;
}

int x509_check(const char *cert, size_t cert_len, const char *key, size_t key_len,
               struct x509_info *info, char *why, size_t why_cap)
{
    int err = 0;
    memset(info, 0, sizeof(*info));
    if (cert_len > INT32_MAX || key_len > INT32_MAX) {
        return say(why, why_cap, E_RANGE, "too large");
    }
    BIO *cert_bio = BIO_new_mem_buf(cert, (int)cert_len);
    BIO *key_bio = BIO_new_mem_buf(key, (int)key_len);
    X509 *x = cert_bio ? PEM_read_bio_X509(cert_bio, NULL, NULL, NULL) : NULL;
    /* An empty passphrase instead of a prompt: nobody sits at the terminal of a server. */
    EVP_PKEY *pkey = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, (char[]){""}) : NULL;
    if (!x) {
        err = say(why, why_cap, E_BAD, "the certificate is not PEM");
    } else if (!pkey) {
        err = say(why, why_cap, E_BAD, "the key is not PEM, or has a passphrase");
    } else if (X509_check_private_key(x, pkey) != 1) {
        err = say(why, why_cap, E_AUTH, "the key belongs to another certificate");
    } else {
        info->not_before = asn1_wall(X509_get0_notBefore(x));
        info->not_after = asn1_wall(X509_get0_notAfter(x));
        if (X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, info->subject,
                                      sizeof(info->subject)) < 0) {
            info->subject[0] = '\0';
        }
    }
    BIO_free(cert_bio);
    BIO_free(key_bio);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return err;
}
