/*
 * relay.c - the loop of the network impairment relay. See README.md for its use.
 *
 * One thread: sockets and TUN devices through epoll, deliveries through one timerfd, commands
 * from stdin and an optional FIFO, a schedule file against the start time.
 */
#include "tests/net/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/net/control.h"

void relay_die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t read_clock_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t relay_now_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

uint64_t relay_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

void relay_watch(struct relay *r, struct relay_watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    int op = w->events == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (events == w->events)
        return;
    if (epoll_ctl(r->epoll_fd, op, w->fd, &e) < 0)
        relay_die("epoll");
    w->events = events;
}

int relay_target_new(struct relay *r,
                     void (*deliver_h)(struct relay *, void *, const struct flight_packet *),
                     void *arg)
{
    for (unsigned i = 0; i < RELAY_TARGETS_MAX; i++) {
        if (r->target[i].deliver_h)
            continue;
        r->target[i].deliver_h = deliver_h;
        r->target[i].arg = arg;
        r->target[i].generation++;
        return (int)i;
    }
    return -1;
}

void relay_target_free(struct relay *r, int target)
{
    r->target[target].deliver_h = NULL;
}

void relay_on_rebind(struct relay *r, relay_rebind_h h, void *arg)
{
    if (r->rebind_count == sizeof(r->rebind) / sizeof(r->rebind[0])) {
        errno = ENOSPC;
        relay_die("too many mappings");
    }
    r->rebind[r->rebind_count].h = h;
    r->rebind[r->rebind_count++].arg = arg;
}

int relay_enter_at(struct relay *r, unsigned dir, int target, uint64_t due_us, const void *data,
                   size_t len)
{
    return flight_add(&r->flight, due_us, (uint8_t)dir, (uint32_t)target,
                      r->target[target].generation, data, len);
}

void relay_enter(struct relay *r, unsigned dir, int target, const void *data, size_t len)
{
    uint64_t due_us[LINK_COPIES_MAX];
    size_t copies = link_send(&r->dir[dir], len, relay_now_us(), due_us);

    for (size_t i = 0; i < copies; i++)
        relay_enter_at(r, dir, target, due_us[i], data, len);
}

static void deliver_due(struct relay *r)
{
    uint64_t now_us = relay_now_us();
    struct flight_packet *p;

    while ((p = flight_take(&r->flight, now_us)) != NULL) {
        struct relay_target *t = &r->target[p->to];

        if (now_us - p->due_us > r->late_us_max)
            r->late_us_max = now_us - p->due_us;
        if (t->deliver_h && t->generation == p->generation) {
            r->out_packets[p->dir]++;
            r->out_bytes[p->dir] += p->len;
            t->deliver_h(r, t->arg, p);
        }
        free(p);
    }
}

