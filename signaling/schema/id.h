/*
 * Opaque ids made by the server: 128 random bits, spoken as a letter for the kind, "_" and 26
 * characters of lower-case base32. The same value as raw bytes lives in state and journal.
 * Invariants: an id of zero means "nobody"; a spelling parses only if it is the one we would write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"

enum { ID_LEN = 16, ID_TEXT_MAX = 2 + 26 + 1 };

struct id {
    uint8_t b[ID_LEN];
};

enum id_kind {
    ID_CLASS = 0,
    ID_PERSON,
    ID_DEVICE,
    ID_MESSAGE,
    ID_ROOM,
    ID_SET,
    ID_PASS,
    ID_KIND_COUNT
};

/* A fresh id from rng; never zero. */
struct id id_new(const struct rng *rng);
bool id_equal(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);
/* First eight bytes as a map key: random, since the server draws every id. */
uint64_t id_key(const struct id *id);
/* Writes "p_..." with NUL into out; returns out. */
const char *id_print(char out[ID_TEXT_MAX], enum id_kind kind, const struct id *id);
/* Parses exactly one id of this kind. 0 or E_BAD. */
int id_parse(struct id *out, enum id_kind kind, const char *text, size_t len);
