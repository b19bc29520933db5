#include "codec/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

int file_err(int errno_value)
{
    switch (errno_value) {
    case 0:
        return 0;
    case ENOENT:
    case ENOTDIR:
        return E_NOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return E_DENIED;
    case ENOSPC:
    case EDQUOT:
        return E_FULL;
    case EFBIG:
        return E_TOOBIG;
    case EMFILE:
    case ENFILE:
        return E_LIMIT;
    case ENOMEM:
        return E_NOMEM;
    default:
        return E_IO;
    }
}

/* Closes fd without losing the errno the caller will report. */
static void close_quiet(int fd)
{
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
}

/* Reads fd to its end, at most max bytes: sizes in /proc are 0, so the buffer grows as it goes. */
static int read_to_end(int fd, size_t max, char **out, size_t *len)
{
    size_t cap = 4096;
    size_t have = 0;
    char *buf = mem_alloc(cap + 1);
    int err = buf ? 0 : E_NOMEM;
    while (!err) {
        if (have == cap) {
            char *grown = mem_realloc(buf, 2 * cap + 1);
            if (!grown) {
                err = E_NOMEM;
                break;
            }
            buf = grown;
            cap *= 2;
        }
        ssize_t got = read(fd, buf + have, cap - have);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            err = errno == EINTR ? 0 : file_err(errno);
            continue;
        }
        have += (size_t)got;
        if (have > max) {
            errno = EFBIG;
            err = E_TOOBIG;
        }
    }
    if (err) {
        mem_free(buf);
        return err;
    }
    buf[have] = '\0';
    *out = buf;
    *len = have;
    return 0;
}

int file_read(const char *path, size_t max, char **out, size_t *len)
{
    *out = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(errno);
    }
    int err = read_to_end(fd, max, out, len);
    close_quiet(fd);
    return err;
}

int file_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        ssize_t put = write(fd, p, len);
        if (put < 0) {
            if (errno == EINTR) {
                continue;
            }
            return file_err(errno);
        }
        p += put;
        len -= (size_t)put;
    }
    return 0;
}

/* A rename is durable only once its folder is synced. */
static int sync_parent(const char *path)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash == dir) {
        dir[1] = '\0';
    } else if (slash) {
        *slash = '\0';
    } else {
        memcpy(dir, ".", 2);
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(errno);
    }
    int err = fsync(fd) ? file_err(errno) : 0;
    close_quiet(fd);
    return err;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode)
{
    char temp[PATH_MAX];
    int n = snprintf(temp, sizeof(temp), "%s.%ld.new", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(temp)) {
        return E_TOOBIG;
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return file_err(errno);
    }
    int err = file_write_all(fd, data, len);
    if (!err && (fchmod(fd, mode) || fsync(fd))) {
        err = file_err(errno);
    }
    close_quiet(fd);
    if (!err && rename(temp, path)) {
        err = file_err(errno);
    }
    if (err) {
        int saved = errno;
        unlink(temp);
        errno = saved;
        return err;
    }
    return sync_parent(path);
}

int file_open_beneath(int dirfd, const char *path, int *fd, uint64_t *size)
{
    *fd = -1;
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long got = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
    if (got < 0) {
        return errno == EXDEV || errno == ELOOP || errno == ENAMETOOLONG ? E_NOTFOUND
                                                                         : file_err(errno);
    }
    struct stat st;
    if (fstat((int)got, &st) || !S_ISREG(st.st_mode)) {
        close_quiet((int)got);
        return E_NOTFOUND;
    }
    if (size) {
        *size = (uint64_t)st.st_size;
    }
    *fd = (int)got;
    return 0;
}

int file_open_dir(const char *path, int *fd)
{
    *fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? file_err(errno) : 0;
}

static int make_dir(const char *path, mode_t mode)
{
    struct stat st;
    if (mkdir(path, mode) == 0) {
        return 0;
    }
    int saved = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return 0;
    }
    errno = saved == EEXIST ? ENOTDIR : saved;
    return saved == EEXIST ? E_DENIED : file_err(saved);
}

int file_mkdirs(const char *path, mode_t mode)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (!len || len >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return E_TOOBIG;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] != '/') {
            continue;
        }
        part[i] = '\0';
        int err = make_dir(part, mode);
        if (err) {
            return err;
        }
        part[i] = '/';
    }
    return make_dir(part, mode);
}

int file_dir_writable(const char *path)
{
    char probe[PATH_MAX];
    int n = snprintf(probe, sizeof(probe), "%s/.probe.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(probe)) {
        errno = ENAMETOOLONG;
        return E_TOOBIG;
    }
    int fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return file_err(errno);
    }
    close(fd);
    return unlink(probe) ? file_err(errno) : 0;
}

int file_free_bytes(const char *path, uint64_t *bytes)
{
    struct statvfs st;
    if (statvfs(path, &st)) {
        return file_err(errno);
    }
    *bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}
