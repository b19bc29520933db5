/*
 * The door: the unprivileged process that serves the page, forwards the JSON API and carries the
 * WebSockets, through libwebsockets used by the 25 rules (each named "rule n" in the code).
 * The supervisor forks it, calls door_main in the child and kills it when the watchdog byte stops.
 * Invariants: it holds no class data beyond bytes on their way, no keys but the certificate's; a
 * connection makes one HTTP request; no wait blocks the loop.
 * Out of scope: what messages mean (core), the LMS listener (signaling/lms).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOOR_LISTEN_MAX = 4, DOOR_ORIGINS_MAX = 16, DOOR_PROXIES_MAX = 8 };

/* One place to listen. */
struct door_listen {
    const char *address; /* "" = every address (IPv6 and IPv4), "127.0.0.1", "::1" */
    uint16_t port;
    bool tls;
    int fd; /* an already bound and listening socket to use instead (kept over restarts), or -1 */
};

/* All strings stay owned by the caller and must outlive door_main. 0 / NULL = the default. */
struct door_config {
    struct door_listen listen[DOOR_LISTEN_MAX];
    size_t listen_count;
    const char *cert_path; /* PEM chain, needed when a listener has tls */
    const char *key_path;  /* PEM key */
    const char *web_root;  /* web-client/dist */
    const char *core_path; /* Unix socket the core listens on */
    const char *user;      /* become this user when started as root; NULL = stay */
    /* Origins allowed besides "https://<Host>" ("http://<Host>" on a listener without TLS). */
    const char *origins[DOOR_ORIGINS_MAX];
    size_t origins_count;
    /* Addresses whose X-Forwarded-For (last entry) and X-Forwarded-Proto are believed. */
    const char *proxies[DOOR_PROXIES_MAX];
    size_t proxies_count;
    uint32_t hsts_max_age_s; /* 0 = no header */

    uint32_t conn_max;          /* all connections; default 4000, lowered to the fd limit - 128 */
    uint32_t conn_per_addr_max; /* per address without a valid token; default 500 */
    uint32_t body_max;          /* HTTP request body, bytes; default 65,536 */
    uint32_t message_max;       /* WebSocket message, bytes; default 65,536 */
    uint32_t frames_per_s_max;  /* WebSocket frames and pongs per connection; default 2,000 */
    uint32_t queue_msgs_max;    /* waiting for one page; default 256 */
    uint32_t queue_bytes_max;   /* waiting for one page; default 1 MiB */

    uint32_t header_timeout_ms; /* TLS handshake and headers in total; default 10,000 */
    uint32_t body_timeout_ms;   /* body in total; default 10,000 */
    uint32_t answer_timeout_ms; /* core's answer and its delivery; default 20,000 */
    uint32_t file_timeout_ms;   /* file without progress; default 15,000 */
    uint32_t ping_after_ms;     /* silence before a ping; default 20,000 */
    uint32_t hangup_after_ms;   /* silence before the end; default 40,000 */
    uint32_t stop_timeout_ms;   /* graceful stop; default 5,000 */
    uint32_t busy_after_ms;     /* core away before pages hear "busy"; default 250 */

    int watchdog_fd; /* one byte every 500 ms while the loop turns; -1 = none */
};

/*
 * Runs the door until SIGTERM or SIGINT (both take the graceful way; SIGHUP reloads the
 * certificate). Returns the exit code: 0 after a graceful stop, 78 when the configuration cannot
 * work (certificate unreadable, port taken, web_root missing), 1 otherwise; one log line says what
 * and what to do.
 */
int door_main(const struct door_config *config);
/*
 * Checks what a start would need without serving (amphi check-config): certificate and key match,
 * web_root has index.html, origins and proxies parse. Returns 0 or E_*, with one line in why.
 */
int door_check(const struct door_config *config, char *why, size_t why_cap);
