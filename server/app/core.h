/*
 * The core process: classroom thread (this loop), storage thread, media shards, admin listener.
 *
 *   door sockets, control socket, shard events, store results, signals -> one loop -> classroom
 *
 * Invariants: the classroom is touched by this loop only; nothing here waits for a door, a disk or
 * a shard. The watchdog byte leaves only while every shard turns too.
 * Out of scope: starting processes (supervisor.h), HTTP for the operator (admin.h).
 */
#pragma once

#include "server/app/command.h"

struct core_inherited {
    int watchdog_fd; /* one byte every 500 ms once serving; -1 = none */
    int admin_fd;    /* listening socket of the admin page; -1 = none */
};

/* Serves until SIGTERM or an ordered drain. Returns the exit code. */
int core_run(struct command_line *line, const struct core_inherited *inherited);
