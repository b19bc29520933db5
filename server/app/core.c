#include "server/app/core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "codec/sys/token.h"
#include "server/app/admin.h"
#include "server/app/control.h"
#include "server/app/core_state.h"
#include "server/app/keys.h"
#include "server/app/office.h"
#include "server/app/watch.h"
#include "server/io/hosts.h"

enum {
    CORE_FDS = 64,                           /* loop slots and descriptors besides TCP media */
    CORE_FDS_RESERVED = 96,                  /* database, libraries, mailboxes */
    CORE_TCP_MAX = 1024,                     /* ICE-TCP connections of one shard */
    CORE_DRAIN_MARGIN_US = 1500 * US_PER_MS, /* of server.drain_s: for the last commit */
};

struct class_time core_time(const struct core *core)
{
    return (struct class_time){.mono = core->now, .wall = core->wall};
}

void core_turn(struct core *core, mono_us now)
{
    if (now != core->now) {
        core->now = now;
        core->wall = clock_wall_ms();
    }
}

void core_drain(struct core *core, bool leave_empty)
{
    core->leave_empty = core->leave_empty || leave_empty;
    if (!core->draining) {
        core->draining = true;
        classroom_drain(core->room, true);
        wish_drain(core->wish, true);
        log_info("core", "draining: no new classes");
    }
}

/* ---- hooks of the classroom -------------------------------------------------------------------
 */

static int commit_h(void *arg, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct core *core = arg;
    return store_commit(core->store, ticket, records, count);
}

static void media_h(void *arg, const struct media_cmd *cmd)
{
    struct core *core = arg;
    wish_note(core->wish, cmd);
    bridge_command(core->bridge, cmd, core->now);
}

/* Commands of the standard doors themselves. */
static void wish_media_h(void *arg, const struct media_cmd *cmd)
{
    struct core *core = arg;
    bridge_command(core->bridge, cmd, core->now);
}

static void mix_only_h(void *arg, device_num mix, device_num publisher,
                       const struct media_evt *slots, uint32_t ssrc_base)
{
    const struct core *core = arg;
    bridge_mix_only(core->bridge, mix, publisher, slots, ssrc_base);
}

static void link_h(void *arg, char *out, size_t cap)
{
    const struct core *core = arg;
    turn_link(&core->turn, "door", core->wall, out, cap);
}

static void relay_h(void *arg, const struct id *person, struct class_relay *out)
{
    const struct core *core = arg;
    char user[ID_TEXT_MAX];
    turn_relay(&core->turn, id_print(user, ID_PERSON, person), core->wall, out);
}

static void admin_h(void *arg, uint64_t request, int err, const char *json, size_t len)
{
    struct core *core = arg;
    if (core->office && office_answered(core->office, request, err, json, len)) {
        return;
    }
    if (core->control) {
        control_answer(core->control, request, err, json, len);
    }
}

/* ---- events of the loop -------------------------------------------------------------------------
 */

static void committed(void *arg, uint64_t ticket, int err)
{
    struct core *core = arg;
    if (err) {
        log_error("core", "commit failed", L_ERR("why", err));
    }
    classroom_committed(core->room, ticket, err, core_time(core));
}

static void store_h(void *arg, unsigned ready, mono_us now)
{
    struct core *core = arg;
    (void)ready;
    core_turn(core, now);
    (void)store_poll(core->store, committed, core);
}

static void shard_events_h(void *arg, unsigned ready, mono_us now)
{
    struct core *core = arg;
    (void)ready;
    core_turn(core, now);
    bridge_poll(core->bridge, now);
}

static void media_event_h(void *arg, const struct media_evt *evt)
{
    struct core *core = arg;
    if (!wish_media(core->wish, evt, core_time(core))) {
        classroom_media(core->room, evt, core_time(core));
    }
}

