/*
 * One end of the door <-> core link: non-blocking reading and writing of ipc.h frames over a Unix
 * stream socket, with descriptors (SCM_RIGHTS) and credits. The owner's loop only tells it when
 * the socket is readable or writable, so the same code runs inside libwebsockets' loop (door) and
 * inside epoll (core).
 *
 * Credits: each side may have `window` bytes of frames unread at the other; the reader returns
 * them as its callback finishes with frames. What has no credit waits here, bounded by queue_max:
 * a sender never blocks, and over the bound ipc_link_send says E_FULL and the owner cuts the link.
 *
 * Invariants: frames arrive whole and in order; nothing but HELLO is handed over before HELLO;
 * received descriptors are owned by exactly one place; memory <= queue_max + IPC_FRAME_MAX + 64
 * KiB. Out of scope: reconnecting, polling, whom a number belongs to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/door/ipc.h"

enum {
    IPC_QUEUE_MAX = 16 * 1024 * 1024, /* design.md D7: above this the core cuts a door */
    IPC_WINDOW = 4 * 1024 * 1024,     /* window we grant */
    IPC_WINDOW_MIN = 64 * 1024,       /* the least we take from a peer */
    IPC_FDS_MAX = 64                  /* received descriptors whose frame is not complete yet */
};

struct ipc_link_hooks {
    void *arg;
    /*
     * One received frame (also HELLO, never CREDIT), borrowed until return. 0 goes on; a negative
     * E_* ends the link with that error. A file's descriptor is the callback's to close.
     */
    int (*frame_h)(void *arg, const struct ipc_frame *frame);
};

struct ipc_buf; /* one frame waiting to be written */

struct ipc_queue {
    struct ipc_buf *head;
    struct ipc_buf *tail;
};

struct ipc_link {
    int fd; /* borrowed: the owner closes it */
    uint8_t role;
    bool greeted; /* the peer's HELLO was read */
    bool paused;
    bool broken; /* after an error nothing moves any more */
    struct ipc_link_hooks hooks;
    struct ipc_queue ready;   /* may be written now */
    struct ipc_queue blocked; /* waits for credit */
    size_t head_sent;         /* bytes of ready.head already written */
    size_t queued;            /* bytes in ready and blocked */
    size_t queue_max;
    int64_t credit;    /* bytes we may still send; one frame may overdraw it */
    uint32_t window;   /* what we granted the peer */
    uint32_t consumed; /* bytes handed over since our last CREDIT */
    uint8_t *rx;
    size_t rx_cap;
    size_t rx_len;
    int fds[IPC_FDS_MAX];
    uint32_t fds_head;
    uint32_t fds_len;
};

/*
 * Starts an end over fd (connected, non-blocking) and queues our HELLO. hello->version and window
 * are filled in. Returns 0 or E_NOMEM.
 */
int ipc_link_init(struct ipc_link *link, int fd, const struct ipc_hello *hello,
                  const struct ipc_link_hooks *hooks);
/* Frees all memory and received descriptors; fd stays open. Fine on a zeroed struct. */
void ipc_link_fini(struct ipc_link *link);
/*
 * Reads what is there, at most about budget bytes, and hands frames over. Returns 0, E_AGAIN when
 * the budget ended it (more may be there), or an error after which the link is of no use: E_IO
 * (closed by the peer too), E_BAD, E_TOOBIG, E_VERSION, E_NOMEM, or frame_h's.
 */
int ipc_link_readable(struct ipc_link *link, size_t budget);
/* Writes what may be written now. Returns 0 or E_IO. */
int ipc_link_flush(struct ipc_link *link);
/* True when there is something to write that waits only for the socket: ask for writable. */
bool ipc_link_wants_write(const struct ipc_link *link);
/*
 * Queues one frame (bytes are copied; an answer's fd is taken in all cases). Nothing is written
 * until ipc_link_flush. Returns 0, E_TOOBIG, E_NOMEM, E_STATE (broken), or E_FULL: queue_max is
 * reached, the peer does not keep up and the owner must cut the link.
 */
int ipc_link_send(struct ipc_link *link, const struct ipc_frame *frame);
/* Bytes waiting here. */
size_t ipc_link_queued(const struct ipc_link *link);
/* Stops (true) or resumes handing over frames; while stopped the peer runs out of credit. */
void ipc_link_pause(struct ipc_link *link, bool paused);
