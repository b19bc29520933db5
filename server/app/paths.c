#include "server/app/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"

int paths_init(struct paths *paths, const struct config *config)
{
    char here[PATHS_MAX / 2] = "";
    const char *dir = config->data_dir;
    paths->run_fd = -1;
    paths->data[0] = '\0';
    if (dir[0] != '/' && !getcwd(here, sizeof(here))) {
        return E_IO;
    }
    int n = snprintf(paths->data, sizeof(paths->data), "%s%s%s", here, *here ? "/" : "", dir);
    return n < 0 || (size_t)n > sizeof(paths->data) - 64 ? E_TOOBIG : 0;
}

static int folder_error(const char *path, int err, char *why, size_t why_cap)
{
    const char *cure = "check the folder";
    int saved = errno;
    if (err == E_DENIED) {
        cure = "give this user write access, or choose another data.dir";
    } else if (err == E_FULL) {
        cure = "free some disk space";
    } else if (err == E_NOTFOUND) {
        cure = "a part of the path is no folder";
    }
    snprintf(why, why_cap, "data.dir: %.400s: cannot be used: %s: %s", path,
             saved ? strerror(saved) : err_text(err), cure);
    return err;
}

int paths_make(struct paths *paths, char *why, size_t why_cap)
{
    static const char *const below[] = {"keys", "files", "recordings", "run"};
    char path[PATHS_MAX];
    /* 0711: the door's user must reach run/door.sock; everything else is closed by its own mode. */
    int err = file_mkdirs(paths->data, 0711);
    err = err ? err : file_dir_writable(paths->data);
    if (err) {
        return folder_error(paths->data, err, why, why_cap);
    }
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        paths_in(paths, below[i], path);
        err = file_mkdirs(path, strcmp(below[i], "run") == 0 ? 0711 : 0700);
        err = err ? err : file_dir_writable(path);
        if (err) {
            return folder_error(path, err, why, why_cap);
        }
    }
    err = paths_open(paths);
    return err ? folder_error(paths->data, err, why, why_cap) : 0;
}

int paths_open(struct paths *paths)
{
    char path[PATHS_MAX];
    return file_open_dir(paths_in(paths, "run", path), &paths->run_fd);
}

void paths_close(struct paths *paths)
{
    if (paths->run_fd >= 0) {
        close(paths->run_fd);
        paths->run_fd = -1;
    }
}

const char *paths_in(const struct paths *paths, const char *name, char buf[PATHS_MAX])
{
    int n = snprintf(buf, PATHS_MAX, "%s/%s", paths->data, name);
    if (n < 0 || n >= PATHS_MAX) {
        buf[0] = '\0';
    }
    return buf;
}

const char *paths_socket(const struct paths *paths, const char *name, char buf[64])
{
    snprintf(buf, 64, "/proc/self/fd/%d/%.30s", paths->run_fd, name);
    return buf;
}

/* The number in run/<name>, 0 when there is none. */
static long pid_in(const struct paths *paths, const char *name)
{
    char path[PATHS_MAX];
    char text[16] = "";
    int fd = open(paths_in(paths, name, path), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!read(fd, text, sizeof(text) - 1);
        close(fd);
    }
    return strtol(text, NULL, 10);
}

static int open_lock(const struct paths *paths, const char *name, int *fd, char *why, size_t cap)
{
    char path[PATHS_MAX];
    *fd = open(paths_in(paths, name, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return *fd < 0 ? folder_error(path, file_err(errno), why, cap) : 0;
}

/* The lock of run/children belongs to the open file that the children inherited: the kernel gives
 * it up with the last of them (flock(2)). */
static int wait_for_children(const struct paths *paths, mono_us patience, struct paths_lock *lock,
                             char *why, size_t cap)
{
    mono_us end = clock_mono_us() + patience;
    int err = open_lock(paths, "run/children", &lock->children, why, cap);
    bool told = false;
    while (!err && flock(lock->children, LOCK_EX | LOCK_NB)) {
        long core = pid_in(paths, "run/core.pid");
        long door = pid_in(paths, "run/door.pid");
        if (clock_mono_us() >= end) {
            snprintf(why, cap,
                     "data.dir: %.400s: processes of a server that was killed still run (core %ld, "
                     "door %ld): stop them",
                     paths->data, core, door);
            err = E_BUSY;
        } else if (!told) {
            log_warn("start", "a killed server left processes behind, waiting for their end",
                     L_INT("core", core), L_INT("door", door), L_INT("s", patience / US_PER_S));
            told = true;
        }
        (void)poll(NULL, 0, 20);
    }
    return err;
}

int paths_lock(const struct paths *paths, mono_us patience, struct paths_lock *lock, char *why,
               size_t why_cap)
{
    char path[PATHS_MAX];
    char pid[16];
    *lock = (struct paths_lock){.fd = -1, .children = -1};
    int err = open_lock(paths, "run/lock", &lock->fd, why, why_cap);
    if (err) {
        return err;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB)) {
        snprintf(why, why_cap,
                 "data.dir: %.400s: already served by process %ld: stop it, or choose another "
                 "data.dir",
                 paths->data, pid_in(paths, "run/lock"));
        return E_BUSY;
    }
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(lock->fd, 0) || pwrite(lock->fd, pid, (size_t)n, 0) != n) {
        return folder_error(paths_in(paths, "run/lock", path), file_err(errno), why, why_cap);
    }
    return wait_for_children(paths, patience, lock, why, why_cap);
}

void paths_unlock(struct paths_lock *lock)
{
    int fds[] = {lock->children, lock->fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    *lock = (struct paths_lock){.fd = -1, .children = -1};
}

mono_us paths_patience(const struct config *config)
{
    return (config->server_drain_s + 5) * US_PER_S;
}

void paths_hint(const struct paths *paths, const char *name, const char *text)
{
    char path[PATHS_MAX];
    char in_run[64];
    snprintf(in_run, sizeof(in_run), "run/%.40s", name);
    (void)file_write_atomic(paths_in(paths, in_run, path), text, strlen(text), 0644);
}

void paths_unhint(const struct paths *paths, const char *name)
{
    (void)unlinkat(paths->run_fd, name, 0);
}

pid_t paths_pid(const struct paths *paths, const char *name)
{
    char file[64];
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    pid_t pid = 0;
    snprintf(file, sizeof(file), "run/%s.pid", name);
    if (!file_read(paths_in(paths, file, path), 32, &text, &len)) {
        pid = (pid_t)strtol(text, NULL, 10);
    }
    mem_free(text);
    return pid;
}
