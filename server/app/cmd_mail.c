/* amphi mail: the queue of mails, and the process that empties it. */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "server/app/child.h"
#include "server/app/command.h"
#include "server/app/paths.h"
#include "server/mail/smtp.h"
#include "server/mail/spool.h"

enum { LOOK_MS = 2000, LOCK_MS = 200, LIMIT_TEXT_MAX = 32, HOUR_MS = 3600000 };

static volatile sig_atomic_t ended;

static bool has_ended(void)
{
    return ended != 0;
}

static struct smtp_server server_of(const struct config *c)
{
    return (struct smtp_server){.url = c->mail_smtp,
                                .user = c->mail_user,
                                .password = c->mail_password,
                                .tls = c->mail_tls,
                                .ca = c->mail_ca,
                                .ended_h = has_ended};
}

/* Tries the first entry that is due. 0 = one was tried, E_NOTFOUND = none is due, E_STATE = we
 * end. */
static int try_one(struct spool *spool, const struct smtp_server *server, wall_ms now)
{
    struct spool_entry entry;
    char *data = NULL;
    size_t len = 0;
    size_t at = 0;
    char from[SPOOL_ADDRESS_MAX];
    char to[SPOOL_ADDRESS_MAX];
    char why[512] = "the file is damaged";
    if (spool_first(spool, &entry) || entry.due > now) {
        return E_NOTFOUND;
    }
    int err = spool_read(spool, &entry, &data, &len, &at, from, to);
    err = err ? err : smtp_send(server, from, to, data + at, len - at, why, sizeof(why));
    mem_free(data);
    if (err == E_STATE) {
        return E_STATE; /* as if it had not been tried */
    }
    if (err) {
        log_warn("mail", err == E_AGAIN ? "not sent, tried again later" : "refused for good",
                 L_STR("mail", entry.id), L_INT("tries", entry.tries + 1), L_STR("why", why));
    } else {
        log_info("mail", "sent", L_STR("mail", entry.id));
    }
    return spool_settle(spool, &entry, err, now);
}

static int open_spool(struct command_line *line, struct spool *spool)
{
    struct paths paths;
    char path[PATHS_MAX];
    int err = paths_init(&paths, &line->config);
    err = err ? err : spool_open(spool, paths_in(&paths, "mail", path));
    if (err) {
        command_error(line, "%s/mail: cannot be opened or made", line->config.data_dir);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int list(struct command_line *line, const struct spool *spool)
{
    unsigned waiting;
    unsigned sent;
    unsigned failed;
    struct spool_entry first;
    spool_counts(spool, &waiting, &sent, &failed);
    bool any = !spool_first(spool, &first);
    if (line->json) {
        printf("{\"ok\":true,\"waiting\":%u,\"sent\":%u,\"failed\":%u,\"next\":%" PRId64 "}\n",
               waiting, sent, failed, any ? first.due : 0);
    } else {
        printf("%u waiting, %u sent, %u failed%s\n", waiting, sent, failed,
               line->config.mail_smtp[0] ? "" : " (mail.smtp is not set: they wait in data/mail)");
    }
    return EXIT_OK;
}

static int send_due(struct command_line *line, struct spool *spool)
{
    struct smtp_server server = server_of(&line->config);
    if (!server.url[0]) {
        command_error(line, "mail.smtp is not set: mails wait in data/mail/queue");
        return EXIT_CONFIG;
    }
    if (spool_lock(spool)) {
        command_error(line, "the running server sends what is due");
        return EXIT_FAILED;
    }
    while (try_one(spool, &server, clock_wall_ms()) == 0) {
    }
    return list(line, spool);
}

static int mail_command(struct command_line *line)
{
    struct spool spool;
    const char *verb = line->argc > 1 ? line->argv[1] : "list";
    bool send = !strcmp(verb, "send");
    if (!command_rest(line, 0, 1) || (!send && strcmp(verb, "list") != 0)) {
        return EXIT_USAGE;
    }
    int code = open_spool(line, &spool);
    if (code == EXIT_OK) {
        code = send ? send_due(line, &spool) : list(line, &spool);
        spool_close(&spool);
    }
    return code;
}

const struct command command_mail = {
    .name = "mail",
    .args = "[list|send]",
    .usage = "Show the queue of mails, or send what is due.",
    .help = "A running server with mail.smtp set sends by itself. Mails are files:\n"
            "data/mail/queue, sent, failed. One that cannot be sent is tried again after 1, 3, 9\n"
            "... minutes, 12 times.\n",
    .flags = COMMAND_CONFIG,
    .exec = mail_command,
};

/* ---- the process
 * ---------------------------------------------------------------------------------- */

static void on_term(int signal)
{
    (void)signal;
    ended = 1;
}

/* What administrators set lies beside the queue (office_limits.c); before that, the configuration.
 * True when this hour is used up. */
static bool used_up(struct command_line *line, const struct spool *spool, wall_ms now)
{
    struct paths paths;
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    int64_t most = line->config.limits_mails_per_hour;
    if (!paths_init(&paths, &line->config) &&
        !file_read(paths_in(&paths, "mail/per-hour", path), LIMIT_TEXT_MAX, &text, &len)) {
        most = strtoll(text, NULL, 10);
    }
    mem_free(text);
    return most > 0 && spool_sent_since(spool, now - HOUR_MS) >= (uint64_t)most;
}

static int mailer(struct command_line *line)
{
    struct spool spool;
    const char *inherit = command_value(line, "--inherit");
    int watchdog = child_inherited(inherit, "watchdog");
    struct smtp_server server = server_of(&line->config);
    (void)prctl(PR_SET_NAME, "amphi-mailer");
    (void)signal(SIGTERM, on_term);
    (void)signal(SIGPIPE, SIG_IGN);
    int code = open_spool(line, &spool);
    if (watchdog >= 0) {
        (void)!write(watchdog, "", 1);
    }
    /* One of a killed server may still be at its last mail: two would send it twice. */
    while (code == EXIT_OK && !ended && spool_lock(&spool)) {
        (void)poll(NULL, 0, LOCK_MS);
    }
    while (code == EXIT_OK && !ended) {
        wall_ms now = clock_wall_ms();
        if (used_up(line, &spool, now) || try_one(&spool, &server, now)) {
            (void)poll(NULL, 0, LOOK_MS);
        }
    }
    spool_close(&spool);
    return code;
}

const struct command command_mailer = {
    .name = "mailer",
    .args = "",
    .usage = "Sends what is in the queue of mails.",
    .flags = COMMAND_CONFIG | COMMAND_HIDDEN,
    .exec = mailer,
};
