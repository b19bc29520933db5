/*
 * Copies of the database that leave the machine, and the way back. The key of a person stands in
 * one file only, `person-keys`, beside all copies of the journal and replaced by every backup: a
 * person who was erased is erased from the copies made before, as soon as the next backup ran.
 *   copy_journal: everything but the keys         copy_keys: the keys of those who are there now
 *   copy_restore: a journal and the newest keys -> a database
 * Safe while a server uses the database. Whatever fails leaves no file behind, and never touches
 * the one it would have replaced. Every function tells the reason in one line.
 * Out of scope: where the files lie, the signing key (server/app/cmd_backup.c, cmd_restore.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct copy_counts {
    uint64_t classes;
    uint64_t persons; /* keys brought back */
};

/* A checked copy of the database `from` at `to`, without the keys of persons. 0, E_IO, E_NOMEM. */
int copy_journal(const char *from, const char *to, char *why, size_t cap);
/*
 * Writes the keys of database `from` to `to` in place of an older such file. E_STATE: `to` holds
 * the keys of another server; E_VERSION: the database was never opened by this version.
 */
int copy_keys(const char *from, const char *to, char *why, size_t cap);
/*
 * Makes the database `to` (not there yet: E_DUP) of a journal and the keys beside it; keys = NULL:
 * without, names and texts then stay unreadable. E_STATE: they are of two different servers;
 * E_NOTFOUND: one of them is missing.
 */
int copy_restore(const char *journal, const char *keys, const char *to, struct copy_counts *counts,
                 char *why, size_t cap);
