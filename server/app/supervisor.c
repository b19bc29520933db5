#include "server/app/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "codec/sys/notify.h"
#include "server/app/child.h"

enum {
    CORE = 0,
    DOOR,
    MAILER, /* only with a mail server; its troubles are nobody else's */
    CHILDREN,
    CORE_SILENCE_US = 10 * US_PER_S,
    DOOR_SILENCE_US = 3 * US_PER_S,
    MAILER_PAUSE_US = 60 * US_PER_S,
    LATE_US = US_PER_S, /* a turn this late: we stood still ourselves */
};

struct supervisor {
    struct command_line *line;
    struct prepared *prepared;
    struct child child[CHILDREN];
    struct child demo; /* runs once, not watched */
    bool want_demo;
    bool announced;
    int signal_fd;
    bool stopping;
    bool gave_up;
    int exit_code;
    mono_us stop_by;     /* stopping: SIGKILL then */
    mono_us watchdog_us; /* systemd's interval, 0 = none */
    mono_us watchdog_at;
    mono_us turned_at;
};

static void begin_stop(struct supervisor *s, mono_us now)
{
    if (s->stopping) {
        s->stop_by = now; /* asked twice: at once */
        return;
    }
    s->stopping = true;
    s->stop_by = now + s->line->config.server_drain_s * US_PER_S;
    (void)notify_send("STOPPING=1");
    log_info("supervisor", "stopping");
    for (unsigned i = 0; i < CHILDREN; i++) {
        s->child[i].start_at = MONO_NEVER;
        child_signal(&s->child[i], SIGTERM);
    }
}

static void write_pid(struct supervisor *s, const char *name, pid_t pid)
{
    char text[32];
    char file[32];
    snprintf(text, sizeof(text), "%ld\n", (long)pid);
    snprintf(file, sizeof(file), "%s.pid", name);
    paths_hint(&s->prepared->paths, file, text);
}

static void write_ports(struct supervisor *s)
{
    char text[256];
    const struct prepared *p = s->prepared;
    size_t len = (size_t)snprintf(text, sizeof(text), "{\"web\":[");
    for (size_t i = 0; i < p->web_count; i++) {
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? "," : "", p->web_port[i]);
    }
    snprintf(text + len, sizeof(text) - len, "],\"admin\":%u}\n", p->admin_port);
    paths_hint(&p->paths, "ports.json", text);
}

static void start_child(struct supervisor *s, struct child *c, mono_us now)
{
    int err = child_start(c, now);
    if (err) {
        log_error("supervisor", "cannot start a process", L_STR("process", c->command),
                  L_ERR("why", err));
        c->start_at = now + US_PER_S;
        return;
    }
    write_pid(s, c->command, c->pid);
    log_info("supervisor", "started", L_STR("process", c->command), L_INT("pid", c->pid));
}

/* Nobody can sign in yet: how the first administrator does. */
static void announce_first(const struct supervisor *s, const char *url)
{
    char path[PATHS_MAX];
    char *token = NULL;
    size_t len = 0;
    if (!file_read(paths_in(&s->prepared->paths, "keys/first-admin", path), 256, &token, &len)) {
        printf("First administrator (once): %s/welcome#%.*s\n", url, (int)strcspn(token, "\r\n"),
               token);
    }
    mem_free(token);
}

/* Both serve for the first time: tell the operator, systemd, and whoever waits for the port. */
static void announce(struct supervisor *s, mono_us now)
{
    char url[256];
    if (s->announced || !s->child[CORE].ready || !s->child[DOOR].ready) {
        return;
    }
    s->announced = true;
    (void)notify_send("READY=1\nSTATUS=serving");
    write_ports(s);
    printf("Amphi is ready: %s\n",
           prepare_url(&s->line->config, s->prepared->web_port[0], url, sizeof(url)));
    announce_first(s, url);
    fflush(stdout);
    if (s->want_demo) {
        (void)child_start(&s->demo, now);
    }
}

