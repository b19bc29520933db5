#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/log.h"
#include "signaling/door/rules.h"
#include "signaling/door/state.h"

enum { HOST_MAX = 256, ORIGIN_MAX = 300, ARGS_MAX = 64 };

/* Paths that belong to the core; everything else is a file (page.c). */
static const char *const core_paths[] = {"/api/", "/whip/", "/whep/"};

/* The standard doors, RFC 9725: no cookie ever counts there, so any page may ask. */
static bool is_standard(const char *path)
{
    return !strncmp(path, "/whip/", 6) || !strncmp(path, "/whep/", 6);
}

/* Methods lws parses, by the index lws_http_get_uri_and_method returns; 0 = refuse. */
static const struct {
    enum lws_token_indexes token;
    uint8_t method;
} method_row[] = {
    {WSI_TOKEN_GET_URI, IPC_GET},
    {WSI_TOKEN_POST_URI, IPC_POST},
    {WSI_TOKEN_OPTIONS_URI, IPC_OPTIONS},
    {WSI_TOKEN_PUT_URI, 0},
    {WSI_TOKEN_PATCH_URI, IPC_PATCH},
    {WSI_TOKEN_DELETE_URI, IPC_DELETE},
    {WSI_TOKEN_CONNECT, 0},
    {WSI_TOKEN_HEAD_URI, IPC_HEAD},
};

/* True when the header is there at all, even empty. */
static bool present(struct lws *wsi, enum lws_token_indexes token)
{
    char c[2];
    return lws_hdr_total_length(wsi, token) > 0 ||
           lws_hdr_copy_fragment(wsi, c, sizeof(c), token, 0) >= 0;
}

/* rule 10: one instance, no NUL, and the length the parser claims. */
int gate_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t cap)
{
    out[0] = '\0';
    if (!present(wsi, token)) {
        return E_NOTFOUND;
    }
    int total = lws_hdr_total_length(wsi, token);
    int first = lws_hdr_fragment_length(wsi, token, 0);
    char c[2];
    if (total != first || (size_t)total + 1 > cap ||
        lws_hdr_copy_fragment(wsi, c, sizeof(c), token, 1) >= 0) {
        return E_BAD;
    }
    int n = lws_hdr_copy(wsi, out, (int)cap, token);
    if (n < 0 || n != total || strlen(out) != (size_t)n) {
        return E_BAD;
    }
    for (int i = 0; i < n; i++) {
        if ((unsigned char)out[i] < 0x20 && out[i] != '\t') {
            return E_BAD;
        }
    }
    return n;
}

/* ---- whose request -----------------------------------------------------------------------------
 */

static bool forwarded_tls(struct lws *wsi)
{
    char proto[16];
    int n = lws_hdr_custom_copy(wsi, proto, sizeof(proto), "x-forwarded-proto:", 18);
    return n == 5 && !memcmp(proto, "https", 6);
}

/* Behind a trusted proxy the client is whom the proxy names; counted here (rule 5). */
static uint16_t check_proxy(struct door *door, struct door_conn *conn)
{
    char text[512];
    struct addr client;
    if (conn->addr_key || !accept_is_proxy(door, &conn->remote)) {
        return 0;
    }
    /* A list may arrive as several headers, which lws joins: only the last entry is believed. */
    int n = lws_hdr_copy(conn->wsi, text, sizeof(text), WSI_TOKEN_X_FORWARDED_FOR);
    if (n <= 0 || strlen(text) != (size_t)n || rules_forwarded(text, (size_t)n, &client)) {
        client = conn->remote; /* the proxy itself: a health check */
    }
    conn->remote = client;
    conn->tls = forwarded_tls(conn->wsi);
    return accept_count(door, conn, &client) ? 0 : 503;
}

/* S24: the page's own origin or a listed one, exactly. */
static bool origin_ok(const struct door *door, const struct door_conn *conn, const char *origin,
                      size_t len)
{
    char host[HOST_MAX];
    if (gate_header(conn->wsi, WSI_TOKEN_HOST, host, sizeof(host)) > 0 &&
        rules_origin_is(origin, len, conn->tls ? "https" : "http", host)) {
        return true;
    }
    for (size_t i = 0; i < door->config.origins_count; i++) {
        const char *allowed = door->config.origins[i];
        if (strlen(allowed) == len && !memcmp(allowed, origin, len)) {
            return true;
        }
    }
    return false;
}

