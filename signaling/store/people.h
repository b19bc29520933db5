/*
 * people.db: accounts, sessions, rosters, registrations and who saw what. A file of its own beside
 * amphi.db, so that a long import never holds up a commit of a class. Every statement is a literal
 * of people.def, prepared when first used (reliability S30); rows come out as JSON objects.
 *
 *   args of a query, one letter each: d struct id*  h 32 bytes  t text or NULL  i int64_t
 *   columns: a name that ends in :c or :p is printed as the id of a class or person
 *
 * A handle belongs to one thread; several threads open the file each for themselves.
 * Invariants: a damaged or newer file is left as it was found.
 * Out of scope: who may ask for what (server/app/office*.c).
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "signaling/schema/id.h"

enum { PEOPLE_VERSION = 5, PEOPLE_DIGEST_LEN = 32 };

#define PEOPLE(name, sql) PEOPLE_##name,
enum people_query {
#include "signaling/store/people.def"
    PEOPLE_COUNT
};
#undef PEOPLE

struct people;

/* Opens or creates the file (0600) and brings it up to date. 0, E_CORRUPT, E_VERSION, E_BUSY, E_IO,
 * E_NOMEM. */
int people_open(struct people **out, const char *path);
void people_close(struct people *people);
/* A whole copy of the file `from` in place of `to`, also while it is used. 0, E_NOTFOUND (there is
 * none), E_IO, E_FULL ...; what stood at `to` stays when it fails. */
int people_copy(const char *from, const char *to);

/* Runs a statement. 0, E_DUP (a value that must be unique), E_BUSY, E_FULL, E_CORRUPT, E_IO. */
int people_run(struct people *people, enum people_query query, const char *args, ...);
/* Rows the last people_run changed. */
int people_changes(const struct people *people);
/* All rows as an array of objects, or NULL (an error, or out of memory). The caller's. */
json_t *people_rows(struct people *people, enum people_query query, const char *args, ...);
/* The first row, or NULL when there is none. */
json_t *people_row(struct people *people, enum people_query query, const char *args, ...);
/* One number of the first row; 0 when there is none. */
int64_t people_number(struct people *people, enum people_query query, const char *args, ...);

/* All or nothing. */
int people_begin(struct people *people);
int people_commit(struct people *people);
void people_rollback(struct people *people);