static void on_death(struct supervisor *s, struct child *c, int status, mono_us now)
{
    bool by_signal = WIFSIGNALED(status);
    int code = by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
    pid_t pid = c->pid;
    bool ours = c->killed;
    child_reaped(c);
    if (s->stopping) {
        if (by_signal && !ours) { /* it should have ended by itself */
            log_error("supervisor", "process crashed while stopping", L_STR("process", c->command),
                      L_INT("signal", code));
            s->exit_code = s->exit_code ? s->exit_code : EXIT_FAILED;
        }
        return;
    }
    if (!by_signal && code == 0 && c == &s->child[CORE]) {
        log_info("supervisor", "the core is drained");
        begin_stop(s, now);
        return;
    }
    struct restart_verdict v = restart_died(&c->restart, by_signal, code, now);
    log_error("supervisor", v.give_up ? "process ended, giving up" : "process died, starting again",
              L_STR("process", c->command), L_INT("pid", pid),
              L_STR("how", by_signal ? "signal" : "exit"), L_INT("code", code),
              L_INT("wait_ms", v.give_up ? 0 : (v.at - now) / US_PER_MS));
    if (v.give_up && c == &s->child[MAILER]) {
        c->start_at = now + MAILER_PAUSE_US;
        return;
    }
    if (v.give_up) {
        s->gave_up = true;
        s->exit_code = v.exit_code;
        begin_stop(s, now);
        return;
    }
    c->start_at = v.at;
}

static void reap(struct supervisor *s, mono_us now)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->demo.pid) {
            child_reaped(&s->demo);
        }
        for (unsigned i = 0; i < CHILDREN; i++) {
            if (pid == s->child[i].pid) {
                on_death(s, &s->child[i], status, now);
            }
        }
    }
}

static void reload(struct supervisor *s)
{
    char why[512];
    (void)notify_send("RELOADING=1");
    if (prepare_certificate(s->prepared, &s->line->config, why, sizeof(why))) {
        log_error("supervisor", "certificate not reloaded, the old one stays", L_STR("why", why));
    } else {
        child_signal(&s->child[DOOR], SIGHUP);
    }
    child_signal(&s->child[CORE], SIGHUP);
    (void)notify_send("READY=1");
}

static void on_signals(struct supervisor *s, mono_us now)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            reap(s, now);
        } else if (info.ssi_signo == SIGHUP) {
            reload(s);
        } else {
            begin_stop(s, now);
        }
    }
}

/* If this process itself was stopped (or the machine slept), silence says nothing about others. */
static void forgive_lateness(struct supervisor *s, mono_us now, mono_us deadline)
{
    mono_us expected = mono_min(deadline, s->turned_at + LATE_US);
    mono_us late = now - (expected > s->turned_at ? expected : s->turned_at);
    for (unsigned i = 0; i < CHILDREN && late > LATE_US; i++) {
        s->child[i].last_sign += late;
    }
    s->turned_at = now;
}

static void watch(struct supervisor *s, mono_us now)
{
    for (unsigned i = 0; i < CHILDREN; i++) {
        struct child *c = &s->child[i];
        if (!c->pid && now >= c->start_at && !s->stopping) {
            start_child(s, c, now);
        }
        if (child_silent(c, now)) {
            log_error("supervisor", "process hangs, killing it", L_STR("process", c->command),
                      L_INT("pid", c->pid), L_BOOL("ready", c->ready));
            c->killed = true;
            child_signal(c, SIGKILL);
        }
        if (s->stopping && now >= s->stop_by && c->pid && !c->killed) {
            log_warn("supervisor", "process does not stop, killing it",
                     L_STR("process", c->command));
            c->killed = true;
            child_signal(c, SIGKILL);
        }
    }
    if (s->watchdog_us && now >= s->watchdog_at) {
        s->watchdog_at = now + s->watchdog_us;
        (void)notify_send("WATCHDOG=1");
    }
}

static mono_us next_deadline(const struct supervisor *s, mono_us now)
{
    mono_us at = now + LATE_US / 2; /* often enough to notice that we stood still */
    for (unsigned i = 0; i < CHILDREN; i++) {
        at = mono_min(at, child_deadline(&s->child[i]));
        at = s->child[i].pid ? at : mono_min(at, s->child[i].start_at);
    }
    at = s->stopping ? mono_min(at, s->stop_by) : at;
    return s->watchdog_us ? mono_min(at, s->watchdog_at) : at;
}

static bool all_gone(const struct supervisor *s)
{
    return s->stopping && !s->child[CORE].pid && !s->child[DOOR].pid && !s->child[MAILER].pid;
}

