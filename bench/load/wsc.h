/*
 * Many WebSocket clients (wss, subprotocol amphi.1) in one libwebsockets context, serviced from a
 * spinning loop. Certificates are not checked: the load generator measures, it carries no secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wsc_pool;
struct wsc;

struct wsc_handlers {
    void (*open_h)(void *user);
    /* One whole text message, borrowed. */
    void (*text_h)(void *user, const char *text, size_t len);
    void (*closed_h)(void *user, const char *why);
};

/* One context for up to `max` clients of wss://host:port/ws; NULL when it cannot be made. */
struct wsc_pool *wsc_pool_new(const char *host, int port, unsigned max,
                              const struct wsc_handlers *handlers);
/* Another server: its path and subprotocol, without TLS. Borrowed for life. */
void wsc_pool_plain(struct wsc_pool *pool, const char *path, const char *protocol);
void wsc_pool_free(struct wsc_pool *pool);
/* Does what is ready now, never waits. */
void wsc_pool_run(struct wsc_pool *pool);
/* Connections that are open or opening. */
unsigned wsc_pool_open(const struct wsc_pool *pool);
/* Starts a connection; handlers get `user`. NULL when out of memory. The pool owns the result. */
struct wsc *wsc_connect(struct wsc_pool *pool, void *user);
/* Queues one text message (copied). */
void wsc_send(struct wsc *ws, const char *text, size_t len);
/* Closes after what is queued. */
void wsc_close(struct wsc *ws);
