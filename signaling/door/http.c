#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "signaling/door/state.h"

enum { VALUE_MAX = 4096, ASK_TEXT_MAX = 3 * DOOR_HEADER_DATA, HOLD_MS = 5000 };

/* ---- asking the core ----------------------------------------------------------------------- */

/* Everything of a request but its body, kept while the body arrives. */
struct ask_kept {
    struct ipc_ask ask; /* pointers into text */
    size_t used;
    char text[ASK_TEXT_MAX];
};

static struct ipc_str keep(struct ask_kept *kept, const char *p, size_t len)
{
    if (kept->used + len > sizeof(kept->text)) {
        return (struct ipc_str){0};
    }
    char *at = kept->text + kept->used;
    memcpy(at, p, len);
    kept->used += len;
    return (struct ipc_str){at, len};
}

static const enum lws_token_indexes ask_token[IPC_ASK_HEADERS] = {
    [IPC_ASK_HOST] = WSI_TOKEN_HOST,
    [IPC_ASK_ORIGIN] = WSI_TOKEN_ORIGIN,
    [IPC_ASK_AUTHORIZATION] = WSI_TOKEN_HTTP_AUTHORIZATION,
    [IPC_ASK_CONTENT_TYPE] = WSI_TOKEN_HTTP_CONTENT_TYPE,
    [IPC_ASK_ACCEPT] = WSI_TOKEN_HTTP_ACCEPT,
    [IPC_ASK_ACCEPT_LANGUAGE] = WSI_TOKEN_HTTP_ACCEPT_LANGUAGE,
    [IPC_ASK_USER_AGENT] = WSI_TOKEN_HTTP_USER_AGENT,
    [IPC_ASK_COOKIE] = WSI_TOKEN_HTTP_COOKIE,
    [IPC_ASK_IF_NONE_MATCH] = WSI_TOKEN_HTTP_IF_NONE_MATCH,
    [IPC_ASK_IF_MATCH] = WSI_TOKEN_HTTP_IF_MATCH,
};

/* A header repeated or with control characters is a lie to somebody: refuse the request. */
static int keep_headers(struct ask_kept *kept, struct lws *wsi)
{
    char value[VALUE_MAX];
    for (size_t i = 0; i < IPC_ASK_HEADERS; i++) {
        int n = gate_header(wsi, ask_token[i], value, sizeof(value));
        if (n == E_NOTFOUND) {
            continue;
        }
        if (n < 0 || !text_utf8_ok(value, (size_t)n)) {
            return E_BAD;
        }
        kept->ask.header[i] = keep(kept, value, (size_t)n);
    }
    return 0;
}

/* Arguments one by one, since lws decodes them apart; a line feed between two. */
static int keep_query(struct ask_kept *kept, struct lws *wsi)
{
    char one[VALUE_MAX];
    size_t start = kept->used;
    for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
        int n = lws_hdr_copy_fragment(wsi, one, sizeof(one), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n < 0 || strnlen(one, (size_t)n) != (size_t)n || !text_utf8_ok(one, (size_t)n)) {
            return E_BAD;
        }
        for (int k = 0; k < n; k++) {
            if ((unsigned char)one[k] < 0x20 || one[k] == 0x7f) {
                return E_BAD;
            }
        }
        if ((i && !keep(kept, "\n", 1).p) || !keep(kept, one, (size_t)n).p) {
            return E_BAD;
        }
    }
    kept->ask.query = (struct ipc_str){kept->text + start, kept->used - start};
    return 0;
}

static int ask_keep(struct door_conn *conn, const char *path, size_t len)
{
    struct door_http *http = conn->http;
    struct ask_kept *kept = mem_alloc(sizeof(*kept));
    if (!kept) {
        return E_NOMEM;
    }
    http->ask = kept;
    kept->ask.req = conn->num;
    kept->ask.method = http->method;
    kept->ask.tls = conn->tls;
    kept->ask.remote = conn->remote;
    kept->ask.path = keep(kept, path, len);
    int err = keep_headers(kept, conn->wsi);
    return err ? err : keep_query(kept, conn->wsi);
}