static void turn(struct supervisor *s)
{
    struct pollfd fds[1 + CHILDREN] = {{.fd = s->signal_fd, .events = POLLIN}};
    mono_us now = clock_mono_us();
    mono_us deadline = next_deadline(s, now);
    for (unsigned i = 0; i < CHILDREN; i++) {
        fds[1 + i] = (struct pollfd){.fd = s->child[i].watch_fd, .events = POLLIN};
    }
    mono_us wait_us = deadline > now ? deadline - now : 0;
    (void)poll(fds, 1 + CHILDREN, (int)((wait_us + 999) / 1000));
    now = clock_mono_us();
    forgive_lateness(s, now, deadline);
    for (unsigned i = 0; i < CHILDREN; i++) {
        if (fds[1 + i].revents && s->child[i].watch_fd >= 0 && child_sign(&s->child[i], now)) {
            restart_ready(&s->child[i].restart);
            announce(s, now);
        }
    }
    if (fds[0].revents) {
        on_signals(s, now);
    }
    watch(s, now);
}

static void inherit(struct child *c, const char *name, int fd)
{
    if (fd >= 0 && c->inherit_count < CHILD_INHERIT_MAX) {
        c->inherit[c->inherit_count++] = (struct child_fd){.name = name, .fd = fd};
    }
}

static void describe_children(struct supervisor *s, int argc, char **argv)
{
    static const char *const web[PREPARED_WEB_MAX] = {"web0", "web1", "web2", "web3"};
    const struct prepared *p = s->prepared;
    struct child *core = &s->child[CORE];
    struct child *door = &s->child[DOOR];
    *core = (struct child){.command = "core", .silence_us_max = CORE_SILENCE_US};
    *door = (struct child){.command = "door", .silence_us_max = DOOR_SILENCE_US};
    s->child[MAILER] = (struct child){.command = "mailer"};
    if (!s->line->config.mail_smtp[0]) {
        s->child[MAILER].start_at = MONO_NEVER;
    }
    s->demo = (struct child){.command = "demo"};
    inherit(core, "admin", p->admin_fd);
    inherit(door, "cert", p->cert_fd);
    inherit(door, "key", p->key_fd);
    for (size_t i = 0; i < p->web_count; i++) {
        inherit(door, web[i], p->web_fd[i]);
    }
    struct child *all[] = {core, door, &s->child[MAILER], &s->demo};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        all[i]->argc = argc;
        all[i]->argv = argv;
        all[i]->watch_fd = -1;
        inherit(all[i], "children", p->lock.children);
    }
}

/* The words of serve that are settings, for the children. *argc words in the array returned. */
static char **child_words(const struct command_line *line, int *argc)
{
    char **out = mem_alloc(((size_t)line->all_argc + 1) * sizeof(*out));
    *argc = 0;
    for (int i = 1; out && i < line->all_argc; i++) {
        if (strcmp(line->all_argv[i], "--demo") != 0) {
            out[(*argc)++] = line->all_argv[i];
        }
    }
    return out;
}

int supervisor_run(struct command_line *line, struct prepared *prepared, bool demo)
{
    struct supervisor s = {.line = line, .prepared = prepared, .want_demo = demo};
    sigset_t set;
    int argc;
    char **words = child_words(line, &argc);
    sigemptyset(&set);
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaddset(&set, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    s.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!words || s.signal_fd < 0) {
        command_error(line, "cannot start: %s", err_text(words ? E_LIMIT : E_NOMEM));
        mem_free(words);
        return EXIT_FAILED;
    }
    describe_children(&s, argc, words);
    write_pid(&s, "amphi", getpid());
    s.watchdog_us = notify_watchdog_us();
    s.turned_at = s.watchdog_at = clock_mono_us();
    while (!all_gone(&s)) {
        turn(&s);
    }
    child_signal(&s.demo, SIGKILL);
    static const char *const hints[] = {"amphi.pid",  "core.pid",   "door.pid",
                                        "mailer.pid", "ports.json", "rtc.json"};
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        paths_unhint(&prepared->paths, hints[i]);
    }
    close(s.signal_fd);
    mem_free(words);
    log_info("supervisor", "stopped");
    return s.exit_code;
}
