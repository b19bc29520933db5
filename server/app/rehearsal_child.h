/*
 * A rehearsal as a process: `amphi load SHAPE` with the settings of this server; its report and
 * figures lie in data/rehearsal/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "server/app/command.h"

struct rehearsal_child {
    pid_t pid; /* 0 = none runs */
    char shape[48];
    char stopped[120]; /* why it was stopped, "" = by itself */
    int exit_code;     /* of the last one; -1 = none yet */
};

/* 0, E_BUSY, E_NOTFOUND or E_IO. folder: data/rehearsal. */
int rehearsal_start(struct rehearsal_child *child, const struct command_line *line,
                    const char *folder, const char *shape);
void rehearsal_stop(struct rehearsal_child *child, const char *why);
/* True when it has just ended. */
bool rehearsal_reap(struct rehearsal_child *child);
/* Waits at most two seconds after a stop, then kills. */
void rehearsal_end(struct rehearsal_child *child);
