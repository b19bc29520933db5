/*
 * Classes that exist only to be measured: made over the control socket, marked in their title,
 * ended when the load has gone.
 * Invariants: what rehearse_make made, rehearse_end ends, whatever happened between.
 * Out of scope: the load itself (bench/load/run.h).
 */
#pragma once

#include <stdbool.h>

#include "bench/load/run.h"
#include "server/app/command.h"

struct rehearsal {
    struct command_line *line;
    struct load_room *rooms; /* count of them */
    uint32_t count;
};

/* Makes the classes of a shape with their links. 0, or an error with one line in why. */
int rehearse_make(struct rehearsal *r, struct command_line *line, const struct shape *shape,
                  char *why, size_t why_cap);
/* People still inside all of them. */
int rehearse_present(struct rehearsal *r);
void rehearse_end(struct rehearsal *r);
