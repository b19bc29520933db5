/*
 * What comes of a load, for people and machines: the live line, tables, JSON and one HTML page that
 * needs nothing else (plots are inline SVG; French and English in the same file).
 * Invariants: every text that came from elsewhere is escaped.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "bench/load/run.h"
#include "bench/load/verdict.h"

/* A step of the search for the limit. */
struct report_step {
    uint32_t people;
    bool fits;
    enum verdict_cause cause;
};

enum { REPORT_STEPS = 64 };

struct report {
    const struct shape *shape;
    struct load *load;
    const struct load_window *window;
    const struct verdict *verdict;
    const struct proof_result *proof; /* NULL = nothing decoded */
    const char *server;               /* address or name */
    const char *interrupted;          /* why it ended early, or NULL */
    bool agree_known;
    double agree_ours, agree_theirs;
    bool search;
    uint32_t fit; /* people that fit, search only */
    enum verdict_cause broke;
    struct report_step step[REPORT_STEPS];
    unsigned steps;
    wall_ms at;
};

/* One line, rewritten in place when tty. progress 0..1. */
void report_live(FILE *out, bool tty, bool french, const struct load_second *second,
                 uint32_t wanted, double progress);
void report_tables(FILE *out, const struct report *report, bool french);
json_t *report_json(const struct report *report);
void report_html(FILE *out, const struct report *report, bool french);
