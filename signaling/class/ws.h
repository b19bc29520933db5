/*
 * Workshops as the classroom conducts them (classroom.md 4.1): shared by the files ws_*.c and the
 * rows of parts.c and routes.c.
 *   ws_draft.c  preparing: sets, rooms, places, dealing    ws_run.c   opening, moving, closing
 *   ws_desk.c   the control desk and calls for help        ws_time.c  deadlines and newcomers
 *   ws_out.c    what people are told                       ws_report.c  what is left of a room
 */
#pragma once

#include "signaling/class/impl.h"
#include "signaling/class/part.h"
#include "signaling/journal/workshops.h"

/* Row of signaling/class/parts.c. */
extern const struct class_part class_workshops;

extern const struct refusal ws_fine;
struct refusal ws_gone(const char *at);

static inline const struct workshops *ws_of(const struct act *act)
{
    return &act->klass->work->workshops;
}
/* A reference to a text of a message; NULL and act->err when memory is short. */
struct rtext *ws_text(struct act *act, const struct msg_str *text);
/* True when the person leads the class (present or not). */
bool ws_leads(const struct state *s, const struct id *person);

/* ---- ws_draft.c */
command_h ws_draft_handler(enum msg_type type);
void ws_put_place(struct act *act, const struct id *set, const struct id *person,
                  const struct id *room, bool pinned);

/* ---- ws_run.c */
command_h ws_run_handler(enum msg_type type);
/* Moves somebody present to a room (NULL = main): never opens anything, takes a call of that room
 * when the mover is staff. */
void ws_move(struct act *act, const struct id *person, const struct id *room, struct id by);
/* Opens a room for people. */
void ws_open_room(struct act *act, const struct ws_room *room);
/* Whoever is inside goes to the main room first. */
void ws_close_room(struct act *act, struct id room, struct id by);
void ws_close_set(struct act *act, struct id set, struct id by);
void ws_begin_closing(struct act *act, const struct ws_set *set, int64_t seconds, struct id by);
/* The open room with the fewest people that has a place, or NULL. */
const struct ws_room *ws_smallest(const struct state *s, const struct id *set);
bool ws_full(const struct state *s, const struct ws_room *room);

/* ---- ws_desk.c */
command_h ws_desk_handler(enum msg_type type);
/* Ends what this person says in other rooms; the microphone is as open as before. */
void ws_end_voice(struct act *act, const struct id *person);

/* ---- ws_time.c */
int64_t ws_due(const struct state *s, int64_t clock, wall_ms wall);
void ws_tick(struct act *act, int64_t clock);
void ws_settle(struct act *act);

/* ---- ws_out.c */
/* Calls and announcements as whoever comes to this room may know them. */
void ws_told_room(struct klass *k, uint64_t seq, uint16_t room, struct out_scope scope);
void ws_note(struct klass *k, const struct event *e);
/* The events of a commit are all noted: tells what they changed. */
void ws_told(struct klass *k, const struct event *events, size_t count);
void ws_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v);
/* The member chat of the workshop this seat is in: newest messages that fit into `left` bytes;
 * false in the main room. */
bool ws_room_chat(struct jsonw *w, const struct state *s, const struct seat *seat, size_t left);
/* The message this person has just written in a workshop; false in the main room. */
bool ws_newest_chat(struct jsonw *w, const struct state *s, const struct id *person);
void ws_out_chat(struct jsonw *w, const struct ws_note *note);

/* ---- ws_report.c: answers workshop.report. */
void ws_report(struct classroom *room, struct conn *c, const struct msg *msg);

/* ---- ws_routes.c: what a device hears besides its room. */
struct ws_route {
    struct media_ears ears; /* without eyes */
    room_num voice;
    bool desk; /* may view every open workshop */
};
void ws_route_in(struct ws_route *out, const struct klass *k, const struct state *s,
                 const struct seat *seat, const struct id *device);
