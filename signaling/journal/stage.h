/*
 * The stage of a webinar: how far it is (backstage, doors, on air, questions), who stands where
 * (stage, wings, audience), who is invited, and what the holding page says. Closing and closed are
 * states of the session, as in every class.
 *
 *   backstage <-> doors -> starting (3-2-1) -> air <-> questions
 *        \________________^     |__ cancelled: back to where it came from
 *
 * Invariants: only a webinar has anything here; a member has a seat and a role that is not of the
 * crowd once a command is settled; at most STAGE_ON_MAX stand on the stage; an invited person sits
 * in the audience; whoever is no member is audience. Deadlines are class time in milliseconds.
 * Out of scope: who may do it (signaling/class), media (signaling/class/routes.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/journal/part.h"
#include "signaling/journal/state.h"

enum {
    STAGE_ON_MAX = 16,
    STAGE_MEMBERS_MAX = 64, /* stage and wings */
    STAGE_INVITES_MAX = 16,
    STAGE_CHECKED_MIC = 1,
    STAGE_CHECKED_CAM = 2,
    STAGE_CHECKED_SOUND = 4,
    STAGE_CHECKED_READY = 8,
    STAGE_CHECKED_ALL = 15,
};

enum stage_phase {
    STAGE_BACKSTAGE = 0,
    STAGE_DOORS,
    STAGE_STARTING, /* 3-2-1, seen by the stage alone */
    STAGE_AIR,
    STAGE_QUESTIONS,
    STAGE_PHASE_COUNT
};
enum stage_place { PLACE_AUDIENCE = 0, PLACE_WINGS, PLACE_STAGE, STAGE_PLACE_COUNT };
enum invite_end {
    INVITE_ACCEPTED = 0,
    INVITE_REFUSED,
    INVITE_EXPIRED,
    INVITE_WITHDRAWN,
    INVITE_END_COUNT
};
enum audience_names { AUDIENCE_HIDDEN = 0, AUDIENCE_COUNT, AUDIENCE_SHOWN };
enum stage_chat { STAGE_CHAT_PUBLIC = 0, STAGE_CHAT_STAFF, STAGE_CHAT_OFF };

/* Kinds of people who are told different things; what state_audience says of a webinar. Whether the
 * class shows names is part of it, so that everybody is told anew when that changes. */
enum {
    AUDIENCE_OF_STAFF = 0,
    AUDIENCE_OF_SEATS = 1,
    AUDIENCE_OF_STAGE = 2,
    AUDIENCE_NAMES = 4, /* added to either */
    AUDIENCE_OF_COUNT = 8,
};

static inline bool stage_is_below(unsigned kind)
{
    return (kind & 3) == AUDIENCE_OF_SEATS;
}

/* Where the media of a seat goes: the class's own room is what listeners hear on air. */
enum stage_media { STAGE_MEDIA_STAGE = 0, STAGE_MEDIA_WINGS, STAGE_MEDIA_LOBBY };

struct stage_member {
    struct id person;
    uint8_t place; /* PLACE_WINGS or PLACE_STAGE */
    uint8_t home;  /* role of a guest before, + 1; 0 = no guest */
    uint8_t checked;
    int64_t due;    /* end of the turn, 0 = none */
    uint64_t since; /* seq: order on the stage */
};

struct stage_invite {
    struct id person;
    struct id by;
    int64_t due;
};

struct stage {
    enum stage_phase phase;
    enum stage_phase before; /* STARTING: where a cancel leads */
    wall_ms changed_at;
    wall_ms air_at;    /* on air since, 0 = not */
    int64_t due;       /* STARTING: when it is on air */
    int64_t opens_due; /* countdown of the holding page, 0 = none */
    struct rtext *holding;
    bool music;
    uint8_t fill; /* 0, 1 = 80 %, 2 = full */
    size_t member_count;
    struct stage_member members[STAGE_MEMBERS_MAX];
    size_t invite_count;
    struct stage_invite invites[STAGE_INVITES_MAX];
};

extern const struct state_part stage_part;

static inline bool stage_is(const struct state *s)
{
    return s->type == CLASS_WEBINAR;
}

/* True while the stage is sent to the audience. */
bool stage_on_air(const struct state *s);
/* Roles that stand on the stage or in the wings. */
bool stage_role(unsigned role);
/* NULL when the person is in the audience. */
const struct stage_member *stage_member(const struct state *s, const struct id *person);
const struct stage_invite *stage_invited(const struct state *s, const struct id *person);
/* Where a person is; outside webinars everybody is on stage. */
enum stage_place stage_place(const struct state *s, const struct id *person);
size_t stage_count(const struct state *s, enum stage_place place);
/* People seated in the audience. */
size_t stage_audience(const struct state *s);
/* Rights of a person present at that place: only stage and wings send. */
right_mask stage_narrow(const struct state *s, const struct person *person, right_mask rights);
enum stage_media stage_media(const struct state *s, const struct person *person);
/* True when somebody of the crowd cannot come in now: backstage, or no seat is free; light: one
 * with sound and slides only would do. */
bool stage_must_wait(const struct state *s, bool light);
/* Full seats taken by the audience. */
size_t stage_taken(const struct state *s);
size_t stage_light(const struct state *s);
/* Seats of the audience and how many are left for the crowd; reserved ones are for the others. */
size_t stage_seats(const struct state *s, size_t most);
/* Notes who may read this message and know its author, as things stand when it is written. */
void stage_mark_chat(const struct state *s, const struct person *author, struct chat_entry *chat);
unsigned stage_kind(const struct state *s, const struct person *viewer);
/* May these know of that person? Staff knows everybody, everybody knows the stage. */
bool stage_seen_by(const struct state *s, unsigned kind, const struct person *person);
/* True when a step from one phase to another is allowed. */
bool stage_may(enum stage_phase from, enum stage_phase to);
