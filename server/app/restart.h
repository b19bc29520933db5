/*
 * When a dead child is started again: a pure function of its history, so that tests need no
 * process.
 *   - exit 78 (configuration) never gets better by itself: give up with 78;
 *   - a child that never became ready since the supervisor started and ended by itself: give up
 *     with its code, the operator is looking; killed by a signal it gets RESTART_TRIES tries;
 *   - otherwise at once, and from the fourth death within RESTART_WINDOW_US on with a back-off that
 *     doubles from RESTART_FIRST_US to RESTART_LAST_US.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    RESTART_FREE = 3,  /* deaths in the window that cost no waiting */
    RESTART_TRIES = 5, /* starts that may fail before anything was ever ready */
    RESTART_WINDOW_US = 10 * US_PER_S,
    RESTART_FIRST_US = 100 * US_PER_MS,
    RESTART_LAST_US = 5 * US_PER_S,
    RESTART_EXIT_CONFIG = 78,
};

struct restart {
    bool ever_ready;
    uint32_t failures; /* deaths in a row, each within the window of the one before */
    mono_us last_death;
};

struct restart_verdict {
    bool give_up;
    int exit_code; /* give_up: ours */
    mono_us at;    /* otherwise: start again then */
};

/* The child reported ready. */
void restart_ready(struct restart *r);
/* The child died: by a signal, or with an exit code. */
struct restart_verdict restart_died(struct restart *r, bool by_signal, int code, mono_us now);
