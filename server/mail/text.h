/*
 * A growing text for messages: appended to, sticky when memory ends.
 * Invariants: a NUL stands behind the bytes; after a failure nothing is appended and bad stays set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mail_text {
    char *s; /* owned; mem_free by mail_text_fini */
    size_t len;
    size_t cap;
    bool bad;
};

void mail_text_fini(struct mail_text *text);
void mail_text_add(struct mail_text *text, const void *bytes, size_t len);
void mail_text_str(struct mail_text *text, const char *s);
void mail_text_format(struct mail_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What stands for a key ("{name}") of a template; NULL = nothing. */
struct mail_value {
    const char *key;
    const char *text;
};
/* The template with its values; in one pass, so that a name with braces stays a name. */
void mail_text_fill(struct mail_text *out, const char *text, const struct mail_value *values,
                    size_t count);
/* Base64 of bytes in lines of 76 characters, CR LF behind each (RFC 2045, 6.8). */
void mail_text_base64(struct mail_text *text, const void *bytes, size_t len);
