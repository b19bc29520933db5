/*
 * The door's whole state, shared by the files of this folder and nobody else: one struct door per
 * process, single thread, everything driven by libwebsockets' loop.
 *
 *   accept.c  listeners, limits per address        gate.c   which requests may pass
 *   conn.c    side table of connections, deadlines http.c   one request, from headers to answer
 *   reply.c   heads and short replies              page.c   static files
 *   pace.c    bodies written by timer              ws.c     WebSockets and their queues
 *   core.c    link to the core                     tls.c    certificate
 *   sandbox.c privileges                           door.c   configuration, loop, stop
 *
 * Invariants: a door_conn lives exactly as long as its wsi (WSI_CREATE .. WSI_DESTROY, rule 5) and
 * is found through the maps, never through a kept pointer across callbacks (rule 23).
 * Out of scope: everything visible outside (door.h, ipc.h).
 */
#pragma once

#include <libwebsockets.h>
#include <signal.h>

#include "codec/base/addr.h"
#include "codec/base/hash.h"
#include "codec/base/map.h"
#include "codec/base/pool.h"
#include "codec/base/time.h"
#include "signaling/door/door.h"
#include "signaling/door/ipc_link.h"

enum {
    DOOR_TICK_MS = 250,        /* deadlines are walked this often (rule 7) */
    DOOR_FD_RESERVE = 128,     /* descriptors beyond the connections (rule 6) */
    DOOR_FILES_MAX = 48,       /* of these, for files being sent */
    DOOR_LARGE_MAX = 8,        /* large bodies on their way at once */
    DOOR_SURPLUS_MAX = 16,     /* connections over the limit that hear 503 */
    DOOR_HEADER_DATA = 8192,   /* header bytes of one request (rule 4) */
    DOOR_SHORT_MAX = 16 * 1024 /* replies up to this leave in one write (rule 12) */
};

/* What a connection is waiting for: with its deadline, the reason it would be ended for. */
enum door_phase {
    DOOR_PHASE_HEADERS, /* TLS handshake and request headers */
    DOOR_PHASE_BODY,    /* request body */
    DOOR_PHASE_WAIT,    /* the core's answer; input blocked */
    DOOR_PHASE_SEND,    /* our body, by timer; input blocked */
    DOOR_PHASE_END,     /* everything is said, the socket is closing */
    DOOR_PHASE_WS       /* a WebSocket; ws_watch watches it */
};

/* Bytes shared by all who send them. */
struct door_blob {
    uint32_t refs;

    size_t len;
    uint8_t *data;
};

/* A body on its way out (pace.c). */
struct door_out {
    struct door_blob *blob; /* body in memory, or NULL */
    int fd;                 /* body in a file, or -1 */
    uint64_t at;            /* next byte */
    uint64_t end;
    uint32_t wait_ms; /* pause before the next try, doubles while the reader stalls */
    mono_us next_try;
    bool lifted; /* input unblocked so that libwebsockets can flush (rule 13) */
    bool active;
};

struct ask_kept;

/* One HTTP request. */
struct door_http {
    uint8_t method; /* enum ipc_method */
    bool keep_head; /* HEAD: no body */
    bool to_core;   /* the core answers it, not a file */
    bool held;      /* the core has not been there yet: asked when it comes */
    bool standard;  /* WHIP or WHEP: for pages of any origin, since only a bearer token counts */
    uint32_t body_len;
    uint32_t body_have;
    uint8_t *body;        /* body_len bytes, or NULL */
    struct ask_kept *ask; /* the request kept until its body is there (http.c) */
    struct door_out out;  /* the answer */
};

struct door_msg;

/* One WebSocket (ws.c). */
struct door_ws {
    uint8_t *rx; /* message being put together */
    uint32_t rx_len;
    uint32_t rx_cap;
    struct door_msg **queue; /* ring of waiting messages */
    uint32_t queue_cap;
    uint32_t queue_head;
    uint32_t queue_len;
    size_t queue_bytes;
    int64_t second;  /* running second of the frame count */
    uint32_t frames; /* in that second (rule 18) */
    bool closing;    /* close when the queue is empty */
    bool paused;     /* input blocked: the link to the core is full */
    bool pinged;     /* since it was heard last */
    bool ping_due;   /* to be written */
    mono_us heard;   /* last sign of life (rule 20) */
    uint16_t close_code;
    uint16_t peer_code;
    uint8_t close_len;
    char close_reason[IPC_REASON_MAX];
};

struct door_conn {
    struct lws *wsi;
    conn_num num;
    pool_id id;
    struct addr remote;
    uint64_t addr_key; /* counted under this address; 0 = not counted (any more) */
    mono_us deadline;
    uint8_t phase; /* enum door_phase */
    bool tls;
    bool trusted;
    bool surplus;
    bool killed;
    uint8_t requests;            /* rule 1 */
    struct door_http *http;      /* or NULL */
    struct door_ws *ws;          /* or NULL */
    struct door_conn *send_next; /* list of those with an active door_out */
    struct door_conn *send_prev;
};

