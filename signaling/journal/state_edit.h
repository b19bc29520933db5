/*
 * Adding and removing the objects of a state: for the fold and the snapshot reader only, everybody
 * else reads (state.h).
 */
#pragma once

#include "signaling/journal/state.h"

/* A new known person, forgetting the longest absent one when there are too many; NULL = no memory
 * or nobody can be forgotten. */
struct person *state_add_person(struct state *state, const struct id *id);
/* A seat at the end of the list for a person who has none; NULL = no memory or full. */
struct seat *state_add_seat(struct state *state, struct person *person);
void state_remove_seat(struct state *state, struct seat *seat);
