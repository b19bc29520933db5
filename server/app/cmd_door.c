/* amphi door (started by the supervisor): the page, the API, the WebSockets. */
#include <stdio.h>
#include <sys/prctl.h>

#include "codec/base/err.h"
#include "server/app/child.h"
#include "server/app/command.h"
#include "server/app/paths.h"
#include "server/app/prepare.h"
#include "signaling/door/door.h"

/* A text per inherited memory file: the door reads its certificate by name. */
struct names {
    char core[64];
    char cert[40];
    char key[40];
    char web_root[PATHS_MAX];
};

static void set_limits(struct door_config *d, const struct config *c)
{
    d->conn_max = (uint32_t)c->limits_connections;
    d->conn_per_addr_max = (uint32_t)c->limits_connections_per_address;
    d->message_max = (uint32_t)c->limits_message_bytes;
    d->frames_per_s_max = (uint32_t)c->limits_frames_per_s;
    d->hsts_max_age_s = (uint32_t)c->web_hsts_s;
    for (size_t i = 0; i < c->web_origins.count && i < DOOR_ORIGINS_MAX; i++) {
        d->origins[d->origins_count++] = c->web_origins.item[i];
    }
    for (size_t i = 0; i < c->web_trusted_proxies.count && i < DOOR_PROXIES_MAX; i++) {
        d->proxies[d->proxies_count++] = c->web_trusted_proxies.item[i];
    }
}

static void set_sockets(struct door_config *d, const struct config *c, const char *inherit)
{
    static const char *const web[DOOR_LISTEN_MAX] = {"web0", "web1", "web2", "web3"};
    for (size_t i = 0; i < DOOR_LISTEN_MAX; i++) {
        int fd = child_inherited(inherit, web[i]);
        if (fd >= 0) {
            d->listen[d->listen_count++] =
                (struct door_listen){.address = "", .tls = c->web_tls, .fd = fd};
        }
    }
}

static int door(struct command_line *line)
{
    static struct names names;
    struct paths paths;
    char why[512];
    const struct config *c = &line->config;
    const char *inherit = command_value(line, "--inherit");
    (void)prctl(PR_SET_NAME, "amphi-door"); /* what ps and top show */
    struct door_config config = {.user = *c->server_door_user ? c->server_door_user : "nobody",
                                 .watchdog_fd = child_inherited(inherit, "watchdog")};
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    int err = paths_init(&paths, c);
    err = err ? err : paths_open(&paths);
    if (err) {
        command_error(line, "data.dir: %s: %s", paths.data, err_text(err));
        return EXIT_FAILED;
    }
    if (prepare_web_root(c, names.web_root, why, sizeof(why))) {
        command_error(line, "%s", why);
        return EXIT_CONFIG;
    }
    snprintf(names.cert, sizeof(names.cert), "/proc/self/fd/%d", child_inherited(inherit, "cert"));
    snprintf(names.key, sizeof(names.key), "/proc/self/fd/%d", child_inherited(inherit, "key"));
    config.core_path = paths_socket(&paths, "door.sock", names.core);
    config.cert_path = c->web_tls ? names.cert : NULL;
    config.key_path = c->web_tls ? names.key : NULL;
    config.web_root = names.web_root;
    set_limits(&config, c);
    set_sockets(&config, c, inherit);
    int code = door_main(&config);
    paths_close(&paths);
    return code;
}

const struct command command_door = {
    .name = "door",
    .args = "",
    .usage = "Run the door process.",
    .flags = COMMAND_CONFIG | COMMAND_HIDDEN,
    .exec = door,
};
