/*
 * script.h - the relay's control language: words on the command line, on stdin, in a FIFO and in
 * schedule files.
 *
 * A line is words separated by blanks; `#` starts a comment. A word is a setting, optionally for
 * one direction only (`ab:` = client to server, `ba:` = server to client), or a verb:
 *
 *   loss=5 burst=4 delay=50 jitter=10 rate=500 queue=300 reorder=2 hold=50 dup=1 corrupt=1 seed=7
 *   ge=1/25/0/80     (percent: good->bad, bad->good, loss while good, loss while bad)
 *   reset            (a perfect link again)
 *   stat rebind quit
 *
 * Units: loss reorder dup corrupt in percent, burst in packets, delay jitter queue hold in
 * milliseconds, rate in kbit/s. Fractions are allowed. A schedule line starts with its time in
 * milliseconds after the start of the relay: `1500 ab:loss=20`.
 *
 * Pure: text in, settings out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/net/link.h"

#define SCRIPT_LINE_MAX 512u

enum script_verb {
    SCRIPT_NONE = 0,
    SCRIPT_STAT = 1u << 0,
    SCRIPT_REBIND = 1u << 1,
    SCRIPT_QUIT = 1u << 2,
};

/* What the words say, before it becomes link settings: loss and burst only have meaning together.
 */
struct script_dir {
    struct link_conf conf;
    uint32_t loss_ppm;
    uint32_t burst_milli;
};

struct script {
    struct script_dir dir[2]; /* 0 = ab, 1 = ba */
    uint64_t seed;
    uint8_t seed_set; /* a seed was given since the caller last cleared this */
    const char *bad;  /* points at the word that was not understood, inside the line */
    size_t bad_len;
};

/* A perfect link both ways, with 300 ms of queue should a rate be set. */
void script_init(struct script *s);

/*
 * Apply one line. Returns the set of verbs seen (enum script_verb bits), or -1 with s->bad set;
 * then nothing of the line has been applied.
 */
int script_apply(struct script *s, const char *line, size_t len);

/*
 * Split a schedule line into time and rest. Returns 1 and sets *at_us and *rest, 0 for an empty
 * or comment line, -1 when it does not start with a time.
 */
int script_schedule_line(const char *line, size_t len, uint64_t *at_us, size_t *rest);