struct door_listener {
    int fd;
    bool tls;
    struct lws *wsi;
    struct lws_vhost *vhost;
    mono_us paused_until; /* no descriptors: try again then (rule 6) */
};

struct door_cache; /* page.c */

/* Link to the core (core.c). */
struct door_core {
    struct ipc_link link;
    struct lws *wsi; /* NULL while there is no link */
    bool up;         /* HELLO came */
    bool congested;  /* pages are not read while it is */
    bool told_busy;  /* pages know that the core is away */
    uint64_t epoch;
    mono_us lost_at;
    mono_us retry_at;
};

struct door {
    struct door_config config;
    struct lws_context *lws;
    struct door_listener listener[DOOR_LISTEN_MAX];
    struct pool conns;
    struct map by_wsi;  /* wsi pointer -> pool id */
    struct map by_num;  /* conn_num -> pool id */
    struct map by_addr; /* hash of the address -> connections without a token */
    struct hash_key addr_secret;
    struct addr proxies[DOOR_PROXIES_MAX];
    uint32_t instance;
    uint32_t counter;
    uint32_t surplus;
    uint32_t files_open;
    uint32_t large;              /* requests whose body is above config.body_max */
    struct door_conn *send_head; /* conns with an active door_out */
    struct door_conn *taking;    /* being adopted: WSI_CREATE takes it (rule 5) */
    struct door_core core;
    struct door_cache *cache;
    int web_dir;
    char *head_common;                           /* header lines of every answer */
    struct ssl_ctx_st *ssl_ctx[DOOR_LISTEN_MAX]; /* borrowed from libwebsockets */
    size_t ssl_ctx_count;
    mono_us cert_checked;
    lws_sorted_usec_list_t tick;
    lws_sorted_usec_list_t pace;
    mono_us watchdog_at;
    mono_us stats_at;
    mono_us trim_at;      /* the heap may be tidied again */
    uint64_t trimmed_for; /* what had come and gone when it was */
    bool ended;           /* the loop is over: closing connections only frees */
    mono_us stop_at;      /* graceful stop: end at the latest then; 0 = running */
    struct ipc_stats stats;
};

/* ---- door.c -------------------------------------------------------------------------------- */

static inline void door_count(struct door *door, enum door_stat stat)
{
    door->stats.value[stat]++;
}

/* The door a timer is embedded in, offset bytes from its start. */
static inline struct door *door_of_timer(lws_sorted_usec_list_t *sul, size_t offset)
{
    return (struct door *)(void *)((char *)sul - offset);
}

/* The door of a wsi, real or libwebsockets' stand-in. */
struct door *door_of(struct lws *wsi);
/* lws callback of protocol 0 (HTTP and life cycle) and of the WebSocket protocol. */
int door_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len);
int door_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len);
int door_core_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len);
int door_listen_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len);

#define DOOR_SUBPROTOCOL "amphi.1"

/* ---- accept.c ------------------------------------------------------------------------------ */

/* Binds what config asks for (or takes inherited sockets). 0 or E_*, with a line in why. */
int accept_bind(struct door *door, char *why, size_t cap);
/* Puts the bound sockets into the loop. */
int accept_start(struct door *door);
/* Stops listening. */
void accept_stop(struct door *door);
/* Listens again on sockets paused for want of descriptors. */
void accept_tick(struct door *door, mono_us now);
/* True when the peer is a proxy whose word counts. */
bool accept_is_proxy(const struct door *door, const struct addr *addr);
/* Counts conn under addr; false when that address has its fill (rule 5). */
bool accept_count(struct door *door, struct door_conn *conn, const struct addr *addr);
/* Ends the counting of conn: token shown, or gone. */
void accept_uncount(struct door *door, struct door_conn *conn);

/* ---- conn.c -------------------------------------------------------------------------------- */

int conn_table_init(struct door *door);
void conn_table_fini(struct door *door);
/* A fresh entry without wsi, or NULL when full. */
struct door_conn *conn_new(struct door *door);
/* Ties the entry being adopted to wsi (WSI_CREATE). */
void conn_bind(struct door *door, struct lws *wsi);
/* Frees an entry and all it holds. */
void conn_free(struct door *door, struct door_conn *conn);
struct door_conn *conn_of_wsi(struct door *door, const struct lws *wsi);
struct door_conn *conn_of_num(struct door *door, conn_num num);
/* Moves to phase, to be ended after ms. */
void conn_phase(struct door_conn *conn, enum door_phase phase, uint32_t ms);
/* Ends a connection from outside its callbacks, without ceremony (rule 19). */
void conn_kill(struct door_conn *conn);
/* Kills what is past its deadline. */
void conn_tick(struct door *door, mono_us now);

/* ---- reply.c ------------------------------------------------------------------------------- */

struct reply {
    uint16_t status;
    struct ipc_str header[IPC_ANSWER_HEADERS];
    const char *more;  /* further whole header lines, or NULL */
    uint64_t length;   /* Content-Length */
    bool is_page;      /* HTML: gets the page's policies */
    bool standard;     /* pages of other origins may read it */
    bool without_body; /* HEAD, 304 */
    const void *body;  /* reply_short only */
    size_t body_len;
};

