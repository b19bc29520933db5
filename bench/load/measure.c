#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/load/run_state.h"
#include "codec/sys/clock.h"

/* Processor time of this thread. */
static double thread_cpu(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_THREAD, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / US_PER_S;
}

static void add_count(struct rx_count *sum, const struct rx_count *c, int sign)
{
    uint64_t *to = &sum->packets;
    const uint64_t *from = &c->packets;
    for (unsigned i = 0; i < offsetof(struct rx_count, freezes) / sizeof(uint64_t); i++) {
        to[i] += sign > 0 ? from[i] : 0 - from[i];
    }
    sum->freezes += sign > 0 ? c->freezes : 0 - c->freezes;
    sum->frozen_us += sign * c->frozen_us;
}

static void add_sum(struct load_sum *sum, const struct load_sum *s, int sign)
{
    add_count(&sum->sound, &s->sound, sign);
    add_count(&sum->pictures, &s->pictures, sign);
    sum->sent_packets += sign > 0 ? s->sent_packets : 0 - s->sent_packets;
    sum->sent_bytes += sign > 0 ? s->sent_bytes : 0 - s->sent_bytes;
    sum->nacks += sign > 0 ? s->nacks : 0 - s->nacks;
    sum->plis += sign > 0 ? s->plis : 0 - s->plis;
    sum->spoken += sign > 0 ? s->spoken : 0 - s->spoken;
    sum->filmed += sign > 0 ? s->filmed : 0 - s->filmed;
}

void measure_seat(const struct seat *seat, struct load_sum *sum)
{
    const struct client *client = &seat->client;
    struct load_sum one = {.sent_packets = client->sent_packets, .sent_bytes = client->sent_bytes};
    if (client->rx) {
        one.sound = client->rx->count[0];
        one.pictures = client->rx->count[1];
        one.nacks = client->rx->nacks;
        one.plis = client->rx->plis;
    }
    if (client->film) {
        one.spoken = client->film->stream[FILM_STREAM_SOUND].packets;
        one.filmed = client->film->frames;
    }
    add_sum(sum, &one, 1);
    sum->people += client->state == CLIENT_LIVE;
}

void measure_sum(const struct load *load, struct load_sum out[LOAD_ROLES])
{
    memcpy(out, load->retired, sizeof(load->retired));
    for (uint32_t i = 0; i < load->wanted; i++) {
        if (load->seats[i].started) {
            measure_seat(&load->seats[i], &out[load->seats[i].role]);
        }
    }
}

static float share(uint64_t part, uint64_t whole)
{
    return whole ? (float)((double)part / (double)whole) : 0;
}

/* Servers on this machine are read from /proc too; others only through their metrics. */
static double server_cpu(const struct load *load, const struct machine_sample *m,
                         const struct scrape_sample *s)
{
    return load->config.pid_count ? m->server_cpu_s : s->cpu_s + s->door_cpu_s;
}

static void take_server(struct load *load, struct load_second *second, double wall_s)
{
    struct scrape_sample s = {.at = 0};
    struct machine_sample m;
    machine_read(load->config.pids, load->config.pid_count, &m);
    bool known = load->scrape && scrape_read(load->scrape, &s);
    double cpu = server_cpu(load, &m, &s);
    second->server_cores = second->server_mb = -1;
    if (load->config.pid_count && !load->second_count) {
        second->server_mb = (float)((double)m.server_rss_bytes / 1e6); /* time since when? */
    } else if (load->config.pid_count) {
        second->server_cores = (float)((cpu - load->cpu_before) / wall_s);
        second->server_mb = (float)((double)m.server_rss_bytes / 1e6);
    } else if (known && load->server_before.at && s.at > load->server_before.at) {
        double between = (double)(s.at - load->server_before.at) / US_PER_S;
        second->server_cores = (float)((cpu - load->cpu_before) / between);
    } else if (known && load->second_count) {
        second->server_cores = load->seconds[load->second_count - 1].server_cores;
    }
    if (known) {
        second->server_mb = second->server_mb < 0 ? (float)(s.memory / 1e6) : second->server_mb;
        load->server_before = s;
    }
    if (load->config.pid_count || known) {
        load->cpu_before = cpu;
    }
}

