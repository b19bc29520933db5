#include "bench/load/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"

enum { VALUE_MAX = 200, KEY_MAX = 32 };

struct key {
    const char *name;
    enum shape_unit unit;
    size_t at;
    double fallback, low, high;
    const char *help;
};

static const struct key keys[] = {
#define SHAPE_KEY(field, key, unit, type, fallback, low, high, help)                               \
    {key, unit, offsetof(struct shape, field), fallback, low, high, help},
#include "bench/load/shape.def"
#undef SHAPE_KEY
};

static const char *const class_names[SHAPE_CLASSES] = {"standard", "webinar", "round_table"};

const char *shape_class_name(uint32_t class_type)
{
    return class_type < SHAPE_CLASSES ? class_names[class_type] : class_names[0];
}

const char *shape_key(unsigned i, const char **help)
{
    if (i >= sizeof(keys) / sizeof(keys[0])) {
        return NULL;
    }
    *help = keys[i].help;
    return keys[i].name;
}

static void store(struct shape *shape, const struct key *key, double value)
{
    char *at = (char *)shape + key->at;
    if (key->unit == SHAPE_SHARE) {
        memcpy(at, &value, sizeof(value));
    } else {
        uint32_t number = (uint32_t)value;
        memcpy(at, &number, sizeof(number));
    }
}

void shape_init(struct shape *shape)
{
    memset(shape, 0, sizeof(*shape));
    (void)snprintf(shape->name, sizeof(shape->name), "own");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        store(shape, &keys[i], keys[i].fallback);
    }
}