/* Takes over the rows that may change while running; says which others wait for a restart. */
static void reload(struct core *core)
{
    struct config fresh;
    char why[CONFIG_WHY_MAX];
    int argc = core->line->all_argc;
    size_t count;
    const struct config_row *rows = config_rows(&count);
    char **argv = mem_dup(core->line->all_argv, ((size_t)argc + 1) * sizeof(*argv));
    int err =
        argv ? config_load(&fresh, core->line->config_path, environ, &argc, argv, why) : E_NOMEM;
    if (err) {
        log_error("core", "settings not reloaded", L_STR("why", argv ? why : err_text(err)));
    }
    for (size_t i = 0; i < count && !err; i++) {
        char text[1024];
        if (config_same(core->config, &fresh, &rows[i])) {
            continue;
        }
        config_text(&fresh, &rows[i], text, sizeof(text));
        if (rows[i].live) {
            (void)config_set_text(core->config, &rows[i], text, why);
        }
        log_info("core", rows[i].live ? "setting changed" : "setting needs a restart",
                 L_STR("section", rows[i].section), L_STR("key", rows[i].key));
    }
    if (!err) {
        log_setup((enum log_level)core->config->log_level,
                  (enum log_format)core->config->log_format, core->config->log_reveal,
                  STDERR_FILENO);
        bridge_spread_from(core->bridge, (uint32_t)core->config->rtc_spread_from);
        office_reload(core->office);
    }
    if (argv) {
        config_fini(&fresh);
    }
    mem_free(argv);
}

static void signal_h(void *arg, unsigned ready, mono_us now)
{
    struct core *core = arg;
    struct signalfd_siginfo info;
    (void)ready;
    core_turn(core, now);
    while (read(core->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            reload(core);
        } else if (info.ssi_signo == SIGTERM && core->leave_at == MONO_NEVER) {
            core_drain(core, false);
            core->leave_at = now + core->config->server_drain_s * US_PER_S - CORE_DRAIN_MARGIN_US;
        }
    }
}

/* ---- twice a second
 * -------------------------------------------------------------------------------- */

static bool shards_turn(struct core *core)
{
    bool all = true;
    for (unsigned i = 0; i < shards_count(core->shards); i++) {
        uint64_t beats = shards_beats(core->shards, i);
        if (beats != core->shard_beats[i] || !core->shard_beat_at[i]) {
            core->shard_beats[i] = beats;
            core->shard_beat_at[i] = core->now;
        } else if (core->now - core->shard_beat_at[i] > CORE_SHARD_SILENCE_US) {
            log_error("core", "a media thread hangs", L_UINT("shard", i));
            all = false;
        }
    }
    return all;
}

static void publish(struct core *core)
{
    struct core_public p = {.doors = core_doors_count(core),
                            .draining = core->draining,
                            .epoch = core->epoch,
                            .reserve_bytes = (uint64_t)core->config->data_reserve_mb << 20,
                            .at = clock_mono_us()};
    classroom_stats(core->room, &p.room);
    bridge_stats_read(core->bridge, &p.bridge);
    wish_stats_read(core->wish, &p.wish);
    inner_stats_read(core->inner, &p.inner);
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        p.door_up[i] = core->door[i].used;
        p.door[i] = core->door[i].stats;
    }
    mutex_lock(&core->public_lock);
    core->public = p;
    mutex_unlock(&core->public_lock);
}

static void tick(struct core *core)
{
    static const char alive = '.';
    core->tick_at = core->now + CORE_TICK_US;
    if (shards_turn(core) && core->inherited.watchdog_fd >= 0) {
        (void)!write(core->inherited.watchdog_fd, &alive, 1);
    }
    publish(core);
    control_timer(core->control, core->now);
    if (core->leave_empty && core->public.room.people == 0) {
        log_info("core", "drained: nobody is in a class any more");
        core->stop = true;
    }
}

static void leave_when_due(struct core *core)
{
    if (core->leave_at == MONO_NEVER) {
        return;
    }
    /* The doors tell their pages and go; then nobody can be reached any more. */
    core->stop = core->stop || core->now >= core->leave_at || !core_doors_count(core);
}

