#include "server/app/config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"

enum { LIVE = 1, START = 0 };

static const struct config_row rows[] = {
#define OPT(section_, key_, type_, def_, min_, max_, unit_, reload_, help_)                        \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .type = CONFIG_##type_,                                                                       \
     .def = def_,                                                                                  \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .unit = unit_,                                                                                \
     .live = reload_,                                                                              \
     .help = help_,                                                                                \
     .offset = offsetof(struct config, section_##_##key_)},
#include "server/app/config.def"
#undef OPT
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct config_row *config_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}

const struct config_row *config_find(const char *section, const char *key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!strcmp(rows[i].section, section) && !strcmp(rows[i].key, key)) {
            return &rows[i];
        }
    }
    return NULL;
}

enum { NAME_MAX_LEN = 64 };

/* Edit distance (Wagner, Fischer 1974) of two short names, one row of the matrix at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t line[NAME_MAX_LEN + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > NAME_MAX_LEN || b_len > NAME_MAX_LEN) {
        return NAME_MAX_LEN;
    }
    for (size_t j = 0; j <= b_len; j++) {
        line[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t corner = line[0];
        line[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            best = line[j] + 1 < best ? line[j] + 1 : best;
            best = line[j - 1] + 1 < best ? line[j - 1] + 1 : best;
            corner = line[j];
            line[j] = best;
        }
    }
    return line[b_len];
}

const struct config_row *config_nearest(const char *section, const char *key)
{
    const struct config_row *best = NULL;
    size_t best_distance = 4; /* three slips are a misspelling, more is another word */
    char name[2 * NAME_MAX_LEN];
    char want[2 * NAME_MAX_LEN];
    snprintf(want, sizeof(want), "%.60s.%.60s", section, key);
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(name, sizeof(name), "%s.%s", rows[i].section, rows[i].key);
        size_t d = distance(name, want);
        if (!strcmp(rows[i].key, key) && strcmp(rows[i].section, section)) {
            d = d < 3 ? d : 3; /* right key in the wrong section */
        }
        if (d < best_distance) {
            best_distance = d;
            best = &rows[i];
        }
    }
    return best;
}

static void *member(const struct config *config, const struct config_row *row)
{
    union {
        const struct config *in;
        char *out; /* the table's setters write through here; readers do not */
    } p = {.in = config};
    return p.out + row->offset;
}

static bool is_text(const struct config_row *row)
{
    return row->type == CONFIG_TEXT || row->type == CONFIG_SECRET;
}

static void list_clear(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        mem_free(list->item[i]);
    }
    memset(list, 0, sizeof(*list));
}

static int parse_int(const struct config_row *row, const char *text, int64_t *out, char *why)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)text[0])) {
        snprintf(why, CONFIG_WHY_MAX, "must be a whole number, not \"%.80s\"", text);
        return E_BAD;
    }
    if (value < row->min || value > row->max) {
        snprintf(why, CONFIG_WHY_MAX, "must be %" PRId64 " to %" PRId64 "%s%s, not %lld", row->min,
                 row->max, *row->unit ? " " : "", row->unit, value);
        return E_RANGE;
    }
    *out = value;
    return 0;
}

static int parse_bool(const char *text, bool *out, char *why)
{
    static const char *const yes[] = {"true", "yes", "on"};
    static const char *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
            *out = !strcmp(text, yes[i]);
            return 0;
        }
    }
    snprintf(why, CONFIG_WHY_MAX, "must be true or false, not \"%.80s\"", text);
    return E_BAD;
}

static int parse_enum(const struct config_row *row, const char *text, int *out, char *why)
{
    size_t len = strlen(text);
    int at = 0;
    for (const char *p = row->unit; *p; at++) {
        size_t n = strcspn(p, "|");
        if (n == len && !memcmp(p, text, n)) {
            *out = at;
            return 0;
        }
        p += n + (p[n] == '|');
    }
    snprintf(why, CONFIG_WHY_MAX, "must be one of %s, not \"%.80s\"", row->unit, text);
    return E_BAD;
}

static int check_text(const struct config_row *row, const char *text, char *why)
{
    size_t len = strlen(text);
    if ((int64_t)len < row->min || (int64_t)len > row->max) {
        snprintf(why, CONFIG_WHY_MAX, "must have %" PRId64 " to %" PRId64 " bytes, not %zu",
                 row->min, row->max, len);
        return E_RANGE;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            snprintf(why, CONFIG_WHY_MAX, "must not hold control characters");
            return E_BAD;
        }
    }
    if (!text_utf8_ok(text, len)) {
        snprintf(why, CONFIG_WHY_MAX, "must be UTF-8");
        return E_BAD;
    }
    return 0;
}

static int no_memory(char *why)
{
    snprintf(why, CONFIG_WHY_MAX, "%s", err_text(E_NOMEM));
    return E_NOMEM;
}

static int set_text(char **out, const struct config_row *row, const char *text, char *why)
{
    int err = check_text(row, text, why);
    if (err) {
        return err;
    }
    char *copy = mem_dup(text, strlen(text));
    if (!copy) {
        return no_memory(why);
    }
    mem_free(*out);
    *out = copy;
    return 0;
}

