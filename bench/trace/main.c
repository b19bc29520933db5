/*
 * The load generator of `make bench`: rooms of publishers and subscribers against Amphi or the
 * floor, one spinning loop on one core, so that idle wake-ups cost the server nothing.
 * Prints one JSON object. bench/run.py starts the servers and reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/client.h"
#include "bench/load/client_rx.h"
#include "bench/load/machine.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"

enum {
    PIDS_MAX = 16,
    EVENTS = 256,
    TIMERS_US = 1000,
    WS_US = 500,
    WAIT_LIVE_US = 30 * US_PER_S,
    SETTLE_US = 2 * US_PER_S,
    CLIMB_US = 30 * US_PER_S,   /* at most, until the estimates let everything through */
    ALIVE_US = US_PER_S / 2,    /* a slot with a packet this young carries somebody */
    HEARD = CLIENT_AUDIO_SLOTS, /* voices a room hears */
};

struct options {
    const char *host;
    int port;
    int floor_port;
    const char *links; /* file: one "ROOM PUBLISHER_LINK SUBSCRIBER_LINK" a line */
    uint32_t rooms, publishers, subscribers;
    uint32_t bps, fps, rate, seconds, sampled;
    pid_t pids[PIDS_MAX];
    unsigned pid_count;
};

/* What it took to let everybody in: the load's own time beside that of the server's threads: a
 * burst is over no sooner than the fuller of the two cores is done. */
struct joining {
    struct machine_threads from, to;
    mono_us begun;
    double seconds, self_cpu_s;
};

/* One window of measuring, and what joining before it brought. */
struct window {
    struct machine_sample from, to;
    struct client_totals joined;
    struct joining joining;
    struct rx_count media;
    mono_us climb_us;
    bool climbed; /* everybody had all he asked for, from the window's beginning to its end */
    double seconds;
};

struct load {
    struct options options;
    struct client_world world;
    struct client *clients;
    uint32_t count;
    char (*links)[2][1024];
    int epoll;
    uint32_t viewers; /* how many were live when views were asked for last */
    mono_us timers_at, ws_at;
};

static uint32_t number(const char *text, const char *name, uint32_t max)
{
    char *end = NULL;
    unsigned long v = strtoul(text, &end, 10);
    if (!end || *end || v > max) {
        (void)fprintf(stderr, "load: --%s takes a number up to %u, not '%s'\n", name, max, text);
        exit(64);
    }
    return (uint32_t)v;
}

static void read_pids(struct options *o, const char *text)
{
    while (*text && o->pid_count < PIDS_MAX) {
        char *end = NULL;
        o->pids[o->pid_count++] = (pid_t)strtol(text, &end, 10);
        text = *end ? end + 1 : end;
    }
}

static void read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"host", 1, NULL, 'h'},        {"port", 1, NULL, 'p'},    {"floor", 1, NULL, 'f'},
        {"links", 1, NULL, 'l'},       {"rooms", 1, NULL, 'r'},   {"publishers", 1, NULL, 'P'},
        {"subscribers", 1, NULL, 'S'}, {"bps", 1, NULL, 'b'},     {"fps", 1, NULL, 'F'},
        {"rate", 1, NULL, 'R'},        {"seconds", 1, NULL, 's'}, {"sampled", 1, NULL, 'd'},
        {"pids", 1, NULL, 'i'},        {NULL, 0, NULL, 0},
    };
    *o = (struct options){.host = "127.0.0.1",
                          .port = 8443,
                          .rooms = 1,
                          .publishers = 1,
                          .bps = 1000000,
                          .fps = 25,
                          .rate = 40,
                          .seconds = 10,
                          .sampled = 4};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'h':
            o->host = optarg;
            break;
        case 'p':
            o->port = (int)number(optarg, "port", 65535);
            break;
        case 'f':
            o->floor_port = (int)number(optarg, "floor", 65535);
            break;
        case 'l':
            o->links = optarg;
            break;
        case 'r':
            o->rooms = number(optarg, "rooms", 1000);
            break;
        case 'P':
            o->publishers = number(optarg, "publishers", 100);
            break;
        case 'S':
            o->subscribers = number(optarg, "subscribers", 4000);
            break;
        case 'b':
            o->bps = number(optarg, "bps", 20000000);
            break;
        case 'F':
            o->fps = number(optarg, "fps", 60);
            break;
        case 'R':
            o->rate = number(optarg, "rate", 100000);
            break;
        case 's':
            o->seconds = number(optarg, "seconds", 3600);
            break;
        case 'd':
            o->sampled = number(optarg, "sampled", 4000);
            break;
        case 'i':
            read_pids(o, optarg);
            break;
        default:
            exit(64);
        }
    }
}

