#include "server/app/watch.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/heap.h"
#include "codec/sys/log.h"
#include "codec/sys/thread.h"
#include "server/app/client.h"
#include "server/app/core_state.h"
#include "server/app/rehearsal_child.h"
#include "server/app/usage.h"
#include "server/app/watch_mail.h"
#include "signaling/store/capacity.h"

enum {
    STEP_US = 2 * US_PER_S,
    ALERTS = 2,
    CALM_STEPS = 30, /* steps below a level before its alert may come again */
    SUFFER_STEPS = 2,
    TRIM_US = 4 * US_PER_S,
};
static const double alert_at[ALERTS] = {0.80, 0.97}; /* 100 % is where nothing is left */
static const unsigned alert_name[ALERTS] = {80, 100};
static const double suffer_cpu = 0.9;

struct reading {
    double used, cpu, door_cores, core_cores, mbit_out, mbit_in, loss;
    double media_share, page_share, packet_share;
    struct usage usage;
    struct core_public public;
    uint64_t tx_bytes, rx_bytes, lost;
    uint32_t media;
    uint32_t packets; /* held by the fullest shard */
    mono_us at;
};

struct watch {
    struct core *core;
    struct thread thread;
    struct mutex lock;
    struct cond wake;
    bool stop;
    struct mutex history_lock;
    struct capacity *history;   /* under history_lock */
    struct reading now, before; /* under lock */
    double thread_share[USAGE_THREADS_MAX];
    json_t *classes; /* under lock */
    uint32_t real_people;
    unsigned alert; /* 0, 80, 100 */
    unsigned calm[ALERTS];
    bool raised[ALERTS];
    unsigned suffering;
    struct rehearsal_child child; /* under lock */
    char folder[PATHS_MAX];
    mono_us trimmed_at;
    uint64_t trimmed_for; /* connections there were then */
};

static void read_media(struct core *core, struct reading *r)
{
    for (unsigned i = 0; i < shards_count(core->shards); i++) {
        struct shard_stats s;
        shards_stats(core->shards, i, &s);
        r->tx_bytes += s.sfu.tx_bytes;
        r->rx_bytes += s.sfu.rx_bytes;
        r->lost += s.udp.rx_no_room + s.udp.tx_dropped;
        r->media += s.sfu.peers;
        r->packets = s.sfu.packets_used > r->packets ? s.sfu.packets_used : r->packets;
    }
}

static double above(double a, double b)
{
    return a > b ? a : b;
}

/* Shares from two readings. */
static void compare(struct watch *w, struct reading *r)
{
    const struct reading *b = &w->before;
    const struct config *c = w->core->config;
    double s = b->at ? (double)(r->at - b->at) / US_PER_S : 0;
    double busiest = 0;
    if (s > 0) {
        r->core_cores = (r->usage.core_cpu_s - b->usage.core_cpu_s) / s;
        r->door_cores = above(r->usage.door_cpu_s - b->usage.door_cpu_s, 0) / s;
        r->mbit_out = (double)(r->tx_bytes - b->tx_bytes) * 8 / 1e6 / s;
        r->mbit_in = (double)(r->rx_bytes - b->rx_bytes) * 8 / 1e6 / s;
    }
    for (unsigned i = 0; s > 0 && i < r->usage.threads; i++) {
        w->thread_share[i] =
            i < b->usage.threads ? (r->usage.thread[i].cpu_s - b->usage.thread[i].cpu_s) / s : 0;
        busiest = above(busiest, w->thread_share[i]);
    }
    r->cpu = r->usage.cpu_limit > 0 ? (r->core_cores + r->door_cores) / r->usage.cpu_limit : 0;
    r->cpu = above(r->cpu, busiest);
    r->media_share =
        (double)r->media / (double)(c->rtc_peers_max * (int64_t)shards_count(w->core->shards));
    r->page_share = (double)r->public.room.conns / (double)c->limits_connections;
    r->packet_share = (double)r->packets / (double)c->rtc_packets_max;
    double memory = r->usage.memory_limit ? (double)(r->usage.core_rss + r->usage.door_rss) /
                                                (double)r->usage.memory_limit
                                          : 0;
    memory = above(memory, r->packet_share);
    r->used = above(above(r->cpu, memory), above(r->media_share, r->page_share));
}

static void take(struct watch *w, struct reading *r)
{
    pid_t door = paths_pid(&w->core->paths, "door");
    memset(r, 0, sizeof(*r));
    usage_read(&r->usage, &door, 1);
    shards_may_use(w->core->shards, r->usage.cpu_limit);
    mutex_lock(&w->core->public_lock);
    r->public = w->core->public;
    mutex_unlock(&w->core->public_lock);
    read_media(w->core, r);
    r->at = clock_mono_us();
}

