/*
 * state = fold(events). The only code that changes a class.
 * Invariants: deterministic: same events, same state, byte for byte; an event either folds wholly
 * or changes nothing; seq rises by exactly one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/journal/event.h"
#include "signaling/journal/seal.h"
#include "signaling/journal/state.h"

/* 0, E_CORRUPT (does not follow from this state), E_NOMEM (only without state_reserve). */
int state_fold(struct state *state, const struct event *event);
