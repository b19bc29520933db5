#include "signaling/door/door.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "signaling/door/state.h"

enum { EXIT_CONFIG = 78, WHY_MAX = 320, WATCHDOG_MS = 500, LWS_LINES_PER_S = 10 };
enum { TICK_AWAY_MS = 50, FDS_MIN = 192 };

static volatile sig_atomic_t signal_stop;
static volatile sig_atomic_t signal_reload;

struct door *door_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* ---- configuration ------------------------------------------------------------------------- */

static void default_u32(uint32_t *value, uint32_t normal)
{
    if (!*value) {
        *value = normal;
    }
}

static void fill_defaults(struct door_config *c)
{
    default_u32(&c->conn_max, 4000);
    default_u32(&c->conn_per_addr_max, 500);
    default_u32(&c->body_max, 65536);
    default_u32(&c->message_max, 65536);
    default_u32(&c->frames_per_s_max, 2000);
    default_u32(&c->queue_msgs_max, 256);
    default_u32(&c->queue_bytes_max, 1024 * 1024);
    default_u32(&c->header_timeout_ms, 10000);
    default_u32(&c->body_timeout_ms, 10000);
    default_u32(&c->answer_timeout_ms, 20000);
    default_u32(&c->file_timeout_ms, 15000);
    default_u32(&c->ping_after_ms, 20000);
    default_u32(&c->hangup_after_ms, 40000);
    default_u32(&c->stop_timeout_ms, 5000);
    default_u32(&c->busy_after_ms, 250);
    if (c->body_max > IPC_BODY_MAX) {
        c->body_max = IPC_BODY_MAX;
    }
    if (c->message_max > IPC_TEXT_MAX) {
        c->message_max = IPC_TEXT_MAX;
    }
    if (c->conn_max > 60000) {
        c->conn_max = 60000; /* the header pool is counted in 16 bits (rule 4) */
    }
}

static int check_origins(const struct door_config *c, char *why, size_t cap)
{
    for (size_t i = 0; i < c->origins_count; i++) {
        const char *o = c->origins[i];
        size_t scheme = !strncmp(o, "https://", 8) ? 8 : !strncmp(o, "http://", 7) ? 7 : 0;
        if (!scheme || !o[scheme] || strpbrk(o + scheme, "/ *?#@")) {
            (void)snprintf(why, cap,
                           "origin \"%s\" is not of the form https://host[:port], nothing behind",
                           o);
            return E_BAD;
        }
    }
    return 0;
}

static int check_proxies(struct door *door, char *why, size_t cap)
{
    const struct door_config *c = &door->config;
    for (size_t i = 0; i < c->proxies_count; i++) {
        if (addr_parse(&door->proxies[i], c->proxies[i])) {
            (void)snprintf(why, cap, "proxy \"%s\" is not an IP address", c->proxies[i]);
            return E_BAD;
        }
        addr_canonical(&door->proxies[i]);
    }
    return 0;
}

static int check_page(const struct door_config *c, char *why, size_t cap)
{
    int dir = -1;
    int fd = -1;
    int err = c->web_root ? file_open_dir(c->web_root, &dir) : E_NOTFOUND;
    err = err ? err : file_open_beneath(dir, "index.html", &fd, NULL);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (dir >= 0) {
        (void)close(dir);
    }
    if (err) {
        (void)snprintf(why, cap, "no index.html in %s (%s): build the page or set its folder",
                       c->web_root ? c->web_root : "(no folder)", err_text(err));
    }
    return err;
}

static int check_all(struct door *door, char *why, size_t cap)
{
    const struct door_config *c = &door->config;
    bool tls = false;
    if (c->listen_count < 1 || c->listen_count > DOOR_LISTEN_MAX || !c->core_path) {
        (void)snprintf(why, cap, "nothing to listen on, or no path of the core's socket");
        return E_BAD;
    }
    for (size_t i = 0; i < c->listen_count; i++) {
        tls = tls || c->listen[i].tls;
    }
    int err = check_origins(c, why, cap);
    err = err ? err : check_proxies(door, why, cap);
    err = err ? err : check_page(c, why, cap);
    if (!err && tls) {
        err = tls_load(c, NULL, NULL, why, cap);
    }
    return err;
}

