/*
 * The administrator's page and its requests on the admin listener:
 *   GET  /                  the page           POST /api/login {"key"}   a cookie for this browser
 *   GET  /api/state  /api/history?hours=N  /api/shapes  /report
 *   POST /api/drain  /api/rehearse {"shape"}  /api/rehearse/stop
 * Everything below /api and /report needs the key of the server (keys/admin.key) as a cookie or as
 * "Authorization: Bearer ..."; what changes something also needs the header X-Amphi-Admin, which a
 * foreign page cannot send, and a Host of ours, so that no foreign name leads here.
 * Invariants: the key is compared in constant time; answers are never cached; the page loads
 * nothing from elsewhere (CSP). Out of scope: /healthz, /readyz, /metrics (admin.h).
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/app/paths.h"

struct core;

enum { ADMIN_KEY_MAX = 65, ADMIN_BODY_MAX = 4096 };

struct admin_page {
    struct core *core;
    char key[ADMIN_KEY_MAX];
};

/* What has come of the request's body so far. */
struct admin_body {
    size_t len;
    bool too_big;
    char text[ADMIN_BODY_MAX];
};

/* Reads or makes the key. 0 or E_IO. */
int admin_page_init(struct admin_page *page, struct core *core);
/* The key kept in the data folder, made when missing. */
int admin_page_key(const struct paths *paths, char key[ADMIN_KEY_MAX]);
/* True when the page answers this path. */
bool admin_page_owns(const char *url);
enum MHD_Result admin_page_request(struct admin_page *page, struct MHD_Connection *c,
                                   const char *url, const char *method,
                                   const struct admin_body *body);
