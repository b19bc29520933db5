/*
 * How a load client comes into a class: one table of functions for each kind of signalling. The
 * media half (client_media.h) is the same for all.
 *
 *   driver_amphi  WebSocket and compact offer: a complete participant           client.c
 *   driver_doors  WHIP (RFC 9725) to publish, WHEP to watch, at any server      driver_doors.c
 *   driver_janus  VideoRoom of Janus over its own WebSocket                     driver_janus.c
 *
 * A driver fills client.answer, client.server and client.by_type, then calls client_media_begin.
 */
#pragma once

#include <stdbool.h>

struct client;
struct wsc_handlers;

struct client_driver {
    const char *name;
    bool classroom;                    /* its people can chat, raise hands, choose whom they see */
    const struct wsc_handlers *ws;     /* NULL = no WebSocket */
    const char *ws_path, *ws_protocol; /* over TLS for Amphi only */
    bool any_srtp;                     /* accepts servers without GCM */
    void (*start_h)(struct client *client);
    /* The media connection is encrypted both ways. */
    void (*ready_h)(struct client *client);
    /* Leaves politely; the client is freed afterwards. */
    void (*leave_h)(struct client *client);
};

extern const struct client_driver driver_amphi;
extern const struct client_driver driver_doors;
extern const struct client_driver driver_janus;
