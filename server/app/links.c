#include "server/app/links.h"

#include <string.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/app/paths.h"
#include "server/app/prepare.h"

json_t *links_request(const char *class_id, const char *role, long long ttl_s, bool single)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:b}", "cmd", "link", "class", class_id, "role", role,
                     "ttl_s", (json_int_t)ttl_s, "single", (int)single);
}

/* A port the running server wrote into run/ports.json; 0 when it did not. */
static uint16_t written_port(const struct config *config, const char *key)
{
    struct paths paths;
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    json_int_t port = 0;
    json_error_t error;
    if (!paths_init(&paths, config) &&
        !file_read(paths_in(&paths, "run/ports.json", path), 4096, &text, &len)) {
        json_t *o = json_loadb(text, len, 0, &error);
        json_t *value = json_object_get(o, key);
        port = json_integer_value(json_is_array(value) ? json_array_get(value, 0) : value);
        json_decref(o);
    }
    mem_free(text);
    return port > 0 && port <= 65535 ? (uint16_t)port : 0;
}

uint16_t links_port(const struct config *config)
{
    char address[64];
    uint16_t port = 0;
    uint16_t real = written_port(config, "web");
    (void)config_endpoint(config->web_listen.item[0], address, sizeof(address), &port);
    return real ? real : port;
}

uint16_t links_admin_port(const struct config *config)
{
    char address[64];
    uint16_t port = 0;
    uint16_t real = written_port(config, "admin");
    (void)config_endpoint(config->admin_listen, address, sizeof(address), &port);
    return real ? real : port;
}

void links_url(const struct config *config, const json_t *answer, char *out, size_t cap)
{
    char base[256];
    const char *class_id = json_string_value(json_object_get(answer, "class"));
    const char *link = json_string_value(json_object_get(answer, "link"));
    prepare_url(config, links_port(config), base, sizeof(base));
    const char *role = json_string_value(json_object_get(answer, "role"));
    bool pass = role && (!strcmp(role, "whip") || !strcmp(role, "whep"));
    if (pass) {
        snprintf(out, cap, "%s/%s/%s", base, role, class_id ? class_id : "");
    } else {
        snprintf(out, cap, "%s/c/%s#%s", base, class_id ? class_id : "", link ? link : "");
    }
}
