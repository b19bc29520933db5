/*
 * Workshops of a class: sets of rooms that are prepared, opened, closed and kept. A set holds its
 * rooms, who belongs where (places), who was where (spans) and what was written there (notes); the
 * class holds calls for help, announcements, whom a trainer listens to and speaks to.
 *
 *   set   draft -> ready -> open -> closing -> closed -> open again ... -> archived
 *   room  waiting -> active -> closing -> closed
 *
 * Invariants: at most one set is open or closing; a room of an open set that is active stands under
 * the same id in state.rooms; a span without end belongs to a person who is in that room; lists are
 * bounded (WS_*_MAX); a fold takes no memory that workshops_follow has not reserved.
 * Heap: the lists of this file. Out of scope: who may do what and when (signaling/class/ws_*.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/journal/rtext.h"
#include "signaling/schema/id.h"

struct event;
struct seat;
struct state;
struct state_part;

enum {
    WS_SETS_MAX = 24,
    WS_SET_ROOMS_MAX = 100,
    WS_ROOMS_MAX = 600, /* of all sets */
    WS_PLACES_MAX = 6000,
    WS_SPANS_MAX = 8000,
    WS_NOTES_MAX = 4000,
    WS_LABELS_MAX = 2000,
    WS_CALLS_MAX = 200,
    WS_WORDS_MAX = 60, /* announcements kept */
    WS_TARGETS_MAX = 4000,
    WS_VOICES_MAX = 8,
    WS_LISTENERS_MAX = 32,
    WS_STAFF_MAX = 100, /* messages among the staff */
    WS_CHANNELS = 32000,
};

enum ws_list_kind {
    WS_SETS,
    WS_ROOMS,
    WS_PLACES,
    WS_SPANS,
    WS_NOTES,
    WS_LABELS,
    WS_CALLS,
    WS_WORDS,
    WS_TARGETS,
    WS_VOICES,
    WS_LISTENERS,
    WS_STAFF,
    WS_LISTS,
};

/* The numbers below are stored: they never change meaning. */
enum ws_set_state {
    WS_DRAFT = 0,
    WS_READY,
    WS_OPEN,
    WS_CLOSING,
    WS_CLOSED,
    WS_ARCHIVED,
    WS_SET_STATES
};
enum ws_room_state {
    WS_ROOM_WAITING = 0,
    WS_ROOM_ACTIVE,
    WS_ROOM_CLOSING,
    WS_ROOM_CLOSED,
    WS_ROOM_STATES
};
enum ws_mode { WS_MOVE = 0, WS_INVITE };
enum ws_change { WS_CHANGE_ASK = 0, WS_CHANGE_FREE, WS_CHANGE_NEVER };
enum ws_late { WS_LATE_ASK = 0, WS_LATE_SMALLEST, WS_LATE_CHOOSE, WS_LATE_STAY };
/* How a person stands to the place planned in an open set. */
enum ws_stand {
    WS_PLANNED = 0, /* moved or invited when the time comes */
    WS_IN,          /* has been there */
    WS_REFUSED,     /* stays in the main room: unplaced */
    WS_BACK,        /* was there and came back */
    WS_ASKING,      /* asks the staff for a room, or for another one */
    WS_CHOOSING,    /* shall choose */
    WS_STANDS
};
enum ws_key {
    WS_KEY_TITLE = 0, /* text */
    WS_KEY_MODE,
    WS_KEY_CHANGE,
    WS_KEY_LATE,
    WS_KEY_BACK,    /* people may return to the main room by themselves */
    WS_KEY_CLOSING, /* seconds */
    WS_KEY_NOTICE,  /* seconds */
    WS_KEY_MINUTES, /* planned length, 0 = none */
    WS_KEY_CHOICE,  /* people choose their room themselves */
    WS_KEYS
};
enum ws_room_key {
    WS_ROOM_NAME = 0,  /* text */
    WS_ROOM_TASK,      /* text */
    WS_ROOM_MATERIALS, /* text */
    WS_ROOM_FACILITATOR,
    WS_ROOM_CAPACITY,
    WS_ROOM_RECORD,
    WS_ROOM_KEYS
};
enum ws_call_state {
    WS_CALL_ASKED = 0,
    WS_CALL_TAKEN,
    WS_CALL_DONE,
    WS_CALL_WITHDRAWN,
    WS_CALLS_N
};
enum ws_word_kind { WS_WORD_TEXT = 0, WS_WORD_VOICE, WS_WORD_TALK };
enum ws_scope { WS_FOR_MEMBERS = 0, WS_FOR_ALL };

struct ws_set {
    struct id id;
    uint8_t state; /* enum ws_set_state */
    uint8_t mode;
    uint8_t change;
    uint8_t late;
    bool back;
    bool choice;
    uint8_t scope; /* whom the report is published to */
    uint16_t closing_s;
    uint16_t notice_s;
    uint16_t minutes;
    uint32_t opened;   /* how often */
    uint64_t open_seq; /* of the last opening, 0 = never */
    int64_t moves_due; /* class time when whoever is placed is moved; 0 = has been */
    int64_t ends_due;  /* class time when closing begins; 0 = no end */
    int64_t until;     /* class time when closing ends */
    wall_ms opened_at;
    wall_ms closed_at;
    struct rtext *title;
};

struct ws_room {
    struct id id;
    struct id set;
    struct id facilitator; /* zero = none */
    uint8_t state;         /* enum ws_room_state */
    uint8_t scope;
    bool record;
    uint16_t capacity; /* 0 = no limit */
    int64_t until;     /* closing ends */
    struct rtext *name;
    struct rtext *task;
    struct rtext *materials;
};