static void read_links(struct load *load)
{
    FILE *f = fopen(load->options.links, "r");
    char room[16];
    if (!f) {
        (void)fprintf(stderr, "load: %s: %s\n", load->options.links, strerror(errno));
        exit(66);
    }
    for (uint32_t i = 0; i < load->options.rooms; i++) {
        if (fscanf(f, "%15s %1023s %1023s", room, load->links[i][0], load->links[i][1]) != 3) {
            (void)fprintf(stderr, "load: %s: line %u: no links\n", load->options.links, i + 1);
            exit(65);
        }
    }
    (void)fclose(f);
}

/* Everything once: sockets, due timers, due media. Never waits. */
static void turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load->epoll, events, EVENTS, 0);
    mono_us now = clock_mono_us();
    for (int i = 0; i < n; i++) {
        client_read(events[i].data.ptr, now);
    }
    if (load->world.ws && now >= load->ws_at) {
        wsc_pool_run(load->world.ws);
        load->ws_at = now + WS_US;
    }
    if (now >= load->timers_at) {
        for (uint32_t i = 0; i < load->count; i++) {
            client_run(&load->clients[i], now);
        }
        load->timers_at = now + TIMERS_US;
    }
}

static void turn_until(struct load *load, mono_us end)
{
    while (clock_mono_us() < end) {
        turn(load);
    }
}

/* Whoever is live asks for the cameras of its room, again when there are more. */
static void ask_views(struct load *load)
{
    for (uint32_t i = 0; i < load->count; i++) {
        struct client *client = &load->clients[i];
        const char *devices[CLIENT_VIDEO_SLOTS];
        uint32_t n = 0;
        if (client->state != CLIENT_LIVE) {
            continue;
        }
        for (uint32_t k = 0; k < load->options.rooms * load->options.publishers; k++) {
            struct client *other = &load->clients[k];
            if (other != client && other->room == client->room && other->device[0] &&
                n < CLIENT_VIDEO_SLOTS) {
                devices[n++] = other->device;
            }
        }
        if (n > client->views) {
            client_view(client, devices, n);
        }
    }
}

/* Does everybody get all the pictures he asked for? */
static bool climbed(const struct load *load, mono_us now)
{
    for (uint32_t i = 0; i < load->count; i++) {
        const struct client *client = &load->clients[i];
        uint32_t alive = 0;
        for (uint32_t k = 0; k < CLIENT_VIDEO_SLOTS; k++) {
            const struct rx_slot *slot = &client->rx->slot[CLIENT_AUDIO_SLOTS + k];
            alive += slot->received && now - slot->last_at < ALIVE_US;
        }
        if (client->state == CLIENT_LIVE && alive < client->views) {
            return false;
        }
    }
    return true;
}

/* Receivers report, the server learns what their paths carry; measured is what comes after. */
static mono_us climb(struct load *load)
{
    mono_us start = clock_mono_us();
    if (load->world.ws) {
        ask_views(load); /* of whom the last ones to come did not know yet */
    }
    turn_until(load, start + SETTLE_US);
    while (!load->world.floor && !climbed(load, clock_mono_us()) &&
           clock_mono_us() < start + CLIMB_US) {
        turn_until(load, clock_mono_us() + US_PER_S / 10);
    }
    mono_us took = clock_mono_us() - start;
    turn_until(load, clock_mono_us() + SETTLE_US);
    return took;
}

