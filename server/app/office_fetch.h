/*
 * Asking another server over https, from a thread of the office: small JSON answers, in time or not
 * at all.
 * Invariants: https only, certificates checked, no redirect is followed (reliability S35), at most
 * 256 KiB, at most 5 s.
 */
#pragma once

#include <jansson.h>

struct fetch {
    const char *url;
    const char *ca;   /* file of trusted authorities, "" = the system's */
    const char *form; /* body of a POST, or NULL = GET */
    const char *user; /* client_secret_basic, or NULL */
    const char *password;
};

/* The JSON object of a 200 answer (the caller's), or NULL with one line in why. */
json_t *office_fetch(const struct fetch *fetch, char *why, size_t cap);
/* Appends text to out percent-encoded (RFC 3986 unreserved stay); false when it does not fit. */
int office_escape(char *out, size_t cap, const char *text);
