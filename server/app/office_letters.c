/* The words of mails, as administrators change them: seen, tried out with sample data, set, taken
 * back. They lie in data/templates/<name>.<fr|en>.txt, where the program looks before its own. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/file.h"
#include "server/app/invite.h"
#include "server/app/office_class.h"
#include "server/app/office_mail.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"
#include "server/app/own_words.h"
#include "server/mail/text.h"
#include "server/mail/words.h"

enum { TEXT_MAX_BYTES = 16384, SUBJECT_CHARS = 200, PROBLEMS_MAX = 20, KEY_MAX = 32 };
enum { LETTERS = LETTER_COUNT + INVITE_KIND_COUNT, KEYS = 6 };

static const char *const keys[KEYS] = {"{name}", "{title}", "{start}",
                                       "{link}", "{text}",  "{server}"};

struct letter {
    const char *name;
    const char *shipped;
    char file[64]; /* below the data folder */
    unsigned bits; /* of keys that mean something in it */
    bool french;
};

/* ---- which letter
 * ------------------------------------------------------------------------------------------ */

/* What the shipped words name is what there is; the name and the server are always there. */
static unsigned bits_of(const char *text)
{
    unsigned bits = 1u << 0 | 1u << 5;
    for (unsigned i = 0; i < KEYS; i++) {
        bits |= strstr(text, keys[i]) ? 1u << i : 0;
    }
    return bits;
}

static struct letter letter_at(unsigned i, bool french)
{
    static const char *const invitations[INVITE_KIND_COUNT] = {"invitation", "place", "moved",
                                                               "dates", "cancellation"};
    struct letter l = {.french = french};
    if (i < INVITE_KIND_COUNT) {
        l.name = invitations[i];
        l.shipped = invite_words((enum invite_kind)i, french);
    } else {
        l.name = office_letter_name((enum office_letter)(i - INVITE_KIND_COUNT));
        l.shipped = office_letter_words((enum office_letter)(i - INVITE_KIND_COUNT), french);
    }
    snprintf(l.file, sizeof(l.file), "templates/%s.%s.txt", l.name, french ? "fr" : "en");
    l.bits = bits_of(l.shipped);
    return l;
}

/* Of the path: name and language. False: 404 is the answer. */
static bool letter_asked(struct office_call *call, struct letter *out)
{
    const char *lang = office_part(call, 1);
    bool french = !strcmp(lang, "fr");
    for (unsigned i = 0; i < LETTERS && (french || !strcmp(lang, "en")); i++) {
        *out = letter_at(i, french);
        if (!strcmp(out->name, office_part(call, 0))) {
            return true;
        }
    }
    office_refuse(call, 404, "not_found");
    return false;
}

/* The administrator's own words, or NULL; mem_free. */
static char *own_words(const struct office_call *call, const struct letter *l)
{
    char path[PATHS_MAX];
    return own_words_read(paths_in(office_paths(call), l->file, path));
}

static json_t *keys_json(const struct letter *l)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < KEYS; i++) {
        if (l->bits & 1u << i) {
            json_array_append_new(list, json_string(keys[i]));
        }
    }
    return list;
}

/* ---- what is wrong with it
 * ------------------------------------------------------------------------------------------ */

struct place {
    int line;
    int column;
};

static void problem(json_t *list, struct place at, const char *word, const char *text, size_t len)
{
    if (json_array_size(list) < PROBLEMS_MAX) {
        json_array_append_new(list, json_pack("{s:i, s:i, s:s, s:s%}", "line", at.line, "column",
                                              at.column, "word", word, "text", text, len));
    }
}

/* One "{...}" at p; its length. */
static size_t check_key(json_t *list, const struct letter *l, struct place at, const char *p,
                        unsigned *seen)
{
    size_t len = strcspn(p, "}\n");
    if (p[len] != '}' || len >= KEY_MAX) {
        problem(list, at, "open", "{", 1);
        return 1;
    }
    len++;
    for (unsigned i = 0; i < KEYS; i++) {
        if (strlen(keys[i]) == len && !memcmp(p, keys[i], len)) {
            *seen |= 1u << i;
            if (!(l->bits & 1u << i)) {
                problem(list, at, "nothing", p, len);
            }
            return len;
        }
    }
    problem(list, at, "unknown", p, len);
    return len;
}

/* Every place where something is wrong: keys, missing parts, characters. */
static json_t *problems_of(const struct letter *l, const char *text)
{
    json_t *list = json_array();
    struct place at = {1, 1};
    unsigned seen = 0;
    size_t subject = strcspn(text, "\n");
    for (const char *p = text; *p;) {
        unsigned char c = (unsigned char)*p;
        size_t step = 1;
        if (c == '{') {
            step = check_key(list, l, at, p, &seen);
        } else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
            problem(list, at, "control", "", 0);
        }
        bool end = c == '\n';
        for (size_t i = 0; i < step && !end; i++) {
            at.column += ((unsigned char)p[i] & 0xc0) != 0x80;
        }
        at = end ? (struct place){at.line + 1, 1} : at;
        p += step;
    }
    struct place top = {1, 1};
    if (strspn(text, " \t\r") >= subject) {
        problem(list, top, "subject", "", 0);
    } else if (text_utf8_count(text, subject) > SUBJECT_CHARS) {
        problem(list, top, "subject_long", "", 0);
    }
    if (text[subject] == '\0' || !text[subject + strspn(text + subject, " \t\r\n")]) {
        problem(list, (struct place){2, 1}, "empty", "", 0);
    }
    if ((l->bits & 1u << 3) && !(seen & 1u << 3)) { /* without its link a mail leads nowhere */
        problem(list, at, "missing", keys[3], strlen(keys[3]));
    }
    return list;
}