static void start_one(struct load *load, struct client *client)
{
    if (load->options.floor_port) {
        client_floor_start(client, (uint16_t)load->options.floor_port, clock_mono_us());
    } else {
        client_start(client);
    }
}

/* Starts clients first .. last-1 at the wished rate and waits until all of them are live. */
static void join(struct load *load, uint32_t first, uint32_t last, uint32_t rate)
{
    mono_us start = clock_mono_us();
    mono_us deadline = MONO_NEVER;
    uint32_t started = first;
    uint32_t wanted = load->world.totals.live + (last - first);
    while (clock_mono_us() < deadline &&
           load->world.totals.live + load->world.totals.dead < wanted) {
        mono_us now = clock_mono_us();
        while (started < last &&
               (rate == 0 || (now - start) * rate >= (mono_us)(started - first) * US_PER_S)) {
            start_one(load, &load->clients[started++]);
            deadline = started == last ? now + WAIT_LIVE_US : MONO_NEVER;
        }
        turn(load);
        if (load->world.ws && load->world.totals.live != load->viewers) {
            load->viewers = load->world.totals.live;
            ask_views(load);
        }
    }
}

/* The spectators, and what they cost both sides until the last of them sees something. */
static void join_measured(struct load *load, uint32_t first, struct joining *out)
{
    const struct options *o = &load->options;
    struct machine_sample before;
    struct machine_sample after;
    out->begun = clock_mono_us();
    machine_threads_read(o->pids, o->pid_count, &out->from);
    machine_read(o->pids, o->pid_count, &before);
    join(load, first, load->count, o->rate);
    machine_read(o->pids, o->pid_count, &after);
    machine_threads_read(o->pids, o->pid_count, &out->to);
    out->seconds = (double)(clock_mono_us() - out->begun) / US_PER_S;
    out->self_cpu_s = after.self_cpu_s - before.self_cpu_s;
}

static void make_clients(struct load *load)
{
    struct options *o = &load->options;
    uint32_t publishers = o->rooms * o->publishers;
    load->count = publishers + o->rooms * o->subscribers;
    load->clients = mem_alloc(sizeof(struct client) * load->count);
    for (uint32_t i = 0; i < load->count; i++) {
        bool publishes = i < publishers;
        uint32_t room = publishes ? i / o->publishers : (i - publishers) / o->subscribers;
        struct client *client = &load->clients[i];
        struct media_config media = {.sender = i + 1, .fps = o->fps, .seed = 1000 + i, .level = 30};
        media.video_bps = publishes ? o->bps : 0;
        media.audio = publishes;
        if (client_init(client, &load->world, load->links[room][!publishes], room, i, &media) !=
            0) {
            (void)fprintf(stderr, "load: no socket for client %u: %s\n", i, strerror(errno));
            exit(71);
        }
        client->unheard = publishes && i % o->publishers >= HEARD;
        client->rx = client_rx_new(CLIENT_AUDIO_SLOTS, CLIENT_VIDEO_SLOTS);
        if (!client->rx) {
            (void)fprintf(stderr, "load: no memory for client %u\n", i);
            exit(71);
        }
        client->sampled = !o->floor_port &&
                          i >= load->count - (o->sampled < load->count ? o->sampled : load->count);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        (void)epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event);
    }
}

/* What came of the media itself: no padding, nothing twice. The floor has nothing else. */
static void sum_received(const struct load *load, struct rx_count *out)
{
    *out = (struct rx_count){0};
    for (uint32_t i = 0; i < load->count; i++) {
        for (unsigned k = 0; k < 2; k++) {
            const struct rx_count *count = &load->clients[i].rx->count[k];
            out->packets += count->packets;
            out->gaps += count->gaps - count->repaired;
            out->bytes += count->bytes;
        }
    }
}

