/* amphi load: people who come, look, speak and listen as real ones would, and what comes of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/report.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/client.h"
#include "server/app/links.h"
#include "server/app/load_options.h"
#include "server/app/load_search.h"
#include "server/app/paths.h"
#include "server/app/rehearse.h"

enum { EXIT_UNFIT = 2, EXIT_UNKNOWN = 3, PRESENT_WAIT_US = 1500 * US_PER_MS };

static volatile sig_atomic_t stopped;

struct job {
    struct command_line *line;
    struct load_options options;
    struct rehearsal rehearsal;
    struct load_room remote; /* --url */
    struct load_config config;
    char host[128];
    char film[LOAD_PATH_MAX];
    uint32_t goal; /* people wanted at the end */
    double planned_s;
    mono_us begin;
    bool tty;
};

static void stop_h(int signal)
{
    (void)signal;
    stopped = 1;
}

/* ---- before any load --------------------------------------------------------------------------
 */

static int resolve(struct job *job)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    (void)snprintf(port, sizeof(port), "%d", job->config.port);
    int err = getaddrinfo(job->host, port, &hints, &found);
    if (err) {
        command_error(job->line, "load: %s: %s", job->host, gai_strerror(err));
        return EXIT_FAILED;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = EXIT_OK;
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        command_error(job->line, "load: no server answers at %s:%d: %s", job->host,
                      job->config.port, strerror(errno));
        code = EXIT_FAILED;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    freeaddrinfo(found);
    return code;
}