static void run(struct core *core)
{
    while (!core->stop) {
        mono_us deadline = mono_min(core->tick_at, classroom_deadline(core->room));
        deadline = mono_min(deadline, core->leave_at);
        bool more = bridge_pending(core->bridge) || wish_pending(core->wish);
        deadline = more ? core->now : deadline;
        mono_us now = loop_wait(core->loop, deadline);
        core_turn(core, now);
        if (now >= deadline) {
            histogram_add(&core->lag, now - deadline);
        }
        if (now >= classroom_deadline(core->room)) {
            classroom_timer(core->room, core_time(core));
        }
        bridge_poll(core->bridge, now);
        wish_turn(core->wish, core_time(core));
        core_doors_settle(core);
        if (now >= core->tick_at) {
            tick(core);
        }
        leave_when_due(core);
    }
}

/* ---- start and end
 * ----------------------------------------------------------------------------------- */

static int fail(const struct core *core, int err, const char *what, char *why, size_t cap)
{
    (void)core;
    if (!why[0]) {
        snprintf(why, cap, "%.400s: %s", what, err_text(err));
    }
    return err;
}

static int load_h(void *arg, const struct class_image *image)
{
    struct core *core = arg;
    return classroom_load(core->room, image);
}

static int start_store(struct core *core, char *why, size_t cap)
{
    char path[PATHS_MAX];
    struct store_config config = {.path = paths_in(&core->paths, "amphi.db", path)};
    int err = store_open(&core->store, &config);
    if (err) {
        snprintf(why, cap, "%s", store_why());
        return fail(core, err, path, why, cap);
    }
    core->epoch = store_epoch(core->store);
    err = loop_add(core->loop, store_fd(core->store), LOOP_READ, store_h, core);
    return err ? fail(core, err, "store", why, cap) : 0;
}

/* The boot id as bytes; zero where the kernel gives none. */
static struct id boot_of_machine(void)
{
    char text[CLOCK_BOOT_ID_LEN + 1];
    struct id boot = {{0}};
    unsigned nibble = 0;
    if (clock_boot_id(text)) {
        return boot;
    }
    for (const char *c = text; *c && nibble < 2 * ID_LEN; c++) {
        unsigned value = *c >= 'a' ? (unsigned)(*c - 'a' + 10) : (unsigned)(*c - '0');
        if (*c != '-') {
            boot.b[nibble / 2] |= (uint8_t)((value & 15) << (nibble % 2 ? 0 : 4));
            nibble++;
        }
    }
    return boot;
}

static void full_h(void *arg, const struct id *class_id, enum class_full why)
{
    struct core *core = arg;
    if (core->office) {
        office_full(core->office, class_id, why);
    }
}

static int start_room(struct core *core, char *why, size_t cap)
{
    struct classroom_hooks hooks = {.arg = core,
                                    .send_h = core_doors_send,
                                    .close_h = core_doors_close,
                                    .trust_h = core_doors_trust,
                                    .relay_h = relay_h,
                                    .full_h = full_h,
                                    .commit_h = commit_h,
                                    .media_h = media_h,
                                    .admin_h = admin_h};
    struct classroom_config config = {
        .epoch = core->epoch,
        .boot = boot_of_machine(),
        .token = {.sign_h = token_sign,
                  .verify_h = token_verify,
                  .seal_h = token_seal,
                  .open_h = token_open},
        .rng = random_rng(),
        .classes_max = (uint32_t)core->config->limits_classes,
        .conns_max = (uint32_t)core->config->limits_connections,
        .people_max = (uint32_t)core->config->limits_people_per_class,
        .seats_max = (uint32_t)core->config->limits_people,
        .live_max = (uint32_t)core->config->limits_classes_at_once,
    };
    char secret_why[TURN_WHY_MAX];
    int err = turn_init(&core->turn, core->config, secret_why, sizeof(secret_why));
    if (err) {
        snprintf(why, cap, "%s", secret_why);
        return err;
    }
    err = keys_secret(&core->paths, core->config, config.key, why, cap);
    err = err ? err : classroom_new(&core->room, &config, &hooks);
    token_wipe(config.key, sizeof(config.key));
    if (err) {
        return fail(core, err, "classroom", why, cap);
    }
    err = store_load(core->store, load_h, core);
    if (err == E_VERSION) {
        snprintf(why, cap, "amphi.db: its journal was written by a newer amphi: update this one");
    } else if (err) {
        snprintf(why, cap, "amphi.db: its journal cannot be read (%s): restore a backup",
                 store_why()[0] ? store_why() : err_text(err));
    }
    return err;
}

