#include "codec/sys/unixsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/file.h"

static int path_address(struct sockaddr_un *sa, const char *path)
{
    size_t len = strlen(path);
    memset(sa, 0, sizeof(*sa));
    sa->sun_family = AF_UNIX;
    if (!len || len >= sizeof(sa->sun_path)) {
        errno = ENAMETOOLONG;
        return E_TOOBIG;
    }
    memcpy(sa->sun_path, path, len + 1);
    return 0;
}

static int fail_close(int fd, int errno_value)
{
    close(fd);
    errno = errno_value;
    return file_err(errno_value);
}

int unixsock_listen(const char *path, int *fd)
{
    struct sockaddr_un sa;
    *fd = -1;
    int err = path_address(&sa, path);
    if (err) {
        return err;
    }
    /* A socket file outlives its process: only one that answers is really taken. */
    int other = -1;
    err = unixsock_connect(path, &other);
    if (err == 0 || err == E_AGAIN) {
        if (other >= 0) {
            close(other);
        }
        errno = EADDRINUSE;
        return E_BUSY;
    }
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) {
        return file_err(errno);
    }
    mode_t before = umask(0177);
    int failed = bind(s, (struct sockaddr *)&sa, sizeof(sa));
    int bind_errno = errno;
    umask(before);
    if (failed) {
        int mapped = fail_close(s, bind_errno);
        return bind_errno == EADDRINUSE ? E_BUSY : mapped;
    }
    if (listen(s, 64)) {
        return fail_close(s, errno);
    }
    *fd = s;
    return 0;
}

int unixsock_connect(const char *path, int *fd)
{
    struct sockaddr_un sa;
    *fd = -1;
    int err = path_address(&sa, path);
    if (err) {
        return err;
    }
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) {
        return file_err(errno);
    }
    if (connect(s, (struct sockaddr *)&sa, sizeof(sa))) {
        int saved = errno;
        int mapped = fail_close(s, saved);
        if (saved == ECONNREFUSED) {
            return E_NOTFOUND;
        }
        return saved == EAGAIN ? E_AGAIN : mapped;
    }
    *fd = s;
    return 0;
}

int unixsock_accept(int listen_fd, int *fd)
{
    *fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (*fd >= 0) {
        return 0;
    }
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) {
        return E_AGAIN;
    }
    return file_err(errno);
}

int unixsock_pair(int fd[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd)) {
        fd[0] = fd[1] = -1;
        return file_err(errno);
    }
    return 0;
}

int unixsock_peer_uid(int fd, uid_t *uid)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
        return E_IO;
    }
    *uid = cred.uid;
    return 0;
}

ssize_t unixsock_send(int fd, const void *data, size_t len, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * UNIXSOCK_FDS_MAX)];
        struct cmsghdr align;
    } control;
    union {
        const void *in;
        void *out; /* iovec serves both directions, so it has no const */
    } base = {.in = data};
    struct iovec iov = {.iov_base = base.out, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count > UNIXSOCK_FDS_MAX || !len) {
        return E_RANGE;
    }
    if (count) {
        memset(&control, 0, sizeof(control));
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    for (;;) {
        ssize_t put = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put >= 0) {
            return put;
        }
        if (errno != EINTR) {
            return errno == EAGAIN || errno == ENOBUFS ? E_AGAIN : E_IO;
        }
    }
}

/* Moves the descriptors of one message to fds, or closes them when nobody wants them. */
static void take_fds(struct msghdr *msg, int *fds, size_t *count)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (fds && count && *count < UNIXSOCK_FDS_MAX) {
                fds[(*count)++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

ssize_t unixsock_recv(int fd, void *data, size_t cap, int *fds, size_t *count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * UNIXSOCK_FDS_MAX)];
        struct cmsghdr align;
    } control;
    if (count) {
        *count = 0;
    }
    for (;;) {
        struct iovec iov = {.iov_base = data, .iov_len = cap};
        struct msghdr msg = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
        ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got >= 0) {
            take_fds(&msg, fds, count);
            return got;
        }
        if (errno != EINTR) {
            return errno == EAGAIN ? E_AGAIN : E_IO;
        }
    }
}
