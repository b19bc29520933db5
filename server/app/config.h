/*
 * The settings of the server: rows of config.def, filled from defaults, a YAML file, the
 * environment and flags, later ones winning. One parser reads all four, so a value means the same
 * wherever it stands.
 * Invariants: after config_load every member holds a value inside its bounds; an unknown key, a
 * key given twice in one file and a value out of bounds are errors that name the place, the key
 * and the reason.
 * Out of scope: whether files exist and ports are free (server/app/check.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_INT,
    CONFIG_BOOL,
    CONFIG_TEXT,
    CONFIG_LIST,
    CONFIG_ENUM,
    CONFIG_SECRET, /* a text that is never printed */
};

enum { CONFIG_LIST_MAX = 16, CONFIG_FILE_MAX = 256 * 1024, CONFIG_WHY_MAX = 512 };

struct config_list {
    char *item[CONFIG_LIST_MAX];
    size_t count;
};

#define CONFIG_MEMBER_INT(name) int64_t name;
#define CONFIG_MEMBER_BOOL(name) bool name;
#define CONFIG_MEMBER_TEXT(name) char *name;
#define CONFIG_MEMBER_SECRET(name) char *name;
#define CONFIG_MEMBER_LIST(name) struct config_list name;
#define CONFIG_MEMBER_ENUM(name) int name; /* position among the row's values */

struct config {
#define OPT(section, key, type, def, min, max, unit, reload, help)                                 \
    CONFIG_MEMBER_##type(section##_##key)
#include "server/app/config.def"
#undef OPT
};

struct config_row {
    const char *section;
    const char *key;
    enum config_type type;
    const char *def;
    int64_t min;
    int64_t max;
    const char *unit;
    bool live; /* taken over at SIGHUP */
    const char *help;
    size_t offset; /* of the member in struct config */
};

/* The table; *count rows. */
const struct config_row *config_rows(size_t *count);
/* The row of section.key, or NULL. */
const struct config_row *config_find(const char *section, const char *key);
/* The row whose name is nearest to section.key (a misspelling), or NULL when none is near. */
const struct config_row *config_nearest(const char *section, const char *key);

/* All rows at their defaults. 0 or E_NOMEM. The owner calls config_fini in every case. */
int config_init(struct config *config);
void config_fini(struct config *config);
/*
 * Sets one row from count texts (1, or several for a LIST). 0, E_BAD, E_RANGE or E_NOMEM with a
 * reason in why ("must be 0 to 65535, not 70000"); the member then keeps its value.
 */
int config_set(struct config *config, const struct config_row *row, const char *const *values,
               size_t count, char why[CONFIG_WHY_MAX]);
/* The same from one text; a LIST is split at commas. */
int config_set_text(struct config *config, const struct config_row *row, const char *text,
                    char why[CONFIG_WHY_MAX]);
/* Text of a member as config_set_text reads it, "(set)" for a secret. Returns buf. */
const char *config_text(const struct config *config, const struct config_row *row, char *buf,
                        size_t cap);
/* True when both hold the same value for row. */
bool config_same(const struct config *a, const struct config *b, const struct config_row *row);

/* Reads YAML text; name is the file's for messages ("amphi.yaml"). 0 or E_*, why = one line. */
int config_yaml(struct config *config, const char *name, const char *text, size_t len,
                char why[CONFIG_WHY_MAX]);
/* Takes AMPHI_SECTION__KEY variables from a NULL-terminated environment. Likewise. */
int config_env(struct config *config, char *const *env, char why[CONFIG_WHY_MAX]);
/*
 * Takes --section.key=value, --section.key value flags out of argv: what it does not know as a
 * setting is left, in order, in argv with *argc lowered (argv[0] untouched, all behind a "--"
 * left).
 */
int config_flags(struct config *config, int *argc, char **argv, char why[CONFIG_WHY_MAX]);
/* Checks between rows, and of what texts must be: addresses, secrets. 0 or E_* with why. */
int config_check(const struct config *config, char why[CONFIG_WHY_MAX]);
/*
 * Defaults, then the file at path (NULL: none), then env, then flags; then config_check.
 * 0 or E_* with one line in why.
 */
int config_load(struct config *config, const char *path, char *const *env, int *argc, char **argv,
                char why[CONFIG_WHY_MAX]);

/* The whole configuration as commented YAML that config_yaml reads back. */
void config_print_yaml(const struct config *config, FILE *out);
/* As JSON, one object per section. */
void config_print_json(const struct config *config, FILE *out);
/* One paragraph per row, for --help. */
void config_print_help(FILE *out);
/* The same as mdoc(7) list items, for the man page. */
void config_print_man(FILE *out);

/* "1.2.3.4:80", "[::1]:80" or ":80" apart; *address is "" for every address. 0 or E_BAD. */
int config_endpoint(const char *text, char *address, size_t cap, uint16_t *port);
