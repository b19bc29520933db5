/*
 * The data folder: where everything that lasts lives, and the run folder beside it.
 *   amphi.db  keys/  files/  recordings/  run/{lock,amphi.pid,core.pid,door.pid,ports.json,
 *   door.sock,control.sock}
 * Invariants: only our user can read what is below, except that the door's user may pass through
 * run/ to its socket; one server per data folder (a lock that dies with its holder).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "server/app/config.h"

enum { PATHS_MAX = 3600 };

struct paths {
    char data[PATHS_MAX]; /* absolute */
    int run_fd;           /* O_PATH descriptor of run/, -1 when not open */
};

/* Makes data.dir absolute; opens nothing. 0 or E_TOOBIG, E_IO. */
int paths_init(struct paths *paths, const struct config *config);
/* Makes the folders that are missing and opens run/. 0, or an error with one line in why that says
 * what is wrong with which folder and what to do. */
int paths_make(struct paths *paths, char *why, size_t why_cap);
/* Opens run/ of a data folder that exists. 0 or E_NOTFOUND, E_DENIED, E_IO. */
int paths_open(struct paths *paths);
void paths_close(struct paths *paths);
/* "<data>/<name>" into buf; returns buf ("" when it does not fit). */
const char *paths_in(const struct paths *paths, const char *name, char buf[PATHS_MAX]);
/* A name for run/<name> short enough for a Unix socket however deep the folder lies; valid in this
 * process while run/ is open. */
const char *paths_socket(const struct paths *paths, const char *name, char buf[64]);
/* Takes the lock of the data folder for the life of this process (*fd stays open). 0, or E_BUSY
 * with the holder in why. */
int paths_lock(const struct paths *paths, int *fd, char *why, size_t why_cap);
/* Writes run/<name>; errors are ignored (a hint for people and tests, nothing depends on it). */
void paths_hint(const struct paths *paths, const char *name, const char *text);
/* Process of run/<name>.pid, 0 = none. */
pid_t paths_pid(const struct paths *paths, const char *name);
void paths_unhint(const struct paths *paths, const char *name);
