/*
 * The shape of a load: who comes, how fast, what they do, over which network, and what counts as
 * good. A shape is a small text file (bench/scenarios/): `key = value` a line, # begins a comment.
 * The same keys are flags of `amphi load` (max-loss = --max-loss).
 * Invariants: unknown keys, doubled keys and values out of bounds are errors with their line.
 * Out of scope: reading files (the caller has the bytes).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHAPE_NAME_MAX = 48, SHAPE_TEXT_MAX = 160, SHAPE_WHY_MAX = 200 };

enum shape_class { SHAPE_STANDARD = 0, SHAPE_WEBINAR, SHAPE_ROUND_TABLE, SHAPE_CLASSES };

enum shape_unit { SHAPE_INT, SHAPE_SHARE, SHAPE_MS, SHAPE_CHOICE, SHAPE_WORDS };

struct shape {
    char name[SHAPE_NAME_MAX];
    char title_fr[SHAPE_TEXT_MAX];
    char title_en[SHAPE_TEXT_MAX];
#define SHAPE_KEY(field, key, unit, type, fallback, low, high, help) type field;
#include "bench/load/shape.def"
#undef SHAPE_KEY
};

/* Every number at its fallback. */
void shape_init(struct shape *shape);
/* Reads a file over what shape holds. 0, or E_BAD / E_NOTFOUND (unknown key) / E_RANGE with "line
 * N: what" in why. */
int shape_parse(struct shape *shape, const char *text, size_t len, char why[SHAPE_WHY_MAX]);
/* Sets one key from text; the same errors, without a line. */
int shape_set(struct shape *shape, const char *key, const char *value, char why[SHAPE_WHY_MAX]);
/* Rules between keys: at least one person, speakers among those who can speak. */
int shape_check(struct shape *shape, char why[SHAPE_WHY_MAX]);
/* People of the whole run. */
uint32_t shape_people(const struct shape *shape);
const char *shape_class_name(uint32_t class_type);

/* Key i of the table with its help; NULL behind the last. */
const char *shape_key(unsigned i, const char **help);
