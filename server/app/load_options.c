#include "server/app/load_options.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/app/links.h"

enum { SHAPE_FILE_MAX = 65536, FOLDERS = 3 };

/* Where shapes lie: beside a built program, installed, in the work folder. */
static const char *folder(unsigned i, char buf[LOAD_PATH_MAX])
{
    static const char *const below[] = {"/../bench/scenarios", "/../../bench/scenarios",
                                        "/../share/amphi/scenarios"};
    char self[512];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
    }
    (void)snprintf(buf, LOAD_PATH_MAX, "%s%s", self, below[i]);
    return buf;
}

static bool find_shape(const char *name, char path[LOAD_PATH_MAX])
{
    char dir[LOAD_PATH_MAX];
    if (strchr(name, '/') || access(name, R_OK) == 0) {
        (void)snprintf(path, LOAD_PATH_MAX, "%s", name);
        return access(path, R_OK) == 0;
    }
    for (unsigned i = 0; i < FOLDERS; i++) {
        int n = snprintf(path, LOAD_PATH_MAX, "%s/%.100s", folder(i, dir), name);
        if (n < LOAD_PATH_MAX && access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static int read_shape(struct command_line *line, struct shape *shape, const char *name)
{
    char path[LOAD_PATH_MAX];
    char why[SHAPE_WHY_MAX];
    char *text = NULL;
    size_t len = 0;
    if (!find_shape(name, path)) {
        command_error(line, "load: no scenario '%s': amphi load --list tells which there are",
                      name);
        return EXIT_USAGE;
    }
    int err = file_read(path, SHAPE_FILE_MAX, &text, &len);
    if (err) {
        command_error(line, "load: %s: %s", path, err_text(err));
        return EXIT_FAILED;
    }
    err = shape_parse(shape, text, len, why);
    mem_free(text);
    if (err) {
        command_error(line, "load: %s: %s", path, why);
        return EXIT_CONFIG;
    }
    const char *base = strrchr(path, '/');
    (void)snprintf(shape->name, sizeof(shape->name), "%.40s", base ? base + 1 : path);
    return 0;
}

bool load_options_known(const char *name)
{
    char path[LOAD_PATH_MAX];
    char dir[LOAD_PATH_MAX];
    if (!*name || strlen(name) > 40 || strchr(name, '/') || name[0] == '.') {
        return false;
    }
    for (unsigned i = 0; i < FOLDERS; i++) {
        int n = snprintf(path, sizeof(path), "%s/%s", folder(i, dir), name);
        if (n < LOAD_PATH_MAX && access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static void add_shape(json_t *out, const char *dir, const char *name)
{
    char path[LOAD_PATH_MAX];
    char why[SHAPE_WHY_MAX];
    char *text = NULL;
    size_t len = 0;
    struct shape shape;
    shape_init(&shape);
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (name[0] != '.' && n < LOAD_PATH_MAX && file_read(path, SHAPE_FILE_MAX, &text, &len) == 0 &&
        shape_parse(&shape, text, len, why) == 0) {
        (void)json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:i}", "name", name, "fr",
                                                   shape.title_fr, "en", shape.title_en, "people",
                                                   (int)shape_people(&shape)));
    }
    mem_free(text);
}

json_t *load_options_shapes(void)
{
    char dir[LOAD_PATH_MAX];
    json_t *out = json_array();
    for (unsigned i = 0; i < FOLDERS && !json_array_size(out); i++) {
        struct dirent **names = NULL;
        int n = scandir(folder(i, dir), &names, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            add_shape(out, dir, names[k]->d_name);
            free(names[k]);
        }
        free(names);
    }
    return out;
}

void load_options_list(bool french)
{
    json_t *all = load_options_shapes();
    size_t i;
    json_t *shape;
    json_array_foreach(all, i, shape)
    {
        printf("%-20s %s\n", json_string_value(json_object_get(shape, "name")),
               json_string_value(json_object_get(shape, french ? "fr" : "en")));
    }
    json_decref(all);
}

bool load_options_url(const char *url, char host[128], int *port, char token[LOAD_LINK_MAX])
{
    static const char scheme[] = "https://";
    const char *hash = strchr(url, '#');
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 || !hash || !hash[1] ||
        strlen(hash + 1) >= LOAD_LINK_MAX || !load_options_host(url, host, port)) {
        return false;
    }
    (void)snprintf(token, LOAD_LINK_MAX, "%s", hash + 1);
    return true;
}

bool load_options_host(const char *url, char host[128], int *port)
{
    bool plain = strncmp(url, "http://", 7) == 0;
    if (!plain && strncmp(url, "https://", 8) != 0) {
        return false;
    }
    const char *at = url + (plain ? 7 : 8);
    size_t len = strcspn(at, ":/#");
    if (len == 0 || len >= 128) {
        return false;
    }
    memcpy(host, at, len);
    host[len] = '\0';
    *port = at[len] == ':' ? (int)strtol(at + len + 1, NULL, 10) : plain ? 80 : 443;
    return *port > 0 && *port < 65536;
}

/* The keys of a shape as flags. */
static int read_keys(struct load_options *o, struct command_line *line)
{
    char why[SHAPE_WHY_MAX];
    const char *help;
    const char *key;
    for (unsigned i = 0; (key = shape_key(i, &help)) != NULL; i++) {
        char flag[64];
        (void)snprintf(flag, sizeof(flag), "--%s", key);
        const char *value = command_value(line, flag);
        if (value && shape_set(&o->shape, key, value, why) != 0) {
            command_error(line, "load: --%s", why);
            return EXIT_USAGE;
        }
    }
    return 0;
}

static int read_admin(struct load_options *o, struct command_line *line, const char *url)
{
    /* The figures of this machine say nothing about another server. */
    const char *listen = url                                        ? url
                         : o->url || o->whip || o->whep || o->janus ? ""
                                                                    : line->config.admin_listen;
    if (url && strncmp(url, "http://", 7) == 0) {
        listen = url + 7;
    }
    if (!*listen) {
        return 0;
    }
    char text[64];
    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(listen, "/"), listen);
    uint16_t port = 0;
    int err = config_endpoint(text, o->admin_host, sizeof(o->admin_host), &port);
    port = url ? port : links_admin_port(&line->config);
    if (err || !port) {
        command_error(line, "load: --admin-url: expected http://address:port, not %s", listen);
        return EXIT_USAGE;
    }
    if (strcmp(o->admin_host, "0.0.0.0") == 0) {
        (void)snprintf(o->admin_host, sizeof(o->admin_host), "127.0.0.1");
    }
    o->admin_port = port;
    return 0;
}

static int read_via(struct load_options *o, struct command_line *line)
{
    char host[64];
    uint16_t port = 0;
    const char *text = command_value(line, "--media-address");
    if (!text) {
        return 0;
    }
    if (config_endpoint(text, host, sizeof(host), &port) || !port ||
        inet_pton(AF_INET, host, &o->via.sin_addr) != 1) {
        command_error(line, "load: --media-address: expected ip:port, not %s", text);
        return EXIT_USAGE;
    }
    o->via.sin_family = AF_INET;
    o->via.sin_port = htons(port);
    return 0;
}

static bool french_by_default(void)
{
    const char *lang = getenv("LC_ALL");
    lang = lang && *lang ? lang : getenv("LANG");
    return lang && strncmp(lang, "fr", 2) == 0;
}

int load_options_read(struct load_options *o, struct command_line *line)
{
    char why[SHAPE_WHY_MAX];
    memset(o, 0, sizeof(*o));
    shape_init(&o->shape);
    const char *lang = command_value(line, "--lang");
    const char *admin = command_value(line, "--admin-url");
    const char *pid = command_value(line, "--server-pid");
    const char *most = command_value(line, "--find-max");
    o->french = lang ? strcmp(lang, "fr") == 0 : french_by_default();
    o->list = command_flag(line, "--list");
    o->find_limit = command_flag(line, "--find-limit");
    o->quiet = command_flag(line, "--quiet");
    o->report = command_value(line, "--report");
    o->json_file = command_value(line, "--json-file");
    o->url = command_value(line, "--url");
    o->speaker_url = command_value(line, "--speaker-url");
    o->whip = command_value(line, "--whip");
    o->whep = command_value(line, "--whep");
    o->janus = command_value(line, "--janus");
    o->pid = pid ? (uint32_t)strtoul(pid, NULL, 10) : 0;
    o->find_max = most ? (uint32_t)strtoul(most, NULL, 10) : 0;
    if (o->list) {
        return 0;
    }
    const char *scenario = command_value(line, "--scenario");
    if (!scenario && line->argc > 1 && line->argv[1][0] != '-') {
        scenario = line->argv[1];
    }
    int code = scenario ? read_shape(line, &o->shape, scenario) : 0;
    code = code ? code : read_keys(o, line);
    code = code ? code : read_admin(o, line, admin);
    code = code ? code : read_via(o, line);
    if (!code && !command_rest(line, 0, 1)) {
        code = EXIT_USAGE;
    }
    if (!code && shape_check(&o->shape, why) != 0) {
        command_error(line, "load: %s", why);
        code = EXIT_USAGE;
    }
    return code;
}
