/*
 * Many HTTP requests at the same time from one loop (libcurl), for doors that are opened by POST
 * and closed by DELETE. Certificates are not checked: the load generator carries no secrets.
 * Invariants: never waits; done_h is called from web_run only; what was made for somebody who no
 * longer waits is deleted again, so that nobody stays behind on the server.
 */
#pragma once

#include <stddef.h>

struct web;

struct web_answer {
    int status; /* 0 = none came */
    const char *body;
    size_t len;
    const char *location; /* absolute, "" = none */
    const char *why;      /* with status 0 */
};

struct web_request {
    const char *method, *url;
    const char *token; /* bearer, "" = none */
    const char *type;  /* of the body, NULL = no body */
    const char *body;
    void (*done_h)(void *user, const struct web_answer *answer); /* may be NULL */
    void *user;
};

/* NULL when out of memory. */
struct web *web_new(void);
void web_free(struct web *web);
/* Everything is copied. 0 or E_NOMEM. */
int web_ask(struct web *web, const struct web_request *request);
/* No more calls for this user. */
void web_forget(struct web *web, const void *user);
void web_run(struct web *web);
/* Requests without an answer. */
unsigned web_open(const struct web *web);