/* The classes as the control socket tells them; a rehearsal is known by its title. */
static json_t *ask_classes(struct watch *w, uint32_t *real)
{
    char why[512];
    json_t *answer = NULL;
    json_t *live = json_array();
    json_t *o;
    size_t i;
    if (client_request(w->core->line, json_pack("{s:s}", "cmd", "class.list"), false, &answer, why,
                       sizeof(why)) != 0) {
        answer = NULL;
    }
    *real = 0;
    json_array_foreach(json_object_get(answer, "classes"), i, o)
    {
        json_int_t present = json_integer_value(json_object_get(o, "present"));
        const char *title = json_string_value(json_object_get(o, "title"));
        bool rehearsal = title && strncmp(title, "[répétition]", strlen("[répétition]")) == 0;
        if (present > 0 && !json_is_true(json_object_get(o, "ended"))) {
            (void)json_object_set_new(o, "rehearsal", json_boolean(rehearsal));
            (void)json_array_append(live, o);
            *real += rehearsal ? 0 : (uint32_t)present;
        }
    }
    json_decref(answer);
    return live;
}

static void raise_alert(struct watch *w, unsigned level, const struct reading *r)
{
    char why[300];
    (void)snprintf(why, sizeof(why),
                   "processor %.0f %%, media connections %.0f %%, page connections %.0f %%, packet "
                   "memory %.0f %%, %u people",
                   r->cpu * 100, r->media_share * 100, r->page_share * 100, r->packet_share * 100,
                   r->public.room.people);
    log_warn("capacity", "the server fills up", L_UINT("percent", alert_name[level]),
             L_STR("why", why));
    watch_mail(w->core, alert_name[level], why);
}

static void judge(struct watch *w, const struct reading *r)
{
    w->alert = 0;
    for (unsigned i = 0; i < ALERTS; i++) {
        if (r->used >= alert_at[i]) {
            w->alert = alert_name[i];
            w->calm[i] = 0;
            if (!w->raised[i]) {
                w->raised[i] = true;
                raise_alert(w, i, r);
            }
        } else if (w->raised[i] && ++w->calm[i] >= CALM_STEPS) {
            w->raised[i] = false;
            log_info("capacity", "room again", L_UINT("percent", alert_name[i]));
        }
    }
    bool suffers =
        w->child.pid && w->real_people > 0 && (r->cpu > suffer_cpu || r->lost > w->before.lost);
    w->suffering = suffers ? w->suffering + 1 : 0;
    if (w->suffering >= SUFFER_STEPS) {
        log_warn("capacity", "rehearsal stopped: real classes would suffer");
        rehearsal_stop(&w->child, "real classes would suffer");
        w->suffering = 0;
    }
}

static struct capacity_row row_of(const struct watch *w, const struct reading *r)
{
    return (struct capacity_row){.minute = clock_wall_ms() / 60000,
                                 .classes = (uint32_t)json_array_size(w->classes),
                                 .people = r->public.room.people,
                                 .media = r->media,
                                 .cpu = r->cpu,
                                 .used = r->used,
                                 .mbit = r->mbit_out,
                                 .memory = (double)(r->usage.core_rss + r->usage.door_rss)};
}

/* The disk may be slow: nobody waits for this lock but readers of the history. */
static void keep(struct watch *w, const struct capacity_row *row)
{
    mutex_lock(&w->history_lock);
    if (w->history && capacity_put(w->history, row) != 0) {
        log_warn("capacity", "the history cannot be written");
        capacity_close(w->history);
        w->history = NULL;
    }
    mutex_unlock(&w->history_lock);
}

/* After people came or went: their handshakes and snapshots left holes in the heap. */
static void tidy_heap(struct watch *w, const struct reading *r)
{
    uint64_t here = (uint64_t)r->media << 32 | (uint32_t)r->public.room.conns;
    if (r->at - w->trimmed_at >= TRIM_US && here != w->trimmed_for) {
        w->trimmed_at = r->at;
        w->trimmed_for = here;
        heap_trim();
    }
}

static void step(struct watch *w)
{
    struct reading r;
    uint32_t real = 0;
    json_t *classes = ask_classes(w, &real);
    take(w, &r);
    mutex_lock(&w->lock);
    compare(w, &r);
    json_decref(w->classes);
    w->classes = classes;
    w->real_people = real;
    judge(w, &r);
    if (rehearsal_reap(&w->child)) {
        log_info("capacity", "rehearsal ended", L_STR("shape", w->child.shape),
                 L_INT("result", w->child.exit_code));
    }
    w->before = r;
    w->now = r;
    struct capacity_row row = row_of(w, &r);
    mutex_unlock(&w->lock);
    keep(w, &row);
    tidy_heap(w, &r);
}

static void work(void *arg)
{
    struct watch *w = arg;
    mutex_lock(&w->lock);
    while (!w->stop) {
        mono_us next = clock_mono_us() + STEP_US;
        mutex_unlock(&w->lock);
        step(w);
        mutex_lock(&w->lock);
        while (!w->stop && cond_wait_until(&w->wake, &w->lock, next)) {
        }
    }
    mutex_unlock(&w->lock);
}

