/*
 * Does it fit, and if not, what broke first: a measured window against the limits of its shape.
 * Invariants: what our own tool or foreign load spoiled is never blamed on the server; without the
 * server's figures the cause is "unknown" rather than guessed.
 * Out of scope: measuring (run.h), wording in reports beyond one sentence.
 */
#pragma once

#include <stdbool.h>

#include "bench/load/run.h"

enum verdict_row_kind {
    VERDICT_JOINED = 0, /* share of people who are in */
    VERDICT_SEEN,       /* share of the cameras asked for that move at the end */
    VERDICT_JOIN,       /* ms, p95 */
    VERDICT_DELAY,      /* ms, p99 */
    VERDICT_LOSS,       /* share after repair */
    VERDICT_FREEZES,    /* per hour of watching a camera */
    VERDICT_CONTENT,    /* pictures and tones that were not what was sent */
    VERDICT_ROWS
};

enum verdict_cause {
    CAUSE_NONE = 0,
    CAUSE_TOOL,
    CAUSE_NOISE,
    CAUSE_CPU,
    CAUSE_NETWORK,
    CAUSE_MEMORY,
    CAUSE_SIGNALLING,
    CAUSE_CONTENT,
    CAUSE_UNKNOWN,
};

struct verdict_row {
    double value, limit;
    bool ok, known;
};

struct verdict {
    struct verdict_row row[VERDICT_ROWS];
    bool fits;
    enum verdict_cause cause;          /* why it does not fit; NONE when it does */
    enum verdict_cause flagged;        /* TOOL or NOISE: this run says little about the server */
    double server_cores, server_share; /* used; of what it may use; below 0 = unknown */
};

/* proof may be NULL. */
void verdict_make(struct verdict *out, const struct shape *shape, const struct load_window *w,
                  const struct proof_result *proof);
/* "cpu", "network" ... for JSON. */
/* Whether the class fits was not measured: the tool or the machine was at its end first. */
bool verdict_unknown(const struct verdict *v);
const char *verdict_cause_name(enum verdict_cause cause);
/* One sentence for people. */
const char *verdict_cause_text(enum verdict_cause cause, bool french);
/* What the flag means for this verdict. */
const char *verdict_flag_text(const struct verdict *v, bool french);
const char *verdict_row_text(enum verdict_row_kind row, bool french);
/* What people notice of the first limit that broke, half a sentence; NULL when none did. */
const char *verdict_broken_text(const struct verdict *v, bool french);
/* Media lost after repair, share. */
double verdict_loss(const struct load_window *w);
/* Before repair. */
double verdict_gaps(const struct load_window *w);
