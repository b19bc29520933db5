/* Heap: the rows, ROSTER_ROWS_MAX at most, and a table of addresses. */
#include "signaling/people/roster.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "signaling/people/mailaddr.h"

enum column {
    COL_NAME,
    COL_MAIL,
    COL_ROLE,
    COL_GROUP,
    COL_NUMBER,
    COL_COUNT,
    COL_NONE = COL_COUNT
};
enum { CELLS_MAX = 32, CELL_MAX = 512, NAME_CHARS = 80, GROUP_CHARS = 40 };

struct cells {
    char text[CELLS_MAX][CELL_MAX];
    uint32_t count;
};

struct reader {
    const char *p;
    const char *end;
    uint32_t line;
    char separator;
    uint8_t column[CELLS_MAX]; /* what stands in the i-th cell: enum column */
    struct map seen;           /* hash of an address -> index + 1 of its row */
    struct map numbers;        /* hash of a register number -> the same */
};

/* ---- words
 * ---------------------------------------------------------------------------------------- */

struct word {
    const char *text; /* lower case, without accents */
    uint8_t value;
};

static const struct word heads[] = {
    {"nom", COL_NAME},
    {"name", COL_NAME},
    {"nom complet", COL_NAME},
    {"prenom nom", COL_NAME},
    {"full name", COL_NAME},
    {"participant", COL_NAME},
    {"courriel", COL_MAIL},
    {"mail", COL_MAIL},
    {"e-mail", COL_MAIL},
    {"email", COL_MAIL},
    {"adresse", COL_MAIL},
    {"adresse mail", COL_MAIL},
    {"adresse electronique", COL_MAIL},
    {"role", COL_ROLE},
    {"groupe", COL_GROUP},
    {"group", COL_GROUP},
    {"matricule", COL_NUMBER},
    {"numero", COL_NUMBER},
    {"n°", COL_NUMBER},
    {"identifiant", COL_NUMBER},
    {"registre", COL_NUMBER},
    {"numero de registre", COL_NUMBER},
    {"n° de registre", COL_NUMBER},
    {"n° registre", COL_NUMBER},
    {"number", COL_NUMBER},
    {"register", COL_NUMBER},
    {"register number", COL_NUMBER},
};

static const struct word roles[] = {
    {"", ROLE_PARTICIPANT},
    {"participant", ROLE_PARTICIPANT},
    {"participante", ROLE_PARTICIPANT},
    {"stagiaire", ROLE_PARTICIPANT},
    {"animateur", ROLE_ANIMATOR},
    {"animatrice", ROLE_ANIMATOR},
    {"animator", ROLE_ANIMATOR},
    {"formateur", ROLE_ANIMATOR},
    {"formatrice", ROLE_ANIMATOR},
    {"hote", ROLE_HOST},
    {"host", ROLE_HOST},
    {"presentateur", ROLE_HOST},
    {"presentatrice", ROLE_HOST},
};

/* Lower case; the accented letters of these words without their accent. */
static void fold_word(const char *text, char out[CELL_MAX])
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 1 < CELL_MAX; c++) {
        if (c[0] == 0xc3 && (c[1] == 0xa9 || c[1] == 0xa8 || c[1] == 0x89 || c[1] == 0xaa)) {
            out[n++] = 'e';
            c++;
        } else if (c[0] == 0xc3 && (c[1] == 0xb4 || c[1] == 0x94)) {
            out[n++] = 'o';
            c++;
        } else {
            out[n++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
        }
    }
    out[n] = '\0';
}

static int find_word(const struct word *words, size_t count, const char *text)
{
    char folded[CELL_MAX];
    fold_word(text, folded);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, folded) == 0) {
            return words[i].value;
        }
    }
    return -1;
}

/* ---- cells
 * ---------------------------------------------------------------------------------------- */

static bool at_break(const struct reader *r)
{
    return r->p == r->end || *r->p == '\r' || *r->p == '\n';
}

static void put(char cell[CELL_MAX], size_t *len, char c)
{
    if (*len + 1 < CELL_MAX) {
        cell[(*len)++] = c;
    }
}

