/*
 * The queue of mails as files, so that nothing is lost and an administrator can see it:
 *
 *   mail/queue/<due, ms>-<tries>-<id>.eml   waiting; renamed with a later time after a failure
 *   mail/sent/<id>.eml                      taken by the mail server
 *   mail/failed/<id>.eml                    refused for good, or tried SPOOL_TRIES_MAX times
 *
 * A file begins with two lines of envelope, "X-Amphi-From: a@b" and "X-Amphi-To: c@d"; the message
 * follows. Whoever writes one by hand writes it beside and renames it in.
 * Invariants: a file is whole and on disk before it has its name; one that is sent is renamed, so a
 * kill between the two sends it again under the same Message-ID; one process sends at a time
 * (spool_lock): what a killed server left running may still hold a mail in its hands.
 * Out of scope: the mail server (smtp.h), what mails say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { SPOOL_TRIES_MAX = 12, SPOOL_NAME_MAX = 128, SPOOL_ADDRESS_MAX = 256 };

struct spool {
    int dir_fd;  /* of mail/ */
    int lock_fd; /* -1 = not the one who sends */
};

struct spool_entry {
    char name[SPOOL_NAME_MAX]; /* in queue/ */
    wall_ms due;
    unsigned tries;
    char id[64];
};

/* Makes and opens folder ("<data>/mail"). 0 or E_IO. */
int spool_open(struct spool *spool, const char *folder);
void spool_close(struct spool *spool);
/* Becomes the one who sends, until spool_close or the end of the process. 0, E_BUSY, E_IO. */
int spool_lock(struct spool *spool);
/* Queues a message under id (letters, digits, '-'; one that waits already under this id is
 * replaced). 0, E_BAD, E_IO, E_FULL (disk). */
int spool_put(struct spool *spool, const char *id, const char *from, const char *to,
              const char *message, size_t len, wall_ms due);
/* Whether a mail of this id was taken by the mail server, or refused by it for good. */
bool spool_was_settled(const struct spool *spool, const char *id);
/* The waiting entry that is due first, due or not. 0 or E_NOTFOUND. */
int spool_first(const struct spool *spool, struct spool_entry *out);
/* Reads an entry: its envelope and where its message begins in *data (the caller's, mem_free).
 * 0, E_IO, E_BAD, E_NOMEM. */
int spool_read(const struct spool *spool, const struct spool_entry *entry, char **data, size_t *len,
               size_t *message_at, char from[SPOOL_ADDRESS_MAX], char to[SPOOL_ADDRESS_MAX]);
/* After a try: err 0 = sent, E_AGAIN = later, anything else = failed for good. */
int spool_settle(struct spool *spool, const struct spool_entry *entry, int err, wall_ms now);
/* How many wait, were sent, failed. */
void spool_counts(const struct spool *spool, unsigned *waiting, unsigned *sent, unsigned *failed);
/* How many were sent from this time on. */
unsigned spool_sent_since(const struct spool *spool, wall_ms from);
/* Forgets what was sent or refused before this time. How many. */
unsigned spool_prune(const struct spool *spool, wall_ms before);
/* How long to wait after so many tries. */
int64_t spool_backoff_ms(unsigned tries);
