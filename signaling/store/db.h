/*
 * The database file: opening and checking it, its schema, and the few statements on it, all
 * prepared once (reliability S30). Used by one thread at a time.
 * Out of scope: queueing, threads (store.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/journal/record.h"

struct db;

/* 0 or E_* of a result of SQLite, extended or not. */
int db_code(int rc);

/* As store_open says; why (cap bytes) receives one line for people on failure. */
int db_open(struct db **out, const char *path, uint32_t busy_ms, char *why, size_t cap);
/* Opens an existing file beside a running server, for reading only. Errors and why as db_open. */
int db_open_reader(struct db **out, const char *path, char *why, size_t cap);
void db_close(struct db *db);
/* Counts a start: its number from 1. 0 or E_IO, E_BUSY. */
int db_next_epoch(struct db *db, uint64_t *epoch);
/* store_load. */
int db_load(struct db *db, int (*load_h)(void *arg, const struct class_image *image), void *arg);
/* Calls load_h with every event of one class from the first and no snapshot: its whole history.
 * 0, E_NOTFOUND (no such class), E_CORRUPT, E_IO, E_NOMEM or load_h's error. */
int db_history(struct db *db, const struct id *class_id,
               int (*load_h)(void *arg, const struct class_image *image), void *arg);

/* One transaction: begin, records of many tickets, end. Errors: E_BUSY (locked), E_FULL (disk),
 * E_CORRUPT, E_IO; after an error the caller rolls back. */
int db_begin(struct db *db);
int db_put(struct db *db, const struct class_record *record);
/* Writes something that is there already: does writing work? */
int db_touch(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Empties the log, so that what was deleted is gone from it too. E_BUSY: a reader is in the way. */
int db_scrub(struct db *db);
/* Highest stored seq of a class, 0 = none. 0 or an error as above. */
int db_last_seq(struct db *db, const struct id *class_id, uint64_t *seq);