static void count_tracks(const struct load *load, struct load_sum roles[LOAD_ROLES], mono_us now)
{
    for (uint32_t i = 0; i < load->wanted; i++) {
        const struct seat *seat = &load->seats[i];
        const struct client_rx *rx = seat->client.rx;
        if (!seat->started || seat->client.state != CLIENT_LIVE || !rx) {
            continue;
        }
        struct load_sum *sum = &roles[seat->role];
        sum->tracks_expected += seat->client.views;
        for (uint32_t k = 0; k < seat->client.views; k++) {
            const struct rx_slot *slot = &rx->slot[rx->audio_slots + k];
            sum->tracks += slot->frame_at && now - slot->frame_at < RX_FREEZE_US;
        }
    }
}

/* What was said, heard and seen in this second. */
static void take_media(struct load *load, struct load_second *second, const struct load_sum *step,
                       mono_us now)
{
    struct load_sum roles[LOAD_ROLES];
    memset(roles, 0, sizeof(roles));
    count_tracks(load, roles, now);
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        second->tracks += roles[r].tracks;
    }
    second->frames = step->pictures.frames;
    second->filmed = step->filmed;
    second->sound.sent = step->spoken;
    second->sound.heard = step->sound.packets;
    second->sound.lost = step->sound.gaps - step->sound.repaired;
}

void measure_second(struct load *load, mono_us now)
{
    static struct client_totals before;
    struct load_sum roles[LOAD_ROLES];
    struct load_sum all = {.people = 0};
    const struct client_totals *t = &load->world.totals;
    struct load_second second = {.t = (float)((double)(now - load->start) / US_PER_S),
                                 .people = t->live};
    double wall_s = 1 + (double)(now - load->second_at) / US_PER_S;
    double tool = thread_cpu();
    if (load->second_count == 0) {
        before = (struct client_totals){.live = 0};
    }
    measure_sum(load, roles);
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        add_sum(&all, &roles[r], 1);
    }
    struct load_sum step = all;
    add_sum(&step, &load->before, -1);
    load->before = all;
    second.joined = t->first_media - load->joined_seen;
    second.failed = t->dead - (load->dead_seen < t->dead ? load->dead_seen : t->dead);
    second.mbit_in = (float)((double)(t->bytes - before.bytes) * 8 / 1e6 / wall_s);
    second.mbit_out = (float)((double)(t->sent_bytes - before.sent_bytes) * 8 / 1e6 / wall_s);
    second.loss =
        share(step.sound.gaps + step.pictures.gaps, step.sound.expected + step.pictures.expected);
    second.freezes = step.pictures.freezes;
    take_media(load, &second, &step, now);
    second.keys = (uint32_t)(t->key_requests - before.key_requests);
    if (load->rush.from && load->rush.seconds <= 0 && now - load->rush.from > US_PER_S) {
        load->rush.most = second.keys > load->rush.most ? second.keys : load->rush.most;
    }
    second.delay_p50_ms = (float)((double)spread_at(&load->second_delay, 0.50) / 1000);
    second.delay_p99_ms = (float)((double)spread_at(&load->second_delay, 0.99) / 1000);
    second.tool_cores = (float)((tool - load->tool_before) / wall_s);
    take_server(load, &second, wall_s);
    load->tool_before = tool;
    load->joined_seen = t->first_media;
    load->dead_seen = t->dead;
    before = *t;
    memset(&load->second_delay, 0, sizeof(load->second_delay));
    /* Once nobody sends any more pictures stand: that is no second of the class. */
    if (load->sending && load->second_count < LOAD_SECONDS_MAX) {
        load->seconds[load->second_count++] = second;
    }
    if (load->config.second_h) {
        load->config.second_h(load->config.arg, load, &second);
    }
}

/* Datagrams the kernel dropped at our sockets because we did not read in time. */
static uint64_t socket_drops(const struct load *load)
{
    static uint8_t ours[65536];
    char line[512];
    uint64_t sum = 0;
    FILE *f = fopen("/proc/net/udp", "r");
    memset(ours, 0, sizeof(ours));
    for (uint32_t i = 0; i < load->wanted; i++) {
        ours[load->seats[i].client.port] = load->seats[i].started;
    }
    while (f && fgets(line, sizeof(line), f)) {
        unsigned port = 0;
        unsigned long long drops = 0;
        const char *last = strrchr(line, ' ');
        if (sscanf(line, " %*u: %*8[0-9A-Fa-f]:%4x", &port) == 1) {
            char *end = line + strlen(line);
            while (end > line && (end[-1] == '\n' || end[-1] == ' ')) {
                *--end = '\0';
            }
            last = strrchr(line, ' ');
            drops = last ? strtoull(last + 1, NULL, 10) : 0;
            sum += ours[port & 0xffff] ? drops : 0;
        }
    }
    if (f) {
        (void)fclose(f);
    }
    return sum;
}

