/*
 * Passwords kept as Argon2id (RFC 9106) through libsodium: 64 MiB and two passes, about 60 ms.
 * Invariants: a hash says its own parameters; checking takes the same time whether or not the
 * person exists (password_check_nobody).
 * Out of scope: which passwords are good enough (signaling/people/account.h), how many tries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PASSWORD_HASH_MAX = 128 };

/* 0 or E_NOMEM. */
int password_hash(char out[PASSWORD_HASH_MAX], const char *password, size_t len);
bool password_check(const char *hash, const char *password, size_t len);
/* The work of a check for somebody who is not there; always false. */
bool password_check_nobody(const char *password, size_t len);
/* True when the hash was made with less work than one of today. */
bool password_is_old(const char *hash);
