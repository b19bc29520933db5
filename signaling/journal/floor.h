/*
 * The floor: who speaks, who is next, who sits where around the table. A pure machine over the
 * events 120-131. In every mode but `open` only the holder and those who lead may open a microphone
 * in the main room (floor_bars).
 *
 *   pending --given--> speaking --limit--> overtime --ended--> done
 *      '--unlisted--> passed | skipped          '--ended--> passed | skipped
 *
 * Invariants: the holder is seated in the main room; nobody is twice in the list; a place of the
 * ring belongs to one person; every limit is class time.
 * Out of scope: who may do what (signaling/class/floor_cmd.c), audio levels (routes.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/schema/id.h"

struct state;
struct seat;
struct event;
struct person;

enum floor_mode {
    FLOOR_OPEN = 0,
    FLOOR_MODERATED,
    FLOOR_QUEUE,
    FLOOR_TOUR,
    FLOOR_NOMINATION,
    FLOOR_RANDOM,
    FLOOR_MODE_COUNT
};
enum turn_end { TURN_DONE = 0, TURN_PASSED, TURN_SKIPPED, TURN_END_COUNT };
enum overtime { OVERTIME_NOTHING = 0, OVERTIME_PROMPT, OVERTIME_YIELD };

enum {
    FLOOR_RING_MAX = 24,
    FLOOR_LIST_MAX = 64,
    FLOOR_PAST_MAX = 64,
    FLOOR_HOLD_MS = 15000,     /* the floor waits this long for a holder who was lost */
    FLOOR_OVERTIME_MS = 15000, /* after the limit */
};

struct floor_turn {
    struct id person;
    bool reply;  /* right of reply: short */
    uint8_t how; /* of the past: enum turn_end */
    int64_t spent_ms;
};

struct floor {
    uint8_t mode;
    struct id ring[FLOOR_RING_MAX];         /* zero = free */
    struct floor_turn list[FLOOR_LIST_MAX]; /* pending, in order */
    uint8_t list_count;
    struct floor_turn past[FLOOR_PAST_MAX]; /* of this round; the oldest go first */
    uint8_t past_count;
    struct id holder; /* zero = nobody */
    bool reply;
    bool paused;
    bool over;     /* the limit has passed */
    bool prompted; /* whoever leads is asked what to do */
    bool vacant;   /* the holder has vanished: the next one is due */
    int64_t started;
    int64_t spent_ms;   /* before the last pause */
    int64_t due;        /* soft limit; 0 = none */
    int64_t over_due;   /* end of the overtime; 0 = not running */
    int64_t left_ms;    /* of the limit, while paused */
    int64_t held_until; /* the holder is lost; 0 = here */
    uint64_t swept_seq; /* of the newest event of another block that changed the above */
};

extern const struct state_part floor_part;

/* True when this seat's microphone is closed by the floor. */
bool floor_bars(const struct state *s, const struct seat *seat);
/* Place in the ring, or -1. */
int floor_place(const struct floor *f, const struct id *person);
/* Index in the list, or -1. */
int floor_listed(const struct floor *f, const struct id *person);
/* Has had a turn in this round. */
bool floor_had_turn(const struct floor *f, const struct id *person);
/* May be given the floor now: seated in the main room, page connected, may speak at all. */
bool floor_ready(const struct state *s, const struct id *person);
/* Speaks less than the other so far. */
bool floor_less_heard(const struct person *a, const struct person *b);
/* Hands that ask for the floor in the order they get it; returns how many. */
size_t floor_queue(const struct state *s, const struct seat **out, size_t cap);
/* Milliseconds the holder has spoken at this moment. */
int64_t floor_spent(const struct floor *f, int64_t clock);
/* Earliest deadline, INT64_MAX for none. */
int64_t floor_due(const struct state *s);