/* What the server's own settings refuse, said before anybody knocks. */
static int check_limits(struct job *job)
{
    const struct config *c = &job->line->config;
    const struct shape *s = &job->options.shape;
    uint32_t in_class = s->publishers + s->subscribers;
    if (in_class > c->limits_people_per_class) {
        command_error(job->line, "load: a class of %u is full at %lld (limits.people_per_class)",
                      in_class, (long long)c->limits_people_per_class);
        return EXIT_FAILED;
    }
    if (shape_people(s) > c->limits_connections) {
        command_error(job->line,
                      "load: %u people need more than the %lld connections allowed "
                      "(limits.connections)",
                      shape_people(s), (long long)c->limits_connections);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static void find_pids(struct job *job)
{
    static const char *const names[] = {"run/core.pid", "run/door.pid"};
    struct paths paths;
    if (paths_init(&paths, &job->line->config)) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        char path[PATHS_MAX];
        char *text = NULL;
        size_t len = 0;
        if (!file_read(paths_in(&paths, names[i], path), 32, &text, &len)) {
            job->config.pids[job->config.pid_count++] = (pid_t)strtol(text, NULL, 10);
        }
        mem_free(text);
    }
}

static int target_local(struct job *job)
{
    char why[512] = "";
    int code = check_limits(job);
    if (code) {
        return code;
    }
    (void)snprintf(job->host, sizeof(job->host), "127.0.0.1");
    if (rehearse_make(&job->rehearsal, job->line, &job->options.shape, why, sizeof(why)) != 0) {
        command_error(job->line, "load: %s", why);
        return EXIT_FAILED;
    }
    job->config.rooms = job->rehearsal.rooms;
    job->config.port = links_port(&job->line->config);
    find_pids(job);
    return resolve(job);
}

static int target_remote(struct job *job)
{
    char host[128];
    int port = 0;
    struct load_room *room = &job->remote;
    if (job->options.shape.rooms != 1) {
        command_error(job->line, "load: --url is one class; this shape has %u",
                      job->options.shape.rooms);
        return EXIT_USAGE;
    }
    if (!load_options_url(job->options.url, job->host, &job->config.port, room->participant)) {
        command_error(job->line, "load: --url: expected https://host:port/c/<class>#<link>");
        return EXIT_USAGE;
    }
    memcpy(room->host, room->participant, sizeof(room->host));
    if (job->options.speaker_url &&
        !load_options_url(job->options.speaker_url, host, &port, room->host)) {
        command_error(job->line,
                      "load: --speaker-url: expected https://host:port/c/<class>#<link>");
        return EXIT_USAGE;
    }
    memcpy(room->animator, room->host, sizeof(room->animator));
    job->config.rooms = room;
    return resolve(job);
}

static bool door_link(struct job *job, const char *flag, const char *url, char out[LOAD_LINK_MAX])
{
    if (!load_options_host(url, job->host, &job->config.port) || strlen(url) >= LOAD_LINK_MAX) {
        command_error(job->line, "load: %s: expected https://host:port/path#token", flag);
        return false;
    }
    (void)snprintf(out, LOAD_LINK_MAX, "%s", url);
    return true;
}

/* WHIP and WHEP at any server: one class, publishers by the one, spectators by the other. */
static int target_doors(struct job *job)
{
    struct shape *s = &job->config.shape;
    struct load_room *room = &job->remote;
    const char *whip = job->options.whip;
    const char *whep = job->options.whep;
    s->publishers = whip ? s->publishers : 0;
    s->subscribers = whep ? s->subscribers : 0;
    s->workshops = 0;
    if (s->rooms != 1 || s->publishers + s->subscribers == 0) {
        command_error(job->line, "load: the doors are one class: --publishers with --whip, "
                                 "--subscribers with --whep");
        return EXIT_USAGE;
    }
    if (whip && s->publishers > 1 && !strstr(whip, "%d")) {
        command_error(job->line, "load: --whip is a place for one publisher: write %%d where the "
                                 "number of each belongs, or --publishers 1");
        return EXIT_USAGE;
    }
    if ((whip && !door_link(job, "--whip", whip, room->host)) ||
        (whep && !door_link(job, "--whep", whep, room->participant))) {
        return EXIT_USAGE;
    }
    memcpy(room->animator, room->host, sizeof(room->animator));
    job->options.shape = *s;
    job->goal = shape_people(s);
    job->config.driver = &driver_doors;
    job->config.rooms = room;
    return resolve(job);
}

/* VideoRoom of Janus, to compare: one publisher a room. */
static int target_janus(struct job *job)
{
    struct load_room *room = mem_alloc(sizeof(*room) * job->options.shape.rooms);
    if (!room || job->options.shape.publishers != 1 ||
        !load_options_host(job->options.janus, job->host, &job->config.port)) {
        mem_free(room);
        command_error(job->line, "load: --janus http://host:port is for --publishers 1");
        return EXIT_USAGE;
    }
    job->config.driver = &driver_janus;
    job->config.rooms = room; /* until the process ends */
    return resolve(job);
}

/* Where the film is kept: the user's cache. */
static const char *film_folder(struct job *job)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    struct paths paths;
    char path[PATHS_MAX];
    if (cache && *cache == '/') {
        (void)snprintf(job->film, sizeof(job->film), "%.900s/amphi", cache);
    } else if (home && *home == '/') {
        (void)snprintf(job->film, sizeof(job->film), "%.900s/.cache/amphi", home);
    } else if (!paths_init(&paths, &job->line->config)) {
        (void)snprintf(job->film, sizeof(job->film), "%.1000s", paths_in(&paths, "cache", path));
    }
    return job->film;
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

static void film_h(void *arg)
{
    struct job *job = arg;
    if (!job->options.quiet) {
        fputs(job->options.french ? "Le film d'essai est fabriqué, une seule fois...\n"
                                  : "Making the test film, once...\n",
              stderr);
    }
}

static void second_h(void *arg, struct load *load, const struct load_second *second)
{
    struct job *job = arg;
    (void)load;
    if (job->options.quiet) {
        return;
    }
    double done = (double)(clock_mono_us() - job->begin) / US_PER_S / job->planned_s;
    report_live(stderr, job->tty, job->options.french, second, job->goal, done > 1 ? 1 : done);
}

static int write_html(struct job *job, const struct report *report)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        return E_NOMEM;
    }
    report_html(out, report, job->options.french);
    int err = fclose(out) ? E_NOMEM : file_write_atomic(job->options.report, text, len, 0644);
    free(text);
    if (err) {
        command_error(job->line, "load: %s: %s", job->options.report, err_text(err));
    }
    return err;
}

static void write_results(struct job *job, const struct report *report)
{
    json_t *o = report_json(report);
    char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
    if (job->tty && !job->options.quiet) {
        fputs("\r\033[K", stderr);
    }
    if (job->line->json && text) {
        puts(text);
    } else {
        report_tables(stdout, report, job->options.french);
    }
    if (job->options.json_file && text) {
        (void)file_write_atomic(job->options.json_file, text, strlen(text), 0644);
    }
    if (job->options.report && write_html(job, report) == 0 && !job->options.quiet) {
        fprintf(stderr, job->options.french ? "Rapport : %s\n" : "Report: %s\n",
                job->options.report);
    }
    free(text);
    json_decref(o);
    fflush(stdout);
}

/* Everybody in, then one window. */
static bool run_shape(struct job *job, struct load *load, struct load_window *window)
{
    const struct shape *s = &job->options.shape;
    bool whole = load_grow(load, shape_people(s)) && load_settle(load, 1);
    if (!whole) {
        load_sum_up(load, window);
        return false;
    }
    return load_hold(load, s->duration_s, window);
}

