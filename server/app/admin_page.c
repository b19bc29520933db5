#include "server/app/admin_page.h"

#include <jansson.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/file.h"
#include "codec/sys/random.h"
#include "server/app/client.h"
#include "server/app/core_state.h"
#include "server/app/load_options.h"
#include "server/app/watch.h"

enum { KEY_BYTES = 32, HOURS_MAX = 24 * 400, REPORT_MAX = 4 << 20 };
static const char cookie_name[] = "amphi_admin";

/* The page lies beside this file and becomes part of the program. */
__asm__(".section .rodata\n"
        ".global admin_page_html\n"
        "admin_page_html:\n"
        ".incbin \"server/app/admin_page.html\"\n"
        ".global admin_page_html_end\n"
        "admin_page_html_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const char admin_page_html[];
extern const char admin_page_html_end[];

int admin_page_key(const struct paths *paths, char key[ADMIN_KEY_MAX])
{
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    uint8_t bytes[KEY_BYTES];
    (void)paths_in(paths, "keys/admin.key", path);
    int err = file_read(path, 128, &text, &len);
    if (!err && len >= 2 * KEY_BYTES) {
        memcpy(key, text, 2 * KEY_BYTES);
        key[2 * KEY_BYTES] = '\0';
        mem_free(text);
        return 0;
    }
    mem_free(text);
    if (err && err != E_NOTFOUND) {
        return err;
    }
    random_fill(bytes, sizeof(bytes));
    text_hex(key, bytes, sizeof(bytes));
    return file_write_atomic(path, key, 2 * KEY_BYTES, 0600);
}

int admin_page_init(struct admin_page *page, struct core *core)
{
    page->core = core;
    return admin_page_key(&core->paths, page->key);
}

bool admin_page_owns(const char *url)
{
    return !strcmp(url, "/") || !strncmp(url, "/api/", 5) || !strcmp(url, "/report");
}

/* ---- answers ------------------------------------------------------------------------------- */

static enum MHD_Result respond(struct MHD_Connection *c, unsigned status, const char *type,
                               const char *text, size_t len, const char *cookie)
{
    union {
        const char *in;
        void *out; /* libmicrohttpd copies, but asks for a pointer without const */
    } body = {.in = text};
    struct MHD_Response *r = MHD_create_response_from_buffer(len, body.out, MHD_RESPMEM_MUST_COPY);
    if (!r) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, "Content-Type", type);
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(
        r, "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src "
        "'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
    if (cookie) {
        (void)MHD_add_response_header(r, "Set-Cookie", cookie);
    }
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

/* Takes o. */
static enum MHD_Result json(struct MHD_Connection *c, unsigned status, json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    enum MHD_Result result =
        text ? respond(c, status, "application/json", text, strlen(text), NULL) : MHD_NO;
    free(text);
    json_decref(o);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *why)
{
    return json(c, status, json_pack("{s:b,s:s}", "ok", 0, "why", why));
}

/* ---- who asks ------------------------------------------------------------------------------ */

static bool same_key(const char *given, const char *key)
{
    volatile unsigned diff = 0;
    if (!given || strlen(given) != strlen(key)) {
        return false;
    }
    for (size_t i = 0; key[i]; i++) {
        diff |= (unsigned char)given[i] ^ (unsigned char)key[i];
    }
    return diff == 0;
}

static bool known(const struct admin_page *page, struct MHD_Connection *c)
{
    static const char bearer[] = "Bearer ";
    const char *cookie = MHD_lookup_connection_value(c, MHD_COOKIE_KIND, cookie_name);
    const char *header = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    if (header && !strncmp(header, bearer, sizeof(bearer) - 1)) {
        return same_key(header + sizeof(bearer) - 1, page->key);
    }
    return same_key(cookie, page->key);
}

/* A name that a foreign site may point at us is refused: only addresses, localhost and the name of
 * admin.listen are ours. */
static bool our_host(const struct admin_page *page, struct MHD_Connection *c)
{
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    char name[128];
    size_t len = host ? (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":")) : 0;
    if (!host || len >= sizeof(name)) {
        return false;
    }
    memcpy(name, host, len);
    name[len] = '\0';
    struct addr addr;
    return !strcmp(name, "localhost") || *name == '[' || !addr_parse(&addr, name) ||
           !strncmp(page->core->config->admin_listen, name, len);
}

/* ---- requests ------------------------------------------------------------------------------ */

static enum MHD_Result login(struct admin_page *page, struct MHD_Connection *c,
                             const struct admin_body *body)
{
    char cookie[160];
    json_t *o = json_loadb(body->text, body->len, 0, NULL);
    const char *key = json_string_value(json_object_get(o, "key"));
    bool good = same_key(key, page->key);
    json_decref(o);
    if (!good) {
        return refuse(c, MHD_HTTP_FORBIDDEN, "wrong key: `amphi admin` prints the right address");
    }
    (void)snprintf(cookie, sizeof(cookie), "%s=%s; HttpOnly; SameSite=Strict; Path=/", cookie_name,
                   page->key);
    static const char ok[] = "{\"ok\":true}";
    return respond(c, MHD_HTTP_OK, "application/json", ok, sizeof(ok) - 1, cookie);
}

static enum MHD_Result drain(struct admin_page *page, struct MHD_Connection *c)
{
    char why[512] = "";
    json_t *answer = NULL;
    int err = client_request(page->core->line, json_pack("{s:s}", "cmd", "drain"), false, &answer,
                             why, sizeof(why));
    return err ? refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, why) : json(c, MHD_HTTP_OK, answer);
}