static void begin_window(struct load *load, struct load_window *w)
{
    struct client_totals *t = &load->world.totals;
    memset(&t->delay, 0, sizeof(t->delay));
    memset(&t->ack, 0, sizeof(t->ack));
    memset(&load->lag, 0, sizeof(load->lag));
    load->watched_s = 0;
    machine_read(load->config.pids, load->config.pid_count, &w->from);
    w->server_known =
        load->config.admin_port &&
        scrape_once(load->config.admin_host, load->config.admin_port, &w->server_from);
    w->tool_drops = socket_drops(load);
}

/*
 * Who is out because the shape wants people to come and go: away, or on the way back and in time.
 * Nobody kept them out, so they are not missing.
 */
static uint32_t away(const struct load *load, mono_us now)
{
    uint32_t n = 0;
    for (uint32_t i = 0; load->config.shape.churn && i < load->wanted; i++) {
        const struct seat *seat = &load->seats[i];
        enum client_state state = seat->client.state;
        bool returning = state != CLIENT_LIVE && state != CLIENT_DEAD && now <= seat->deadline;
        n += seat->back_at || (seat->started && returning);
    }
    return n;
}

static void end_window(struct load *load, struct load_window *w, const struct load_sum *before)
{
    struct client_totals *t = &load->world.totals;
    mono_us now = clock_mono_us();
    measure_sum(load, w->role);
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        add_sum(&w->role[r], &before[r], -1);
    }
    count_tracks(load, w->role, now);
    machine_read(load->config.pids, load->config.pid_count, &w->to);
    w->server_known = w->server_known &&
                      scrape_once(load->config.admin_host, load->config.admin_port, &w->server_to);
    w->tool_drops = socket_drops(load) - w->tool_drops;
    w->noise = machine_noise(&w->from, &w->to, w->seconds);
    w->people = t->live;
    w->people_wanted = load->wanted;
    w->people_away = away(load, now);
    w->failed = t->dead;
    w->delay = t->delay;
    w->ack = t->ack;
    w->join = t->join;
    w->connect = t->connect;
    w->first_picture = t->first_picture;
    w->live_picture = t->live_picture;
    w->replay = t->replay;
    w->rush = load->rush;
    w->lag = load->lag;
    w->forged = t->forged;
    w->watched_h = load->watched_s / 3600;
}

void load_sum_up(struct load *load, struct load_window *out)
{
    static const struct load_sum none[LOAD_ROLES];
    memset(out, 0, sizeof(*out));
    machine_read(load->config.pids, load->config.pid_count, &out->from);
    out->seconds = (double)(clock_mono_us() - load->start) / US_PER_S;
    end_window(load, out, none);
    out->messages = load->world.totals.messages;
    out->acks = load->world.totals.acks;
}

bool load_hold(struct load *load, double seconds, struct load_window *out)
{
    struct load_sum before[LOAD_ROLES];
    struct client_totals *t = &load->world.totals;
    uint64_t messages = t->messages;
    uint64_t acks = t->acks;
    uint64_t refused = t->refused;
    memset(out, 0, sizeof(*out));
    if (load->rush.from && load->rush.seconds <= 0) {
        load->rush.seconds = (double)(clock_mono_us() - load->rush.from) / US_PER_S;
        load->rush.keys = t->plis - load->rush.keys;
        load->rush.requests = t->key_requests - load->rush.requests;
        load->rush.gap = t->key_gap_us;
    }
    measure_sum(load, before);
    begin_window(load, out);
    double tool = thread_cpu();
    mono_us start = clock_mono_us();
    load->holding = true;
    bool whole = load_settle(load, seconds);
    load->holding = false;
    out->seconds = (double)(clock_mono_us() - start) / US_PER_S;
    out->tool_cores = out->seconds > 0 ? (thread_cpu() - tool) / out->seconds : 0;
    out->messages = t->messages - messages;
    out->acks = t->acks - acks;
    out->refused = t->refused - refused;
    end_window(load, out, before);
    return whole;
}
