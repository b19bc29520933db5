/*
 * The state of one class: nothing but the fold of its events (fold.h). Two of them live side by
 * side in the classroom: the working one, against which commands are checked, and the committed
 * one, from which people are told.
 * Invariants: seats are in order of arrival; a person has at most one seat and STATE_DEVICES_MAX
 * devices; `acting` has a seat and a staff role, or is zero; at most STATE_CHAT_MAX messages; ids
 * are looked up only within their class. Every object is reserved before it is needed, so that
 * folding a committed event cannot fail for want of memory (state_reserve).
 * Heap: persons, seats, their tables; bounded by STATE_PERSONS_MAX.
 * Out of scope: connections, media, clocks (signaling/class).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/journal/dates.h"
#include "signaling/journal/floor.h"
#include "signaling/journal/minutes.h"
#include "signaling/journal/passes.h"
#include "signaling/journal/roll.h"
#include "signaling/journal/rtext.h"
#include "signaling/journal/workshops.h"
#include "signaling/schema/id.h"
#include "signaling/schema/rights.h"
#include "signaling/schema/roles.h"
#include "signaling/schema/settings.h"

struct stage; /* signaling/journal/stage.h */

enum {
    STATE_PERSONS_MAX = 8000, /* known; then whoever left longest ago is forgotten */
    STATE_SEATS_MAX = 4000,   /* their list fits into what a door keeps for a page (1 MiB) */
    STATE_DEVICES_MAX = 3,
    STATE_CHAT_MAX = 200,
    STATE_COMMANDS_MAX = 256, /* command ids remembered per seat */
    STATE_KEPT_MAX = 32,      /* of those, after the seat is given up */
    STATE_COMMANDS_NEAR = 32, /* of them inside the seat: a listener never sends more */
    STATE_ROOMS_MAX = 101,    /* main and 100 workshops */
    STATE_LINKS_MAX = 65536,  /* burnt join tokens not yet expired */
    ROOM_MAIN = 0,
};

/* One page of a person; generation = how many resume tokens it was given. */
struct device {
    struct id id;
    uint32_t generation;
    uint32_t media; /* MEDIA_* bits it wants to send */
    uint32_t feed;  /* those an encoder came with; 0 = a page, with somebody to ask */
};

/* What exists of a person only while present. */
struct seat {
    struct seat *next_spare;
    struct person *person;
    uint64_t joined_seq;
    wall_ms joined_at;
    bool away;
    uint16_t room; /* index into state.rooms */
    uint8_t device_count;
    uint8_t hand_kind;
    uint64_t hand_seq; /* 0 = down; smaller = earlier in the queue */
    wall_ms hand_at;
    bool light;        /* sound and slides only */
    uint64_t view_seq; /* of the event that last changed what this person may be told */
    struct device devices[STATE_DEVICES_MAX];
    uint32_t command_count;             /* ever; the newest STATE_COMMANDS_MAX are kept, as a ring
                                           (seat_command_at) */
    uint64_t near[STATE_COMMANDS_NEAR]; /* its first places */
    uint64_t
        *far; /* the others, once they are needed; without memory those commands are forgotten */
};

/* Somebody the class knows, present or not. */
struct person {
    struct person *next_spare;
    struct id id;
    struct rtext *name;
    uint8_t role;      /* enum role, without acting */
    uint8_t role_link; /* what the last link gave */
    bool banned;
    bool light_wish; /* takes sound and slides only when no full seat is free */
    right_mask grant;
    right_mask deny;
    struct seat *seat;     /* NULL = not present */
    uint64_t left_seq;     /* when the seat was given up; 0 = never */
    struct id last_device; /* may come back without asking after a loss; zero = may not */
    uint32_t last_generation;
    uint32_t kept_count; /* newest commands of the last seat, oldest first; 0 while seated */
    uint64_t kept[STATE_KEPT_MAX];
    uint64_t wait_seq; /* in the waiting room since; smaller = earlier; 0 = not */
    wall_ms wait_at;
    wall_ms knocked_at;    /* 0 = not */
    struct id wait_device; /* the page that waits */
    uint32_t wait_media;
    bool admitted;    /* let in during this session: comes back without waiting */
    bool held;        /* sent back: waits whatever the policy */
    bool listed;      /* has a link of his own */
    bool stepped;     /* host whose place was taken while away: takes it back by one click */
    uint8_t check;    /* enum roll_asked, of the presence check that runs */
    uint16_t room;    /* last room, for coming back */
    int64_t heard_ms; /* spoken in this session, by the levels of the microphone */
    int64_t floor_ms; /* and with the floor */
};

struct room_state {
    struct id id;
    struct right_policy policy;
    struct rtext *name;
    bool open;
};

/* One point known on three clocks, so that class time goes on after a restart. */
struct anchor {
    struct id boot; /* zero = none yet */
    int64_t mono_ms;
    wall_ms wall;
    int64_t clock; /* class time there */
};

