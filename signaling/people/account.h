/*
 * The rules of accounts: how a mail address is compared, which passwords are good enough, and how
 * the session stands in a Cookie header.
 *
 *   __Host-amphi=<43 characters of base64url = 256 random bits>
 *
 * Invariants: only the whole, exact cookie counts; two of them are none (a page of a neighbouring
 * host cannot plant a second one).
 * Out of scope: hashing (codec/sys/password.h), keeping (signaling/store/people.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    ACCOUNT_MAIL_MAX = 254,
    ACCOUNT_NAME_MAX = 80, /* characters */
    ACCOUNT_PASSWORD_MIN = 10,
    ACCOUNT_PASSWORD_MAX = 256, /* bytes */
    ACCOUNT_TOKEN_BYTES = 32,
    ACCOUNT_TOKEN_TEXT = 43,
};

#define ACCOUNT_COOKIE "__Host-amphi"

/* Trims and lowers an address into out. 0 or E_BAD. */
int account_mail(char out[ACCOUNT_MAIL_MAX + 1], const char *text);
/* 1 to 80 characters of well-formed text without control characters, not only blanks. */
bool account_name_ok(const char *text);
/* 0; E_TRUNC too short, E_TOOBIG too long, E_BAD too easy (the address, one character repeated, a
 * row of the keyboard). */
int account_password_ok(const char *password, size_t len, const char *mail);
/* Finds the one cookie of this name in a Cookie header, a secret of ours. 0 or E_NOTFOUND. */
int account_cookie_named(char out[ACCOUNT_TOKEN_TEXT + 1], const char *name, const char *header,
                         size_t len);
/* The session. 0 or E_NOTFOUND. */
int account_cookie(char out[ACCOUNT_TOKEN_TEXT + 1], const char *header, size_t len);
