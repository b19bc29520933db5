#include "server/app/watch_mail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "server/app/core_state.h"
#include "server/mail/message.h"
#include "server/mail/spool.h"

void watch_mail(struct core *core, unsigned percent, const char *why)
{
    const struct config *c = core->config;
    char path[PATHS_MAX];
    char host[128] = "localhost";
    char subject[160];
    char text[1200];
    char id[64];
    struct spool spool;
    struct mail_text message = {0};
    if (!c->admin_alert_to[0]) {
        return;
    }
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(subject, sizeof(subject), "%.80s : %u %% de la capacité / of its capacity",
                   c->server_name, percent);
    (void)snprintf(text, sizeof(text),
                   "Le serveur %s (%s) utilise %u %% de ce qu'il peut.\n"
                   "The server %s (%s) uses %u %% of what it can.\n\n%s\n\n"
                   "amphi capacity\n",
                   c->server_name, host, percent, c->server_name, host, percent, why);
    (void)snprintf(id, sizeof(id), "capacity-%u-%" PRId64, percent, clock_wall_ms());
    const char *from = c->mail_from[0] ? c->mail_from : c->admin_alert_to;
    struct mail_message m = {.id = id,
                             .host = host,
                             .date = clock_wall_ms(),
                             .from_name = c->server_name,
                             .from_mail = from,
                             .to_name = "",
                             .to_mail = c->admin_alert_to,
                             .subject = subject,
                             .text = text};
    mail_message_write(&message, &m);
    int err = message.bad ? E_NOMEM : spool_open(&spool, paths_in(&core->paths, "mail", path));
    if (!err) {
        err = spool_put(&spool, id, from, c->admin_alert_to, message.s, message.len, m.date);
        spool_close(&spool);
    }
    mail_text_fini(&message);
    if (err) {
        log_warn("capacity", "the alert could not be queued as a mail", L_ERR("result", err));
    }
}