static json_t *quantiles(const struct spread *h)
{
    return json_pack("{s:f,s:f,s:f,s:I}", "p50", (double)spread_at(h, 0.50) / 1000.0, "p99",
                     (double)spread_at(h, 0.99) / 1000.0, "max", (double)h->max / 1000.0, "count",
                     (json_int_t)h->count);
}

/* The server's processes apart, in the order of --pids. */
static json_t *processes(const struct load *load, const struct window *w)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < load->options.pid_count && i < MACHINE_PIDS; i++) {
        const struct machine_process *from = &w->from.process[i];
        const struct machine_process *to = &w->to.process[i];
        (void)json_array_append_new(
            out, json_pack("{s:i,s:f,s:I}", "pid", (int)load->options.pids[i], "cpu_s",
                           to->cpu_s - from->cpu_s, "rss_bytes", (json_int_t)to->rss_bytes));
    }
    return out;
}

/* Threads that took part in the joining. */
static json_t *joining(const struct joining *j, uint32_t clients)
{
    json_t *threads = json_object();
    for (unsigned i = 0; i < j->to.count; i++) {
        const struct machine_thread *to = &j->to.thread[i];
        double spent = to->cpu_s;
        for (unsigned k = 0; k < j->from.count; k++) {
            spent -= j->from.thread[k].id == to->id ? j->from.thread[k].cpu_s : 0;
        }
        if (spent > 0) {
            double before = json_real_value(json_object_get(threads, to->name));
            (void)json_object_set_new(threads, to->name, json_real(before + spent));
        }
    }
    return json_pack("{s:i,s:I,s:f,s:f,s:o}", "clients", (int)clients, "begun_us",
                     (json_int_t)j->begun, "seconds", j->seconds, "self_cpu_s", j->self_cpu_s,
                     "threads", threads);
}

/* What one window brought, as one JSON object. */
static json_t *result(const struct load *load, const struct window *w)
{
    const struct client_totals *totals = &load->world.totals;
    double cpu = w->to.server_cpu_s - w->from.server_cpu_s;
    json_t *out =
        json_pack("{s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "clients", load->count,
                  "live", w->joined.live, "with_media", w->joined.first_media, "dead",
                  w->joined.dead + totals->dead, "packets", (json_int_t)w->media.packets, "bytes",
                  (json_int_t)w->media.bytes, "lost", (json_int_t)w->media.gaps, "other_packets",
                  (json_int_t)(totals->packets - w->media.packets), "decrypted",
                  (json_int_t)totals->decrypted, "decrypt_failed",
                  (json_int_t)totals->decrypt_failed, "stamps_bad", (json_int_t)totals->stamps_bad,
                  "sent", (json_int_t)totals->sent_packets, "plis", (json_int_t)totals->plis);
    json_t *times = json_pack(
        "{s:f,s:f,s:b,s:f,s:f,s:f,s:f,s:I,s:o,s:o,s:o,s:s}", "seconds", w->seconds, "climb_s",
        (double)w->climb_us / US_PER_S, "climbed", w->climbed, "server_cpu_s", cpu, "self_cpu_s",
        w->to.self_cpu_s - w->from.self_cpu_s, "packets_per_cpu_s",
        cpu > 0 ? (double)w->media.packets / cpu : 0.0, "noise",
        machine_noise(&w->from, &w->to, w->seconds), "server_rss_bytes",
        (json_int_t)w->to.server_rss_bytes, "delay_ms", quantiles(&totals->delay), "join_ms",
        quantiles(&w->joined.join), "connect_ms", quantiles(&w->joined.connect), "error",
        load->world.error ? load->world.error : "");
    (void)json_object_set_new(times, "whole_ms", quantiles(&w->joined.whole));
    (void)json_object_set_new(
        times, "joining",
        joining(&w->joining, load->count - load->options.rooms * load->options.publishers));
    (void)json_object_update(out, times);
    (void)json_object_set_new(out, "processes", processes(load, w));
    json_decref(times);
    return out;
}

