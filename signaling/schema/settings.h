/*
 * The settings of a class as a table (settings.def): numbers with bounds, spelled as words where
 * they are choices. Out of scope: where they are kept (signaling/journal) and who may change them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SETTING(id, number, key, def, low, high, choices, doc) SETTING_##id = (number),
enum setting {
#include "signaling/schema/settings.def"
    SETTING_COUNT = 100, /* numbers there can be; not all are given */
};
#undef SETTING

struct setting_row {
    const char *key;
    int64_t def;
    int64_t low;
    int64_t high;
    const char *choices;
    const char *doc;
};

/* Row of a number, or NULL when nobody has given it. */
const struct setting_row *setting_row(unsigned number);
/* Number of a key, or -1. */
int setting_find(const char *key, size_t len);
/* Reads a value: a word of choices, or a number within the bounds. 0 or E_RANGE. */
int setting_read(unsigned number, const char *text, size_t len, int64_t *out);
/* Writes a value as one would say it; returns out. */
const char *setting_print(unsigned number, int64_t value, char *out, size_t cap);