struct chat_entry {
    struct id id;
    struct id from;
    wall_ms at;
    uint16_t room;
    bool to_staff;
    uint8_t unnamed_for; /* kinds of viewers who are not told who wrote it */
    struct rtext *name;  /* of the author at that time */
    struct rtext *text;
};

struct used_link {
    struct id jti;
    wall_ms expires_at;
};

/* Why nobody can enter any more. */
enum state_end { STATE_OPEN = 0, STATE_ENDED = 1 /* for good */, STATE_BINNED = 2 };

struct state {
    struct id class_id;
    uint64_t seq; /* of the last event folded */
    struct rtext *title;
    enum class_type type;
    enum session_state session;
    uint8_t ended; /* enum state_end */
    wall_ms created_at;
    wall_ms changed_at; /* session */
    struct id acting;   /* the acting host */
    struct right_policy policy;
    struct anchor anchor;
    int64_t setting[SETTING_COUNT];
    int64_t end_due;       /* planned end, class time; 0 = open */
    int64_t hard_due;      /* when it must end; 0 = never */
    int64_t closing_due;   /* when closing becomes closed */
    int64_t staffless_due; /* when it closes for want of staff; 0 = staff is here */
    size_t wait_count;
    struct floor floor;
    struct roll roll;
    struct dates dates;
    struct minutes minutes;
    struct passes passes;

    struct person **persons;
    uint64_t *person_keys; /* id_key of persons[i], for a fast search */
    size_t person_count;
    size_t person_cap;
    struct seat **seats; /* in order of arrival */
    size_t seat_count;
    size_t seat_cap;
    struct used_link *links;
    size_t link_count;
    size_t link_cap;
    struct room_state rooms[STATE_ROOMS_MAX];
    size_t room_count;
    struct chat_entry chat[STATE_CHAT_MAX]; /* ring */
    struct stage *stage;                    /* of a webinar; empty in other classes */
    size_t chat_first;
    size_t chat_count;
    struct workshops workshops;

    struct person *spare_persons;
    size_t spare_person_count;
    struct seat *spare_seats;
    size_t spare_seat_count;
};

/* An empty state of this class, or NULL. */
struct state *state_new(const struct id *class_id);
void state_free(struct state *state);
/* Makes sure that this many more joins and burnt links fold without allocating. 0 or E_NOMEM. */
int state_reserve(struct state *state, size_t joins, size_t links);

/* The person of this id in this class, or NULL. */
struct person *state_person(const struct state *state, const struct id *id);
/* The seat of a person present, or NULL. */
struct seat *state_seat(const struct state *state, const struct id *person);
/* The device of a seat, or NULL. */
struct device *seat_device(const struct seat *seat, const struct id *device);
/* The seat (and the device when not NULL) that holds this device, or NULL. */
struct seat *state_device(const struct state *state, const struct id *device,
                          struct device **device_out);
/* Role as everybody sees it: the acting host is host, another host an animator meanwhile. */
enum role state_role(const struct state *state, const struct person *person);
/* What a person present may do now. */
right_mask state_rights(const struct state *state, const struct person *person);
/* Sources of a device that may be sent now: wanted and allowed. */
uint32_t state_media(const struct state *state, const struct seat *seat,
                     const struct device *device);
/* Place i of the ring of commands, i < STATE_COMMANDS_MAX; 0 where there is none. */
uint64_t seat_command_at(const struct seat *seat, uint32_t i);
void seat_command_set(struct seat *seat, uint32_t i, uint64_t command);
/* True when the seat remembers this command. */
bool seat_knows(const struct seat *seat, uint64_t command);
/* Who should be acting host: the first host, then the first animator by arrival; NULL = no staff.
 */
const struct person *state_succession(const struct state *state);
/* True when this join token has been used (expired ones are forgotten at the next use). */
bool state_link_used(const struct state *state, const struct id *jti);
/* i-th chat message from the oldest. */
const struct chat_entry *state_chat(const struct state *state, size_t i);
/* Seats with a raised hand in queue order into out (cap pointers); returns how many. */
size_t state_hands(const struct state *state, const struct seat **out, size_t cap);
/* True when this viewer may know of that person: people, hands and words are left out otherwise. */
bool state_sees(const struct state *state, const struct seat *viewer, const struct person *person);
/* Viewers of the same audience are told the same; 0 sees everybody. */
unsigned state_audience(const struct state *state, const struct seat *viewer);
/* Kinds of viewers that may not be told of a person unless they sit at the same table, a bit per
 * state_audience. */
uint8_t state_hidden_from(const struct state *state, const struct person *person);
/* True when both are in one workshop: people at a table know each other. */
bool state_same_table(const struct seat *a, const struct seat *b);
/* True when somebody who leads is present. */
bool state_has_staff(const struct state *state);
/* Index of an open room, or -1. */
int state_room(const struct state *state, const struct id *room);
/* First index a new room may take, or -1. */
int state_room_spare(const struct state *state);
/* Features that are locked for the crowd in a room, as a mask of rights. */
right_mask state_locks(const struct state *state, uint16_t room);
/* True when one more unknown person can be remembered. */
bool state_has_room(const struct state *state);