/* A quoted cell; r->p stands behind its first quote. 0 or E_BAD when it never ends. */
static int quoted(struct reader *r, char cell[CELL_MAX], size_t *len)
{
    while (r->p < r->end) {
        char c = *r->p++;
        if (c == '"' && (r->p == r->end || *r->p != '"')) {
            return 0;
        }
        r->p += c == '"';
        r->line += c == '\n';
        put(cell, len, c == '\n' || c == '\r' ? ' ' : c);
    }
    return E_BAD;
}

static void trim(char *cell, size_t len)
{
    size_t from = 0;
    while (len > 0 && (cell[len - 1] == ' ' || cell[len - 1] == '\t')) {
        len--;
    }
    while (from < len && (cell[from] == ' ' || cell[from] == '\t')) {
        from++;
    }
    memmove(cell, cell + from, len - from);
    cell[len - from] = '\0';
}

static int read_cell(struct reader *r, char cell[CELL_MAX])
{
    size_t len = 0;
    int err = 0;
    while (!err && !at_break(r) && *r->p != r->separator) {
        char c = *r->p++;
        if (c == '"' && len == 0) {
            err = quoted(r, cell, &len);
        } else {
            put(cell, &len, c);
        }
    }
    trim(cell, len);
    return err;
}

/* One row of the text; count 0 for an empty one. */
static int read_row(struct reader *r, struct cells *row)
{
    int err = 0;
    char spare[CELL_MAX];
    row->count = 0;
    for (bool more = !at_break(r); more && !err;) {
        bool kept = row->count < CELLS_MAX;
        err = read_cell(r, kept ? row->text[row->count] : spare);
        row->count += kept;
        more = r->p < r->end && *r->p == r->separator;
        r->p += more;
    }
    if (r->p < r->end) {
        bool pair = *r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n';
        r->p += pair ? 2 : 1;
    }
    return err;
}

static char guess_separator(const struct reader *r)
{
    static const char candidates[] = {';', ',', '\t', '|'};
    unsigned best = 0;
    char separator = ';';
    for (unsigned i = 0; i < sizeof(candidates); i++) {
        unsigned n = 0;
        for (const char *c = r->p; c < r->end && *c != '\n' && *c != '\r'; c++) {
            n += *c == candidates[i];
        }
        if (n > best) {
            best = n;
            separator = candidates[i];
        }
    }
    return separator;
}

/* True when the row names columns: then column[] follows it. */
static bool take_heads(struct reader *r, const struct cells *row)
{
    uint8_t column[CELLS_MAX];
    bool has[COL_COUNT + 1] = {false};
    for (uint32_t i = 0; i < CELLS_MAX; i++) {
        int found =
            i < row->count ? find_word(heads, sizeof(heads) / sizeof(heads[0]), row->text[i]) : -1;
        bool fresh = found >= 0 && !has[found];
        column[i] = fresh ? (uint8_t)found : COL_NONE;
        has[column[i]] = true;
    }
    if (!has[COL_NAME] && !has[COL_MAIL]) {
        return false;
    }
    memcpy(r->column, column, sizeof(column));
    return true;
}

/* ---- rows
 * ----------------------------------------------------------------------------------------- */

static bool controls(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < ' ' || *c == 0x7f) {
            return true;
        }
    }
    return false;
}

static const char *cell_of(const struct reader *r, const struct cells *row, enum column column)
{
    for (uint32_t i = 0; i < row->count; i++) {
        if (r->column[i] == column) {
            return row->text[i];
        }
    }
    return "";
}

/* As much of text as fits, in whole characters. */
static void copy(char *out, size_t cap, const char *text)
{
    size_t len = strlen(text);
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    memcpy(out, text, len);
    out[len] = '\0';
}

