/* HTTP requests: what the server is, and the standard doors. Classes speak over the WebSocket. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/app/core_state.h"
#include "server/app/office.h"
#include "server/app/version.h"

static bool is(struct ipc_str s, const char *text)
{
    return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

static struct ipc_str str(const char *text)
{
    return (struct ipc_str){.p = text, .len = strlen(text)};
}

static void answer(struct core_door *door, uint64_t req, uint16_t status, const char *body,
                   const char *allow)
{
    struct ipc_frame f = {.type = IPC_ANSWER, .answer = {.req = req, .status = status, .fd = -1}};
    f.answer.header[IPC_ANSWER_CONTENT_TYPE] = str("application/json");
    f.answer.header[IPC_ANSWER_CACHE_CONTROL] = str("no-store");
    if (allow) {
        f.answer.header[IPC_ANSWER_ALLOW] = str(allow);
    }
    f.answer.body = body;
    f.answer.body_len = strlen(body);
    if (ipc_link_send(&door->link, &f)) {
        door->cut = true;
    }
}

static void info(struct core_door *door, uint64_t req)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "name", door->core->config->server_name, "version",
                          AMPHI_VERSION, "protocol", AMPHI_PROTOCOL);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text) {
        answer(door, req, 200, text, NULL);
    } else {
        answer(door, req, 503, "{\"error\":\"full\"}", NULL);
    }
    free(text);
    json_decref(o);
}

void core_api_ask(struct core_door *door, const struct ipc_ask *ask)
{
    if (ask->path.len > 6 &&
        (!memcmp(ask->path.p, "/whip/", 6) || !memcmp(ask->path.p, "/whep/", 6))) {
        wish_ask(door->core->wish, ask, core_time(door->core));
        return;
    }
    if (door->core->office && office_ask(door->core->office, ask)) {
        return;
    }
    bool reading = ask->method == IPC_GET || ask->method == IPC_HEAD;
    if (!is(ask->path, "/api/info")) {
        answer(door, ask->req, 404, "{\"error\":\"not_found\"}", NULL);
    } else if (!reading) {
        answer(door, ask->req, 405, "{\"error\":\"method\"}", "GET, HEAD");
    } else {
        info(door, ask->req);
    }
}
