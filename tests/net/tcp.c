#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/net/relay.h"

/* Read in pieces of a usual TCP segment, so that loss and rate act per segment. */
#define TCP_SEGMENT_LEN 1448u
/* A side stops being read while this much of its data is under way or unsent. */
#define TCP_PENDING_BYTES_MAX (256u << 10)

struct tcp_conn;

struct tcp_side {
    struct relay_watch watch; /* first */
    struct tcp_conn *conn;
    unsigned dir; /* of the bytes read here */
    uint64_t order_us;
    size_t pending;  /* bytes read here that the other side has not yet written */
    uint8_t *unsent; /* due bytes that did not fit in this side's socket */
    size_t unsent_len;
    uint8_t read_end;  /* end of stream read here */
    uint8_t write_end; /* end of stream to be written here after unsent */
    uint8_t write_done;
};

/* side[0] is the client, side[1] the server. */
struct tcp_conn {
    struct tcp_side side[2];
    int target;
};

struct tcp_port {
    struct relay_watch watch; /* first */
    struct sockaddr_storage server;
};

static void close_conn(struct relay *r, struct tcp_conn *c)
{
    for (unsigned i = 0; i < 2; i++) {
        relay_watch(r, &c->side[i].watch, 0);
        close(c->side[i].watch.fd);
        free(c->side[i].unsent);
    }
    relay_target_free(r, c->target);
    free(c);
}

static void set_events(struct relay *r, struct tcp_side *s)
{
    uint32_t events = 0;

    if (!s->read_end && s->pending < TCP_PENDING_BYTES_MAX)
        events |= EPOLLIN;
    if (s->unsent_len)
        events |= EPOLLOUT;
    relay_watch(r, &s->watch, events);
}

/* Write what waits at this side. Returns -1 when the connection is finished or beyond use. */
static int flush_side(struct tcp_side *s)
{
    struct tcp_side *from = &s->conn->side[s->dir == RELAY_AB ? 1 : 0];

    while (s->unsent_len) {
        ssize_t n = send(s->watch.fd, s->unsent, s->unsent_len, MSG_NOSIGNAL);

        /* ENOTCONN: the connect towards the server is still under way. */
        if (n < 0)
            return errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? 0 : -1;
        s->unsent_len -= (size_t)n;
        from->pending -= (size_t)n;
        memmove(s->unsent, s->unsent + n, s->unsent_len);
    }
    if (s->write_end) {
        shutdown(s->watch.fd, SHUT_WR);
        s->write_end = 0;
        s->write_done = 1;
        if (from->write_done)
            return -1;
    }
    return 0;
}

static void deliver(struct relay *r, void *arg, const struct flight_packet *p)
{
    struct tcp_conn *c = arg;
    struct tcp_side *to = &c->side[p->dir == RELAY_AB ? 1 : 0];

    if (p->len == 0) {
        to->write_end = 1;
    } else {
        uint8_t *grown = realloc(to->unsent, to->unsent_len + p->len);

        if (!grown)
            relay_die("memory");
        memcpy(grown + to->unsent_len, p->data, p->len);
        to->unsent = grown;
        to->unsent_len += p->len;
    }
    if (flush_side(to) < 0) {
        close_conn(r, c);
        return;
    }
    set_events(r, to);
    set_events(r, &c->side[p->dir == RELAY_AB ? 0 : 1]);
}

/* Take what the socket has. Returns -1 when the connection was reset. */
static int read_side(struct relay *r, struct tcp_side *s)
{
    uint8_t data[TCP_SEGMENT_LEN];

    for (unsigned i = 0; i < RELAY_BATCH_MAX && s->pending < TCP_PENDING_BYTES_MAX; i++) {
        ssize_t n = recv(s->watch.fd, data, sizeof(data), 0);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        uint64_t due = link_send_segment(&r->dir[s->dir], (size_t)n, relay_now_us(), &s->order_us);

        if (relay_enter_at(r, s->dir, s->conn->target, due, data, (size_t)n) < 0)
            return -1;
        s->pending += (size_t)n;
        if (n == 0) {
            s->read_end = 1;
            return 0;
        }
    }
    return 0;
}

static void on_ready(struct relay *r, struct relay_watch *w, uint32_t events)
{
    struct tcp_side *s = (struct tcp_side *)(void *)w;
    struct tcp_conn *c = s->conn;
    struct tcp_side *other = &c->side[s == &c->side[0]];
    int err = 0;

    if (!(events & (EPOLLIN | EPOLLOUT)))
        err = -1;
    if (!err && events & EPOLLIN)
        err = read_side(r, s);
    if (!err && events & EPOLLOUT)
        err = flush_side(s);
    if (err) {
        close_conn(r, c);
        return;
    }
    set_events(r, s);
    set_events(r, other);
}

static int connect_to(const struct sockaddr_storage *server)
{
    int fd = socket(server->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (const struct sockaddr *)server, endpoint_len(server)) < 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static void on_accept(struct relay *r, struct relay_watch *w, uint32_t events)
{
    struct tcp_port *port = (struct tcp_port *)(void *)w;
    int one = 1;
    int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    struct tcp_conn *c = calloc(1, sizeof(*c));
    int up = connect_to(&port->server);
    int target = c && up >= 0 ? relay_target_new(r, deliver, c) : -1;

    if (!c || target < 0) {
        r->refused++;
        close(fd);
        if (up >= 0)
            close(up);
        free(c);
        return;
    }
    c->target = target;
    /* The accept was local; a SYN and its answer would have crossed the link first. */
    c->side[0].order_us = relay_now_us() + 2u * (uint64_t)r->dir[RELAY_AB].conf.delay_us +
                          r->dir[RELAY_BA].conf.delay_us;
    for (unsigned i = 0; i < 2; i++) {
        c->side[i].conn = c;
        c->side[i].dir = i;
        c->side[i].watch.fd = i == 0 ? fd : up;
        c->side[i].watch.ready_h = on_ready;
        relay_watch(r, &c->side[i].watch, EPOLLIN);
    }
}

void tcp_start(struct relay *r, const struct sockaddr_storage *listen_at,
               const struct sockaddr_storage *forward_to)
{
    struct tcp_port *port = calloc(1, sizeof(*port));
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    char from[64];
    char to[64];
    int one = 1;

    if (!port)
        relay_die("memory");
    port->server = *forward_to;
    port->watch.ready_h = on_accept;
    port->watch.fd = socket(listen_at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->watch.fd < 0)
        relay_die("socket");
    setsockopt(port->watch.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(port->watch.fd, (const struct sockaddr *)listen_at, endpoint_len(listen_at)) < 0 ||
        listen(port->watch.fd, 128) < 0)
        relay_die("bind tcp");
    getsockname(port->watch.fd, (struct sockaddr *)&local, &len);
    relay_watch(r, &port->watch, EPOLLIN);
    endpoint_format(&local, from, sizeof(from));
    endpoint_format(forward_to, to, sizeof(to));
    printf("tcp %s %s\n", from, to);
}
