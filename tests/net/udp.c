#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/net/relay.h"

#define UDP_SESSIONS_MAX 512u

struct udp_port;

/* One client address, with a socket of its own towards the server. */
struct udp_session {
    struct relay_watch watch; /* first: the socket towards the server */
    struct udp_port *port;
    struct sockaddr_storage client;
    struct sockaddr_storage local; /* what the server sees, for the capture file */
    uint64_t used_us;
    uint64_t rebound_us; /* its port changed then, and no media came back yet; 0 = it did not */
    uint64_t check_us;   /* first STUN request by the new port */
    int target;
};

struct udp_port {
    struct relay_watch watch; /* first: the socket clients send to */
    struct sockaddr_storage local;
    struct sockaddr_storage server;
    struct udp_session *session[UDP_SESSIONS_MAX];
    unsigned session_count;
};

static int bound_socket(const struct sockaddr_storage *at)
{
    int fd = socket(at->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int size = 4 << 20;

    if (fd < 0)
        relay_die("socket");
    /* Losses must come from the model, not from a short kernel queue. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (at->ss_family == AF_INET6) {
        int only = 1;

        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    }
    if (bind(fd, (const struct sockaddr *)at, endpoint_len(at)) < 0)
        relay_die("bind udp");
    return fd;
}

static int is_stun_request(const uint8_t *data, size_t len)
{
    return len >= 20 && data[0] == 0 && data[1] == 1;
}

static int is_media(const uint8_t *data, size_t len)
{
    return len >= 12 && data[0] >= 128 && data[0] < 192;
}

/* Media is back after a rebind: the flow has found its way. */
static void note_back(struct relay *r, struct udp_session *s)
{
    if (r->rebound_count < RELAY_REBOUND_MAX) {
        r->rebound[r->rebound_count].check_ms = (uint32_t)((s->check_us - s->rebound_us) / 1000u);
        r->rebound[r->rebound_count].media_ms = (uint32_t)((relay_now_us() - s->check_us) / 1000u);
        r->rebound_count++;
    }
    s->rebound_us = 0;
}

static void on_server_packet(struct relay *r, struct relay_watch *w, uint32_t events)
{
    static uint8_t packet[RELAY_PACKET_MAX];
    struct udp_session *s = (struct udp_session *)(void *)w;

    (void)events;
    for (unsigned i = 0; i < RELAY_BATCH_MAX; i++) {
        ssize_t n = recv(w->fd, packet, sizeof(packet), 0);

        if (n < 0) {
            /* ECONNREFUSED reports an earlier packet; the next one may get through. */
            if (errno == ECONNREFUSED || errno == EINTR)
                continue;
            return;
        }
        if (s->rebound_us && s->check_us && is_media(packet, (size_t)n))
            note_back(r, s);
        relay_enter(r, RELAY_BA, s->target, packet, (size_t)n);
    }
}

/* (Re)open the socket towards the server: the kernel picks a fresh source port. */
static void open_upstream(struct relay *r, struct udp_session *s)
{
    const struct sockaddr_storage *server = &s->port->server;
    struct sockaddr_storage any = {.ss_family = server->ss_family};
    socklen_t len = sizeof(s->local);

    s->watch.fd = bound_socket(&any);
    if (connect(s->watch.fd, (const struct sockaddr *)server, endpoint_len(server)) < 0)
        relay_die("connect udp");
    getsockname(s->watch.fd, (struct sockaddr *)&s->local, &len);
    relay_watch(r, &s->watch, EPOLLIN);
}

/* A bit of an RTP packet turns over: a checksum of UDP that was right all the same. */
static void corrupt(struct relay *r, const struct flight_packet *p, uint8_t *copy)
{
    static uint32_t draws = 1;
    uint32_t ppm = r->dir[p->dir].conf.corrupt_ppm;

    memcpy(copy, p->data, p->len);
    draws = draws * 1664525u + 1013904223u;
    if (ppm && p->len > 60 && (p->data[0] & 0xc0) == 0x80 && (draws >> 8) % LINK_PPM < ppm)
        copy[p->len / 2] ^= 0x10;
}

static void deliver(struct relay *r, void *arg, const struct flight_packet *p)
{
    struct udp_session *s = arg;
    struct udp_port *port = s->port;
    uint8_t data[RELAY_PACKET_MAX];

    corrupt(r, p, data);
    if (p->dir == RELAY_AB) {
        if (s->rebound_us && !s->check_us && is_stun_request(p->data, p->len))
            s->check_us = relay_now_us();
        (void)!send(s->watch.fd, data, p->len, 0);
        pcap_write_udp(&r->pcap, relay_wall_us(), &s->local, &port->server, p->data, p->len);
        return;
    }
    (void)!sendto(port->watch.fd, data, p->len, 0, (const struct sockaddr *)&s->client,
                  endpoint_len(&s->client));
    pcap_write_udp(&r->pcap, relay_wall_us(), &port->local, &s->client, p->data, p->len);
}

static void rebind(struct relay *r, void *arg)
{
    struct udp_port *port = arg;

    for (unsigned i = 0; i < port->session_count; i++) {
        struct udp_session *s = port->session[i];
        int old = s->watch.fd;

        relay_watch(r, &s->watch, 0);
        /* Opened before the old one is closed, so that the port cannot be the same. */
        open_upstream(r, s);
        s->rebound_us = relay_now_us();
        s->check_us = 0;
        close(old);
    }
}

static void close_session(struct relay *r, struct udp_port *port, unsigned i)
{
    struct udp_session *s = port->session[i];

    relay_watch(r, &s->watch, 0);
    close(s->watch.fd);
    relay_target_free(r, s->target);
    free(s);
    port->session[i] = port->session[--port->session_count];
}

/* When the table is full the session unused for longest makes room. */
static void evict_session(struct relay *r, struct udp_port *port)
{
    unsigned oldest = 0;

    for (unsigned i = 1; i < port->session_count; i++)
        if (port->session[i]->used_us < port->session[oldest]->used_us)
            oldest = i;
    close_session(r, port, oldest);
    r->refused++;
}

static struct udp_session *find_session(struct relay *r, struct udp_port *port,
                                        const struct sockaddr_storage *client)
{
    for (unsigned i = 0; i < port->session_count; i++)
        if (endpoint_equal(&port->session[i]->client, client))
            return port->session[i];
    if (port->session_count == UDP_SESSIONS_MAX)
        evict_session(r, port);

    struct udp_session *s = calloc(1, sizeof(*s));

    if (!s)
        relay_die("memory");
    s->port = port;
    s->client = *client;
    s->watch.ready_h = on_server_packet;
    s->target = relay_target_new(r, deliver, s);
    if (s->target < 0) {
        free(s);
        r->refused++;
        return NULL;
    }
    open_upstream(r, s);
    port->session[port->session_count++] = s;
    return s;
}

static void on_client_packet(struct relay *r, struct relay_watch *w, uint32_t events)
{
    static uint8_t packet[RELAY_PACKET_MAX];
    struct udp_port *port = (struct udp_port *)(void *)w;

    (void)events;
    for (unsigned i = 0; i < RELAY_BATCH_MAX; i++) {
        struct sockaddr_storage client = {0};
        socklen_t len = sizeof(client);
        ssize_t n = recvfrom(w->fd, packet, sizeof(packet), 0, (struct sockaddr *)&client, &len);

        if (n < 0)
            return;
        struct udp_session *s = find_session(r, port, &client);

        if (!s)
            continue;
        s->used_us = relay_now_us();
        relay_enter(r, RELAY_AB, s->target, packet, (size_t)n);
    }
}

void udp_start(struct relay *r, const struct sockaddr_storage *listen_at,
               const struct sockaddr_storage *forward_to)
{
    struct udp_port *port = calloc(1, sizeof(*port));
    char from[64];
    char to[64];
    socklen_t len = sizeof(port->local);

    if (!port)
        relay_die("memory");
    port->server = *forward_to;
    port->watch.ready_h = on_client_packet;
    port->watch.fd = bound_socket(listen_at);
    getsockname(port->watch.fd, (struct sockaddr *)&port->local, &len);
    relay_watch(r, &port->watch, EPOLLIN);
    relay_on_rebind(r, rebind, port);
    endpoint_format(&port->local, from, sizeof(from));
    endpoint_format(&port->server, to, sizeof(to));
    printf("udp %s %s\n", from, to);
}
