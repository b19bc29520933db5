#include "bench/load/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/run_state.h"
#include "bench/load/web.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/random.h"

enum {
    EVENTS = 512,
    TIMERS_US = 1000,
    WS_BUSY_US = 1000, /* somebody is joining */
    WS_CALM_US = 10000,
    LIVE_US = 10 * US_PER_S, /* who is not in by then has failed */
    FAREWELL_US = 900 * US_PER_MS,
    FILES_EACH = 2, /* descriptors of a client */
    FILES_MORE = 64,
    QUIET_US = 700 * US_PER_MS, /* until the server's figures hold everything sent */
};

void load_stop(struct load *load, const char *why)
{
    load->stop = true;
    if (!load->why[0] && why) {
        (void)snprintf(load->why, sizeof(load->why), "%s", why);
    }
}

static void note_failure(struct load *load, const char *why)
{
    for (unsigned i = 0; i < LOAD_REASONS; i++) {
        struct failure *f = &load->failures[i];
        if (!f->count) {
            (void)snprintf(f->why, sizeof(f->why), "%s", why);
        }
        if (!f->count || strncmp(f->why, why, sizeof(f->why) - 1) == 0) {
            f->count++;
            return;
        }
    }
}

static void dead_h(struct client *client, const char *why)
{
    note_failure((struct load *)client->world->arg, why);
}

static void delay_h(struct client *client, const struct media_stamp *stamp, mono_us now)
{
    struct load *load = client->world->arg;
    spread_add(&load->second_delay, now - stamp->sent);
}

/* ---- people ------------------------------------------------------------------------------ */

static const char *link_of(const struct load *load, const struct seat *seat)
{
    const struct load_room *room = &load->config.rooms[seat->room];
    if (seat->role == LOAD_VIEWER) {
        return room->participant;
    }
    if (seat->number == 0) {
        return room->host;
    }
    return load->config.shape.class_type == SHAPE_WEBINAR || !load->config.driver->classroom
               ? room->animator
               : room->participant;
}

static unsigned top_layer(const struct shape *shape)
{
    return shape->camera_height >= 720 ? 0 : shape->camera_height >= 360 ? 1 : 2;
}

static struct client_kit kit_of(struct load *load, const struct seat *seat)
{
    const struct shape *s = &load->config.shape;
    uint32_t index = (uint32_t)(seat - load->seats);
    unsigned top = top_layer(s);
    struct link_config down = {.loss = s->loss_down,
                               .delay = s->delay_ms * US_PER_MS,
                               .jitter = s->jitter_ms * US_PER_MS,
                               .bps = s->rate_kbps * 1000};
    struct link_config up = down;
    up.loss = s->loss_up;
    up.bps = 0;
    struct client_kit kit = {.video_slots = s->tiles < 16 ? 16 : RX_VIDEO,
                             .up = up,
                             .down = down,
                             .seed = (uint64_t)s->seed << 20 | index};
    if (s->tiles <= 16) {
        kit.video_slots = 16;
    }
    if (seat->role != LOAD_VIEWER) {
        kit.film = load->film;
        kit.sender = (struct film_config){
            .sender = (uint16_t)(index + 1),
            .top = (uint8_t)top,
            .layers = (uint8_t)(seat->role == LOAD_VOICE ? 0
                                : s->simulcast           ? FILM_LAYERS - top
                                                         : 1),
            .keep = seat->role == LOAD_SENDER,
            .temporal = s->temporal && !s->decoded,
            .seed = kit.seed + 77,
        };
    }
    return kit;
}

void seat_start(struct load *load, struct seat *seat)
{
    struct client *client = &seat->client;
    struct client_kit kit = kit_of(load, seat);
    struct media_config none = {.sender = 0};
    uint32_t index = (uint32_t)(seat - load->seats);
    bool speaks = seat->number < load->config.shape.speakers;
    seat->back_at = 0;
    seat->version = 0;
    seat->counted = false;
    load->due[index] = 0;
    seat->started = true;
    seat->on_stage = false;
    seat->group = seat->going = 0;
    seat->deadline = clock_mono_us() + LIVE_US;
    if (client_init(client, &load->world, link_of(load, seat), seat->room, index + 1, &none) != 0 ||
        client_equip(client, &kit) != 0) {
        note_failure(load, "no socket or memory on this machine");
        client->state = CLIENT_DEAD;
        load->world.totals.dead++;
        return;
    }
    client->driver = load->config.driver;
    if (client->film) {
        client->film->sound_on = speaks || load->config.shape.class_type == SHAPE_ROUND_TABLE;
        client->film->camera_on = seat->role == LOAD_SENDER;
        client->film->level = speaks ? 22 : 100;
    }
    client->sampled = seat->role == LOAD_VIEWER || load->config.shape.subscribers == 0
                          ? load->sampled < load->config.shape.sampled
                          : false;
    load->sampled += client->sampled;
    if (client->sampled && load->proof && load->proofs < load->config.shape.decoded) {
        client->proof = load->proof;
        client->proof_number = load->proofs++;
        client->proof_streams = 2;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    (void)epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event);
    client_start(client);
}

