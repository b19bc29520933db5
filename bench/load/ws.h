/*
 * Many WebSocket clients (wss, subprotocol amphi.1) in one libwebsockets context, serviced from a
 * spinning loop. Certificates are not checked: the load generator measures, it carries no secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ws_pool;
struct ws;

struct ws_handlers {
    void (*open_h)(void *user);
    /* One whole text message, borrowed. */
    void (*text_h)(void *user, const char *text, size_t len);
    void (*closed_h)(void *user, const char *why);
};

/* One context for up to `max` clients of wss://host:port/ws; NULL when it cannot be made. */
struct ws_pool *ws_pool_new(const char *host, int port, unsigned max,
                            const struct ws_handlers *handlers);
void ws_pool_free(struct ws_pool *pool);
/* Does what is ready now, never waits. */
void ws_pool_run(struct ws_pool *pool);
/* Starts a connection; handlers get `user`. NULL when out of memory. The pool owns the result. */
struct ws *ws_connect(struct ws_pool *pool, void *user);
/* Queues one text message (copied). */
void ws_send(struct ws *ws, const char *text, size_t len);
/* Closes after what is queued. */
void ws_close(struct ws *ws);