static int set_list(struct config_list *out, const struct config_row *row,
                    const char *const *values, size_t count, char *why)
{
    struct config_list list = {.count = 0};
    int err = 0;
    if (count > CONFIG_LIST_MAX) {
        snprintf(why, CONFIG_WHY_MAX, "must have at most %d values, not %zu", CONFIG_LIST_MAX,
                 count);
        return E_RANGE;
    }
    for (size_t i = 0; i < count && !err; i++) {
        /* Variables and flags part lists at commas, so no value may hold one. */
        if (strchr(values[i], ',')) {
            snprintf(why, CONFIG_WHY_MAX, "must not hold a comma inside a value");
            err = E_BAD;
            break;
        }
        err = set_text(&list.item[i], row, values[i], why);
        list.count = i + 1;
    }
    if (err) {
        list_clear(&list);
        return err;
    }
    list_clear(out);
    *out = list;
    return 0;
}

int config_set(struct config *config, const struct config_row *row, const char *const *values,
               size_t count, char why[CONFIG_WHY_MAX])
{
    if (row->type == CONFIG_LIST) {
        return set_list(member(config, row), row, values, count, why);
    }
    if (count != 1) {
        snprintf(why, CONFIG_WHY_MAX, "must be one value, not a list");
        return E_BAD;
    }
    switch (row->type) {
    case CONFIG_INT:
        return parse_int(row, values[0], member(config, row), why);
    case CONFIG_BOOL:
        return parse_bool(values[0], member(config, row), why);
    case CONFIG_ENUM:
        return parse_enum(row, values[0], member(config, row), why);
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return set_text(member(config, row), row, values[0], why);
    case CONFIG_LIST:
        break;
    }
    return E_BAD;
}

int config_set_text(struct config *config, const struct config_row *row, const char *text,
                    char why[CONFIG_WHY_MAX])
{
    const char *values[CONFIG_LIST_MAX + 1];
    size_t count = 0;
    if (row->type != CONFIG_LIST) {
        return config_set(config, row, &text, 1, why);
    }
    char *copy = mem_dup(text, strlen(text));
    if (!copy) {
        return no_memory(why);
    }
    for (char *p = copy; p && *p && count <= CONFIG_LIST_MAX;) {
        char *comma = strchr(p, ',');
        if (comma) {
            *comma++ = '\0';
        }
        p += strspn(p, " ");
        values[count++] = p;
        p = comma;
    }
    int err = config_set(config, row, values, count, why);
    mem_free(copy);
    return err;
}

int config_init(struct config *config)
{
    char why[CONFIG_WHY_MAX];
    int err = 0;
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < ROWS && !err; i++) {
        err = config_set_text(config, &rows[i], rows[i].def, why);
    }
    return err;
}

void config_fini(struct config *config)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (is_text(&rows[i])) {
            char **text = member(config, &rows[i]);
            mem_free(*text);
        } else if (rows[i].type == CONFIG_LIST) {
            list_clear(member(config, &rows[i]));
        }
    }
    memset(config, 0, sizeof(*config));
}

static void enum_text(const struct config_row *row, int at, char *buf, size_t cap)
{
    const char *p = row->unit;
    while (at-- > 0) {
        p += strcspn(p, "|") + 1;
    }
    snprintf(buf, cap, "%.*s", (int)strcspn(p, "|"), p);
}

const char *config_text(const struct config *config, const struct config_row *row, char *buf,
                        size_t cap)
{
    const void *at = member(config, row);
    const char *text = is_text(row) ? *(char *const *)at : NULL;
    size_t len = 0;
    buf[0] = '\0';
    switch (row->type) {
    case CONFIG_INT:
        snprintf(buf, cap, "%" PRId64, *(const int64_t *)at);
        break;
    case CONFIG_BOOL:
        snprintf(buf, cap, "%s", *(const bool *)at ? "true" : "false");
        break;
    case CONFIG_ENUM:
        enum_text(row, *(const int *)at, buf, cap);
        break;
    case CONFIG_TEXT:
        snprintf(buf, cap, "%s", text ? text : "");
        break;
    case CONFIG_SECRET:
        snprintf(buf, cap, "%s", text && *text ? "(set)" : "");
        break;
    case CONFIG_LIST: {
        const struct config_list *list = at;
        for (size_t i = 0; i < list->count && len < cap; i++) {
            len += (size_t)snprintf(buf + len, cap - len, "%s%s", i ? "," : "", list->item[i]);
        }
        break;
    }
    }
    return buf;
}

bool config_same(const struct config *a, const struct config *b, const struct config_row *row)
{
    if (is_text(row)) {
        char *const *x = member(a, row);
        char *const *y = member(b, row);
        return !strcmp(*x ? *x : "", *y ? *y : "");
    }
    char text_a[CONFIG_LIST_MAX * 256];
    char text_b[CONFIG_LIST_MAX * 256];
    config_text(a, row, text_a, sizeof(text_a));
    config_text(b, row, text_b, sizeof(text_b));
    return !strcmp(text_a, text_b);
}

int config_endpoint(const char *text, char *address, size_t cap, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5) {
        return E_BAD;
    }
    long number = strtol(colon + 1, NULL, 10);
    bool bracketed = len >= 2 && host[0] == '[' && host[len - 1] == ']';
    if (bracketed) {
        host++;
        len -= 2;
    }
    if (number > 65535 || len >= cap) {
        return E_BAD;
    }
    memcpy(address, host, len);
    address[len] = '\0';
    *port = (uint16_t)number;
    struct addr parsed;
    if (!len) {
        return 0;
    }
    /* An IPv6 address without brackets could swallow its own last group as a port. */
    if (addr_parse(&parsed, address) || bracketed != (strchr(address, ':') != NULL)) {
        return E_BAD;
    }
    return 0;
}
