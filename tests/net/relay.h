/*
 * relay.h - what the relay's shell files share: the loop, the two directions, the ways out.
 *
 * relay.c owns the loop and the control channels; tun.c, udp.c and tcp.c own sockets. A way in
 * hands packets to relay_enter(); when they are due the loop gives them to the deliver_h of the
 * target they were entered with.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/net/flight.h"
#include "tests/net/link.h"
#include "tests/net/pcap.h"
#include "tests/net/script.h"

enum { RELAY_AB = 0, RELAY_BA = 1 };

#define RELAY_BATCH_MAX 64u /* reads from one socket per turn of the loop */
#define RELAY_PACKET_MAX 65536u
#define RELAY_TARGETS_MAX 2048u

struct relay;

/* A file descriptor the loop watches. */
struct relay_watch {
    int fd;
    uint32_t events; /* asked for; 0 = not in the epoll set, so a hang-up cannot spin */
    void (*ready_h)(struct relay *r, struct relay_watch *w, uint32_t events);
};

/* Somewhere packets are delivered to: a TUN pair, a proxy session, a TCP connection. */
enum { RELAY_REBOUND_MAX = 16 };

struct relay_target {
    void (*deliver_h)(struct relay *r, void *arg, const struct flight_packet *p);
    void *arg;
    uint32_t generation;
};

/* Called on "rebind": change the address the server sees. */
typedef void (*relay_rebind_h)(struct relay *r, void *arg);

struct relay {
    int epoll_fd;
    int timer_fd;
    int quit;
    uint64_t start_us;
    uint64_t timer_due_us;
    struct link dir[2];
    uint64_t out_packets[2];
    uint64_t out_bytes[2];
    uint64_t late_us_max; /* how late the loop delivered a packet at worst */
    uint64_t rebinds;
    /* Per flow that found its way again after the last rebind, for "stat". */
    struct {
        uint32_t check_ms; /* from the rebind to the first STUN request at the server */
        uint32_t media_ms; /* from there to the first RTP or RTCP back */
    } rebound[RELAY_REBOUND_MAX];
    unsigned rebound_count;
    uint64_t refused; /* packets or connections turned away because a table was full */
    struct flight flight;
    struct script script;
    struct pcap pcap;
    struct relay_target target[RELAY_TARGETS_MAX];
    struct {
        relay_rebind_h h;
        void *arg;
    } rebind[32];
    unsigned rebind_count;
};

uint64_t relay_now_us(void);
uint64_t relay_wall_us(void);

/*
 * Watch w->fd for these EPOLL* bits from now on, 0 = not at all. A zeroed watch with its fd set is
 * a valid start. Ends the program when epoll refuses.
 */
void relay_watch(struct relay *r, struct relay_watch *w, uint32_t events);

/* Reserve a target. Returns its index, or -1 when all are taken. */
int relay_target_new(struct relay *r,
                     void (*deliver_h)(struct relay *, void *, const struct flight_packet *),
                     void *arg);
/* Give it back: packets still under way to it are dropped. */
void relay_target_free(struct relay *r, int target);

void relay_on_rebind(struct relay *r, relay_rebind_h h, void *arg);

/* Offer a datagram to the link in direction dir. */
void relay_enter(struct relay *r, unsigned dir, int target, const void *data, size_t len);

/* Put bytes into flight at a time decided by link_send_segment(). Returns 0 or -1. */
int relay_enter_at(struct relay *r, unsigned dir, int target, uint64_t due_us, const void *data,
                   size_t len);

/* Print "relay: what: strerror" and exit with status 1. */
__attribute__((noreturn)) void relay_die(const char *what);

/* Join two TUN devices; ns may be "-" for the present namespace. Never fails: dies instead. */
void tun_start(struct relay *r, const char *ns_a, const char *dev_a, const char *ns_b,
               const char *dev_b);

/* Forward datagrams from a listening address to another. Prints "udp FROM TO" when bound. */
void udp_start(struct relay *r, const struct sockaddr_storage *listen_at,
               const struct sockaddr_storage *forward_to);

/* Forward TCP connections likewise. Prints "tcp FROM TO". */
void tcp_start(struct relay *r, const struct sockaddr_storage *listen_at,
               const struct sockaddr_storage *forward_to);

/* "127.0.0.1:80" or "[::1]:80". Returns 0 or -1. */
int endpoint_parse(const char *text, struct sockaddr_storage *out);
/* The reverse; out holds at least 64 bytes. */
void endpoint_format(const struct sockaddr_storage *a, char *out, size_t len);
socklen_t endpoint_len(const struct sockaddr_storage *a);
int endpoint_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
