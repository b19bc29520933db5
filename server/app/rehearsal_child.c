#include "server/app/rehearsal_child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/file.h"
#include "server/app/load_options.h"
#include "server/app/paths.h"

enum { ARGS_MAX = 16, ARG_MAX_LEN = PATHS_MAX + 64, WAIT_STEPS = 40, WAIT_STEP_US = 50000 };

struct words {
    char text[ARGS_MAX][ARG_MAX_LEN];
    char *argv[ARGS_MAX + 1];
    unsigned count;
};

static void add(struct words *w, const char *flag, const char *value, const char *more)
{
    if (w->count < ARGS_MAX) {
        (void)snprintf(w->text[w->count], ARG_MAX_LEN, "%s%s%s", flag, value, more);
        w->argv[w->count] = w->text[w->count];
        w->count++;
    }
}

static int spawn(struct rehearsal_child *child, struct words *w)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    int err = posix_spawn_file_actions_init(&actions);
    if (err) {
        return E_IO;
    }
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
    err = posix_spawnattr_init(&attributes);
    if (!err) {
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        err = posix_spawn(&child->pid, "/proc/self/exe", &actions, &attributes, w->argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (err) {
        child->pid = 0;
    }
    return err ? E_IO : 0;
}

int rehearsal_start(struct rehearsal_child *child, const struct command_line *line,
                    const char *folder, const char *shape)
{
    static struct words w; /* the watch thread's only */
    if (child->pid) {
        return E_BUSY;
    }
    if (!load_options_known(shape)) {
        return E_NOTFOUND;
    }
    int err = file_mkdirs(folder, 0700);
    if (err) {
        return err;
    }
    memset(&w, 0, sizeof(w));
    add(&w, "amphi", "", "");
    add(&w, "load", "", "");
    add(&w, shape, "", "");
    add(&w, "--quiet", "", "");
    add(&w, "--data.dir=", line->config.data_dir, "");
    add(&w, "--admin.listen=", line->config.admin_listen, "");
    if (line->config_path) {
        add(&w, "--config=", line->config_path, "");
    }
    add(&w, "--report=", folder, "/report.html");
    add(&w, "--json-file=", folder, "/figures.json");
    (void)snprintf(child->shape, sizeof(child->shape), "%s", shape);
    child->stopped[0] = '\0';
    return spawn(child, &w);
}

void rehearsal_stop(struct rehearsal_child *child, const char *why)
{
    if (child->pid) {
        (void)snprintf(child->stopped, sizeof(child->stopped), "%s", why);
        (void)kill(child->pid, SIGTERM);
    }
}

bool rehearsal_reap(struct rehearsal_child *child)
{
    int status = 0;
    if (!child->pid || waitpid(child->pid, &status, WNOHANG) != child->pid) {
        return false;
    }
    child->pid = 0;
    child->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    return true;
}

void rehearsal_end(struct rehearsal_child *child)
{
    rehearsal_stop(child, "the server stops");
    for (unsigned i = 0; child->pid && i < WAIT_STEPS; i++) {
        if (!rehearsal_reap(child)) {
            (void)usleep(WAIT_STEP_US);
        }
    }
    if (child->pid) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        child->pid = 0;
    }
}