/* One knock first: what the server has against us is said as an error, not as a load. */
static int knock(struct job *job, struct load *load)
{
    uint32_t count = 0;
    (void)load_grow(load, 1);
    const char *why = load_failure(load, 0, &count);
    if (why && !stopped) {
        command_error(job->line, "load: the server lets nobody in: %s", why);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int run(struct job *job)
{
    static struct load_window window;
    struct proof_result proof;
    struct verdict verdict;
    struct report report = {.shape = &job->options.shape,
                            .window = &window,
                            .verdict = &verdict,
                            .server = job->host,
                            .at = clock_wall_ms()};
    char why[512] = "";
    if (load_new(&report.load, &job->config, why, sizeof(why)) != 0) {
        command_error(job->line, "load: %s", why);
        return EXIT_FAILED;
    }
    job->begin = clock_mono_us();
    int code = knock(job, report.load);
    if (code) {
        load_free(report.load);
        return code;
    }
    if (job->options.find_limit) {
        load_search(report.load, &job->options.shape, job->config.people_max, &job->goal, &window,
                    &report);
    } else if (run_shape(job, report.load, &window)) {
        report.agree_known = load_agree(report.load, &report.agree_ours, &report.agree_theirs);
    }
    report.interrupted = load_why(report.load);
    report.proof = load_proof(report.load, &proof) ? &proof : NULL;
    verdict_make(&verdict, &job->options.shape, &window, report.proof);
    write_results(job, &report);
    load_free(report.load);
    return report.interrupted                        ? EXIT_FAILED
           : verdict.fits || job->options.find_limit ? EXIT_OK
           : verdict_unknown(&verdict)               ? EXIT_UNKNOWN
                                                     : EXIT_UNFIT;
}

/* Nobody may stay behind in a rehearsal. */
static void leave_nobody(struct job *job)
{
    mono_us end = clock_mono_us() + PRESENT_WAIT_US;
    if (!job->rehearsal.rooms) {
        return;
    }
    while (rehearse_present(&job->rehearsal) > 0 && clock_mono_us() < end) {
        (void)usleep(20000);
    }
    rehearse_end(&job->rehearsal);
}

static int load_command(struct command_line *line)
{
    static struct job job;
    struct sigaction action = {.sa_handler = stop_h};
    job = (struct job){.line = line, .tty = isatty(STDERR_FILENO) != 0};
    int code = load_options_read(&job.options, line);
    if (code || job.options.list) {
        if (job.options.list) {
            load_options_list(job.options.french);
        }
        return code;
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    const struct shape *s = &job.options.shape;
    job.goal = shape_people(s);
    job.planned_s = (double)job.goal / s->ramp + s->duration_s + 2;
    job.config = (struct load_config){.shape = *s,
                                      .film_folder = film_folder(&job),
                                      .admin_port = job.options.admin_port,
                                      .via = job.options.via,
                                      .stop = &stopped,
                                      .second_h = second_h,
                                      .film_h = film_h,
                                      .arg = &job};
    (void)snprintf(job.config.admin_host, sizeof(job.config.admin_host), "%s",
                   job.options.admin_host);
    job.config.host = job.host;
    if (job.options.find_limit) {
        job.config.people_max = load_search_seats(s, job.options.find_max);
        job.options.shape.rooms = job.config.shape.rooms =
            load_search_rooms(s, job.config.people_max);
        job.planned_s = 120;
    }
    if (job.options.pid) {
        job.config.pids[job.config.pid_count++] = (pid_t)job.options.pid;
    }
    code = job.options.whip || job.options.whep ? target_doors(&job)
           : job.options.janus                  ? target_janus(&job)
           : job.options.url                    ? target_remote(&job)
                                                : target_local(&job);
    code = code ? code : run(&job);
    leave_nobody(&job);
    return code;
}

const struct command command_load = {
    .name = "load",
    .args = "[scenario] [--key value ...]",
    .usage = "Rehearse: how many people this server carries, and what breaks first.",
    .help =
        "  amphi load --list                  the scenarios that come with the program\n"
        "  amphi load classe-30               a class of 30 on the server of this data folder\n"
        "  amphi load webinaire-350 --find-limit   grows the class until it no longer fits\n"
        "  --scenario FILE                    a scenario of your own (key = value, a line each)\n"
        "  --publishers N --subscribers N --rooms N --num-per-second N --duration S ...\n"
        "                                     every key of a scenario is a flag (bench/README.md)\n"
        "  --max-loss 1% --max-join-p95 2s --max-delay-p99 200 --max-freezes 2\n"
        "                                     what counts as good; exit code 2 when it is not,\n"
        "                                     3 when this tool or the machine was too busy to "
        "tell\n"
        "  --report FILE.html --json-file FILE  --json  --lang fr|en  --quiet\n"
        "  --url https://host/c/...#link      a class of another server (--speaker-url: a link\n"
        "                                     that may speak; --admin-url: its figures)\n"
        "  --whip https://host/path#token --whep https://host/path#token\n"
        "                                     standard doors of any server instead (%d: number of\n"
        "                                     the publisher)\n",
    .flags = COMMAND_CONFIG,
    .exec = load_command,
};
