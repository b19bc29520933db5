/*
 * The data folder: where everything that lasts lives, and the run folder beside it.
 *   amphi.db  keys/  files/  recordings/ run/{lock,children,amphi.pid,core.pid,door.pid,ports.json,
 *   door.sock,control.sock}
 * Invariants: only our user can read what is below, except that the door's user may pass through
 * run/ to its socket; one server per data folder (run/lock dies with the supervisor,
 * run/children with the last of its processes, which may outlive a killed supervisor).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "codec/base/time.h"
#include "server/app/config.h"

enum { PATHS_MAX = 3600 };

struct paths {
    char data[PATHS_MAX]; /* absolute */
    int run_fd;           /* O_PATH descriptor of run/, -1 when not open */
};

/* What keeps everybody else off a data folder; -1 = not held. */
struct paths_lock {
    int fd;       /* run/lock, closed in children */
    int children; /* run/children: children keep it open as long as they live */
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
/* Takes the data folder for the life of this process. A living server: E_BUSY at once. Processes
 * that a killed server left behind are waited for, at most patience microseconds (>= 0), which the
 * log tells. 0, or E_BUSY, E_DENIED, E_FULL, E_IO with one line in why; call paths_unlock in any
 * case. */
int paths_lock(const struct paths *paths, mono_us patience, struct paths_lock *lock, char *why,
               size_t why_cap);
void paths_unlock(struct paths_lock *lock);
/* How long an ordered end may take, and a little more: the patience for paths_lock. */
mono_us paths_patience(const struct config *config);
/* Writes run/<name>; errors are ignored (a hint for people and tests, nothing depends on it). */
void paths_hint(const struct paths *paths, const char *name, const char *text);
/* Process of run/<name>.pid, 0 = none. */
pid_t paths_pid(const struct paths *paths, const char *name);
void paths_unhint(const struct paths *paths, const char *name);
