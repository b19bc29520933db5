/* Where settings come from: YAML (libyaml's events), environment, flags; and the checks between
 * rows. */
#include "server/app/config.h"

#include <ctype.h>
#include <string.h>
#include <yaml.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"

/* Writes "place: section.key: reason", with a hint when the name looks like another. */
static void unknown_key(const char *place, const char *section, const char *key, char *why)
{
    const struct config_row *near = config_nearest(section, key);
    if (near) {
        snprintf(why, CONFIG_WHY_MAX, "%s: %.60s.%.60s: unknown key (is it %s.%s?)", place, section,
                 key, near->section, near->key);
    } else {
        snprintf(why, CONFIG_WHY_MAX, "%s: %.60s.%.60s: unknown key", place, section, key);
    }
}

static int bad_value(const char *place, const struct config_row *row, int err, const char *reason,
                     char *why)
{
    snprintf(why, CONFIG_WHY_MAX, "%s: %s.%s: %.300s", place, row->section, row->key, reason);
    return err;
}

struct reader {
    struct config *config;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    const char *name;
    char place[160];
    char *why;
    bool *seen; /* one per row: a key given twice is a mistake somebody will look for long */
};

static int fail(struct reader *r, const char *reason)
{
    snprintf(r->why, CONFIG_WHY_MAX, "%s: %s", r->place, reason);
    return E_BAD;
}

static void drop_event(struct reader *r)
{
    if (r->has_event) {
        yaml_event_delete(&r->event);
        r->has_event = false;
    }
}

/* Next event; its line becomes the place of messages. Aliases have no use here and are refused. */
static int next(struct reader *r)
{
    drop_event(r);
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        const char *problem = r->parser.problem ? r->parser.problem : "cannot be read";
        snprintf(r->place, sizeof(r->place), "%.100s:%zu", r->name,
                 r->parser.problem_mark.line + 1);
        snprintf(r->why, CONFIG_WHY_MAX, "%s: no valid YAML: %.200s", r->place, problem);
        return E_BAD;
    }
    r->has_event = true;
    snprintf(r->place, sizeof(r->place), "%.100s:%zu", r->name, r->event.start_mark.line + 1);
    if (r->event.type == YAML_ALIAS_EVENT) {
        return fail(r, "aliases are not supported");
    }
    return 0;
}

/* Copy of the scalar under the cursor, refused when it hides a NUL. */
static char *scalar(struct reader *r)
{
    const char *text = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    return strlen(text) == len ? mem_dup(text, len) : NULL;
}

/* The value of row under the cursor: a scalar or a flat list of them. */
static int read_value(struct reader *r, const struct config_row *row)
{
    char *items[CONFIG_LIST_MAX + 1] = {NULL};
    char place[sizeof(r->place)];
    char reason[CONFIG_WHY_MAX];
    size_t count = 0;
    int err = next(r);
    memcpy(place, r->place, sizeof(place));
    bool list = !err && r->event.type == YAML_SEQUENCE_START_EVENT;
    if (list) {
        err = next(r);
    }
    while (!err && r->event.type == YAML_SCALAR_EVENT) {
        items[count] = scalar(r);
        if (!items[count]) {
            err = fail(r, "a value cannot be used");
            break;
        }
        count++;
        if (!list) {
            break;
        }
        err = count > CONFIG_LIST_MAX ? fail(r, "too many values") : next(r);
    }
    if (!err && (list ? r->event.type != YAML_SEQUENCE_END_EVENT : count != 1)) {
        err = bad_value(r->place, row, E_BAD, "must be a value or a list of values", r->why);
    }
    if (!err) {
        bool split = !list && row->type == CONFIG_LIST;
        err = split ? config_set_text(r->config, row, items[0], reason)
                    : config_set(r->config, row, (const char *const *)items, count, reason);
        if (err) {
            bad_value(place, row, err, reason, r->why);
        }
    }
    for (size_t i = 0; i < count; i++) {
        mem_free(items[i]);
    }
    return err;
}

