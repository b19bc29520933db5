/* amphi demo (started by `serve --demo`): a demo class, made once, and its links. */
#include <string.h>
#include <time.h>

#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/client.h"
#include "server/app/command.h"
#include "server/app/links.h"
#include "server/app/paths.h"

static const char title[] = "Demo class";

/* The class remembered in data/demo, when it still can be joined. The caller frees (mem_free). */
static char *known_class(struct command_line *line, const char *path)
{
    char *id = NULL;
    size_t len = 0;
    char why[512];
    json_t *answer = NULL;
    if (file_read(path, 64, &id, &len)) {
        return NULL;
    }
    id[strcspn(id, "\r\n")] = '\0';
    int err = client_request(line, json_pack("{s:s, s:s}", "cmd", "class.show", "class", id), false,
                             &answer, why, sizeof(why));

    bool good = !err && json_is_true(json_object_get(answer, "ok")) &&
                !json_is_true(json_object_get(answer, "ended"));
    json_decref(answer);
    if (!good) {
        mem_free(id);
        return NULL;
    }
    return id;
}

static char *make_class(struct command_line *line, const char *path)
{
    int code;
    json_t *answer = client_ask(
        line,
        json_pack("{s:s, s:s, s:s}", "cmd", "class.create", "title", title, "type", "standard"),
        false, &code);
    const char *text = json_string_value(json_object_get(answer, "class"));
    char *id = text ? mem_dup(text, strlen(text)) : NULL;
    if (id) {
        (void)file_write_atomic(path, id, strlen(id), 0600);
    }
    json_decref(answer);
    return id;
}

static int print_link(struct command_line *line, const char *id, const char *role,
                      const char *label)
{
    char url[1024];
    int code;
    json_t *answer = client_ask(line, links_request(id, role, 0, false), false, &code);
    if (answer) {
        links_url(&line->config, answer, url, sizeof(url));
        printf("  %-12s %s\n", label, url);
    }
    json_decref(answer);
    return code;
}

static int demo(struct command_line *line)
{
    struct paths paths;
    char path[PATHS_MAX];
    (void)command_value(line, "--inherit");
    if (paths_init(&paths, &line->config)) {
        return EXIT_FAILED;
    }
    paths_in(&paths, "demo", path);
    char *id = known_class(line, path);
    id = id ? id : make_class(line, path);
    if (!id) {
        return EXIT_FAILED;
    }
    printf("%s:\n", title);
    int code = print_link(line, id, "host", "trainer");
    code = code ? code : print_link(line, id, "participant", "participant");
    fflush(stdout);
    mem_free(id);
    return code;
}

const struct command command_demo = {
    .name = "demo",
    .args = "",
    .usage = "Make the demo class and print its links.",
    .flags = COMMAND_CONFIG | COMMAND_HIDDEN,
    .exec = demo,
};
