/*
 * How one subscriber's bits are shared over the video slots. Policy is data: every slot lists what
 * its source offers (options, ascending) and what is wished, every class of slots has its row
 * (alloc_policies); out comes an option for each and why.
 *
 *   reserved (audio, repair) first; then the smallest option of everybody, slides before the person
 *   in focus before tiles; what cannot have even that is paused, the least important first; then
 *   slides and focus are raised as far as the budget goes, then tiles in turns, one step each.
 *
 * Hysteresis: going up needs headroom and some time since the last step down; what is sent already
 * may cost a little more than there is, as encoders wander around their rate.
 * While `trial` lasts the first picture goes out whatever the estimate says: a path is measured by
 * what is sent, and with nothing sent nothing would ever be measured; what is shown stays
 * meanwhile. Slides may exceed the budget by a bounded amount: text that comes late beats text
 * nobody can read. Invariants: pure; one subscriber's result depends on nothing of another; chosen
 * <= ideal. Out of scope: when a switch happens (codec/media/rungs.h, key frames), the estimate.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    LAYERS_MAX = 3, /* simulcast encodings of a source */
    ALLOC_OPTIONS_MAX = 12,
    ALLOC_HOLD_US = 3 * US_PER_S, /* after a step down nothing goes up */
    ALLOC_FALLS_MAX = 3,          /* steps up taken back double that so often */
    ALLOC_PLENTY_PERCENT = 200,   /* of its cost there is: no more than the first hold */
};

/* One way to send a source: an encoding and a rung of it. */
struct alloc_option {
    uint32_t bps;
    uint16_t height;
    uint8_t encoding;
    uint8_t rung; /* codec/media/rungs.h */
};

/* In the order in which they are served. */
enum alloc_class { ALLOC_SLIDES, ALLOC_FOCUS, ALLOC_TILE, ALLOC_CLASSES };

/* How a class is treated. */
struct alloc_policy {
    uint32_t oversend_bps;  /* beyond the budget at most */
    uint8_t stay_percent;   /* of the budget what is sent already may cost: encoders wander */
    uint8_t up_percent;     /* of its cost a step up must find free */
    uint8_t resume_percent; /* of its cost a paused picture must find free */
    bool in_turns; /* raised step by step in turns with its like, not one after the other */
};

extern const struct alloc_policy alloc_policies[ALLOC_CLASSES];

enum alloc_reason {
    ALLOC_FULL,                 /* what was wished */
    ALLOC_BY_YOU,               /* wished away: height 0 */
    ALLOC_BY_CONNECTION,        /* smaller than wished, the estimate allows no more */
    ALLOC_PAUSED_BY_CONNECTION, /* not even the smallest fits */
    ALLOC_BY_SOURCE,            /* the source sends nothing better */
    ALLOC_BY_SERVER,            /* the server sheds load */
};

struct alloc_slot {
    /* in */
    uint8_t kind;       /* enum alloc_class */
    uint8_t options;    /* used of option[], ascending in quality and rate */
    uint8_t falls;      /* steps up that were taken back, one after the other */
    int8_t current;     /* option in force, -1 none */
    uint16_t height;    /* wished, 0 = nothing */
    mono_us lowered_us; /* time of the last step down, 0 = never */
    struct alloc_option option[ALLOC_OPTIONS_MAX];
    /* out */
    int8_t ideal;   /* what the wish asks for, -1 nothing */
    int8_t chosen;  /* -1 = paused */
    uint8_t reason; /* enum alloc_reason */
};

struct alloc_limits {
    uint64_t estimate_bps; /* 0 = not known, no limit */
    uint32_t reserved_bps; /* not for pictures */
    uint32_t spare_bps;    /* of it, what nobody uses now: no picture is taken away for it */
    uint8_t video_max;     /* pictures at most, 255 = all */
    uint8_t temporal_max;  /* highest temporal layer, 255 = all */
    bool trial;            /* no picture was sent on this path yet, or only just */
    mono_us now;
};

struct alloc_sum {
    uint64_t used_bps;   /* reserved included */
    uint64_t wanted_bps; /* estimate at which everybody has the ideal; 0 = everybody has it */
};

/* Adds an option; keeps the list ascending and leaves out what costs more and shows less, and what
 * is higher than the smallest that is as high as wished (height must be set). */
void alloc_offer(struct alloc_slot *slot, struct alloc_option option);
/* A rate to count with for a picture that was never measured. */
uint32_t alloc_guess_bps(uint16_t height);
/* Chooses for all of slot[0 .. n); order says nothing but which of two equals comes first. */
void alloc_run(struct alloc_slot *slot, unsigned n, const struct alloc_limits *limits,
               struct alloc_sum *sum);