/* A request that changes something: from our page, or with a credential no browser adds alone. */
static uint16_t check_origin(struct door *door, struct door_conn *conn, uint8_t method)
{
    char origin[ORIGIN_MAX];
    if (method == IPC_GET || method == IPC_HEAD || method == IPC_OPTIONS) {
        return 0;
    }
    int n = gate_header(conn->wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
    if (n == E_NOTFOUND) {
        return present(conn->wsi, WSI_TOKEN_HTTP_AUTHORIZATION) ? 0 : 403;
    }
    return n > 0 && origin_ok(door, conn, origin, (size_t)n) ? 0 : 403;
}

/* ---- what is asked ------------------------------------------------------------------------------
 */

/* rule 9: exactly one method, one of ours. */
static uint16_t check_method(struct lws *wsi, uint8_t *method)
{
    size_t found = 0;
    *method = 0;
    for (size_t i = 0; i < sizeof(method_row) / sizeof(method_row[0]); i++) {
        if (present(wsi, method_row[i].token)) {
            *method = method_row[i].method;
            found++;
        }
    }
    if (found != 1) {
        return 400;
    }
    return *method ? 0 : 405;
}

/* A decoded CR in a path ends lws's request line early: then the version is missing. */
static uint16_t check_version(struct lws *wsi)
{
    char version[16];
    int n = gate_header(wsi, WSI_TOKEN_HTTP, version, sizeof(version));
    return n == 8 && (!memcmp(version, "HTTP/1.1", 8) || !memcmp(version, "HTTP/1.0", 8)) ? 0 : 400;
}

static uint16_t check_path(const char *path, size_t len)
{
    if (len > IPC_HEADER_MAX / 2) {
        return 414;
    }
    /* A ';' or '&' splits the path: then len spans bytes that were never written. */
    if (strnlen(path, len) != len || path[len] != '\0' || !rules_path_ok(path, len)) {
        return 400;
    }
    return 0;
}

static uint16_t check_host(struct lws *wsi)
{
    char host[HOST_MAX];
    int n = gate_header(wsi, WSI_TOKEN_HOST, host, sizeof(host));
    if (n <= 0) {
        return 400;
    }
    for (int i = 0; i < n; i++) {
        unsigned char c = (unsigned char)host[i];
        bool good = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                    c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
        if (!good) {
            return 400;
        }
    }
    return 0;
}

/* A roster is a file: the one request whose body may be larger, a few at a time. */
static bool is_large(const struct door *door, const char *path)
{
    static const char start[] = "/api/classes/";
    static const char end[] = "/roster";
    size_t len = strlen(path);
    return door->large < DOOR_LARGE_MAX && len > sizeof(start) + sizeof(end) &&
           !strncmp(path, start, sizeof(start) - 1) && !strcmp(path + len - (sizeof(end) - 1), end);
}

/* rule 9: what lws would take as a number is not enough. */
static uint16_t check_length(const struct door *door, struct lws *wsi, uint8_t method,
                             const char *path, uint32_t *body_len)
{
    char text[16];
    uint64_t value = 0;
    bool wants_body = method == IPC_POST || method == IPC_PATCH;
    *body_len = 0;
    int n = gate_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text));
    if (n == E_NOTFOUND) {
        return wants_body ? 411 : 0;
    }
    if (n < 0 || rules_length(text, (size_t)n, &value)) {
        return 400;
    }
    if (value > (is_large(door, path) ? (uint64_t)IPC_BODY_MAX : door->config.body_max)) {
        return 413;
    }
    if (value && !wants_body) {
        return 400;
    }
    *body_len = (uint32_t)value;
    return 0;
}

/* rule 15: lws closes silently at about 92; up to ARGS_MAX we answer. */
static uint16_t check_args(struct lws *wsi)
{
    for (int i = 0; i <= ARGS_MAX; i++) {
        if (lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) <= 0) {
            return 0;
        }
    }
    return 414;
}

