/*
 * Who was there, when: a fold of the journal of its own, beside the state of the class. For each
 * session (one live run) and each person it keeps the stays: [in, out) per room, of the person and
 * not of a device.
 *
 *   journal -> sheet_fold (every event, in order) -> sheet_session -> rules.h (what counts)
 *
 * Invariants: the stays of a person do not overlap and are in order of time; a stay has out > in,
 * or out = SHEET_OPEN while the person is there; a person has at most one open stay; nobody has a
 * stay outside the session. Away (every page lost) ends a stay: whether a short gap counts is a
 * rule, not a fact.
 * Heap: sessions, people, stays; bounded by the journal that is folded.
 * Out of scope: thresholds and status (rules.h), files (csv.h), who may see it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/journal/event.h"
#include "signaling/journal/rtext.h"
#include "signaling/schema/id.h"

#define SHEET_OPEN INT64_MAX

enum { SHEET_ROOMS_MAX = 128, SHEET_SEAL_MAX = 160 };

struct stay {
    wall_ms in;
    wall_ms out;    /* SHEET_OPEN = still there */
    struct id room; /* zero = the main room */
};

/* What counts (rules.h); a class says it by its settings. */
struct attendance_rules {
    uint32_t share_permille; /* of the length; used when minutes = 0 */
    uint32_t minutes;        /* 0 = by share */
    uint32_t bridge_ms;      /* an absence shorter than this does not count as one */
    uint32_t arrival_min;    /* arrived later than this after the start = partial; 0 = any time */
    uint32_t checks;         /* presence checks that must be passed; 0 = none */
    bool as_lasted;          /* the length is the real one, even when one was planned */
};

/* A word of staff about a person: the newest counts, the older ones stay in the journal. */
struct sheet_correction {
    bool given;
    uint8_t status; /* enum attendance_status */
    wall_ms at;
    struct id by;
    struct rtext *reason; /* NULL once erased */
};

struct attendee {
    struct id person;
    struct rtext *name; /* newest; NULL once erased */
    uint8_t role;       /* newest */
    bool here;
    bool expected; /* on the roster */
    bool asked;    /* by the presence check that runs */
    struct id room;
    struct stay *stays;
    uint32_t stay_count;
    uint32_t stay_cap;
    struct sheet_correction correction;
    uint32_t corrections;   /* words of staff so far */
    uint32_t checks_passed; /* of the checks below */
    uint32_t checks_asked;
    struct rtext *number; /* in a training register; NULL none */
    bool contested;       /* and no word of staff since */
    wall_ms contested_at;
    struct rtext *objection; /* newest; NULL none, or erased */
};

struct sheet_session {
    uint64_t number; /* seq of the event that opened it: unique in the class */
    wall_ms opened;
    wall_ms closed;          /* SHEET_OPEN while it runs */
    wall_ms planned;         /* when it should have begun; 0 = no date */
    int64_t planned_ms;      /* how long it should have lasted; 0 = open end */
    struct attendee *people; /* in order of arrival */
    uint32_t count;
    uint32_t cap;
    uint32_t checks; /* presence checks asked */
    int64_t offset;  /* wall minus class time when it opened: its stamps stay on that wall clock */
    bool sealed;
    wall_ms sealed_at;
    struct id sealed_by;
    struct attendance_rules sealed_rules;
    char seal[SHEET_SEAL_MAX + 1]; /* as the event has it: "sheet:journal", hexadecimal */
    bool journal_holds;            /* the journal before it is what was sealed (history.h) */
    uint64_t seal_seq;             /* of the event that sealed it */
};

struct sheet {
    struct id class_id;
    struct rtext *title;
    struct sheet_session *sessions; /* oldest first */
    uint32_t count;
    uint32_t cap;
    /* Who has a seat now, session or not. */
    struct attendee *here;
    uint32_t here_count;
    uint32_t here_cap;
    struct id rooms[SHEET_ROOMS_MAX]; /* by index; zero = the main room, or not open */
    /* Everybody on the roster: each session begins with them. */
    struct attendee *roster;
    uint32_t roster_count;
    uint32_t roster_cap;
    wall_ms planned;
    int64_t planned_ms;
    struct attendance_rules rules; /* as the class has them now */
    uint32_t provisional_days;
    struct id check; /* presence check that runs; zero = none */
    bool anchored;
    int64_t offset; /* wall minus class time now */
    uint64_t seq;   /* last event folded */
};

void sheet_init(struct sheet *sheet, const struct id *class_id);
void sheet_fini(struct sheet *sheet);
/* One event of the class; those before the first one given may be missing (a sheet may begin
 * anywhere). 0, E_NOMEM (the sheet is of no use any more), E_CORRUPT (does not follow). */
int sheet_fold(struct sheet *sheet, const struct event *event);
/* The rules of a class where nothing else was said: half of the length. */
struct attendance_rules attendance_defaults(void);
/* A wall time of now on the clock of a running session (F16). */
wall_ms sheet_now(const struct sheet *sheet, const struct sheet_session *session, wall_ms wall);
/* The session of this number, or the newest for 0; NULL when there is none. */
const struct sheet_session *sheet_find(const struct sheet *sheet, uint64_t number);
/* Is this person in the session or on the roster? */
bool sheet_known(const struct sheet *sheet, const struct sheet_session *session,
                 const struct id *person);
/* The record of a person in a session, or NULL. */
const struct attendee *sheet_person(const struct sheet_session *session, const struct id *person);
