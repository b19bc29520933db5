/*
 * control.h - how the relay is steered while it runs: stdin, a FIFO, a schedule file.
 *
 * Every line read from stdin is answered by exactly one line on stdout: "ok", the counters as one
 * JSON object (after "stat"), or "error" and the word. Lines from a FIFO are answered on stdout
 * too, only when they fail or ask for counters. End of stdin does not end the relay: "quit" or a
 * signal does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/net/relay.h"

struct control_input {
    struct relay_watch watch; /* first */
    char line[SCRIPT_LINE_MAX];
    size_t len;
    int skip; /* the present line is too long: drop it up to its end */
    int answer_ok;
};

struct control_step {
    uint64_t at_us;
    char *line;
};

struct control {
    struct control_input input[2]; /* stdin, FIFO */
    struct control_step *step;
    size_t step_count;
    size_t step_next;
};

void control_open_stdin(struct control *c, struct relay *r);

/* Make the FIFO if it is not there and read from it. Dies on failure. */
void control_open_fifo(struct control *c, struct relay *r, const char *path);

/* Read a schedule file; times count from the start of the relay. Dies on a bad line. */
void control_load_schedule(struct control *c, const struct relay *r, const char *path);

/* Apply one line. Returns the verbs as script_apply() does, or -1. */
int control_line(struct relay *r, const char *line, size_t len);

/* When the next schedule line is due, or UINT64_MAX. */
uint64_t control_deadline(const struct control *c);

/* Apply the schedule lines that are due. */
void control_run_schedule(struct control *c, struct relay *r);

void control_fini(struct control *c);