/* Arm the timer for the next delivery or schedule line. */
static void arm_timer(struct relay *r, const struct control *c)
{
    uint64_t due_us = flight_deadline(&r->flight);
    struct itimerspec at = {0};

    if (control_deadline(c) < due_us)
        due_us = control_deadline(c);
    if (due_us == r->timer_due_us)
        return;
    r->timer_due_us = due_us;
    if (due_us != UINT64_MAX) {
        at.it_value.tv_sec = (time_t)(due_us / 1000000u);
        at.it_value.tv_nsec = (long)(due_us % 1000000u) * 1000;
        if (due_us == 0)
            at.it_value.tv_nsec = 1;
    }
    timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void run(struct relay *r, struct control *c)
{
    while (!r->quit) {
        struct epoll_event e;

        control_run_schedule(c, r);
        deliver_due(r);
        arm_timer(r, c);
        /* One event at a time: a handler may close the connection of another event. */
        int n = epoll_wait(r->epoll_fd, &e, 1, -1);

        if (n < 0 && errno != EINTR)
            relay_die("epoll_wait");
        if (n == 1) {
            struct relay_watch *w = e.data.ptr;

            w->ready_h(r, w, e.events);
        }
    }
}

static void on_timer(struct relay *r, struct relay_watch *w, uint32_t events)
{
    uint64_t expirations;

    (void)events;
    r->timer_due_us = UINT64_MAX;
    (void)!read(w->fd, &expirations, sizeof(expirations));
}

static void usage(void)
{
    fputs("usage: relay proxy [--udp FROM/TO] [--tcp FROM/TO]... [options] [word...]\n"
          "       relay tun NS_A:DEV_A NS_B:DEV_B [options] [word...]\n"
          "options: --fifo PATH  --schedule PATH  --pcap PATH\n"
          "words:   see tests/net/script.h; FROM and TO are HOST:PORT, port 0 picks a free one\n",
          stderr);
    exit(2);
}

/* "FROM/TO" */
static void add_mapping(struct relay *r, const char *text,
                        void (*start)(struct relay *, const struct sockaddr_storage *,
                                      const struct sockaddr_storage *))
{
    struct sockaddr_storage from;
    struct sockaddr_storage to;
    const char *slash = strchr(text, '/');
    char left[80];

    if (!slash || (size_t)(slash - text) >= sizeof(left))
        usage();
    memcpy(left, text, (size_t)(slash - text));
    left[slash - text] = '\0';
    if (endpoint_parse(left, &from) < 0 || endpoint_parse(slash + 1, &to) < 0)
        usage();
    start(r, &from, &to);
}

static void add_tun(struct relay *r, char *a, char *b)
{
    char *dev_a = a ? strchr(a, ':') : NULL;
    char *dev_b = b ? strchr(b, ':') : NULL;

    if (!dev_a || !dev_b)
        usage();
    *dev_a++ = '\0';
    *dev_b++ = '\0';
    tun_start(r, a, dev_a, b, dev_b);
}

static void read_options(struct relay *r, struct control *c, int argc, char **argv)
{
    int i = 2;

    if (strcmp(argv[1], "tun") == 0) {
        if (argc < 4)
            usage();
        add_tun(r, argv[2], argv[3]);
        i = 4;
    } else if (strcmp(argv[1], "proxy") != 0) {
        usage();
    }
    for (; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strncmp(argv[i], "--", 2) != 0) {
            if (control_line(r, argv[i], strlen(argv[i])) < 0)
                usage();
            continue;
        }
        if (!value)
            usage();
        if (strcmp(argv[i], "--udp") == 0)
            add_mapping(r, value, udp_start);
        else if (strcmp(argv[i], "--tcp") == 0)
            add_mapping(r, value, tcp_start);
        else if (strcmp(argv[i], "--fifo") == 0)
            control_open_fifo(c, r, value);
        else if (strcmp(argv[i], "--schedule") == 0)
            control_load_schedule(c, r, value);
        else if (strcmp(argv[i], "--pcap") != 0)
            usage();
        else if (pcap_open(&r->pcap, value) < 0)
            relay_die(value);
        i++;
    }
}

int main(int argc, char **argv)
{
    static struct relay r;
    static struct control c;
    static struct relay_watch timer;

    if (argc < 2)
        usage();
    signal(SIGPIPE, SIG_IGN);
    r.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (r.epoll_fd < 0 || r.timer_fd < 0)
        relay_die("epoll or timerfd");
    r.start_us = relay_now_us();
    r.timer_due_us = UINT64_MAX;
    timer = (struct relay_watch){.fd = r.timer_fd, .ready_h = on_timer};
    relay_watch(&r, &timer, EPOLLIN);
    script_init(&r.script);
    for (unsigned i = 0; i < 2; i++)
        link_init(&r.dir[i], &r.script.dir[i].conf, r.script.seed * 2u + i);
    read_options(&r, &c, argc, argv);
    puts("ready");
    fflush(stdout);
    control_open_stdin(&c, &r);
    run(&r, &c);
    pcap_close(&r.pcap);
    flight_fini(&r.flight);
    control_fini(&c);
    return 0;
}
