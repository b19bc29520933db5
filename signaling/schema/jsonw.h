/*
 * A streaming JSON writer (RFC 8259) into one growing, bounded buffer: no tree, commas and quotes
 * by itself. Strings must be well-formed UTF-8 (what the validator lets in); anything else becomes
 * U+FFFD, so what leaves is always JSON. U+2028, U+2029, DEL and C1 controls are escaped, so that
 * the text is also safe inside a script or a log line.
 * Invariants: never longer than max; the first failure sets `bad`, after which nothing is written
 * and jsonw_text gives NULL (check once, at the end).
 * Out of scope: reading (signaling/schema/schema.h), floating numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSONW_DEPTH_MAX = 16 };

struct jsonw {
    char *buf;
    size_t len;
    size_t cap;
    size_t max;
    uint32_t comma; /* bit per depth: a value stands before */
    uint8_t depth;
    bool after_key;
    bool bad;
};

/* Starts empty; nothing is allocated yet. max counts the NUL. */
void jsonw_init(struct jsonw *w, size_t max);
/* Forgets the content, keeps the buffer. */
void jsonw_reset(struct jsonw *w);
void jsonw_fini(struct jsonw *w);
/* The NUL-terminated text and its length, or NULL when bad. Borrowed until the next call on w. */
const char *jsonw_text(struct jsonw *w, size_t *len);

void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
/* Key of the next value; a literal of ours, escaped all the same. */
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *text);
void jsonw_strn(struct jsonw *w, const char *text, size_t len);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_bool(struct jsonw *w, bool value);
/* Complete JSON values made earlier by a jsonw ("{..},{..}"), put in place as they are. */
void jsonw_raw(struct jsonw *w, const char *json, size_t len);

/* key and value at once */
void jsonw_key_str(struct jsonw *w, const char *key, const char *text);
void jsonw_key_strn(struct jsonw *w, const char *key, const char *text, size_t len);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);

/* Bytes as they are, without JSON rules: for the generated documents. */
void jsonw_plain(struct jsonw *w, const char *text);
/* snprintf into the buffer, without JSON rules; at most 1,000 bytes a call. */
void jsonw_plainf(struct jsonw *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