unsigned roster_number(const char *number)
{
    unsigned char c = (unsigned char)number[0];
    bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
    if (controls(number)) {
        return ROSTER_CONTROL;
    }
    if (text_utf8_count(number, strlen(number)) > ROSTER_NUMBER_CHARS) {
        return ROSTER_NUMBER_LONG;
    }
    return c && !plain ? ROSTER_NUMBER_ODD : ROSTER_FINE;
}

static uint8_t judge(const char *name, const char *mail, const char *group, int role)
{
    if (!name[0]) {
        return ROSTER_NO_NAME;
    }
    if (controls(name) || controls(group)) {
        return ROSTER_CONTROL;
    }
    if (strchr("=+-@", name[0]) || strchr("=+-@", mail[0] ? mail[0] : 'a') ||
        (group[0] && group[1] && strchr("=+-@", group[0]))) {
        return ROSTER_FORMULA;
    }
    if (text_utf8_count(name, strlen(name)) > NAME_CHARS) {
        return ROSTER_NAME_LONG;
    }
    if (!mail[0]) {
        return ROSTER_NO_MAIL;
    }
    if (!mailaddr_ok(mail)) {
        return ROSTER_BAD_MAIL;
    }
    if (role < 0) {
        return ROSTER_BAD_ROLE;
    }
    return text_utf8_count(group, strlen(group)) > GROUP_CHARS ? ROSTER_GROUP_LONG : ROSTER_FINE;
}