void seat_leave(struct load *load, struct seat *seat)
{
    struct client *client = &seat->client;
    if (!seat->started || client->state == CLIENT_IDLE) {
        return;
    }
    measure_seat(seat, &load->retired[seat->role]);
    load->retired[seat->role].people = 0;
    load->world.totals.live -= client->state == CLIENT_LIVE;
    load->sampled -= client->sampled;
    load->proofs -= client->proof != NULL && client->proof_number + 1 == load->proofs;
    client_fini(client);
    seat->started = false;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static bool joining(const struct load *load)
{
    return load->world.totals.live + load->world.totals.dead < load->wanted;
}

static void run_timers(struct load *load, mono_us now)
{
    if (load->timers_at) {
        spread_add(&load->lag, now - load->timers_at);
    }
    load->timers_at = now + TIMERS_US;
    for (uint32_t i = 0; i < load->wanted; i++) {
        struct seat *seat = &load->seats[i];
        struct client *client = &seat->client;
        if (!seat->started || now < load->due[i]) {
            continue;
        }
        client_run(client, now);
        load->due[i] = client_due(client);
        if (now > seat->deadline && client->state != CLIENT_LIVE && !seat->counted) {
            seat->counted = true;
            if (client->state != CLIENT_DEAD) {
                client->state = CLIENT_DEAD;
                load->world.totals.dead++;
                note_failure(load, "not in the class within 10 s");
            }
        }
    }
}

static void check_stop(struct load *load)
{
    const struct client_totals *t = &load->world.totals;
    if (*load->config.stop) {
        load_stop(load, "interrupted");
    }
    if (t->dead > 0 && t->live == 0 && t->dead * 2 > load->wanted) {
        load_stop(load, load->joins.count ? "the server is gone" : "nobody got in");
    }
    const char *alarm = load->config.alarm_h ? load->config.alarm_h(load->config.arg) : NULL;
    if (alarm) {
        load_stop(load, alarm);
    }
}

static void run_signalling(struct load *load)
{
    if (load->world.ws) {
        wsc_pool_run(load->world.ws);
    }
    if (load->world.web) {
        web_run(load->world.web);
    }
}

static unsigned signalling_open(const struct load *load)
{
    return (load->world.ws ? wsc_pool_open(load->world.ws) : 0) +
           (load->world.web ? web_open(load->world.web) : 0);
}

void load_turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load->epoll, events, EVENTS, 1);
    mono_us now = clock_mono_us();
    for (int i = 0; i < n; i++) {
        client_read(events[i].data.ptr, now);
    }
    if (now >= load->ws_at) {
        run_signalling(load);
        load->ws_at = now + (joining(load) ? WS_BUSY_US : WS_CALM_US);
    }
    if (now >= load->timers_at) {
        run_timers(load, now);
    }
    crowd_run(load, now);
    if (now >= load->second_at) {
        measure_second(load, now);
        load->second_at = now + US_PER_S;
        check_stop(load);
    } else if (*load->config.stop) {
        load_stop(load, "interrupted");
    }
}

bool load_settle(struct load *load, double seconds)
{
    mono_us end = clock_mono_us() + (mono_us)(seconds * US_PER_S);
    while (!load->stop && clock_mono_us() < end) {
        load_turn(load);
    }
    return !load->stop;
}

void load_fresh(struct load *load)
{
    memset(&load->world.totals.join, 0, sizeof(load->world.totals.join));
    memset(&load->world.totals.connect, 0, sizeof(load->world.totals.connect));
}

static void shrink(struct load *load, uint32_t n)
{
    while (load->wanted > n) {
        struct seat *seat = &load->seats[--load->wanted];
        bool dead = seat->started && seat->client.state == CLIENT_DEAD;
        seat_leave(load, seat);
        load->world.totals.dead -= dead && load->world.totals.dead > 0;
    }
}

/* The next seat may be taken: spectators of a webinar wait until it is on air. */
static bool comes_now(const struct load *load, mono_us now)
{
    return load->seats[load->wanted].role != LOAD_VIEWER || crowd_admits(load, now);
}

