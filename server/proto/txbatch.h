/*
 * Where sealed datagrams are laid before the kernel takes them: one large buffer, one row per
 * datagram run. Runs of equal-sized datagrams to one address lie back to back so that io can send
 * them as one UDP_SEGMENT message inside one sendmmsg. Batches end by wake-up, never by a timer.
 * Invariants: a run has one destination; all its datagrams but the last have segment_len bytes and
 * the last is not longer; a run holds at most TXBATCH_RUN_BYTES bytes.
 * Out of scope: sockets (server/io/udp.h takes a full batch through flush_h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"

enum {
    TXBATCH_RUNS = 256,        /* rows before a flush */
    TXBATCH_BYTES = 1 << 19,   /* buffer before a flush */
    TXBATCH_RUN_BYTES = 60000, /* below the 64 KiB limit of one UDP_SEGMENT message */
    TXBATCH_RUN_SEGMENTS = 64, /* kernel limit UDP_MAX_SEGMENTS */
    TXBATCH_DATAGRAM_MAX = 1600,
};

struct txrun {
    struct tuple to;      /* remote = destination, local = address to reply from */
    uint32_t at;          /* offset in the buffer */
    uint32_t len;         /* bytes of the whole run */
    uint16_t segment_len; /* bytes of each datagram but the last */
    uint16_t segments;
    bool closed; /* a shorter datagram ended it */
};

struct txbatch {
    uint8_t *buffer;
    uint32_t used;
    uint32_t runs;
    struct txrun run[TXBATCH_RUNS];
    /* Takes all runs; the batch is empty when it returns. */
    void (*flush_h)(void *arg, struct txbatch *batch);
    void *flush_arg;
    uint64_t datagrams; /* committed since init */
    uint64_t bytes;
};

/* Reserves the buffer. 0 or E_NOMEM. */
int txbatch_init(struct txbatch *batch, void (*flush_h)(void *arg, struct txbatch *batch),
                 void *arg);
void txbatch_fini(struct txbatch *batch);
/* Room for a datagram of up to TXBATCH_DATAGRAM_MAX bytes; flushes first when full. Never NULL. */
uint8_t *txbatch_room(struct txbatch *batch);
/* Commits len bytes written at the room, for `to`; joins the last run when it fits. */
void txbatch_commit(struct txbatch *batch, const struct tuple *to, size_t len);
/* Hands over what is gathered, if anything. */
void txbatch_flush(struct txbatch *batch);