static uint16_t check_all(struct door *door, struct door_conn *conn, const char *path, size_t len,
                          struct door_http *http)
{
    struct lws *wsi = conn->wsi;
    http->standard = is_standard(path);
    if (conn->surplus) {
        return 503;
    }
    /* Not even empty: whoever sends one may mean to hide a second request in the body. */
    if (present(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) {
        return 501;
    }
    uint16_t status = check_method(wsi, &http->method);
    status = status ? status : check_version(wsi);
    status = status ? status : check_path(path, len);
    status = status ? status : check_host(wsi);
    status = status ? status : check_proxy(door, conn);
    status = status ? status : check_length(door, wsi, http->method, path, &http->body_len);
    status = status ? status : check_args(wsi);
    return status || http->standard ? status : check_origin(door, conn, http->method);
}

static bool is_core_path(const char *path)
{
    for (size_t i = 0; i < sizeof(core_paths) / sizeof(core_paths[0]); i++) {
        if (!strncmp(path, core_paths[i], strlen(core_paths[i]))) {
            return true;
        }
    }
    return false;
}

/* Kept only for requests that go to the core: "method path" is all the page needs. */
static uint16_t check_target(struct door_http *http, const char *path)
{
    http->to_core = is_core_path(path);
    if (!http->to_core && http->method != IPC_GET && http->method != IPC_HEAD) {
        return 405;
    }
    return 0;
}

int gate_request(struct door *door, struct door_conn *conn, const char *path, size_t len)
{
    if (conn->requests++) {
        return -1; /* rule 1: a second request on one connection is never served */
    }
    struct door_http *http = mem_alloc(sizeof(*http));
    if (!http) {
        return -1;
    }
    http->out.fd = -1;
    conn->http = http;
    uint16_t status = check_all(door, conn, path, len, http);
    http->keep_head = http->method == IPC_HEAD;
    door->large += http->body_len > door->config.body_max;
    status = status ? status : check_target(http, path);
    if (status) {
        door_count(door, DOOR_STAT_http_refused);
        log_debug("door", "request refused", L_UINT("status", status),
                  L_ADDR("addr", &conn->remote));
        return reply_status(door, conn, status);
    }
    door_count(door, DOOR_STAT_http_requests);
    return 0;
}

/* ---- WebSocket (rules 8, 16) --------------------------------------------------------------- */

/* True when the only instance of the header is exactly text. */
static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *text)
{
    char value[64];
    int n = gate_header(wsi, token, value, sizeof(value));
    return n >= 0 && !strcmp(value, text);
}

static bool upgrade_is_websocket(struct lws *wsi)
{
    char value[16];
    int n = gate_header(wsi, WSI_TOKEN_UPGRADE, value, sizeof(value));
    return n == 9 && !strncasecmp(value, "websocket", 9);
}

static bool key_ok(struct lws *wsi)
{
    char key[64];
    return gate_header(wsi, WSI_TOKEN_KEY, key, sizeof(key)) == 24; /* 16 bytes in base64 */
}

static bool socket_origin_ok(const struct door *door, struct door_conn *conn)
{
    char origin[ORIGIN_MAX];
    int n = gate_header(conn->wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
    return n > 0 && origin_ok(door, conn, origin, (size_t)n);
}

/* 0 when everything of rule 8 holds, otherwise the status to tell. */
static uint16_t check_upgrade(struct door *door, struct door_conn *conn)
{
    struct lws *wsi = conn->wsi;
    uint8_t method;
    char path[8];
    if (conn->surplus) {
        return 503;
    }
    if (!upgrade_is_websocket(wsi) || present(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) ||
        present(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) || present(wsi, WSI_TOKEN_HTTP2_SETTINGS) ||
        check_method(wsi, &method) || method != IPC_GET || check_version(wsi) || check_host(wsi)) {
        return 400;
    }
    if (gate_header(wsi, WSI_TOKEN_GET_URI, path, sizeof(path)) != 3 || strcmp(path, "/ws")) {
        return 404;
    }
    if (!header_is(wsi, WSI_TOKEN_VERSION, "13") || !key_ok(wsi) ||
        !header_is(wsi, WSI_TOKEN_PROTOCOL, DOOR_SUBPROTOCOL)) {
        return 400;
    }
    uint16_t status = check_proxy(door, conn);
    return status || socket_origin_ok(door, conn) ? status : 403;
}

int gate_upgrade(struct door *door, struct door_conn *conn)
{
    if (conn->requests++) {
        return -1;
    }
    uint16_t status = check_upgrade(door, conn);
    if (status) {
        door_count(door, DOOR_STAT_ws_refused);
        return reply_status(door, conn, status); /* always -1: never a positive value */
    }
    return 0;
}

int gate_subprotocol(struct door *door, struct door_conn *conn)
{
    return conn && header_is(conn->wsi, WSI_TOKEN_PROTOCOL, DOOR_SUBPROTOCOL) &&
                   socket_origin_ok(door, conn)
               ? 0
               : -1;
}
