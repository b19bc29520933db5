/*
 * Overload is a state: from how busy a media thread is and how long packets wait in it, a step of
 * shedding with hysteresis. Each step keeps what the ones before it shed; sound is in none of them.
 *
 *   none -> fewer pictures per viewer -> fewer pictures a second -> no new pictures -> no new
 * people
 *
 * Up: one step when it has been hot for a while, faster when it is very hot. Down: one step after a
 * longer time of calm, so that shedding does not make the load it removed come back at once.
 * Invariants: pure; one step at a time; counts and times are the caller's.
 * Out of scope: measuring (server/app/shard.c), obeying (server/sfu/share.c, server/app/bridge.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum overload_step {
    OVERLOAD_NONE,
    OVERLOAD_LAST_N,
    OVERLOAD_TEMPORAL,
    OVERLOAD_NEW_VIDEO,
    OVERLOAD_JOINS,
    OVERLOAD_STEPS
};

enum {
    OVERLOAD_HOT_PERMILLE = 850, /* of the thread's time, or of all the process may use */
    OVERLOAD_VERY_HOT_PERMILLE = 960,
    OVERLOAD_CALM_PERMILLE = 650,
    OVERLOAD_OWN_PERMILLE =
        400, /* below this, waiting is somebody else's doing: shedding helps no one */
    OVERLOAD_HOT_US = 20 * US_PER_MS, /* a packet waits so long inside */
    OVERLOAD_VERY_HOT_US = 60 * US_PER_MS,
    OVERLOAD_CALM_US = 8 * US_PER_MS,
    OVERLOAD_RISE_US = 2 * US_PER_S,
    OVERLOAD_RISE_FAST_US = 500 * US_PER_MS,
    OVERLOAD_FALL_US = 10 * US_PER_S,
};

/* What was measured since the last sample. */
struct overload_sample {
    uint32_t busy_permille;
    mono_us delay_us; /* the longest a packet waited between arriving and leaving */
};

struct overload {
    uint8_t step;    /* enum overload_step */
    mono_us hot_us;  /* hot since, MONO_NEVER when it is not */
    mono_us calm_us; /* calm since, MONO_NEVER when it is not */
};

/* What a step allows. */
struct overload_limits {
    uint8_t video_max;    /* pictures per viewer, 255 = all */
    uint8_t temporal_max; /* highest temporal layer, 255 = all */
    bool new_video;       /* pictures nobody has yet may begin */
    bool joins;
};

void overload_init(struct overload *o);
/* True when the step changed. */
bool overload_input(struct overload *o, const struct overload_sample *sample, mono_us now);
const struct overload_limits *overload_limits(unsigned step);
/* A word for metrics and people, never NULL. */
const char *overload_name(unsigned step);
