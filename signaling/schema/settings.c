#include "signaling/schema/settings.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"

#define SETTING(id, number, key, def, low, high, choices, doc)                                     \
    [SETTING_##id] = {key, def, low, high, choices, doc},
static const struct setting_row rows[SETTING_COUNT] = {
#include "signaling/schema/settings.def"
};
#undef SETTING

const struct setting_row *setting_row(unsigned number)
{
    return number < SETTING_COUNT && rows[number].key ? &rows[number] : NULL;
}

int setting_find(const char *key, size_t len)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (rows[i].key && strlen(rows[i].key) == len && memcmp(rows[i].key, key, len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int read_choice(const struct setting_row *row, const char *text, size_t len, int64_t *out)
{
    int64_t value = row->low;
    for (const char *at = row->choices; *at; value++) {
        size_t word = strcspn(at, "|");
        if (word == len && memcmp(at, text, len) == 0) {
            *out = value;
            return 0;
        }
        at += word + (at[word] == '|');
    }
    return E_RANGE;
}

int setting_read(unsigned number, const char *text, size_t len, int64_t *out)
{
    const struct setting_row *row = setting_row(number);
    if (!row || len == 0 || len > 18) {
        return E_RANGE;
    }
    if (row->choices) {
        return read_choice(row, text, len, out);
    }
    int64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return E_RANGE;
        }
        value = value * 10 + (text[i] - '0');
    }
    if (value < row->low || value > row->high) {
        return E_RANGE;
    }
    *out = value;
    return 0;
}

const char *setting_print(unsigned number, int64_t value, char *out, size_t cap)
{
    const struct setting_row *row = setting_row(number);
    const char *at = row ? row->choices : NULL;
    for (int64_t i = row ? row->low : 0; at && i < value; i++) {
        at = strchr(at, '|');
        at = at ? at + 1 : NULL;
    }
    if (at) {
        (void)snprintf(out, cap, "%.*s", (int)strcspn(at, "|"), at);
    } else {
        (void)snprintf(out, cap, "%" PRId64, value);
    }
    return out;
}