struct ws_place {
    struct id set;
    struct id person;
    struct id room; /* zero = unplaced */
    uint8_t stand;
    bool pinned;
    int64_t until; /* ASKING: class time when the rule decides; 0 = waits */
};

struct ws_span {
    struct id room;
    struct id person;
    wall_ms from;
    wall_ms to; /* 0 = still there */
};

struct ws_note {
    struct id id;
    struct id room; /* zero in the list of the staff */
    struct id from;
    wall_ms at;
    struct rtext *name;
    struct rtext *text;
};

struct ws_label {
    struct id person;
    struct rtext *text[2]; /* group, tag */
};

struct ws_call {
    struct id room;
    struct id person; /* who called */
    struct id by;     /* who took it; zero = nobody */
    uint8_t state;
    wall_ms at;
    wall_ms changed_at;
    struct rtext *text;
};

/* An announcement: a text, or a voice while it lasted. */
struct ws_word {
    struct id id;
    struct id from;
    uint8_t kind;
    bool all; /* every room and the main one; else its targets */
    wall_ms at;
    wall_ms ended_at; /* VOICE: 0 = goes on */
    struct rtext *name;
    struct rtext *text;
};

struct ws_target {
    struct id word; /* announcement or voice */
    struct id room;
};

/* A microphone that is heard in other rooms instead of its own. */
struct ws_voice {
    struct id id;
    struct id person;
    struct id device;
    uint16_t channel; /* number of the room that carries it; not used again for a long time */
    uint8_t kind;     /* VOICE or TALK */
    bool all;
    bool mic_before; /* open before: stays open after */
};

/* A member of the staff at the control desk. */
struct ws_listener {
    struct id person;
    struct id device;
    struct id room; /* heard; zero = none */
    bool desk;      /* sees the pictures of every room */
};

struct ws_list {
    void *v;
    uint32_t count;
    uint32_t cap;
};

struct workshops {
    struct ws_list list[WS_LISTS];
    uint16_t channel; /* last one given to a voice */
};

/* Elements by place; the pointer holds until the list changes. */
#define WS_AT(name, type, kind)                                                                    \
    static inline struct type *name(const struct workshops *w, uint32_t i)                         \
    {                                                                                              \
        return (struct type *)w->list[kind].v + i;                                                 \
    }
WS_AT(ws_set_at, ws_set, WS_SETS)
WS_AT(ws_room_at, ws_room, WS_ROOMS)
WS_AT(ws_place_at, ws_place, WS_PLACES)
WS_AT(ws_span_at, ws_span, WS_SPANS)
WS_AT(ws_note_at, ws_note, WS_NOTES)
WS_AT(ws_label_at, ws_label, WS_LABELS)
WS_AT(ws_call_at, ws_call, WS_CALLS)
WS_AT(ws_word_at, ws_word, WS_WORDS)
WS_AT(ws_target_at, ws_target, WS_TARGETS)
WS_AT(ws_voice_at, ws_voice, WS_VOICES)
WS_AT(ws_listener_at, ws_listener, WS_LISTENERS)
WS_AT(ws_staff_at, ws_note, WS_STAFF)
#undef WS_AT

/* Row of signaling/journal/part.c. */
extern const struct state_part workshops_part;

/* done can fold whatever work has folded without taking memory. 0 or E_NOMEM. */
int workshops_follow(struct state *done, const struct state *work);
/* A chat message of a room that is not main is kept for its report. */
int workshops_chat(struct state *s, const struct seat *seat, const struct event *e);
/* True when the seat is in the room this person facilitates: more rights, there only. */
bool workshops_facilitates(const struct state *s, const struct seat *seat);
/* Name and words of this person are erased. */
void workshops_forget(struct state *s, const struct id *person);
/* Only what the person wrote. */
void workshops_unsay(struct state *s, const struct id *person);

/* ---- finding; NULL = none */

struct ws_set *ws_set(const struct workshops *w, const struct id *set);
/* The set that is open or closing. */
struct ws_set *ws_open(const struct workshops *w);
struct ws_room *ws_room(const struct workshops *w, const struct id *room);
struct ws_place *ws_place(const struct workshops *w, const struct id *set, const struct id *person);
struct ws_label *ws_label(const struct workshops *w, const struct id *person);
/* The newest call of a room that is asked or taken. */
struct ws_call *ws_call(const struct workshops *w, const struct id *room);
struct ws_voice *ws_voice(const struct workshops *w, const struct id *voice);
/* The voice of this person. */
struct ws_voice *ws_voice_of(const struct workshops *w, const struct id *person);
struct ws_listener *ws_listener(const struct workshops *w, const struct id *person);
/* True when the announcement or voice is for that room. */
bool ws_is_target(const struct workshops *w, const struct id *word, bool all,
                  const struct id *room);
/* The workshop a seat is in, or NULL in the main room. */
struct ws_room *ws_room_of(const struct state *s, const struct seat *seat);
/* People in a room now; the main room when it is not open. */
uint32_t ws_people_in(const struct state *s, const struct id *room);
static inline bool ws_room_is_open(const struct ws_room *r)
{
    return r->state == WS_ROOM_ACTIVE || r->state == WS_ROOM_CLOSING;
}

/* ---- changing the lists: for the fold and the snapshot reader */

/* A zeroed element at the end; the oldest goes when the list is at its limit. NULL = no memory. */
void *ws_push(struct workshops *w, enum ws_list_kind kind);
void ws_drop(struct workshops *w, enum ws_list_kind kind, uint32_t i);
uint32_t ws_list_max(enum ws_list_kind kind);