/* Measures one window and prints what came of the run. */
static void measure(struct load *load, const struct joining *joining, mono_us climb_us)
{
    struct options *o = &load->options;
    struct client_totals *totals = &load->world.totals;
    struct window w = {.joined = *totals,
                       .joining = *joining,
                       .climb_us = climb_us,
                       .climbed = load->world.floor || climbed(load, clock_mono_us())};
    struct rx_count before;
    *totals = (struct client_totals){.live = w.joined.live};
    sum_received(load, &before);
    machine_read(o->pids, o->pid_count, &w.from);
    mono_us start = clock_mono_us();
    turn_until(load, start + (mono_us)o->seconds * US_PER_S);
    w.seconds = (double)(clock_mono_us() - start) / US_PER_S;
    w.climbed = w.climbed && (load->world.floor || climbed(load, clock_mono_us()));
    machine_read(o->pids, o->pid_count, &w.to);
    sum_received(load, &w.media);
    w.media.packets -= before.packets;
    w.media.bytes -= before.bytes;
    w.media.gaps = w.media.gaps > before.gaps ? w.media.gaps - before.gaps : 0;
    if (load->world.floor) { /* it sends nothing but media, under one number a receiver */
        w.media = (struct rx_count){
            .packets = totals->packets, .bytes = totals->bytes, .gaps = totals->lost};
    }
    json_t *out = result(load, &w);
    char *text = json_dumps(out, JSON_COMPACT);
    (void)printf("%s\n", text);
    free(text);
    json_decref(out);
}

static void world_init(struct load *load, struct crypto_identity **identity, struct crypto **crypto)
{
    static struct rng_seeded seeded;
    struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 64, .ipsec_mb = true};
    rng_seed(&seeded, (uint64_t)clock_mono_us());
    load->world.rng = rng_from_seeded(&seeded);
    load->world.floor = load->options.floor_port != 0;
    if (load->world.floor) {
        return;
    }
    if (crypto_identity_new(identity) != 0 || crypto_new(crypto, *identity, &config) != 0) {
        (void)fprintf(stderr, "load: cryptography cannot start\n");
        exit(70);
    }
    load->world.identity = *identity;
    load->world.crypto = crypto_ops(*crypto);
    load->world.ws =
        wsc_pool_new(load->options.host, load->options.port, 4096, &client_ws_handlers);
    if (!load->world.ws) {
        (void)fprintf(stderr, "load: WebSocket client cannot start\n");
        exit(70);
    }
}

int main(int argc, char **argv)
{
    static struct load load;
    struct crypto_identity *identity = NULL;
    struct crypto *crypto = NULL;
    static struct joining joining;
    struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
    read_options(&load.options, argc, argv);
    (void)setrlimit(RLIMIT_NOFILE, &files);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.links = mem_alloc(sizeof(*load.links) * (load.options.rooms + 1));
    if (load.options.links) {
        read_links(&load);
    }
    world_init(&load, &identity, &crypto);
    make_clients(&load);
    uint32_t publishers = load.options.rooms * load.options.publishers;
    join(&load, 0, publishers, 20);
    turn_until(&load, clock_mono_us() + SETTLE_US);
    if (load.count > publishers) {
        load.world.totals.join = (struct spread){0};
        load.world.totals.connect = (struct spread){0};
        load.world.totals.whole = (struct spread){0};
        join_measured(&load, publishers, &joining);
    }
    measure(&load, &joining, climb(&load));
    for (uint32_t i = 0; i < load.count; i++) {
        client_fini(&load.clients[i]);
    }
    turn_until(&load, clock_mono_us() + US_PER_S / 5);
    bool failed = load.world.error != NULL;
    if (load.world.ws) {
        wsc_pool_free(load.world.ws);
    }
    if (crypto) {
        crypto_free(crypto);
        crypto_identity_free(identity);
    }
    mem_free(load.clients);
    mem_free(load.links);
    (void)close(load.epoll);
    return failed ? 1 : 0;
}
