#include "codec/sys/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/random.h"

/* Settings are single words, so that a reload needs no lock. */
static struct {
    _Atomic int level;
    _Atomic int format;
    _Atomic int fd;
    _Atomic bool reveal;
    struct hash_key key;
} settings = {.level = LOG_LEVEL_INFO, .format = LOG_FORMAT_TEXT, .fd = STDERR_FILENO};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    random_fill(&settings.key, sizeof(settings.key));
}

/* Output that stops at the end of its buffer. */
struct line {
    char *buf;
    size_t len;
    size_t cap;
};

static void put_char(struct line *l, char c)
{
    if (l->len < l->cap) {
        l->buf[l->len++] = c;
    }
}

static void put_text(struct line *l, const char *text)
{
    for (; *text; text++) {
        put_char(l, *text);
    }
}

/* Quoted as JSON does it, which reads well in text too: controls and quotes cannot end the value,
 * and bytes that are no UTF-8 become question marks. */
static void put_quoted(struct line *l, const char *text)
{
    bool utf8 = text_utf8_ok(text, strlen(text));
    put_char(l, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            put_char(l, '\\');
            put_char(l, *p);
        } else if (c < 0x20 || c == 0x7f) {
            char esc[8];
            snprintf(esc, sizeof(esc), "\\u%04x", c);
            put_text(l, esc);
        } else if (c > 0x7f && !utf8) {
            put_char(l, '?');
        } else {
            put_char(l, *p);
        }
    }
    put_char(l, '"');
}

static bool plain_word(const char *text)
{
    if (!*text) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p > 0x7e || *p == '"' || *p == '=' ||
            *p == '\\') {
            return false;
        }
    }
    return true;
}

static void put_str(struct line *l, enum log_format format, const char *text)
{
    const char *t = text ? text : "";
    if (format == LOG_FORMAT_TEXT && plain_word(t)) {
        put_text(l, t);
    } else {
        put_quoted(l, t);
    }
}

const char *log_pseudonym(char out[LOG_PSEUDONYM_MAX], char kind, const void *data, size_t len)
{
    pthread_once(&key_once, make_key);
    uint64_t h = hash_bytes(&settings.key, data, len) & 0xffffffffffULL;
    snprintf(out, LOG_PSEUDONYM_MAX, "%c-%010" PRIx64, kind, h);
    return out;
}

static void put_private(struct line *l, enum log_format format, const struct log_field *f)
{
    char pseudonym[LOG_PSEUDONYM_MAX];
    char text[ADDR_TEXT_MAX];
    bool reveal = atomic_load_explicit(&settings.reveal, memory_order_relaxed);
    if (f->type == LOG_TYPE_NAME) {
        const char *name = f->v.str ? f->v.str : "";
        put_str(l, format, reveal ? name : log_pseudonym(pseudonym, 'n', name, strlen(name)));
    } else if (!f->v.addr) {
        put_str(l, format, "-");
    } else if (reveal) {
        put_str(l, format, addr_print(f->v.addr, text));
    } else {
        /* The port is left out: it would make each connection look like a new person. */
        put_str(l, format, log_pseudonym(pseudonym, 'a', f->v.addr->ip, sizeof(f->v.addr->ip)));
    }
}

static void put_value(struct line *l, enum log_format format, const struct log_field *f)
{
    char number[24];
    switch (f->type) {
    case LOG_TYPE_STR:
        put_str(l, format, f->v.str);
        break;
    case LOG_TYPE_INT:
        snprintf(number, sizeof(number), "%" PRId64, f->v.i);
        put_text(l, number);
        break;
    case LOG_TYPE_UINT:
        snprintf(number, sizeof(number), "%" PRIu64, f->v.u);
        put_text(l, number);
        break;
    case LOG_TYPE_BOOL:
        put_text(l, f->v.u ? "true" : "false");
        break;
    case LOG_TYPE_ERR:
        put_str(l, format, err_name((int)f->v.i));
        break;
    case LOG_TYPE_NAME:
    case LOG_TYPE_ADDR:
        put_private(l, format, f);
        break;
    case LOG_TYPE_END:
        break;
    }
}