static int read_key(struct reader *r, const char *section)
{
    size_t rows;
    const struct config_row *first = config_rows(&rows);
    const char *key = (const char *)r->event.data.scalar.value;
    const struct config_row *row = config_find(section, key);
    if (!row) {
        unknown_key(r->place, section, key, r->why);
        return E_BAD;
    }
    if (r->seen[row - first]) {
        return bad_value(r->place, row, E_BAD, "given twice", r->why);
    }
    r->seen[row - first] = true;
    return read_value(r, row);
}

static bool known_section(const char *section)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(rows[i].section, section)) {
            return true;
        }
    }
    return false;
}

/* `section:` under the cursor, then its mapping. An empty section is allowed. */
static int read_section(struct reader *r)
{
    char section[64];
    snprintf(section, sizeof(section), "%.60s", (const char *)r->event.data.scalar.value);
    if (!known_section(section)) {
        snprintf(r->why, CONFIG_WHY_MAX, "%s: %s: unknown section", r->place, section);
        return E_BAD;
    }
    int err = next(r);
    if (!err && r->event.type == YAML_SCALAR_EVENT && !r->event.data.scalar.length) {
        return 0;
    }
    if (!err && r->event.type != YAML_MAPPING_START_EVENT) {
        snprintf(r->why, CONFIG_WHY_MAX, "%s: %s: must hold keys", r->place, section);
        return E_BAD;
    }
    while (!err) {
        err = next(r);
        if (err || r->event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        err = r->event.type == YAML_SCALAR_EVENT ? read_key(r, section)
                                                 : fail(r, "a key must be a plain word");
    }
    return err;
}

static int read_document(struct reader *r)
{
    int err = next(r); /* stream start */
    err = err ? err : next(r);
    if (err || r->event.type == YAML_STREAM_END_EVENT) {
        return err; /* an empty file: all defaults */
    }
    err = next(r);
    if (!err && r->event.type == YAML_SCALAR_EVENT && !r->event.data.scalar.length) {
        return 0; /* only comments */
    }
    if (!err && r->event.type != YAML_MAPPING_START_EVENT) {
        return fail(r, "must hold sections");
    }
    while (!err) {
        err = next(r);
        if (err || r->event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        err = r->event.type == YAML_SCALAR_EVENT ? read_section(r)
                                                 : fail(r, "a section must be a plain word");
    }
    err = err ? err : next(r); /* document end */
    err = err ? err : next(r);
    if (!err && r->event.type != YAML_STREAM_END_EVENT) {
        err = fail(r, "only one document is allowed");
    }
    return err;
}

int config_yaml(struct config *config, const char *name, const char *text, size_t len,
                char why[CONFIG_WHY_MAX])
{
    size_t rows;
    config_rows(&rows);
    struct reader r = {.config = config, .name = name, .why = why};
    r.seen = mem_alloc(rows * sizeof(*r.seen));
    if (!r.seen || !yaml_parser_initialize(&r.parser)) {
        mem_free(r.seen);
        snprintf(why, CONFIG_WHY_MAX, "%s: %s", name, err_text(E_NOMEM));
        return E_NOMEM;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    int err = read_document(&r);
    drop_event(&r);
    yaml_parser_delete(&r.parser);
    mem_free(r.seen);
    return err;
}

/* Lower-cased copy of an upper-case part of a variable's name; false when it is none. */
static bool lower_part(char *out, size_t cap, const char *p, size_t len)
{
    if (!len || len >= cap) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (islower((unsigned char)p[i])) {
            return false;
        }
        out[i] = (char)tolower((unsigned char)p[i]);
    }
    out[len] = '\0';
    return true;
}

static int take_variable(struct config *config, const char *entry, char *why)
{
    static const char prefix[] = "AMPHI_";
    char section[64];
    char key[64];
    char place[192];
    char reason[CONFIG_WHY_MAX];
    const char *name = entry + sizeof(prefix) - 1;
    const char *equals = strchr(entry, '=');
    const char *gap = strstr(name, "__");
    if (strncmp(entry, prefix, sizeof(prefix) - 1) != 0 || !equals || !gap || gap > equals) {
        return 0; /* not one of ours */
    }
    snprintf(place, sizeof(place), "%.*s", (int)(equals - entry), entry);
    if (!lower_part(section, sizeof(section), name, (size_t)(gap - name)) ||
        !lower_part(key, sizeof(key), gap + 2, (size_t)(equals - gap - 2))) {
        snprintf(why, CONFIG_WHY_MAX, "%s: unknown variable", place);
        return E_BAD;
    }
    const struct config_row *row = config_find(section, key);
    if (!row) {
        unknown_key(place, section, key, why);
        return E_BAD;
    }
    int err = config_set_text(config, row, equals + 1, reason);
    return err ? bad_value(place, row, err, reason, why) : 0;
}

int config_env(struct config *config, char *const *env, char why[CONFIG_WHY_MAX])
{
    int err = 0;
    for (char *const *e = env; e && *e && !err; e++) {
        err = take_variable(config, *e, why);
    }
    return err;
}

/* One --section.key flag at argv[i]; *used = how many arguments it took, 0 when it is none. */
static int take_flag(struct config *config, int argc, char **argv, int i, int *used, char *why)
{
    char section[64];
    char key[64];
    char place[160];
    char reason[CONFIG_WHY_MAX];
    const char *name = argv[i] + 2;
    size_t len = strcspn(name, "=");
    const char *dot = memchr(name, '.', len);
    *used = 0;
    if (strncmp(argv[i], "--", 2) != 0 || !dot) {
        return 0;
    }
    snprintf(section, sizeof(section), "%.*s", (int)(dot - name), name);
    snprintf(key, sizeof(key), "%.*s", (int)(len - (size_t)(dot + 1 - name)), dot + 1);
    snprintf(place, sizeof(place), "%.*s", (int)len + 2, argv[i]);
    const struct config_row *row = config_find(section, key);
    if (!row) {
        unknown_key(place, section, key, why);
        return E_BAD;
    }
    bool joined = name[len] == '=';
    if (!joined && i + 1 >= argc) {
        return bad_value(place, row, E_BAD, "needs a value", why);
    }
    *used = joined ? 1 : 2;
    int err = config_set_text(config, row, joined ? name + len + 1 : argv[i + 1], reason);
    return err ? bad_value(place, row, err, reason, why) : 0;
}

int config_flags(struct config *config, int *argc, char **argv, char why[CONFIG_WHY_MAX])
{
    int kept = *argc > 0 ? 1 : 0;
    int i = kept;
    int err = 0;
    while (i < *argc && strcmp(argv[i], "--") != 0) {
        int used;
        err = take_flag(config, *argc, argv, i, &used, why);
        if (err) {
            return err;
        }
        if (used) {
            i += used;
        } else {
            argv[kept++] = argv[i++];
        }
    }
    while (i < *argc) {
        argv[kept++] = argv[i++];
    }
    *argc = kept;
    return err;
}

static int load_file(struct config *config, const char *path, char *why)
{
    char *text = NULL;
    size_t len = 0;
    int err = file_read(path, CONFIG_FILE_MAX, &text, &len);
    if (err) {
        snprintf(why, CONFIG_WHY_MAX, "%.300s: cannot be read: %s", path, err_text(err));
        return err;
    }
    err = config_yaml(config, path, text, len, why);
    mem_free(text);
    return err;
}

int config_load(struct config *config, const char *path, char *const *env, int *argc, char **argv,
                char why[CONFIG_WHY_MAX])
{
    int err = config_init(config);
    if (err) {
        snprintf(why, CONFIG_WHY_MAX, "%s", err_text(err));
    }
    if (!err && path) {
        err = load_file(config, path, why);
    }
    err = err ? err : config_env(config, env, why);
    err = err ? err : config_flags(config, argc, argv, why);
    return err ? err : config_check(config, why);
}