static int send_ask(struct door *door, struct door_conn *conn)
{
    struct door_http *http = conn->http;
    struct ipc_frame frame = {.type = IPC_ASK, .ask = http->ask->ask};
    frame.ask.body = http->body;
    frame.ask.body_len = http->body_have;
    int err = core_send(door, &frame);
    mem_free(http->ask);
    http->ask = NULL;
    mem_free(http->body);
    http->body = NULL;
    return err;
}

/* Sends the request; from here the client's input is blocked until the answer (rule 12). Right
 * after the start the core is a moment behind the door: the request waits for it. */
static int ask_core(struct door *door, struct door_conn *conn)
{
    struct door_http *http = conn->http;
    http->held = !door->core.up && !door->core.epoch;
    if (!http->held && send_ask(door, conn)) {
        return reply_status(door, conn, 503);
    }
    lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
    (void)lws_rx_flow_control(conn->wsi, 0);
    conn_phase(conn, DOOR_PHASE_WAIT, http->held ? HOLD_MS : door->config.answer_timeout_ms);
    return 0;
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* Lets the closing of an answered connection happen inside its own callback. */
static void finish(struct door_conn *conn)
{
    conn_phase(conn, DOOR_PHASE_END, 2000);
    (void)lws_rx_flow_control(conn->wsi, 1);
    lws_callback_on_writable(conn->wsi);
}

static void answer_large(struct door *door, struct door_conn *conn, const struct ipc_answer *answer,
                         const struct reply *reply)
{
    char head[4096];
    struct door_out *out = &conn->http->out;
    size_t head_len = reply_head(door, head, sizeof(head), reply);
    if (answer->file) {
        out->fd = answer->fd;
        out->at = answer->start;
        out->end = answer->start + answer->count;
        door->files_open++;
    } else {
        out->blob = blob_new(answer->body, answer->body_len);
        out->end = answer->body_len;
    }
    bool ready = head_len && (answer->file || out->blob);
    if (!ready || pace_start(door, conn, head, head_len)) {
        conn_kill(conn);
    }
}

void http_answer(struct door *door, const struct ipc_answer *answer)
{
    struct door_conn *conn = conn_of_num(door, answer->req);
    bool waits = conn && conn->phase == DOOR_PHASE_WAIT && !conn->killed;
    bool file_ok =
        door->files_open < DOOR_FILES_MAX && answer->start + answer->count >= answer->start;
    if (!waits || (answer->file && !file_ok)) {
        if (answer->file) {
            (void)close(answer->fd);
        }
        if (waits) {
            (void)reply_status(door, conn, 503);
            finish(conn);
        }
        return;
    }
    struct reply reply = {
        .status = answer->status,
        .length = answer->file ? answer->count : answer->body_len,
        .without_body = conn->http->keep_head,
        .standard = conn->http->standard,
        .body = answer->body,
        .body_len = answer->body_len,
    };
    memcpy(reply.header, answer->header, sizeof(reply.header));
    if (!answer->file && answer->body_len <= DOOR_SHORT_MAX) {
        (void)reply_short(door, conn, &reply);
        finish(conn);
        return;
    }
    answer_large(door, conn, answer, &reply);
}

void http_core_there(struct door *door)
{
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (conn && conn->phase == DOOR_PHASE_WAIT && !conn->killed && conn->http->held) {
            conn->http->held = false;
            conn_phase(conn, DOOR_PHASE_WAIT, door->config.answer_timeout_ms);
            if (send_ask(door, conn)) {
                (void)reply_status(door, conn, 503);
                finish(conn);
            }
        }
    }
}

