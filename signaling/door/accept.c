#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "signaling/door/state.h"

enum {
    /* Each is a TLS handshake in the turns that follow: who is on his way into a class is served
     * before more of them begin. The others wait in the kernel's queue. */
    ACCEPTS_PER_TURN = 4,
    ACCEPT_PAUSE_MS = 100,
    BACKLOG = 1024,
};

/* ---- binding ------------------------------------------------------------------------------- */

static socklen_t sockaddr_fill(struct sockaddr_storage *out, const struct addr *addr, bool any)
{
    memset(out, 0, sizeof(*out));
    if (addr->family == ADDR_V4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&in.sin_addr, addr->ip, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    if (!any) {
        memcpy(&in6.sin6_addr, addr->ip, 16);
    }
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

static int listen_at(const struct addr *addr, bool any)
{
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_fill(&ss, addr, any);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1;
    int v6only = !any;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ss.ss_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
    }
    if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, BACKLOG)) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* "" means every address: one IPv6 socket that takes IPv4 too, or IPv4 where IPv6 is off. */
static int listen_open(const struct door_listen *want)
{
    struct addr addr = {.family = ADDR_V6};
    bool any = !want->address || !want->address[0];
    if (!any && addr_parse(&addr, want->address)) {
        errno = EINVAL;
        return -1;
    }
    addr.port = want->port;
    int fd = listen_at(&addr, any);
    if (fd < 0 && any && errno == EAFNOSUPPORT) {
        struct addr v4 = {.family = ADDR_V4, .port = want->port};
        fd = listen_at(&v4, false);
    }
    return fd;
}

int accept_bind(struct door *door, char *why, size_t cap)
{
    for (size_t i = 0; i < door->config.listen_count; i++) {
        const struct door_listen *want = &door->config.listen[i];
        struct door_listener *got = &door->listener[i];
        got->tls = want->tls;
        if (want->fd >= 0) {
            /* Our own copy: libwebsockets closes what it was given. */
            got->fd = fcntl(want->fd, F_DUPFD_CLOEXEC, 3);
            (void)fcntl(got->fd, F_SETFL, fcntl(got->fd, F_GETFL) | O_NONBLOCK);
        } else {
            got->fd = listen_open(want);
        }
        if (got->fd < 0) {
            (void)snprintf(why, cap,
                           "cannot listen on %s port %u (errno %d): choose another address or "
                           "port, or stop the program that uses it",
                           want->address && want->address[0] ? want->address : "every address",
                           (unsigned)want->port, errno);
            return E_BUSY;
        }
    }
    return 0;
}

int accept_start(struct door *door)
{
    for (size_t i = 0; i < door->config.listen_count; i++) {
        struct door_listener *got = &door->listener[i];
        lws_sock_file_fd_type fd = {.filefd = got->fd};
        got->wsi = lws_adopt_descriptor_vhost(got->vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                              "door-listen", NULL);
        if (!got->wsi) {
            return E_IO;
        }
    }
    return 0;
}

void accept_stop(struct door *door)
{
    for (size_t i = 0; i < DOOR_LISTEN_MAX; i++) {
        struct door_listener *got = &door->listener[i];
        if (got->wsi) {
            lws_set_timeout(got->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
            got->wsi = NULL;
        }
    }
}

void accept_tick(struct door *door, mono_us now)
{
    for (size_t i = 0; i < DOOR_LISTEN_MAX; i++) {
        struct door_listener *got = &door->listener[i];
        if (got->wsi && got->paused_until && now >= got->paused_until) {
            got->paused_until = 0;
            (void)lws_rx_flow_control(got->wsi, 1);
        }
    }
}

/* ---- counting per address (rule 5) --------------------------------------------------------- */

bool accept_is_proxy(const struct door *door, const struct addr *addr)
{
    struct addr host = *addr;
    host.port = 0;
    for (size_t i = 0; i < door->config.proxies_count; i++) {
        if (addr_equal(&door->proxies[i], &host)) {
            return true;
        }
    }
    return false;
}

/* An IPv6 host owns its /64, so that is what is counted. */
static uint64_t addr_key(const struct door *door, const struct addr *addr)
{
    uint8_t bytes[9] = {addr->family};
    memcpy(bytes + 1, addr->ip, 8);
    uint64_t key = hash_bytes(&door->addr_secret, bytes, sizeof(bytes));
    return key ? key : 1;
}

bool accept_count(struct door *door, struct door_conn *conn, const struct addr *addr)
{
    uint64_t key = addr_key(door, addr);
    uint64_t count = 0;
    (void)map_find(&door->by_addr, key, &count);
    if (count >= door->config.conn_per_addr_max || map_set(&door->by_addr, key, count + 1)) {
        door_count(door, DOOR_STAT_refused_address);
        return false;
    }
    conn->addr_key = key;
    door->stats.value[DOOR_STAT_untrusted]++;
    return true;
}

void accept_uncount(struct door *door, struct door_conn *conn)
{
    uint64_t count = 0;
    if (!conn->addr_key) {
        return;
    }
    if (map_find(&door->by_addr, conn->addr_key, &count) && count > 1) {
        (void)map_set(&door->by_addr, conn->addr_key, count - 1);
    } else {
        (void)map_del(&door->by_addr, conn->addr_key);
    }
    conn->addr_key = 0;
    door->stats.value[DOOR_STAT_untrusted]--;
}

/* ---- accepting ----------------------------------------------------------------------------- */

static void addr_from_sockaddr(struct addr *out, const struct sockaddr_storage *ss)
{
    memset(out, 0, sizeof(*out));
    if (ss->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, ss, sizeof(in));
        out->family = ADDR_V4;
        out->port = ntohs(in.sin_port);
        memcpy(out->ip, &in.sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, ss, sizeof(in6));
        out->family = ADDR_V6;
        out->port = ntohs(in6.sin6_port);
        memcpy(out->ip, &in6.sin6_addr, 16);
        addr_canonical(out);
    }
}