static enum MHD_Result rehearse(struct admin_page *page, struct MHD_Connection *c,
                                const struct admin_body *body)
{
    json_t *o = json_loadb(body->text, body->len, 0, NULL);
    const char *shape = json_string_value(json_object_get(o, "shape"));
    int err = shape ? watch_rehearse(page->core->watch, shape) : E_BAD;
    json_decref(o);
    if (err) {
        return refuse(c, err == E_BUSY ? MHD_HTTP_CONFLICT : MHD_HTTP_BAD_REQUEST,
                      err == E_BUSY       ? "a rehearsal is running"
                      : err == E_NOTFOUND ? "no such scenario"
                                          : err_text(err));
    }
    return json(c, MHD_HTTP_ACCEPTED, json_pack("{s:b}", "ok", 1));
}

static enum MHD_Result post(struct admin_page *page, struct MHD_Connection *c, const char *url,
                            const struct admin_body *body)
{
    if (!MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Amphi-Admin")) {
        return refuse(c, MHD_HTTP_FORBIDDEN, "the header X-Amphi-Admin is missing");
    }
    if (body->too_big) {
        return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "too large");
    }
    if (!strcmp(url, "/api/login")) {
        return login(page, c, body);
    }
    if (!known(page, c)) {
        return refuse(c, MHD_HTTP_UNAUTHORIZED, "the key of the server is needed");
    }
    if (!strcmp(url, "/api/drain")) {
        return drain(page, c);
    }
    if (!strcmp(url, "/api/rehearse")) {
        return rehearse(page, c, body);
    }
    if (!strcmp(url, "/api/rehearse/stop")) {
        watch_rehearse_stop(page->core->watch, "stopped by the administrator");
        return json(c, MHD_HTTP_OK, json_pack("{s:b}", "ok", 1));
    }
    return refuse(c, MHD_HTTP_NOT_FOUND, "no such request");
}

static enum MHD_Result report(struct admin_page *page, struct MHD_Connection *c)
{
    char path[PATHS_MAX + 32];
    char *text = NULL;
    size_t len = 0;
    if (!watch_report(page->core->watch, path, sizeof(path)) ||
        file_read(path, REPORT_MAX, &text, &len) != 0) {
        return refuse(c, MHD_HTTP_NOT_FOUND, "no report yet");
    }
    enum MHD_Result result = respond(c, MHD_HTTP_OK, "text/html; charset=utf-8", text, len, NULL);
    mem_free(text);
    return result;
}

static enum MHD_Result get(struct admin_page *page, struct MHD_Connection *c, const char *url)
{
    if (!strcmp(url, "/")) {
        return respond(c, MHD_HTTP_OK, "text/html; charset=utf-8", admin_page_html,
                       (size_t)(admin_page_html_end - admin_page_html), NULL);
    }
    if (!known(page, c)) {
        return refuse(c, MHD_HTTP_UNAUTHORIZED, "the key of the server is needed");
    }
    if (!strcmp(url, "/api/state")) {
        return json(c, MHD_HTTP_OK, watch_state(page->core->watch));
    }
    if (!strcmp(url, "/api/history")) {
        const char *hours = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "hours");
        unsigned long n = hours ? strtoul(hours, NULL, 10) : 24;
        return json(c, MHD_HTTP_OK,
                    watch_history(page->core->watch, n > HOURS_MAX ? HOURS_MAX : (uint32_t)n));
    }
    if (!strcmp(url, "/api/shapes")) {
        return json(c, MHD_HTTP_OK,
                    json_pack("{s:b,s:o}", "ok", 1, "shapes", load_options_shapes()));
    }
    if (!strcmp(url, "/report")) {
        return report(page, c);
    }
    return refuse(c, MHD_HTTP_NOT_FOUND, "no such page");
}

enum MHD_Result admin_page_request(struct admin_page *page, struct MHD_Connection *c,
                                   const char *url, const char *method,
                                   const struct admin_body *body)
{
    if (!our_host(page, c)) {
        return refuse(c, MHD_HTTP_MISDIRECTED_REQUEST, "not a name of this server");
    }
    if (!strcmp(method, "POST")) {
        return post(page, c, url, body);
    }
    if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) {
        return get(page, c, url);
    }
    return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or POST");
}
