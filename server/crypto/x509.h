/*
 * Certificates of the HTTP door (RFC 5280): a self-signed one for a first start, a check of the
 * pair an administrator gives.
 * Invariants: keys made here are ECDSA P-256 (SHA-256), never written by this file.
 * Out of scope: the media server's identity (crypto.h), serving TLS (signaling/door).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { X509_PEM_MAX = 4096 };

/*
 * Makes a key and a certificate for the comma-separated names ("localhost,192.0.2.1"; addresses
 * become IP entries), valid from a day before now for days. Both PEM texts get a NUL.
 * 0, E_BAD (a name that cannot stand in a certificate), E_RANGE, E_NOMEM.
 */
int x509_self_signed(const char *names, unsigned days, char cert[X509_PEM_MAX],
                     char key[X509_PEM_MAX]);

struct x509_info {
    wall_ms not_before;
    wall_ms not_after;
    char subject[128]; /* common name or first alternative name; may be empty */
};

/*
 * Reads a certificate chain and its key (PEM). 0 with *info of the first certificate; E_BAD when
 * one cannot be read, E_AUTH when the key belongs to another certificate; why = one phrase.
 */
int x509_check(const char *cert, size_t cert_len, const char *key, size_t key_len,
               struct x509_info *info, char *why, size_t why_cap);