int door_check(const struct door_config *config, char *why, size_t why_cap)
{
    struct door *door = mem_alloc(sizeof(*door));
    if (!door) {
        return E_NOMEM;
    }
    door->config = *config;
    fill_defaults(&door->config);
    int err = check_all(door, why, why_cap);
    mem_free(door);
    return err;
}

/*
 * rule 6: room for every connection plus what else is open; the soft limit is set to just that,
 * since lws sizes its tables by it. With a low hard limit fewer connections are let in.
 */
static int set_fd_limit(struct door_config *c, char *why, size_t cap)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)c->conn_max + DOOR_SURPLUS_MAX + DOOR_FD_RESERVE;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return E_IO;
    }
    if (limit.rlim_max < FDS_MIN) {
        (void)snprintf(why, cap,
                       "only %llu descriptors allowed, at least %d are needed (ulimit -n)",
                       (unsigned long long)limit.rlim_max, FDS_MIN);
        return E_LIMIT;
    }
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit)) {
        return E_IO;
    }
    if (limit.rlim_cur < want) {
        c->conn_max = (uint32_t)(limit.rlim_cur - DOOR_SURPLUS_MAX - DOOR_FD_RESERVE);
        log_warn("door", "fewer connections than configured: raise the descriptor limit",
                 L_UINT("connections", c->conn_max), L_UINT("descriptors", limit.rlim_cur));
    }
    return 0;
}

/* ---- libwebsockets ------------------------------------------------------------------------- */

/* rule 22. Each bad request can make lws print, so its lines pass a budget per second. */
static uint64_t lws_lines_muted;

static void lws_line(int level, const char *line)
{
    static int64_t second;
    static unsigned lines;
    int64_t now = clock_mono_us() / US_PER_S;
    char text[256];
    if (now != second) {
        second = now;
        lines = 0;
    }
    if (++lines > LWS_LINES_PER_S) {
        lws_lines_muted++;
        return;
    }
    size_t n = strcspn(line, "\n");
    n = n < sizeof(text) ? n : sizeof(text) - 1;
    memcpy(text, line, n);
    text[n] = '\0';
    if (level == LLL_ERR) {
        log_warn("lws", text);
    } else {
        log_debug("lws", text);
    }
}

/* A TLS record. Left at 0 the library sends no more at once than it receives, and comes back by
 * poll() for every further KiB of a snapshot. */
enum { WRITE_AT_ONCE = 16 * 1024 - LWS_PRE - 4 };

static const struct lws_protocols protocols[] = {
    {.name = "door-http", .callback = door_http_callback},
    {.name = DOOR_SUBPROTOCOL,
     .callback = door_ws_callback,
     .rx_buffer_size = 1024,
     .tx_packet_size = WRITE_AT_ONCE},
    {.name = "door-core", .callback = door_core_callback},
    {.name = "door-listen", .callback = door_listen_callback},
    {.name = NULL},
};

static const char *const listener_name[DOOR_LISTEN_MAX] = {"door-0", "door-1", "door-2", "door-3"};

static void fill_info(struct lws_context_creation_info *info, struct door *door)
{
    static const lws_retry_bo_t never = {0}; /* ws_watch pings and hangs up */
    const struct door_config *c = &door->config;
    info->port = CONTEXT_PORT_NO_LISTEN_SERVER; /* accept.c listens */
    info->protocols = protocols;
    info->user = door;
    info->server_string = "amphi"; /* empty would abort on the first lws reply (rule 21) */
    info->alpn = "http/1.1";       /* rule 2 */
    info->extensions = NULL;
    info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                    LWS_SERVER_OPTION_VALIDATE_UTF8;
    info->max_http_header_data = DOOR_HEADER_DATA;
    info->max_http_header_pool = (unsigned short)(c->conn_max + DOOR_SURPLUS_MAX); /* rule 4 */
    info->timeout_secs = 10;
    info->timeout_secs_ah_idle = 10;
    info->keepalive_timeout = 1;
    info->pt_serv_buf_size = 16 * 1024;
    info->retry_and_idle_policy = &never;
    info->count_threads = 1;
}

