/*
 * The conduct of a class: session states and their deadlines, waiting room, locks, grants,
 * moderation, rooms as people hear of them. State: signaling/journal/conduct.h.
 */
#pragma once

#include "signaling/class/part.h"
#include "signaling/journal/conduct.h"

enum { KNOCK_MS = 10000 };

extern const struct class_part class_conduct;

/* Names of the features among these rights, as a list. */
void out_features(struct jsonw *w, right_mask rights);
/* Settings that are not as usual, [key, value] each. */
void out_settings(struct jsonw *w, const struct state *s);
/* The deadlines of the session as an object. */
void out_times(struct jsonw *w, const struct state *s);
/* Role somebody enters with: what the class remembers, unless a different link gives more. */
enum role enter_role(const struct person *known, enum role link);
/* Somebody who may lead has come in: the class is under way, unless it waits for a sign. */
void conduct_staff_in(struct act *act, struct id by);
/* The session goes to another state; due: when closing is over. */
void conduct_change(struct act *act, enum session_state state, struct id by, int64_t due);
/* Ends the session; a permanent class is idle again, one with more dates waits for the next. */
void conduct_close(struct act *act, struct id by);
/* Those in the waiting room hear their rank and reason anew. */
void conduct_tell_queue(struct klass *k);
/* Lets somebody in from the waiting room. */
void conduct_admit(struct act *act, const struct person *person);
/* Sends somebody back there; held: until staff lets him in by hand. */
void conduct_send_back(struct act *act, const struct seat *seat, struct id by, bool held);
/* Handlers (conduct_cmd.c). */
command_h conduct_handler(enum msg_type type);