static int choice(const char *value, double *out)
{
    for (unsigned i = 0; i < SHAPE_CLASSES; i++) {
        if (strcmp(value, class_names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return E_BAD;
}

/* "12", "12 %", "0.12", "300 ms", "2 s", "30 s" by the unit of the key. */
static int number(const struct key *key, const char *value, double *out)
{
    char *end = NULL;
    *out = strtod(value, &end);
    if (end == value || !(*out >= 0 && *out < 1e12)) {
        return E_BAD;
    }
    end += strspn(end, " ");
    if (key->unit == SHAPE_SHARE && strcmp(end, "%") == 0) {
        *out /= 100;
    } else if (key->unit == SHAPE_MS && strcmp(end, "s") == 0) {
        *out *= 1000;
    } else if (*end && !(key->unit == SHAPE_MS && strcmp(end, "ms") == 0) &&
               !(key->unit == SHAPE_INT && strcmp(end, "s") == 0)) {
        return E_BAD;
    }
    return key->unit != SHAPE_SHARE && *out != (double)(int64_t)*out ? E_BAD : 0;
}

static int set_text(char *out, size_t cap, const char *value, char why[SHAPE_WHY_MAX])
{
    if (strlen(value) >= cap || !text_utf8_ok(value, strlen(value))) {
        (void)snprintf(why, SHAPE_WHY_MAX, "a title is UTF-8 of at most %zu bytes", cap - 1);
        return E_RANGE;
    }
    memcpy(out, value, strlen(value) + 1);
    return 0;
}

int shape_set(struct shape *shape, const char *name, const char *value, char why[SHAPE_WHY_MAX])
{
    double v = 0;
    if (strcmp(name, "title-fr") == 0) {
        return set_text(shape->title_fr, sizeof(shape->title_fr), value, why);
    }
    if (strcmp(name, "title-en") == 0) {
        return set_text(shape->title_en, sizeof(shape->title_en), value, why);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct key *key = &keys[i];
        if (strcmp(key->name, name) != 0) {
            continue;
        }
        int err = key->unit == SHAPE_CHOICE ? choice(value, &v) : number(key, value, &v);
        if (err) {
            (void)snprintf(why, SHAPE_WHY_MAX, "%s: '%.60s' does not fit (%s)", name, value,
                           key->help);
            return err;
        }
        if (v < key->low || v > key->high) {
            (void)snprintf(why, SHAPE_WHY_MAX, "%s must be %g to %g, not %.60s", name, key->low,
                           key->high, value);
            return E_RANGE;
        }
        store(shape, key, v);
        return 0;
    }
    (void)snprintf(why, SHAPE_WHY_MAX, "unknown key '%.60s'", name);
    return E_NOTFOUND;
}

/* Copies [from, to) without blanks at its ends; false when it does not fit. */
static bool trim(char *out, size_t cap, const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t')) {
        from++;
    }
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r')) {
        to--;
    }
    size_t len = (size_t)(to - from);
    if (len >= cap || memchr(from, '\0', len)) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static int parse_line(struct shape *shape, const char *line, const char *end, char seen[][KEY_MAX],
                      unsigned *count, char why[SHAPE_WHY_MAX])
{
    char key[KEY_MAX];
    char value[VALUE_MAX];
    const char *hash = memchr(line, '#', (size_t)(end - line));
    end = hash ? hash : end;
    const char *equals = memchr(line, '=', (size_t)(end - line));
    if (!equals) {
        if (!trim(value, sizeof(value), line, end) || value[0]) {
            (void)snprintf(why, SHAPE_WHY_MAX, "expected key = value");
            return E_BAD;
        }
        return 0;
    }
    if (!trim(key, sizeof(key), line, equals) || !trim(value, sizeof(value), equals + 1, end) ||
        !key[0]) {
        (void)snprintf(why, SHAPE_WHY_MAX, "expected key = value");
        return E_BAD;
    }
    for (unsigned i = 0; i < *count; i++) {
        if (strcmp(seen[i], key) == 0) {
            (void)snprintf(why, SHAPE_WHY_MAX, "'%s' stands twice", key);
            return E_DUP;
        }
    }
    if (*count < sizeof(keys) / sizeof(keys[0]) + 2) {
        memcpy(seen[(*count)++], key, sizeof(key));
    }
    return shape_set(shape, key, value, why);
}

int shape_parse(struct shape *shape, const char *text, size_t len, char why[SHAPE_WHY_MAX])
{
    char seen[sizeof(keys) / sizeof(keys[0]) + 2][KEY_MAX];
    char inner[SHAPE_WHY_MAX] = "";
    unsigned count = 0;
    unsigned line = 1;
    const char *at = text;
    const char *end = text + len;
    for (; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        int err = parse_line(shape, at, stop, seen, &count, inner);
        if (err) {
            (void)snprintf(why, SHAPE_WHY_MAX, "line %u: %.170s", line, inner);
            return err;
        }
        at = stop + 1;
    }
    return 0;
}

uint32_t shape_people(const struct shape *shape)
{
    return shape->rooms * (shape->publishers + shape->subscribers);
}

int shape_check(struct shape *shape, char why[SHAPE_WHY_MAX])
{
    if (shape->publishers + shape->subscribers == 0) {
        (void)snprintf(why, SHAPE_WHY_MAX, "a class of nobody: set publishers or subscribers");
        return E_RANGE;
    }
    if (shape->speakers > shape->publishers) {
        shape->speakers = shape->publishers;
    }
    if (shape->workshops && shape->publishers <= shape->workshops) {
        (void)snprintf(why, SHAPE_WHY_MAX, "%u workshops need more than %u publishers",
                       shape->workshops, shape->publishers);
        return E_RANGE;
    }
    if (shape->camera_height != 720 && shape->camera_height != 360 && shape->camera_height != 180) {
        (void)snprintf(why, SHAPE_WHY_MAX, "camera-height must be 720, 360 or 180");
        return E_RANGE;
    }
    if (shape_people(shape) > 20000) {
        (void)snprintf(why, SHAPE_WHY_MAX, "%u people are more than 20000", shape_people(shape));
        return E_RANGE;
    }
    return 0;
}
