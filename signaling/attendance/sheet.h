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

enum { SHEET_ROOMS_MAX = 128 };

struct stay {
    wall_ms in;
    wall_ms out;    /* SHEET_OPEN = still there */
    struct id room; /* zero = the main room */
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
    struct id room;
    struct stay *stays;
    uint32_t stay_count;
    uint32_t stay_cap;
    struct sheet_correction correction;
    uint32_t checks_passed; /* of the checks below */
    uint32_t checks_asked;
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
    bool sealed;
    wall_ms sealed_at;
    uint8_t seal[32];
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
    wall_ms planned;
    int64_t planned_ms;
    uint64_t seq; /* last event folded */
};

void sheet_init(struct sheet *sheet, const struct id *class_id);
void sheet_fini(struct sheet *sheet);
/* One event of the class; those before the first one given may be missing (a sheet may begin
 * anywhere). 0, E_NOMEM (the sheet is of no use any more), E_CORRUPT (does not follow). */
int sheet_fold(struct sheet *sheet, const struct event *event);
/* The session of this number, or the newest for 0; NULL when there is none. */
const struct sheet_session *sheet_find(const struct sheet *sheet, uint64_t number);
/* The record of a person in a session, or NULL. */
const struct attendee *sheet_person(const struct sheet_session *session, const struct id *person);