/* Addresses pages are told to send media to. */
static int media_hosts(const struct config *config, struct shards_config *out)
{
    const struct config_list *list =
        config->rtc_external_ip.count ? &config->rtc_external_ip : &config->rtc_listen_ip;
    for (size_t i = 0; i < list->count && out->hosts < DESC_CANDIDATES_MAX; i++) {
        if (!addr_parse(&out->host[out->hosts], list->item[i])) {
            out->hosts++;
        }
    }
    if (!out->hosts) {
        int n = hosts_list(out->host, DESC_CANDIDATES_MAX, HOSTS_V4 | HOSTS_V6);
        out->hosts = n > 0 ? (uint8_t)n : 0;
    }
    return out->hosts ? 0 : E_NOTFOUND;
}

static int start_media(struct core *core, char *why, size_t cap)
{
    const struct config *c = core->config;
    int cores = thread_cores();
    struct rlimit files = {0};
    int64_t count = c->rtc_shards ? c->rtc_shards : cores;
    struct shards_config config = {
        .count = (uint16_t)(count < SHARDS_MAX ? count : SHARDS_MAX),
        .port_first = (uint16_t)c->rtc_udp_port,
        .tcp = c->rtc_tcp,
        .pin = count <= cores && cores > 1,
        .peers_max = (uint32_t)c->rtc_peers_max,
        .packets_max = (uint32_t)c->rtc_packets_max,
        .loudest = (uint32_t)c->rtc_loudest,
    };
    int64_t room = getrlimit(RLIMIT_NOFILE, &files) ? 1024 : (int64_t)files.rlim_cur;
    room = (room - CORE_FDS - CORE_FDS_RESERVED) / config.count - 8;
    config.tcp_conns_max = (uint32_t)(room < 4 ? 4 : room > CORE_TCP_MAX ? CORE_TCP_MAX : room);
    if (media_hosts(c, &config)) {
        snprintf(why, cap, "rtc.listen_ip: this machine shows no address: set one");
        return E_NOTFOUND;
    }
    int err = inner_new(&core->inner, config.count);
    if (err) {
        return fail(core, err, "media", why, cap);
    }
    config.inner = core->inner;
    err = shards_new(&core->shards, &config, why, cap);
    if (err) {
        return err;
    }
    struct bridge_config bridge = {.devices_max = 2 * (uint32_t)c->limits_connections,
                                   .peers_max = (uint32_t)c->rtc_peers_max,
                                   .spread_from = (uint32_t)c->rtc_spread_from,
                                   .inner = core->inner,
                                   .event_h = media_event_h,
                                   .arg = core};
    random_fill(&bridge.seed, sizeof(bridge.seed));
    err = bridge_new(&core->bridge, &bridge, core->shards);
    err =
        err ? err
            : loop_add(core->loop, shards_event_fd(core->shards), LOOP_READ, shard_events_h, core);
    return err ? fail(core, err, "media", why, cap) : 0;
}

/* WHIP and WHEP: after the classroom and the media server, whom they stand between. */
static int start_wish(struct core *core, char *why, size_t cap)
{
    struct wish_config config = {.room = core->room,
                                 .sessions_max = (uint32_t)core->config->limits_connections,
                                 .devices_max = 2 * (uint32_t)core->config->limits_connections,
                                 .rng = random_rng(),
                                 .arg = core,
                                 .media_h = wish_media_h,
                                 .mix_only_h = mix_only_h,
                                 .answer_h = core_doors_answer,
                                 .link_h = link_h};
    int err = wish_new(&core->wish, &config);
    return err ? fail(core, err, "doors", why, cap) : 0;
}

static int start_signals(struct core *core)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    core->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return core->signal_fd < 0 ? E_IO
                               : loop_add(core->loop, core->signal_fd, LOOP_READ, signal_h, core);
}

