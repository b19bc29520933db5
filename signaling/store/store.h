/*
 * The storage thread: SQLite (WAL, synchronous FULL), group commit (design D9). A commit starts as
 * soon as the previous one is done and takes everything that has gathered; no timer.
 *
 *   store_commit (classroom thread) -> bounded queue -> one transaction -> results -> store_fd
 *   becomes readable -> store_poll (classroom thread) -> done_h(ticket, err), in ticket order
 *
 * Invariants: all records of a ticket are durable (fsync done) before done_h(ticket, 0); events of
 * a class are stored with consecutive seq or the ticket fails; tickets are answered in the order
 * they were given; the caller is never blocked by the disk. A locked or full database is retried
 * or refused with its reason, tried again every second and works again by itself.
 * Out of scope: the meaning of the bytes (signaling/journal).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/journal/record.h"

enum {
    STORE_SCHEMA_VERSION = 2, /* PRAGMA user_version */
    STORE_QUEUE_MAX = 10000,  /* tickets waiting (reliability F15) */
    STORE_BYTES_MAX = 64 << 20,
};

struct store;

struct store_config {
    const char *path;       /* database file; created when missing (0600) */
    uint32_t queue_len_max; /* 0 = STORE_QUEUE_MAX */
    uint32_t busy_ms_max;   /* how long one commit waits for a lock of others; 0 = 10 s */
};

struct store_stats {
    uint64_t commits;   /* transactions */
    uint64_t tickets;   /* answered with success */
    uint64_t failed;    /* answered with an error */
    uint64_t refused;   /* not taken: queue full */
    uint64_t bytes;     /* record bytes stored */
    uint32_t queue_len; /* waiting now */
    uint32_t batch_len_max;
    int64_t commit_us_last;
    int64_t commit_us_max;
    int err; /* of the newest transaction or try; 0 = healthy (for /readyz) */
};

/*
 * Opens (or creates) and checks the database, brings its schema up to date, counts this start.
 * 0, E_CORRUPT (file left untouched), E_VERSION (written by a newer program: exit 78), E_BUSY
 * (another process holds it), E_IO, E_NOMEM. Whatever the outcome, store_why says it in one line.
 */
int store_open(struct store **out, const struct store_config *config);
/* One line for people about the newest failure of store_open ("" when none): static storage. */
const char *store_why(void);
/* Number of this start, from 1, unique for this database: the epoch of the core. */
uint64_t store_epoch(const struct store *store);
/*
 * Calls load_h once per class, before store_start. load_h returning an error stops the loading.
 * 0, E_CORRUPT, E_IO, E_NOMEM or load_h's error.
 */
int store_load(struct store *store, int (*load_h)(void *arg, const struct class_image *image),
               void *arg);
/*
 * Reads the whole history of one class from the file at path, beside a running server or without
 * one: load_h is called once with every event and no snapshot. 0, E_NOTFOUND, E_CORRUPT, E_VERSION,
 * E_BUSY, E_IO, E_NOMEM or load_h's error; store_why says it in one line.
 */
int store_history(const char *path, const struct id *class_id,
                  int (*load_h)(void *arg, const struct class_image *image), void *arg);
/* Starts the thread. 0 or E_LIMIT. */
int store_start(struct store *store);
/* Takes copies of the records under this ticket. 0, E_BUSY (queue full), E_NOMEM. Never blocks. */
int store_commit(struct store *store, uint64_t ticket, const struct class_record *records,
                 size_t count);
/* An eventfd that is readable when store_poll has something. Owned by the store. */
int store_fd(const struct store *store);
/* Delivers what is finished, on the calling thread. Returns the number of tickets. */
size_t store_poll(struct store *store, void (*done_h)(void *arg, uint64_t ticket, int err),
                  void *arg);
void store_stats_get(struct store *store, struct store_stats *out);
/* Finishes everything queued, stops the thread. What finished can still be polled. */
void store_stop(struct store *store);
/* Stops if needed, closes and frees. NULL is fine. */
void store_close(struct store *store);
