/*
 * Rooms and the conduct of a class: who waits at the door, what is locked, personal grants,
 * settings, planned end, class time. Events 100-119 (events.def).
 * Invariants: everybody seated is in one open room; wait_count persons have a wait_seq; a person
 * never waits and sits at once.
 */
#pragma once

#include "signaling/journal/part.h"

/* In b of WAIT_ENTERED and PERSON_JOINED, beside the media bits: came by a link of his own. */
enum { CONDUCT_LISTED = 0x100 };

extern const struct state_part conduct_part;

/* Must somebody who comes with this role wait? p: what is known of him, or NULL. */
bool state_must_wait(const struct state *s, const struct person *p, unsigned role, bool listed,
                     bool light);

/* The waiting room as it works: a permanent class lets nobody in while whoever leads is away. */
int64_t state_waiting_mode(const struct state *s);

/* Persons waiting, in order of arrival, into out (cap pointers); returns how many. */
size_t state_waiting(const struct state *s, const struct person **out, size_t cap);
/* Place in that order from 1; 0 = not waiting. */
size_t state_wait_rank(const struct state *s, const struct person *person);
/* Puts a seat into an open room, hand down. */
void conduct_move(struct state *s, struct seat *seat, uint16_t room, const struct event *e);
/* Takes a person out of the waiting room; nothing when not there. */
void conduct_unwait(struct state *s, struct person *person);
