#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/net/nat.h"
#include "tests/net/relay.h"

struct tun_end {
    struct relay_watch watch; /* first, so that a watch pointer is an end pointer */
    struct tun *pair;
    unsigned dir; /* of packets read here */
};

struct tun {
    struct tun_end end[2];
    struct nat nat;
    uint64_t ports_seen[65536 / 64]; /* translated client ports used since the last rebind */
    int target;
};

static int open_device(const char *ns, const char *name)
{
    char path[128];
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int there = -1;

    if (home < 0)
        relay_die("/proc/self/ns/net");
    if (strcmp(ns, "-") != 0) {
        snprintf(path, sizeof(path), "/run/netns/%s", ns);
        there = open(path, O_RDONLY | O_CLOEXEC);
        if (there < 0 || setns(there, CLONE_NEWNET) < 0)
            relay_die(path);
        close(there);
    }
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        relay_die(name);
    if (setns(home, CLONE_NEWNET) < 0)
        relay_die("setns");
    close(home);
    return fd;
}

static int is_port_seen(void *arg, uint16_t port)
{
    const struct tun *t = arg;

    return (t->ports_seen[port / 64] >> (port % 64)) & 1u;
}

static void on_packet(struct relay *r, struct relay_watch *w, uint32_t events)
{
    static uint8_t packet[RELAY_PACKET_MAX];
    struct tun_end *e = (struct tun_end *)(void *)w;
    struct tun *t = e->pair;

    (void)events;
    for (unsigned i = 0; i < RELAY_BATCH_MAX; i++) {
        ssize_t n = read(w->fd, packet, sizeof(packet));

        if (n <= 0)
            return;
        size_t len = (size_t)n;

        if (e->dir == RELAY_AB) {
            nat_out(&t->nat, packet, len);
            uint16_t port = nat_source_port(packet, len);

            t->ports_seen[port / 64] |= (uint64_t)1 << (port % 64);
        } else if (nat_in(&t->nat, packet, len, is_port_seen, t) < 0) {
            continue;
        }
        relay_enter(r, e->dir, t->target, packet, len);
    }
}

static void deliver(struct relay *r, void *arg, const struct flight_packet *p)
{
    struct tun *t = arg;

    /* A full device queue drops, as a real interface does. */
    if (write(t->end[!p->dir].watch.fd, p->data, p->len) == (ssize_t)p->len)
        pcap_write_ip(&r->pcap, relay_wall_us(), p->data, p->len);
}

static void rebind(struct relay *r, void *arg)
{
    struct tun *t = arg;

    nat_rebind(&t->nat, (uint32_t)(r->script.seed * 7919u + r->rebinds * 104729u + 1u));
    memset(t->ports_seen, 0, sizeof(t->ports_seen));
}

void tun_start(struct relay *r, const char *ns_a, const char *dev_a, const char *ns_b,
               const char *dev_b)
{
    struct tun *t = calloc(1, sizeof(*t));

    if (!t)
        relay_die("memory");
    t->target = relay_target_new(r, deliver, t);
    relay_on_rebind(r, rebind, t);
    for (unsigned i = 0; i < 2; i++) {
        t->end[i].pair = t;
        t->end[i].dir = i;
        t->end[i].watch.ready_h = on_packet;
        t->end[i].watch.fd = i == 0 ? open_device(ns_a, dev_a) : open_device(ns_b, dev_b);
        relay_watch(r, &t->end[i].watch, EPOLLIN);
    }
    printf("tun %s:%s %s:%s\n", ns_a, dev_a, ns_b, dev_b);
}