/* An entry for a new connection, or NULL when it must be refused at once. */
static struct door_conn *admit(struct door *door, const struct addr *remote)
{
    bool full = door->conns.used - door->surplus >= door->config.conn_max;
    if (full && door->surplus >= DOOR_SURPLUS_MAX) {
        door_count(door, DOOR_STAT_refused_total);
        return NULL;
    }
    struct door_conn *conn = conn_new(door);
    if (!conn) {
        door_count(door, DOOR_STAT_refused_total);
        return NULL;
    }
    conn->remote = *remote;
    if (full) {
        conn->surplus = true;
        door->surplus++;
    }
    /* Behind a proxy the address is known only with the headers (gate.c counts then). */
    if (!accept_is_proxy(door, remote) && !accept_count(door, conn, remote)) {
        conn_free(door, conn);
        return NULL;
    }
    return conn;
}

static void adopt(struct door *door, struct door_listener *from, int fd, const struct addr *remote)
{
    struct door_conn *conn = admit(door, remote);
    if (!conn) {
        (void)close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    conn->tls = from->tls;
    pool_id id = conn->id;
    door->taking = conn;
    struct lws *wsi = lws_adopt_socket_vhost(from->vhost, fd);
    door->taking = NULL;
    /* Adoption can fail before WSI_CREATE or without WSI_DESTROY: roll back what is left. */
    conn = pool_at(&door->conns, id);
    if (!wsi && conn) {
        conn_free(door, conn);
        return;
    }
    door_count(door, DOOR_STAT_accepted);
}

/* True when the listener should rest: nothing more to take, or no descriptors to take it with. */
static bool accept_one(struct door *door, struct door_listener *from)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    memset(&ss, 0, sizeof(ss));
    int fd = accept4(from->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        struct addr remote;
        addr_from_sockaddr(&remote, &ss);
        adopt(door, from, fd, &remote);
        return false;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        /* Polling would report it again at once and burn the core: look away for a while. */
        log_error("door", "no descriptors for new connections", L_INT("errno", errno));
        from->paused_until = clock_mono_us() + ACCEPT_PAUSE_MS * US_PER_MS;
        (void)lws_rx_flow_control(from->wsi, 0);
        return true;
    }
    /* ECONNABORTED and network errors belong to that one connection (accept(2)). */
    return errno == EAGAIN;
}

static struct door_listener *listener_of(struct door *door, const struct lws *wsi)
{
    for (size_t i = 0; i < DOOR_LISTEN_MAX; i++) {
        if (door->listener[i].wsi == wsi) {
            return &door->listener[i];
        }
    }
    return NULL;
}

int door_listen_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    struct door *door = door_of(wsi);
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) {
        return -1; /* a client named this protocol (rule 16) */
    }
    if (reason != LWS_CALLBACK_RAW_RX_FILE) {
        return 0;
    }
    struct door_listener *from = listener_of(door, wsi);
    for (int i = 0; from && i < ACCEPTS_PER_TURN; i++) {
        if (accept_one(door, from)) {
            break;
        }
    }
    return 0;
}