/* FNV-1a: a collision is found out by comparing, so it costs time only. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return h;
}

static int mark_twice(struct reader *r, struct roster *roster, struct roster_row *row)
{
    uint64_t at = 0;
    uint64_t key = hash(row->mail);
    if (map_find(&r->seen, key, &at) && !strcmp(roster->rows[at - 1].mail, row->mail)) {
        row->problem = ROSTER_TWICE;
        row->twice = roster->rows[at - 1].line;
        return 0;
    }
    int err = map_set(&r->seen, key, roster->count);
    key = hash(row->number);
    if (!err && row->number[0] && map_find(&r->numbers, key, &at) &&
        !strcmp(roster->rows[at - 1].number, row->number)) {
        row->problem = ROSTER_NUMBER_TWICE;
        row->twice = roster->rows[at - 1].line;
        return 0;
    }
    return err || !row->number[0] ? err : map_set(&r->numbers, key, roster->count);
}

static int add_row(struct reader *r, struct roster *roster, const struct cells *row, uint32_t line)
{
    if (roster->count == ROSTER_ROWS_MAX) {
        return E_LIMIT;
    }
    if (roster->count == roster->cap) {
        uint32_t cap = roster->cap ? roster->cap * 2 : 64;
        struct roster_row *rows = mem_realloc(roster->rows, cap * sizeof(*rows));
        if (!rows) {
            return E_NOMEM;
        }
        roster->rows = rows;
        roster->cap = cap;
    }
    struct roster_row *out = &roster->rows[roster->count++];
    char mail[CELL_MAX];
    const char *name = cell_of(r, row, COL_NAME);
    const char *group = cell_of(r, row, COL_GROUP);
    const char *number = cell_of(r, row, COL_NUMBER);
    int role = find_word(roles, sizeof(roles) / sizeof(roles[0]), cell_of(r, row, COL_ROLE));
    fold_word(cell_of(r, row, COL_MAIL), mail);
    *out = (struct roster_row){.line = line,
                               .problem = judge(name, mail, group, role),
                               .role = role < 0 ? ROLE_PARTICIPANT : (uint8_t)role};
    copy(out->name, sizeof(out->name), name);
    copy(out->mail, sizeof(out->mail), mail);
    copy(out->group, sizeof(out->group), group);
    copy(out->number, sizeof(out->number), number);
    if (out->problem == ROSTER_NO_MAIL && row->count == 1 && strchr(name, '@')) {
        out->problem = ROSTER_SEPARATOR;
    }
    out->problem = out->problem ? out->problem : (uint8_t)roster_number(number);
    int err = out->problem == ROSTER_FINE ? mark_twice(r, roster, out) : 0;
    roster->bad += out->problem != ROSTER_FINE;
    return err;
}

static int read_rows(struct reader *r, struct roster *roster, uint32_t *line)
{
    struct cells *row = mem_alloc(sizeof(*row));
    bool first = true;
    int err = row ? 0 : E_NOMEM;
    while (!err && r->p < r->end) {
        *line = r->line;
        err = read_row(r, row);
        bool empty = row->count == 0 || (row->count == 1 && !row->text[0][0]);
        if (!err && first && !empty) {
            roster->heads = take_heads(r, row);
            empty = roster->heads;
            first = false;
        }
        if (!err && !empty) {
            err = add_row(r, roster, row, *line);
        }
        r->line++;
    }
    mem_free(row);
    return err;
}

int roster_read(struct roster *roster, const char *text, size_t len, uint32_t *line)
{
    struct reader r = {.p = text, .end = text + len, .line = 1};
    *roster = (struct roster){0};
    *line = 0;
    if (len > ROSTER_BYTES_MAX) {
        return E_TOOBIG;
    }
    if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        r.p += 3;
    }
    if (!text_utf8_ok(r.p, (size_t)(r.end - r.p)) || memchr(text, '\0', len)) {
        return E_BAD;
    }
    for (uint8_t i = 0; i < CELLS_MAX; i++) {
        r.column[i] = i < COL_COUNT ? i : COL_NONE;
    }
    r.separator = guess_separator(&r);
    roster->separator = r.separator;
    int err = map_init(&r.seen, ROSTER_ROWS_MAX, 0);
    err = err ? err : map_init(&r.numbers, ROSTER_ROWS_MAX, 0);
    err = err ? err : read_rows(&r, roster, line);
    map_fini(&r.seen);
    map_fini(&r.numbers);
    return err ? err : roster->count ? 0 : E_NOTFOUND;
}

void roster_fini(struct roster *roster)
{
    mem_free(roster->rows);
    *roster = (struct roster){0};
}

const char *roster_problem(unsigned problem, bool french)
{
    static const char *const texts[ROSTER_PROBLEM_COUNT][2] = {
        [ROSTER_FINE] = {"", ""},
        [ROSTER_NO_NAME] = {"the name is missing", "le nom manque"},
        [ROSTER_NAME_LONG] = {"the name has more than 80 characters",
                              "le nom dépasse 80 caractères"},
        [ROSTER_NO_MAIL] = {"the mail address is missing", "l’adresse électronique manque"},
        [ROSTER_BAD_MAIL] = {"this is no mail address", "l’adresse électronique est incorrecte"},
        [ROSTER_TWICE] = {"this address stands in an earlier row",
                          "cette adresse figure déjà plus haut"},
        [ROSTER_BAD_ROLE] = {"unknown role; participant, animator or host",
                             "rôle inconnu ; participant, animateur ou hôte"},
        [ROSTER_GROUP_LONG] = {"the group has more than 40 characters",
                               "le groupe dépasse 40 caractères"},
        [ROSTER_FORMULA] = {"a cell cannot begin with = + - or @",
                            "une cellule ne peut pas commencer par = + - ou @"},
        [ROSTER_SEPARATOR] =
            {"only one cell: another separator than in the first row?",
             "une seule cellule : un autre séparateur que dans la première ligne ?"},
        [ROSTER_CONTROL] = {"there is an unprintable character",
                            "il y a un caractère non imprimable"},
        [ROSTER_NUMBER_LONG] = {"the register number has more than 64 characters",
                                "le numéro de registre dépasse 64 caractères"},
        [ROSTER_NUMBER_ODD] = {"a register number begins with a letter or a digit",
                               "un numéro de registre commence par une lettre ou un chiffre"},
        [ROSTER_NUMBER_TWICE] = {"this register number stands in an earlier row",
                                 "ce numéro de registre figure déjà plus haut"},
        [ROSTER_NUMBER_TAKEN] = {"somebody else of the class has this register number",
                                 "ce numéro de registre est celui d’un autre inscrit"},
    };
    return texts[problem < ROSTER_PROBLEM_COUNT ? problem : 0][french];
}
