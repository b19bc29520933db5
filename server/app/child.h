/*
 * One process under the supervisor: its start with inherited descriptors, its watchdog pipe.
 * Invariants: a child gets the descriptors of its list and no others; it dies with the supervisor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "codec/base/time.h"
#include "server/app/restart.h"

enum { CHILD_INHERIT_MAX = 12, CHILD_START_US = 30 * US_PER_S };

struct child_fd {
    const char *name; /* "admin": becomes "admin=7" in --inherit */
    int fd;
};

struct child {
    const char *command;    /* "core" */
    mono_us silence_us_max; /* killed after so long without a byte; 0 = no watchdog */
    struct child_fd inherit[CHILD_INHERIT_MAX];
    size_t inherit_count;
    int argc; /* settings as they were given to serve, without argv[0] */
    char **argv;

    pid_t pid; /* 0 = not running */
    int watch_fd;
    bool ready; /* a byte came since the start */
    bool killed;
    mono_us last_sign;
    mono_us start_at; /* when to start (again); MONO_NEVER = not */
    struct restart restart;
};

/* Starts the process. 0 or E_LIMIT, E_IO, E_NOMEM. */
int child_start(struct child *child, mono_us now);
/* Reads the watchdog pipe. True when this was the first sign of life since the start. */
bool child_sign(struct child *child, mono_us now);
/* True when it has been silent too long (or never became ready) and must be killed. */
bool child_silent(const struct child *child, mono_us now);
/* The moment child_silent may become true; MONO_NEVER without a watchdog. */
mono_us child_deadline(const struct child *child);
/* Forgets the dead process. */
void child_reaped(struct child *child);
void child_signal(const struct child *child, int signal);

/* The descriptor called name in an --inherit text ("watchdog=5,admin=6"), close-on-exec again; -1
 * when it is not there. */
int child_inherited(const char *inherit, const char *name);
