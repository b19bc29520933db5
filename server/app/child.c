#include "server/app/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

/* Runs in the new process: only calls that are safe after fork. */
static void become(const struct child *child, int watch_fd, char **argv, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    setpgid(0, 0); /* Ctrl-C is for the supervisor, which ends us in order */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(1);
    }
    for (size_t i = 0; i < child->inherit_count; i++) {
        (void)fcntl(child->inherit[i].fd, F_SETFD, 0);
    }
    if (watch_fd >= 0) {
        (void)fcntl(watch_fd, F_SETFD, 0);
    }
    execv("/proc/self/exe", argv);
    _exit(127);
}

static void inherit_text(const struct child *child, int watch_fd, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    if (watch_fd >= 0) {
        len = (size_t)snprintf(out, cap, "watchdog=%d", watch_fd);
    }
    for (size_t i = 0; i < child->inherit_count && len < cap; i++) {
        len += (size_t)snprintf(out + len, cap - len, "%s%s=%d", len ? "," : "",
                                child->inherit[i].name, child->inherit[i].fd);
    }
}

int child_start(struct child *child, mono_us now)
{
    int pipe_fd[2] = {-1, -1};
    char inherit[256];
    char name[] = "amphi";
    char flag[] = "--inherit";
    char command[32];
    size_t extra = 4;
    char **argv = mem_alloc(((size_t)child->argc + extra + 1) * sizeof(*argv));
    child->start_at = MONO_NEVER;
    if (!argv) {
        return E_NOMEM;
    }
    if (child->silence_us_max && pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK)) {
        mem_free(argv);
        return E_LIMIT;
    }
    inherit_text(child, pipe_fd[1], inherit, sizeof(inherit));
    snprintf(command, sizeof(command), "%s", child->command);
    argv[0] = name;
    argv[1] = command;
    argv[2] = flag;
    argv[3] = inherit;
    memcpy(argv + extra, child->argv, (size_t)child->argc * sizeof(*argv));
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(child, pipe_fd[1], argv, parent);
    }
    mem_free(argv);
    if (pipe_fd[1] >= 0) {
        close(pipe_fd[1]);
    }
    if (pid < 0) {
        if (pipe_fd[0] >= 0) {
            close(pipe_fd[0]);
        }
        return E_LIMIT;
    }
    child->pid = pid;
    child->watch_fd = pipe_fd[0];
    child->ready = child->killed = false;
    child->last_sign = now;
    return 0;
}

bool child_sign(struct child *child, mono_us now)
{
    char bytes[64];
    bool any = false;
    ssize_t got;
    while ((got = read(child->watch_fd, bytes, sizeof(bytes))) > 0) {
        any = true;
    }
    if (got == 0) { /* the child closed it or died: SIGCHLD tells which */
        close(child->watch_fd);
        child->watch_fd = -1;
    }
    if (!any) {
        return false;
    }
    bool first = !child->ready;
    child->ready = true;
    child->last_sign = now;
    return first;
}

mono_us child_deadline(const struct child *child)
{
    if (!child->pid || !child->silence_us_max || child->killed) {
        return MONO_NEVER;
    }
    return child->last_sign + (child->ready ? child->silence_us_max : CHILD_START_US);
}

bool child_silent(const struct child *child, mono_us now)
{
    return now >= child_deadline(child);
}

void child_reaped(struct child *child)
{
    if (child->watch_fd >= 0) {
        close(child->watch_fd);
        child->watch_fd = -1;
    }
    child->pid = 0;
    child->ready = false;
}

void child_signal(const struct child *child, int signal)
{
    if (child->pid > 0) {
        (void)kill(child->pid, signal);
    }
}

int child_inherited(const char *inherit, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = inherit; p && *p;) {
        if (!strncmp(p, name, len) && p[len] == '=') {
            char *end;
            long fd = strtol(p + len + 1, &end, 10);
            if (fd < 3 || fd > 65535 || fcntl((int)fd, F_SETFD, FD_CLOEXEC)) {
                return -1;
            }
            return (int)fd;
        }
        p = strchr(p, ',');
        p = p ? p + 1 : NULL;
    }
    return -1;
}