/* The text of the body without mark and carriage returns, or NULL and the refusal is the answer. */
static char *text_of(struct office_call *call)
{
    const char *text = office_text(call, "text");
    size_t len = strlen(text);
    char *out = len > 0 && len <= TEXT_MAX_BYTES ? words_plain(text, len) : NULL;
    if (!out) {
        office_refuse(call, 422, "template_long");
        return NULL;
    }
    return out;
}

/* ---- pages
 * ------------------------------------------------------------------------------------------ */

static void templates_get(struct office_call *call)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < LETTERS; i++) {
        struct letter fr = letter_at(i, true);
        struct letter en = letter_at(i, false);
        char *own_fr = own_words(call, &fr);
        char *own_en = own_words(call, &en);
        json_array_append_new(list, json_pack("{s:s, s:b, s:b}", "name", fr.name, "fr",
                                              (int)(own_fr != NULL), "en", (int)(own_en != NULL)));
        mem_free(own_fr);
        mem_free(own_en);
    }
    office_json(call, 200, json_pack("{s:o}", "templates", list));
}

static void template_get(struct office_call *call)
{
    struct letter l;
    if (!letter_asked(call, &l)) {
        return;
    }
    char *own = own_words(call, &l);
    office_json(call, 200,
                json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", l.name, "lang",
                          l.french ? "fr" : "en", "text", own ? own : l.shipped, "shipped",
                          l.shipped, "own", (int)(own != NULL), "keys", keys_json(&l)));
    mem_free(own);
}

/* With data anybody can tell from real ones. */
static json_t *sample(struct office_call *call, const struct letter *l, const char *text)
{
    char when[OFFICE_WHEN_MAX];
    char link[OFFICE_URL_MAX + 48];
    struct mail_text out = {0};
    const int64_t day = 86400000;
    snprintf(link, sizeof(link), "%s/i/c_exemple#exemple", call->base);
    const struct mail_value values[KEYS] = {
        {keys[0], "Camille Martin"},
        {keys[1], l->french ? "Lire une image" : "Reading a picture"},
        {keys[2], office_when(when, (call->now / day + 7) * day + 13 * 3600000, 90, "Europe/Paris",
                              l->french)},
        {keys[3], link},
        {keys[4], !strcmp(l->name, "full") ? "3"
                  : l->french              ? "Quelqu’un"
                                           : "Somebody"},
        {keys[5], call->server},
    };
    mail_text_fill(&out, text, values, KEYS);
    size_t subject = out.s ? strcspn(out.s, "\n") : 0;
    json_t *o = out.bad || !out.s ? NULL
                                  : json_pack("{s:s%, s:s, s:o}", "subject", out.s, subject, "body",
                                              out.s[subject] ? out.s + subject + 1 : "", "problems",
                                              problems_of(l, text));
    mail_text_fini(&out);
    return o;
}

static void template_preview(struct office_call *call)
{
    struct letter l;
    char *text = letter_asked(call, &l) ? text_of(call) : NULL;
    if (text) {
        office_json(call, 200, sample(call, &l, text));
    }
    mem_free(text);
}

static void template_patch(struct office_call *call)
{
    struct letter l;
    char path[PATHS_MAX];
    char *text = letter_asked(call, &l) ? text_of(call) : NULL;
    if (!text) {
        return;
    }
    json_t *wrong = problems_of(&l, text);
    if (json_array_size(wrong) > 0) {
        office_json(call, 422, json_pack("{s:s, s:O}", "error", "template", "problems", wrong));
    } else {
        int err = file_mkdirs(paths_in(office_paths(call), "templates", path), 0700);
        err = err ? err
                  : file_write_atomic(paths_in(office_paths(call), l.file, path), text,
                                      strlen(text), 0600);
        if (err) {
            office_failed(call, err);
        } else {
            office_audit(call, "template.changed", l.name, l.french ? "fr" : "en");
            office_json(call, 200, json_object());
        }
    }
    json_decref(wrong);
    mem_free(text);
}

static void template_delete(struct office_call *call)
{
    struct letter l;
    char path[PATHS_MAX];
    if (!letter_asked(call, &l)) {
        return;
    }
    if (unlink(paths_in(office_paths(call), l.file, path)) && errno != ENOENT) {
        office_failed(call, E_IO);
        return;
    }
    office_audit(call, "template.reset", l.name, l.french ? "fr" : "en");
    office_json(call, 200, json_pack("{s:s}", "text", l.shipped));
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/templates", OFFICE_ADMIN, OFFICE_DESK, templates_get},
    {IPC_GET, "/api/templates/*/*", OFFICE_ADMIN, OFFICE_DESK, template_get},
    {IPC_PATCH, "/api/templates/*/*", OFFICE_ADMIN, OFFICE_DESK, template_patch},
    {IPC_DELETE, "/api/templates/*/*", OFFICE_ADMIN, OFFICE_DESK, template_delete},
    {IPC_POST, "/api/templates/*/*/preview", OFFICE_ADMIN, OFFICE_DESK, template_preview},
};

const struct office_table office_letters_table = {routes, sizeof(routes) / sizeof(routes[0])};
