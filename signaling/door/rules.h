/*
 * What HTTP texts mean to us, without libwebsockets (RFC 9110): each function reads one header
 * value or path strictly, in one pass over its bytes, and refuses what it does not understand.
 * Out of scope: finding headers (gate.c), files (page.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"

/* Content-Length, RFC 9110 section 8.6: 1 to 10 digits and nothing else. 0 or E_BAD. */
int rules_length(const char *text, size_t len, uint64_t *value);
/*
 * A decoded request path: starts with '/', no control, space, backslash or broken UTF-8, no empty,
 * "." or ".." segment except an empty last one. True when fine.
 */
bool rules_path_ok(const char *path, size_t len);
/* True when origin is exactly scheme "://" host. */
bool rules_origin_is(const char *origin, size_t len, const char *scheme, const char *host);
/* Last address of an X-Forwarded-For value ("a, b" -> b; port allowed in "[v6]:p" and "v4:p"). */
int rules_forwarded(const char *text, size_t len, struct addr *out);
/* True when etag (with quotes) is in an If-None-Match list, or the list is "*". */
bool rules_etag_in(const char *list, size_t len, const char *etag);
/* True when coding ("gzip", "br") is acceptable by Accept-Encoding: named, and not with q=0. */
bool rules_accepts(const char *list, size_t len, const char *coding);

enum rules_range { RULES_RANGE_ALL, RULES_RANGE_PART, RULES_RANGE_NONE };

/*
 * Range, RFC 9110 section 14.2, for size bytes: PART with *first..*last for one satisfiable range,
 * NONE for one that lies outside (416), ALL for several or malformed ones.
 */
enum rules_range rules_range(const char *text, size_t len, uint64_t size, uint64_t *first,
                             uint64_t *last);
/* Media type for a file name, by its ending; never NULL. */
const char *rules_media_type(const char *name);
