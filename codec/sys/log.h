/*
 * Structured log lines to standard error: one line, one write.
 *   text  2026-11-23T18:50:12.123Z info core msg="shard ready" shard=0 port=40000
 *   json  {"ts":"...","level":"info","mod":"core","msg":"shard ready","shard":0,"port":40000}
 * error = a user loses something; warn = recovered; info = one line per life-cycle change; debug =
 * per message. Use:
 *   log_info("core", "shard ready", L_UINT("shard", i), L_ADDR("addr", &addr));
 * Invariants: a value cannot break out of its field (quoted and escaped); names and addresses are
 * replaced by a pseudonym that lasts as long as the process unless log_setup allows them; one call
 * site writes at most LOG_SITE_BURST lines a second, the next line tells how many were left out;
 * a line is at most LOG_LINE_MAX bytes.
 * Out of scope: files and rotation (the journal of systemd does both).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT = 0, LOG_FORMAT_JSON };
enum { LOG_LINE_MAX = 2048, LOG_SITE_BURST = 10, LOG_PSEUDONYM_MAX = 24 };

enum log_type {
    LOG_TYPE_END = 0,
    LOG_TYPE_STR,
    LOG_TYPE_INT,
    LOG_TYPE_UINT,
    LOG_TYPE_BOOL,
    LOG_TYPE_ERR,  /* E_* code: prints its name */
    LOG_TYPE_NAME, /* person's name: pseudonym */
    LOG_TYPE_ADDR, /* network address: pseudonym */
};

struct log_field {
    const char *key;
    enum log_type type;
    union {
        const char *str;
        int64_t i;
        uint64_t u;
        const struct addr *addr;
    } v;
};

/* One call site: its line budget of the running second. */
struct log_site {
    _Atomic int64_t second;
    _Atomic uint32_t lines;
    _Atomic uint32_t left_out;
};

#define L_STR(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_STR, .v.str = (x)})
#define L_INT(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_INT, .v.i = (int64_t)(x)})
#define L_UINT(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_UINT, .v.u = (uint64_t)(x)})
#define L_BOOL(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_BOOL, .v.u = (x) ? 1 : 0})
#define L_ERR(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_ERR, .v.i = (x)})
#define L_NAME(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_NAME, .v.str = (x)})
#define L_ADDR(k, x) ((struct log_field){.key = (k), .type = LOG_TYPE_ADDR, .v.addr = (x)})
#define L_END ((struct log_field){.key = NULL, .type = LOG_TYPE_END, .v.u = 0})

#define LOG_AT(level, mod, msg, ...)                                                               \
    do {                                                                                           \
        static struct log_site log_site_here;                                                      \
        if (log_enabled(level)) {                                                                  \
            log_write(&log_site_here, level, mod, msg, (const struct log_field[]){__VA_ARGS__});   \
        }                                                                                          \
    } while (0)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, L_END)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__, L_END)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, L_END)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, L_END)

/* How lines look and where they go (fd; 2 until called). reveal = print names and addresses. */
void log_setup(enum log_level level, enum log_format format, bool reveal, int fd);
/* Level alone, for a reload. Any thread. */
void log_level_set(enum log_level level);
bool log_enabled(enum log_level level);
/* What the macros call. fields end with L_END; site may be NULL (no limit). */
void log_write(struct log_site *site, enum log_level level, const char *mod, const char *msg,
               const struct log_field *fields);
/* Formats one line with its newline into out (cap >= 64); returns its length. For tests. */
size_t log_format_line(char *out, size_t cap, enum log_format format, int64_t at_ms,
                       enum log_level level, const char *mod, const char *msg, uint32_t left_out,
                       const struct log_field *fields);
/* A stand-in for text that is the same for the same text during this process: "n-3f09a1c2e4". */
const char *log_pseudonym(char out[LOG_PSEUDONYM_MAX], char kind, const void *data, size_t len);