void http_overdue(struct door *door, struct door_conn *conn)
{
    if (conn->http->held) {
        (void)reply_status(door, conn, 503);
        finish(conn);
        return;
    }
    struct ipc_frame gone = {.type = IPC_GONE, .gone = conn->num};
    (void)core_send(door, &gone);
    (void)reply_status(door, conn, 504);
    finish(conn);
}

void http_core_lost(struct door *door)
{
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (conn && conn->phase == DOOR_PHASE_WAIT && !conn->killed) {
            (void)reply_status(door, conn, 503);
            finish(conn);
        }
    }
}

/* ---- callbacks ----------------------------------------------------------------------------- */

/* LWS_CALLBACK_HTTP: the gate has passed it. */
static int on_request(struct door *door, struct door_conn *conn, const char *path, size_t len)
{
    struct door_http *http = conn->http;
    if (!http) {
        return -1;
    }
    if (!http->to_core) {
        return page_serve(door, conn, path);
    }
    if (ask_keep(conn, path, len)) {
        return reply_status(door, conn, 400);
    }
    if (http->method != IPC_POST && http->method != IPC_PATCH) {
        return ask_core(door, conn);
    }
    if (http->body_len) {
        http->body = mem_alloc(http->body_len);
        if (!http->body) {
            return reply_status(door, conn, 503);
        }
        conn_phase(conn, DOOR_PHASE_BODY, door->config.body_timeout_ms);
        return 0;
    }
    /* lws announces an empty body for POST by itself (HTTP_BODY_COMPLETION), not for PATCH. */
    return http->method == IPC_PATCH ? ask_core(door, conn) : 0;
}

/* rule 11: at most what was announced. */
static int on_body(struct door_conn *conn, const void *data, size_t len)
{
    struct door_http *http = conn->http;
    if (!len) {
        return 0;
    }
    if (!http || !http->body || len > http->body_len - http->body_have) {
        return -1;
    }
    memcpy(http->body + http->body_have, data, len);
    http->body_have += (uint32_t)len;
    return 0;
}

/* rule 11: act only when all is there, and only once. */
static int on_body_end(struct door *door, struct door_conn *conn)
{
    struct door_http *http = conn->http;
    if (!http || !http->ask || http->body_have != http->body_len) {
        return -1;
    }
    return ask_core(door, conn);
}

void http_free(struct door *door, struct door_conn *conn)
{
    struct door_http *http = conn->http;
    if (!http) {
        return;
    }
    if (conn->phase == DOOR_PHASE_WAIT && !http->held) {
        struct ipc_frame gone = {.type = IPC_GONE, .gone = conn->num};
        (void)core_send(door, &gone);
    }
    door->large -= http->body_len > door->config.body_max;
    pace_free(door, conn);
    mem_free(http->ask);
    mem_free(http->body);
    mem_free(http);
    conn->http = NULL;
}

/* Requests and their bodies. */
static int request_callback(struct door *door, struct door_conn *conn,
                            enum lws_callback_reasons reason, void *in, size_t len)
{
    if (!conn) {
        return -1;
    }
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
        return gate_request(door, conn, in, len);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return gate_upgrade(door, conn);
    case LWS_CALLBACK_HTTP:
        return on_request(door, conn, in, len);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(conn, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_body_end(door, conn);
    default:
        return pace_writeable(door, conn);
    }
}

int door_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    struct door *door = door_of(wsi);
    struct door_conn *conn;
    switch ((int)reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        return tls_setup(door, user);
    case LWS_CALLBACK_WSI_CREATE:
        conn_bind(door, wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        conn = conn_of_wsi(door, wsi);
        if (conn) {
            conn_free(door, conn);
        }
        return 0;
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return request_callback(door, conn_of_wsi(door, wsi), reason, in, len);
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT would become a raw tunnel (rule 3) */
    case LWS_CALLBACK_RAW_RX:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: /* a client named this protocol (rule 16) */
        return -1;
    default:
        return 0;
    }
}
