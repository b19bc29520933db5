/*
 * Hierarchical timer wheel (Varghese, Lauck 1987): 5 levels of 64 slots over 1 ms ticks, reach 12
 * days; later deadlines wait in the last level and are placed again. Setting, moving and cancelling
 * are O(1); the next deadline is read from bitmaps.
 * Invariants: a node is in at most one slot; a timer never fires before its deadline and fires at
 * the first twheel_pop at or after the tick behind it (<= 1 ms late by the wheel's grain).
 * Out of scope: clocks and waiting.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { TWHEEL_LEVELS = 5, TWHEEL_SLOTS = 64, TWHEEL_TICK_US = 1000 };

/* Embedded in its owner; zero is "not set". */
struct twheel_node {
    struct twheel_node *next;
    struct twheel_node *prev;
    mono_us deadline;
    uint8_t level;
    uint8_t slot;
    bool armed;
    uint8_t reason; /* the owner's: why it wants to be woken */
};

struct twheel {
    struct twheel_node slot[TWHEEL_LEVELS][TWHEEL_SLOTS]; /* list heads */
    uint64_t busy[TWHEEL_LEVELS];                         /* bit i: slot i not empty */
    struct twheel_node due;                               /* ready, in order of expiry */
    int64_t tick; /* ticks done: all deadlines up to tick * TWHEEL_TICK_US have moved to due */
};

void twheel_init(struct twheel *wheel, mono_us now);
/* Arms or moves node to deadline; MONO_NEVER cancels. */
void twheel_set(struct twheel *wheel, struct twheel_node *node, mono_us deadline);
void twheel_cancel(struct twheel *wheel, struct twheel_node *node);
/* The next expired node (disarmed), or NULL. Call until NULL. */
struct twheel_node *twheel_pop(struct twheel *wheel, mono_us now);
/* A time not later than the next deadline's tick, or MONO_NEVER when nothing is armed. */
mono_us twheel_next(const struct twheel *wheel);