int watch_new(struct watch **out, struct core *core)
{
    char path[PATHS_MAX];
    struct watch *w = mem_alloc(sizeof(*w));
    *out = NULL;
    if (!w) {
        return E_NOMEM;
    }
    w->core = core;
    w->child.exit_code = -1;
    w->classes = json_array();
    mutex_init(&w->lock);
    mutex_init(&w->history_lock);
    cond_init(&w->wake);
    (void)paths_in(&core->paths, "rehearsal", w->folder);
    if (capacity_open(&w->history, paths_in(&core->paths, "capacity.db", path)) != 0) {
        log_warn("capacity", "no history: data/capacity.db cannot be opened");
    }
    int err = thread_start(&w->thread, "watch", -1, work, w);
    if (err) {
        watch_free(w);
        return err;
    }
    *out = w;
    return 0;
}

void watch_free(struct watch *w)
{
    if (!w) {
        return;
    }
    mutex_lock(&w->lock);
    w->stop = true;
    cond_signal(&w->wake);
    mutex_unlock(&w->lock);
    thread_join(&w->thread);
    rehearsal_end(&w->child);
    capacity_close(w->history);
    json_decref(w->classes);
    cond_fini(&w->wake);
    mutex_fini(&w->lock);
    mutex_fini(&w->history_lock);
    mem_free(w);
}

static json_t *cores_json(const struct watch *w)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < w->now.usage.threads; i++) {
        const char *name = w->now.usage.thread[i].name;
        bool ours =
            !strcmp(name, "classroom") || !strcmp(name, "store") || !strncmp(name, "shard", 5);
        if (ours) {
            (void)json_array_append_new(
                out, json_pack("{s:s,s:f}", "name", name, "share", w->thread_share[i]));
        }
    }
    return out;
}

json_t *watch_state(struct watch *w)
{
    mutex_lock(&w->lock);
    const struct reading *r = &w->now;
    double people = r->public.room.people;
    /* Straight on: as many as would fill what is fullest now; only worth saying with some inside.
     */
    double room = r->used > 0.02 && people >= 5 ? people * (0.8 / r->used - 1) : -1;
    json_t *o = json_pack(
        "{s:b,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:i,s:i,s:i,s:b,s:i,s:f,s:o,s:O,s:{s:b,"
        "s:s,s:s,s:i}}",
        "ok", 1, "now", (json_int_t)clock_wall_ms(), "used", r->used, "cpu", r->cpu, "core_cores",
        r->core_cores, "door_cores", r->door_cores, "cpu_limit", r->usage.cpu_limit, "media_share",
        r->media_share, "page_share", r->page_share, "mbit_out", r->mbit_out, "mbit_in", r->mbit_in,
        "memory", (double)(r->usage.core_rss + r->usage.door_rss), "people", (int)people, "media",
        (int)r->media, "connections", (int)r->public.room.conns, "draining", r->public.draining,
        "alert", (int)w->alert, "headroom_people", room, "cores", cores_json(w), "classes",
        w->classes, "rehearsal", "running", w->child.pid != 0, "shape", w->child.shape, "stopped",
        w->child.stopped, "result", w->child.exit_code);
    mutex_unlock(&w->lock);
    return o;
}

static void history_row(void *arg, const struct capacity_row *row)
{
    (void)json_array_append_new(arg, json_pack("[I,i,i,i,f,f,f,f]", (json_int_t)row->minute,
                                               (int)row->classes, (int)row->people, (int)row->media,
                                               row->cpu, row->used, row->mbit, row->memory));
}

json_t *watch_history(struct watch *w, uint32_t hours)
{
    json_t *rows = json_array();
    int64_t since = clock_wall_ms() / 60000 - (int64_t)hours * 60;
    int64_t step_minutes = hours <= 24 ? 1 : hours <= 24 * 31 ? 60 : 24 * 60;
    mutex_lock(&w->history_lock);
    if (w->history && rows) {
        (void)capacity_each(w->history, since, step_minutes, history_row, rows);
    }
    mutex_unlock(&w->history_lock);
    return json_pack("{s:b,s:i,s:o}", "ok", 1, "step", (int)step_minutes, "rows", rows);
}

double watch_used(struct watch *w, unsigned *alert)
{
    mutex_lock(&w->lock);
    double used = w->now.used;
    *alert = w->alert;
    mutex_unlock(&w->lock);
    return used;
}

int watch_rehearse(struct watch *w, const char *shape)
{
    mutex_lock(&w->lock);
    int err = rehearsal_start(&w->child, w->core->line, w->folder, shape);
    mutex_unlock(&w->lock);
    if (!err) {
        log_info("capacity", "rehearsal begins", L_STR("shape", shape));
    }
    return err;
}

void watch_rehearse_stop(struct watch *w, const char *why)
{
    mutex_lock(&w->lock);
    rehearsal_stop(&w->child, why);
    mutex_unlock(&w->lock);
}

bool watch_report(struct watch *w, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s/report.html", w->folder);
    return n > 0 && (size_t)n < cap;
}
