/* amphi admin: where the administrator's page is, with the key that opens it. */
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/app/admin_page.h"
#include "server/app/command.h"
#include "server/app/json_out.h"
#include "server/app/links.h"

static int admin(struct command_line *line)
{
    struct paths paths;
    char key[ADMIN_KEY_MAX];
    char url[200];
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    if (!line->config.admin_listen[0]) {
        command_error(line, "admin.listen is empty: this server has no administrator's page");
        return EXIT_FAILED;
    }
    int err = paths_init(&paths, &line->config);
    err = err ? err : admin_page_key(&paths, key);
    if (err) {
        command_error(line, "keys/admin.key: %s", err_text(err));
        return EXIT_FAILED;
    }
    /* The key stands in the fragment, which browsers do not send and servers do not log. */
    const char *listen = line->config.admin_listen;
    int host = (int)(strrchr(listen, ':') ? strrchr(listen, ':') - listen : 0);
    (void)snprintf(url, sizeof(url), "http://%.*s:%u/#%s", host, listen,
                   links_admin_port(&line->config), key);
    if (line->json) {
        fputs("{\"ok\":true,\"url\":", stdout);
        json_out_text(stdout, url);
        fputs("}\n", stdout);
    } else {
        puts(url);
    }
    return EXIT_OK;
}

const struct command command_admin = {
    .name = "admin",
    .args = "",
    .usage = "Print the address of the administrator's page.",
    .flags = COMMAND_CONFIG,
    .exec = admin,
};
