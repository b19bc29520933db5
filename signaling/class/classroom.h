/*
 * The classroom service, sans-IO: everything the classroom thread does between the door, the
 * storage thread and the media server. Bytes and events go in with the time; sends, commits and
 * media commands come out through the hooks, in order.
 *
 *   classroom_input -> session_input (schema, size, rate) -> dispatch (row: role, state, handler)
 *     -> handler (command -> events) -> commit_h ... classroom_committed -> broadcast, media, ack
 *
 * Invariants: state = fold(events); permitting effects, broadcasts and acks wait for the commit,
 * restricting media effects leave at once; nothing of one class is found from another.
 * Out of scope: sockets and framing (signaling/door), SQL (signaling/store), packets (server/sfu).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/rng.h"
#include "codec/base/time.h"
#include "signaling/class/media.h"

typedef uint64_t conn_num; /* connection id of the door, never reused (design.md D7) */

struct class_record; /* signaling/journal: one encoded journal record */

struct classroom_hooks {
    void *arg;
    /* One text message for these connections (bytes borrowed until return). */
    void (*send_h)(void *arg, const conn_num *to, size_t count, const char *text, size_t len);
    /* Close a connection with a WebSocket code after what was sent. */
    void (*close_h)(void *arg, conn_num conn, uint16_t code, const char *reason);
    /* Append records durably; answered later by classroom_committed with the same ticket. */
    void (*commit_h)(void *arg, uint64_t ticket, const struct class_record *records, size_t count);
    void (*media_h)(void *arg, const struct media_cmd *cmd);
};