static void write_ports(struct core *core)
{
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof(text), "{\"rtc\":[");
    for (unsigned i = 0; i < shards_count(core->shards) && len < sizeof(text) - 16; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? "," : "",
                                shards_port(core->shards, i));
    }
    snprintf(text + len, sizeof(text) - len, "]}\n");
    paths_hint(&core->paths, "rtc.json", text);
}

/* In this order: what can be refused first, threads after everything is bound, doors last, so that
 * nobody is let in before the class state is there. */
static int start(struct core *core, char *why, size_t cap)
{
    int err = token_init();
    err = err ? err : loop_new(&core->loop, CORE_FDS);
    err = err ? err : start_signals(core);
    err = err ? err : paths_init(&core->paths, core->config);
    err = err ? err : paths_open(&core->paths);
    if (err) {
        return fail(core, err, "data.dir", why, cap);
    }
    err = start_store(core, why, cap);
    err = err ? err : start_media(core, why, cap);
    err = err ? err : start_room(core, why, cap);
    err = err ? err : start_wish(core, why, cap);
    if (err) {
        return err;
    }
    err = store_start(core->store);
    err = err ? err : shards_start(core->shards);
    err = err ? err : inner_start(core->inner);
    if (err) {
        return fail(core, err, "threads", why, cap);
    }
    core_turn(core, clock_mono_us());
    classroom_start(core->room, core_time(core));
    err = control_new(&core->control, core, why, cap);
    if (!err) {
        publish(core);
        err = watch_new(&core->watch, core);
        err = err ? fail(core, err, "watch", why, cap) : 0;
    }
    if (!err) {
        err = core->inherited.admin_fd >= 0
                  ? admin_new(&core->admin, core, core->inherited.admin_fd)
                  : 0;
        err = err ? fail(core, err, "admin.listen", why, cap) : 0;
    }
    err = err ? err : office_new(&core->office, core, why, cap);
    err = err ? err : core_doors_listen(core, why, cap);
    if (!err) {
        write_ports(core);
    }
    return err;
}

static void finish(struct core *core)
{
    if (core->room && core->bridge && core->loop) {
        classroom_shutdown(core->room, 1001, core_time(core));
    }
    core_doors_fini(core);
    /* First who answers, then who may still wait for an answer. */
    office_free(core->office);
    core->office = NULL;
    control_free(core->control);
    core->control = NULL;
    admin_free(core->admin);
    watch_free(core->watch);
    if (core->store) {
        store_stop(core->store); /* what was accepted is durable, whether or not anybody hears */
    }
    wish_free(core->wish);
    bridge_free(core->bridge);
    shards_free(core->shards);
    inner_free(core->inner);
    classroom_free(core->room);
    store_close(core->store);
    if (core->signal_fd >= 0) {
        close(core->signal_fd);
    }
    paths_close(&core->paths);
    loop_free(core->loop);
}

static int exit_code(int err)
{
    return err == E_VERSION || err == E_BAD || err == E_RANGE || err == E_DENIED ? EXIT_CONFIG
                                                                                 : EXIT_FAILED;
}

int core_run(struct command_line *line, const struct core_inherited *inherited)
{
    char why[512] = "";
    struct core *core = mem_alloc(sizeof(*core));
    if (!core) {
        command_error(line, "%s", err_text(E_NOMEM));
        return EXIT_FAILED;
    }
    core->line = line;
    core->config = &line->config;
    core->inherited = *inherited;
    core->signal_fd = core->door_listen_fd = core->paths.run_fd = -1;
    core->leave_at = MONO_NEVER;
    mutex_init(&core->public_lock);
    int err = start(core, why, sizeof(why));
    if (err) {
        command_error(line, "%s", why);
    } else {
        log_info("core", "serving", L_UINT("epoch", core->epoch),
                 L_UINT("shards", shards_count(core->shards)));
        run(core);
    }
    finish(core);
    mutex_fini(&core->public_lock);
    mem_free(core);
    return err ? exit_code(err) : EXIT_OK;
}