static int start_lws(struct door *door, char *why, size_t cap)
{
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof(info));
    fill_info(&info, door);
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_line);
    door->lws = lws_create_context(&info);
    if (!door->lws) {
        (void)snprintf(why, cap, "libwebsockets does not start");
        return E_NOMEM;
    }
    for (size_t i = 0; i < door->config.listen_count; i++) {
        struct lws_context_creation_info one = info;
        one.vhost_name = listener_name[i]; /* lws keeps the pointer */
        if (door->listener[i].tls) {
            one.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
        }
        door->listener[i].vhost = lws_create_vhost(door->lws, &one);
        if (!door->listener[i].vhost) {
            (void)snprintf(why, cap, "listener %zu does not start", i);
            return E_BAD;
        }
    }
    return accept_start(door);
}

/* ---- loop ---------------------------------------------------------------------------------- */

/* rule 21: only a loop that turns feeds it. */
static void feed_watchdog(struct door *door, mono_us now)
{
    if (door->config.watchdog_fd < 0 || now < door->watchdog_at) {
        return;
    }
    door->watchdog_at = now + (mono_us)WATCHDOG_MS * US_PER_MS;
    ssize_t n = write(door->config.watchdog_fd, "w", 1);
    if (n < 0 && errno == EPIPE) {
        signal_stop = 1; /* the supervisor is gone */
    }
}

static void begin_stop(struct door *door, mono_us now)
{
    log_info("door", "stopping", L_UINT("connections", door->conns.used));
    door->stop_at = now + (mono_us)door->config.stop_timeout_ms * US_PER_MS;
    accept_stop(door);
    ws_stop(door);
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (conn && conn->phase == DOOR_PHASE_HEADERS) {
            conn_kill(conn);
        }
    }
}

static void tick(lws_sorted_usec_list_t *sul)
{
    struct door *door = door_of_timer(sul, offsetof(struct door, tick));
    mono_us now = clock_mono_us();
    if (signal_reload) {
        signal_reload = 0;
        tls_reload(door);
    }
    if (signal_stop && !door->stop_at) {
        begin_stop(door, now);
    }
    door->stats.value[DOOR_STAT_log_muted] = lws_lines_muted;
    conn_tick(door, now);
    accept_tick(door, now);
    core_tick(door, now);
    tls_tick(door, now);
    feed_watchdog(door, now);
    int64_t wait = door->core.up && !door->stop_at ? DOOR_TICK_MS : TICK_AWAY_MS;
    lws_sul_schedule(door->lws, 0, &door->tick, tick, wait * US_PER_MS);
}

static void run(struct door *door)
{
    lws_sul_schedule(door->lws, 0, &door->tick, tick, 1);
    for (;;) {
        if (lws_service(door->lws, 0) < 0) {
            break;
        }
        core_flush(door);
        if (door->stop_at && (!door->conns.used || clock_mono_us() >= door->stop_at)) {
            break;
        }
    }
    lws_sul_cancel(&door->tick);
    lws_sul_cancel(&door->pace);
    door->ended = true;
}

static void on_signal(int number)
{
    if (number == SIGHUP) {
        signal_reload = 1;
    } else {
        signal_stop = 1;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    signal_stop = 0;
    signal_reload = 0;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static int start(struct door *door, char *why, size_t cap)
{
    int err = check_all(door, why, cap);
    err = err ? err : set_fd_limit(&door->config, why, cap);
    err = err ? err : conn_table_init(door);
    err = err ? err : reply_init(door);
    err = err ? err : accept_bind(door, why, cap);
    err = err ? err : page_init(door);
    err = err ? err : sandbox_enter(&door->config, why, cap);
    return err ? err : start_lws(door, why, cap);
}

int door_main(const struct door_config *config)
{
    char why[WHY_MAX] = "";
    struct door *door = mem_alloc(sizeof(*door));
    if (!door) {
        return 1;
    }
    door->config = *config;
    fill_defaults(&door->config);
    catch_signals();
    int err = start(door, why, sizeof(why));
    if (!err) {
        sandbox_lock(door);
        err = page_check(door, why, sizeof(why));
    }
    if (err) {
        log_error("door", "cannot start", L_STR("why", why[0] ? why : err_text(err)),
                  L_ERR("err", err));
    } else {
        log_info("door", "open", L_UINT("connections", door->config.conn_max));
        run(door);
    }
    if (door->lws) {
        lws_context_destroy(door->lws);
    }
    core_fini(door);
    page_fini(door);
    conn_table_fini(door);
    mem_free(door->head_common);
    mem_free(door);
    return !err ? 0 : err == E_NOMEM || err == E_IO ? 1 : EXIT_CONFIG;
}
