/*
 * The whole state of a class as bytes, so that opening a class does not replay a year.
 * Invariants: decode(encode(s)) encodes to the same bytes; with a sealer names and texts are sealed
 * under their person's key, without they are plain (only for comparing and for refolding in
 * memory). A newer format is E_VERSION. Format 2 = format 1 and the sections of the parts (part.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/journal/seal.h"
#include "signaling/journal/state.h"

enum { SNAPSHOT_FORMAT = 3, SNAPSHOT_EVERY = 1000, SNAPSHOT_LEN_MAX = 64 << 20 };

/* *out = bytes owned by the caller (mem_free). 0, E_NOMEM, E_TOOBIG. A person without key (erased)
 * is written without name. */
int state_encode(const struct state *state, const struct sealer *sealer, uint8_t **out,
                 size_t *len);
/* *out = a state owned by the caller. 0, E_VERSION, E_CORRUPT, E_NOMEM. */
int state_decode(struct state **out, const void *data, size_t len, const struct sealer *sealer);
