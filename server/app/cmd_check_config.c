/* amphi check-config: what a start would refuse, without starting. */
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/base/err.h"
#include "server/app/command.h"
#include "server/app/keys.h"
#include "server/app/prepare.h"

/* A certificate that was named must be readable now; our own is made at the first start. */
static int check_certificate(const struct config *config, char *why, size_t cap)
{
    struct keys_pair pair;
    struct paths paths;
    if (!config->web_tls || !*config->tls_cert) {
        return 0;
    }
    int err = paths_init(&paths, config);
    err = err ? err : keys_pair_load(&pair, &paths, config, why, cap);
    if (!err) {
        keys_pair_fini(&pair);
    }
    return err;
}

static int check_config(struct command_line *line)
{
    char why[512] = "";
    char root[PATHS_MAX];
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    int err = check_certificate(&line->config, why, sizeof(why));
    err = err ? err : prepare_web_root(&line->config, root, why, sizeof(why));
    if (err) {
        command_error(line, "%s", why[0] ? why : err_text(err));
        return EXIT_CONFIG;
    }
    if (line->json) {
        puts("{\"ok\":true}");
    } else {
        printf("%s: good\n", line->config_path ? line->config_path : "settings");
    }
    return EXIT_OK;
}

const struct command command_check_config = {
    .name = "check-config",
    .args = "",
    .usage = "Check the settings and the files they name.",
    .flags = COMMAND_CONFIG,
    .exec = check_config,
};