bool load_grow(struct load *load, uint32_t n)
{
    uint32_t first = load->wanted;
    mono_us start = clock_mono_us();
    n = n < load->seat_count ? n : load->seat_count;
    shrink(load, n);
    load->joins = load->world.totals.join;
    while (!load->stop && (load->wanted < n || joining(load) || !crowd_ready(load))) {
        mono_us now = clock_mono_us();
        mono_us rate = (mono_us)load->config.shape.ramp;
        if (load->wanted < n && !comes_now(load, now)) {
            first = load->wanted;
            start = now;
            load_turn(load);
            continue;
        }
        while (load->wanted < n && comes_now(load, now) &&
               (now - start) * rate >= (mono_us)(load->wanted - first) * US_PER_S) {
            if (load->seats[load->wanted].role == LOAD_VIEWER && !load->rush.from) {
                load->rush.from = now;
                load->rush.keys = load->world.totals.plis; /* to be taken off */
                load->rush.requests = load->world.totals.key_requests;
                load->world.totals.key_gap_us = 0;
            }
            seat_start(load, &load->seats[load->wanted++]);
        }
        load_turn(load);
    }
    load->joins = load->world.totals.join;
    return !load->stop;
}

/* ---- begin and end ----------------------------------------------------------------------- */

static int need_files(uint32_t people, char *why, size_t cap)
{
    struct rlimit files;
    rlim_t need = (rlim_t)people * FILES_EACH + FILES_MORE;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return E_IO;
    }
    if (files.rlim_cur < need) {
        struct rlimit more = {.rlim_cur = need,
                              .rlim_max = files.rlim_max > need ? files.rlim_max : need};
        if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
            (void)snprintf(why, cap,
                           "%u people need %llu open files and this shell allows %llu: ulimit -n "
                           "%llu",
                           people, (unsigned long long)need, (unsigned long long)files.rlim_max,
                           (unsigned long long)need);
            return E_LIMIT;
        }
    }
    return 0;
}

/* People in the order they come: the publishers of each class, then spectators in turn. */
static void place(struct load *load)
{
    const struct shape *s = &load->config.shape;
    uint32_t publishers = s->rooms * s->publishers;
    uint32_t cameras = (uint32_t)((double)s->publishers * s->camera_share + 0.5);
    for (uint32_t i = 0; i < load->seat_count; i++) {
        struct seat *seat = &load->seats[i];
        bool publishes = i < publishers;
        seat->client.fd = -1;
        seat->room = publishes ? i / s->publishers : (i - publishers) % s->rooms;
        seat->number = publishes ? i % s->publishers : s->publishers + (i - publishers) / s->rooms;
        seat->role = !publishes ? LOAD_VIEWER : seat->number < cameras ? LOAD_SENDER : LOAD_VOICE;
    }
}

static int start_world(struct load *load, char *why, size_t cap)
{
    struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 64, .ipsec_mb = true};
    const struct shape *s = &load->config.shape;
    uint64_t sockets =
        (uint64_t)load->seat_count + 64 + (uint64_t)s->rooms * s->churn * (s->duration_s + 60) / 60;
    rng_seed(&load->seeded, s->seed);
    load->rng = rng_from_seeded(&load->seeded);
    load->world.rng = random_rng();
    load->world.arg = load;
    load->world.dead_h = dead_h;
    load->world.delay_h = delay_h;
    load->world.via = load->config.via;
    if (crypto_identity_new(&load->identity) != 0 ||
        crypto_new(&load->crypto, load->identity, &config) != 0) {
        (void)snprintf(why, cap, "cryptography cannot start");
        return E_IO;
    }
    load->world.identity = load->identity;
    load->world.crypto = crypto_ops(load->crypto);
    if (!load->config.driver->ws) {
        load->world.web = web_new();
    } else {
        load->world.ws = wsc_pool_new(load->config.host, load->config.port, (unsigned)sockets,
                                      load->config.driver->ws);
    }
    if (load->world.ws && load->config.driver == &driver_janus) {
        wsc_pool_plain(load->world.ws, driver_janus.ws_path, driver_janus.ws_protocol);
    }
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if ((!load->world.ws && !load->world.web) || load->epoll < 0) {
        (void)snprintf(why, cap, "the signalling client cannot start");
        return E_IO;
    }
    return 0;
}

static int start(struct load *load, char *why, size_t cap)
{
    struct load_config *c = &load->config;
    load->seat_count = c->people_max ? c->people_max : shape_people(&c->shape);
    int err = need_files(load->seat_count, why, cap);
    if (err) {
        return err;
    }
    load->seats = mem_alloc(sizeof(*load->seats) * load->seat_count);
    load->due = mem_alloc(sizeof(*load->due) * load->seat_count);
    load->rooms = mem_alloc(sizeof(*load->rooms) * c->shape.rooms);
    load->seconds = mem_alloc(sizeof(*load->seconds) * LOAD_SECONDS_MAX);
    load->proof = c->shape.decoded ? proof_new() : NULL;
    if (!load->seats || !load->due || !load->rooms || !load->seconds ||
        (c->shape.decoded && !load->proof)) {
        (void)snprintf(why, cap, "not enough memory for %u people", load->seat_count);
        return E_NOMEM;
    }
    place(load);
    err = film_open(&load->film, c->film_folder, c->film_h, c->arg);
    if (err) {
        (void)snprintf(why, cap, "the test film cannot be made: %s", err_text(err));
        return err;
    }
    err = start_world(load, why, cap);
    if (!err && c->admin_port) {
        load->scrape = scrape_new(c->admin_host, c->admin_port);
        (void)scrape_once(c->admin_host, c->admin_port, &load->server_first);
        load->server_before = load->server_first;
    }
    return err;
}

