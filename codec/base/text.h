/*
 * Bytes as text: hex, base64url (RFC 4648 section 5, no padding), base32 ids, UTF-8 checks
 * (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF), constant-time compare.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case hex of len bytes plus NUL; out holds 2 * len + 1. */
void text_hex(char *out, const void *data, size_t len);
/* Decodes exactly 2 * len hex digits (either case). Returns 0 or E_BAD. */
int text_unhex(void *out, size_t len, const char *hex, size_t hex_len);
/* Base64url of len bytes plus NUL. Returns the length without NUL, or E_FULL. */
int text_base64url(char *out, size_t cap, const void *data, size_t len);
/* Decodes base64url. Returns the number of bytes, E_BAD or E_FULL. */
int text_unbase64url(void *out, size_t cap, const char *text, size_t len);
/* Lower-case base32 (a-z2-7, no padding) plus NUL. Returns the length, or E_FULL. */
int text_base32(char *out, size_t cap, const void *data, size_t len);
/* True when len bytes are well-formed UTF-8. */
bool text_utf8_ok(const void *data, size_t len);
/* Characters (code points) of well-formed UTF-8. */
size_t text_utf8_count(const void *data, size_t len);
/* True when equal; time depends on len only. */
bool text_equal_ct(const void *a, const void *b, size_t len);
