#include "server/app/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"

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

int paths_lock(const struct paths *paths, int *fd, char *why, size_t why_cap)
{
    char path[PATHS_MAX];
    char pid[16] = "";
    *fd = open(paths_in(paths, "run/lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        return folder_error(path, file_err(errno), why, why_cap);
    }
    if (flock(*fd, LOCK_EX | LOCK_NB)) {
        ssize_t got = read(*fd, pid, sizeof(pid) - 1);
        pid[got > 0 ? got : 0] = '\0';
        close(*fd);
        *fd = -1;
        snprintf(why, why_cap,
                 "data.dir: %.400s: already served by process %.*s: stop it, or choose another "
                 "data.dir",
                 paths->data, (int)strcspn(pid, "\n"), *pid ? pid : "(unknown)");
        return E_BUSY;
    }
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(*fd, 0) || pwrite(*fd, pid, (size_t)n, 0) != n) {
        return folder_error(path, file_err(errno), why, why_cap);
    }
    return 0;
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
