/*
 * How names and texts are kept: sealed under a key per person, so that deleting the key erases the
 * person everywhere, backups of the journal included. A box opens only with the key it was made
 * with; a missing key reads as the empty text. Titles, names of rooms and tasks are kept under the
 * key of the class. What somebody wrote is sealed under a second key, of the id seal_words_id
 * gives, so that words can be forgotten while the name stays. Out of scope: drawing and storing
 * keys (signaling/class/keyring.h, signaling/store).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/schema/id.h"
#include "signaling/schema/token_ops.h"

struct sealer {
    struct token_ops ops;
    /* The key of a person, or NULL when there is none (any more). */
    const uint8_t *(*key_h)(void *arg, const struct id *person);
    void *arg;
    struct id home; /* the class: texts of its own are kept under a key of this name */
};

/* The id under which the key for a person's words is kept, and back again. */
struct id seal_words_id(const struct id *person);
struct id seal_words_owner(const struct id *words);