static void put_field(struct line *l, enum log_format format, const struct log_field *f)
{
    if (format == LOG_FORMAT_JSON) {
        put_char(l, ',');
        put_quoted(l, f->key);
        put_char(l, ':');
    } else {
        put_char(l, ' ');
        put_text(l, f->key);
        put_char(l, '=');
    }
    put_value(l, format, f);
}

static void put_head(struct line *l, enum log_format format, const char *when, const char *level,
                     const char *mod, const char *msg)
{
    if (format == LOG_FORMAT_JSON) {
        put_text(l, "{\"ts\":");
        put_quoted(l, when);
        put_text(l, ",\"level\":");
        put_quoted(l, level);
        put_text(l, ",\"mod\":");
        put_quoted(l, mod);
        put_text(l, ",\"msg\":");
    } else {
        put_text(l, when);
        put_char(l, ' ');
        put_text(l, level);
        put_char(l, ' ');
        put_text(l, mod);
        put_text(l, " msg=");
    }
    put_quoted(l, msg);
}

size_t log_format_line(char *out, size_t cap, enum log_format format, int64_t at_ms,
                       enum log_level level, const char *mod, const char *msg, uint32_t left_out,
                       const struct log_field *fields)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char when[CLOCK_WALL_TEXT_MAX];
    struct line l = {.buf = out, .cap = cap - 3}; /* room for the end of the line */
    struct log_field rest = L_UINT("left_out", left_out);

    put_head(&l, format, clock_wall_text(at_ms, when), names[level], mod, msg);
    if (left_out) {
        put_field(&l, format, &rest);
    }
    for (const struct log_field *f = fields; f->type != LOG_TYPE_END; f++) {
        size_t before = l.len;
        put_field(&l, format, f);
        if (l.len == l.cap) {
            l.len = before; /* a field that does not fit whole is left out: the line stays valid */
            break;
        }
    }
    l.cap = cap;
    if (format == LOG_FORMAT_JSON) {
        put_char(&l, '}');
    }
    put_char(&l, '\n');
    return l.len;
}

void log_setup(enum log_level level, enum log_format format, bool reveal, int fd)
{
    atomic_store(&settings.level, (int)level);
    atomic_store(&settings.format, (int)format);
    atomic_store(&settings.reveal, reveal);
    atomic_store(&settings.fd, fd);
}

void log_level_set(enum log_level level)
{
    atomic_store(&settings.level, (int)level);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&settings.level, memory_order_relaxed);
}

/* True when this site may write now; *left_out = lines dropped in earlier seconds. */
static bool take_turn(struct log_site *site, uint32_t *left_out)
{
    int64_t second = clock_mono_us() / US_PER_S + 1; /* never 0: zero is a fresh site */
    if (atomic_exchange(&site->second, second) != second) {
        atomic_store(&site->lines, 0);
    }
    if (atomic_fetch_add(&site->lines, 1) >= LOG_SITE_BURST) {
        atomic_fetch_add(&site->left_out, 1);
        return false;
    }
    *left_out = atomic_exchange(&site->left_out, 0);
    return true;
}

void log_write(struct log_site *site, enum log_level level, const char *mod, const char *msg,
               const struct log_field *fields)
{
    char line[LOG_LINE_MAX];
    uint32_t left_out = 0;
    if (site && !take_turn(site, &left_out)) {
        return;
    }
    enum log_format format = (enum log_format)atomic_load(&settings.format);
    size_t len = log_format_line(line, sizeof(line), format, clock_wall_ms(), level, mod, msg,
                                 left_out, fields);
    (void)file_write_all(atomic_load(&settings.fd), line, len);
}