int load_new(struct load **out, const struct load_config *config, char *why, size_t why_cap)
{
    struct load *load = mem_alloc(sizeof(*load));
    *out = NULL;
    if (!load) {
        (void)snprintf(why, why_cap, "out of memory");
        return E_NOMEM;
    }
    load->config = *config;
    load->config.driver = config->driver ? config->driver : &driver_amphi;
    load->epoll = -1;
    load->sending = true;
    int err = start(load, why, why_cap);
    if (err) {
        load_free(load);
        return err;
    }
    load->start = clock_mono_us();
    load->second_at = load->start + US_PER_S;
    *out = load;
    return 0;
}

void load_free(struct load *load)
{
    for (uint32_t i = 0; load->seats && i < load->seat_count; i++) {
        seat_leave(load, &load->seats[i]);
    }
    mono_us end = clock_mono_us() + FAREWELL_US;
    while (signalling_open(load) && clock_mono_us() < end) {
        run_signalling(load);
        (void)usleep(1000);
    }
    if (load->world.ws) {
        wsc_pool_free(load->world.ws);
    }
    web_free(load->world.web);
    scrape_free(load->scrape);
    proof_free(load->proof);
    film_close(load->film);
    if (load->crypto) {
        crypto_free(load->crypto);
    }
    if (load->identity) {
        crypto_identity_free(load->identity);
    }
    if (load->epoll >= 0) {
        (void)close(load->epoll);
    }
    mem_free(load->seats);
    mem_free(load->due);
    mem_free(load->rooms);
    mem_free(load->seconds);
    mem_free(load);
}

bool load_agree(struct load *load, double *ours, double *theirs)
{
    struct scrape_sample last;
    load->sending = false;
    for (uint32_t i = 0; i < load->wanted; i++) {
        struct film_sender *film = load->seats[i].client.film;
        if (film) {
            film->camera_on = film->sound_on = false;
        }
    }
    bool whole = load_settle(load, (double)QUIET_US / US_PER_S);
    /* At other doors the server may mix sound for itself, which it counts as sent. */
    if (!whole || !load->config.driver->classroom || !load->config.admin_port ||
        !load->server_first.at ||
        !scrape_once(load->config.admin_host, load->config.admin_port, &last)) {
        return false;
    }
    *ours = (double)load->world.totals.datagrams;
    *theirs = last.packets_out - load->server_first.packets_out;
    return *theirs >= 0;
}

uint64_t load_moves(const struct load *load)
{
    return load->moves;
}

uint32_t load_people(const struct load *load)
{
    return load->world.totals.live;
}

const char *load_why(const struct load *load)
{
    return load->stop ? load->why : NULL;
}

const char *load_why_text(const char *why, bool french)
{
    static const char *const known[][2] = {
        {"interrupted", "à la demande"},
        {"the server is gone", "le serveur ne répond plus"},
        {"nobody got in", "personne n'a pu entrer"},
        {"real classes suffer", "de vraies classes en souffraient"},
    };
    for (unsigned i = 0; french && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i][0], why) == 0) {
            return known[i][1];
        }
    }
    return why;
}

const struct load_second *load_seconds(const struct load *load, uint32_t *count)
{
    *count = load->second_count;
    return load->seconds;
}

const struct client_totals *load_totals(const struct load *load)
{
    return &load->world.totals;
}

const struct spread *load_joins(const struct load *load)
{
    return &load->world.totals.join;
}

bool load_proof(struct load *load, struct proof_result *out)
{
    if (load->proof) {
        proof_read(load->proof, out);
    }
    return load->proof != NULL;
}

const char *load_failure(const struct load *load, unsigned i, uint32_t *count)
{
    *count = i < LOAD_REASONS ? load->failures[i].count : 0;
    return *count ? load->failures[i].why : NULL;
}

const struct film_sender *load_sender(const struct load *load, unsigned i, const char **name)
{
    uint32_t publishers = load->config.shape.rooms * load->config.shape.publishers;
    if (i >= publishers || i >= load->seat_count) {
        return NULL;
    }
    *name = load->seats[i].client.name;
    return load->seats[i].client.film;
}