/* Builds head_common from the configuration. 0 or E_NOMEM. */
int reply_init(struct door *door);
/* Writes the head into out; returns its length, or 0 when it does not fit. */
size_t reply_head(const struct door *door, char *out, size_t cap, const struct reply *reply);
/* Head and body in one write (rule 12). Always -1, for the callback to return. */
int reply_short(struct door *door, struct door_conn *conn, const struct reply *reply);
/* A short reply with the status as its text. Always -1. */
int reply_status(struct door *door, struct door_conn *conn, uint16_t status);

/* ---- gate.c -------------------------------------------------------------------------------- */

/*
 * FILTER_HTTP_CONNECTION (rules 1, 9, 10, 15): 0 = pass, with conn->http filled; otherwise the
 * refusal is written and -1 returned.
 */
int gate_request(struct door *door, struct door_conn *conn, const char *path, size_t len);
/* CONFIRM_UPGRADE (rule 8): 0 or -1. */
int gate_upgrade(struct door *door, struct door_conn *conn);
/* FILTER_PROTOCOL_CONNECTION (rule 16): 0 or -1. */
int gate_subprotocol(struct door *door, struct door_conn *conn);
/* Copies the only instance of a header: its length, E_NOTFOUND, or E_BAD (repeated, NUL, long). */
int gate_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t cap);

/* ---- http.c -------------------------------------------------------------------------------- */

/* The core's answer to a request (its descriptor is taken). */
void http_answer(struct door *door, const struct ipc_answer *answer);
/* The core went away: whoever waits hears 503. */
void http_core_lost(struct door *door);
/* The core is there for the first time: what waited for it is asked. */
void http_core_there(struct door *door);
/* The core's answer did not come in time: 504. */
void http_overdue(struct door *door, struct door_conn *conn);
void http_free(struct door *door, struct door_conn *conn);

/* ---- page.c -------------------------------------------------------------------------------- */

int page_init(struct door *door);
void page_fini(struct door *door);
/* Whether the process can still read the page now that it is locked in. 0 or E_*, with why. */
int page_check(const struct door *door, char *why, size_t cap);
/* Answers GET or HEAD for a file of web_root. Return value for the callback. */
int page_serve(struct door *door, struct door_conn *conn, const char *path);
void blob_put(struct door_blob **blob);
/* A blob with its own len bytes, not cached, or NULL. */
struct door_blob *blob_new(const void *data, size_t len);

/* ---- pace.c -------------------------------------------------------------------------------- */

/*
 * Starts sending head and then the body set up in conn->http->out (which it owns from here on).
 * Returns 0, or -1 when the connection must end.
 */
int pace_start(struct door *door, struct door_conn *conn, const char *head, size_t head_len);
/* HTTP_WRITEABLE: 0, or -1 to close. */
int pace_writeable(struct door *door, struct door_conn *conn);
void pace_free(struct door *door, struct door_conn *conn);

/* ---- ws.c ---------------------------------------------------------------------------------- */

/* One message for the connections of a SEND. */
void ws_send(struct door *door, const struct ipc_send *send);
/* The same text for every WebSocket. */
void ws_send_all(struct door *door, const char *text, size_t len);
/* Close after what is queued. */
void ws_close(struct door *door, struct door_conn *conn, uint16_t code, const char *reason,
              size_t len);
/* Tells a core that is new about every WebSocket there is. */
void ws_open_again(struct door *door);
/* Graceful stop: every WebSocket hears 1001. */
void ws_stop(struct door *door);
/* Pings a page that is silent, hangs up on one that stays so. */
void ws_watch(struct door *door, struct door_conn *conn, mono_us now);
/* Reads pages again that were stopped while the link was congested. */
void ws_resume_all(struct door *door);
void ws_free(struct door *door, struct door_conn *conn);

/* ---- core.c -------------------------------------------------------------------------------- */

void core_tick(struct door *door, mono_us now);
/* Sends a frame when the core is there. 0, E_STATE (away) or E_*. */
int core_send(struct door *door, const struct ipc_frame *frame);
/* After each turn of the loop. */
void core_flush(struct door *door);
void core_fini(struct door *door);

/* ---- tls.c --------------------------------------------------------------------------------- */

/* Loads certificate and key into ctx, or only checks them (ctx NULL). 0 or E_*, with why. */
int tls_load(const struct door_config *config, struct ssl_ctx_st *ctx, int64_t *expires_s,
             char *why, size_t cap);
/* OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: 0 or -1. */
int tls_setup(struct door *door, struct ssl_ctx_st *ctx);
/* SIGHUP: loads the pair again when it is good. */
void tls_reload(struct door *door);
/* Daily and at start: warns before the end. */
void tls_tick(struct door *door, mono_us now);

/* ---- sandbox.c ----------------------------------------------------------------------------- */

/* Gives up root, new privileges, core dumps. 0 or E_*, with why. */
int sandbox_enter(const struct door_config *config, char *why, size_t cap);
/* Gives up files and outgoing connections; a kernel that cannot is said in the log. */
void sandbox_lock(const struct door *door);
