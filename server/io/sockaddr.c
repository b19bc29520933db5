#include "server/io/sockaddr.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"

enum { PORT_TRIES = 16 };

socklen_t sockaddr_from(union sockaddr_any *out, const struct addr *addr)
{
    memset(out, 0, sizeof(*out));
    if (addr->family == ADDR_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(addr->port);
        memcpy(&out->v4.sin_addr, addr->ip, 4);
        return sizeof(out->v4);
    }
    if (addr->family == ADDR_V6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(addr->port);
        memcpy(&out->v6.sin6_addr, addr->ip, 16);
        return sizeof(out->v6);
    }
    return 0;
}

void sockaddr_to(struct addr *out, const union sockaddr_any *in)
{
    *out = (struct addr){0};
    if (in->any.sa_family == AF_INET) {
        out->family = ADDR_V4;
        out->port = ntohs(in->v4.sin_port);
        memcpy(out->ip, &in->v4.sin_addr, 4);
    } else if (in->any.sa_family == AF_INET6) {
        out->family = ADDR_V6;
        out->port = ntohs(in->v6.sin6_port);
        memcpy(out->ip, &in->v6.sin6_addr, 16);
        addr_canonical(out);
    }
}

socklen_t sockaddr_wildcard(union sockaddr_any *out, bool v6, uint16_t port)
{
    struct addr addr = {.family = v6 ? ADDR_V6 : ADDR_V4, .port = port};
    return sockaddr_from(out, &addr);
}

uint16_t sockaddr_port(int fd)
{
    union sockaddr_any any = {0};
    socklen_t len = sizeof(any);
    struct addr addr = {0};
    if (getsockname(fd, &any.any, &len) == 0) {
        sockaddr_to(&addr, &any);
    }
    return addr.port;
}

int sockopt_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : E_IO;
}

int sockaddr_error(int err)
{
    switch (err) {
    case EADDRINUSE:
        return E_BUSY;
    case EACCES:
    case EPERM:
        return E_DENIED;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return E_NOMEM;
    default:
        return E_IO;
    }
}

static int bind_one(int *out, int type, bool v6, uint16_t port)
{
    *out = -1;
    int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return sockaddr_error(errno);
    }
    union sockaddr_any any;
    socklen_t len = sockaddr_wildcard(&any, v6, port);
    int err = v6 ? sockopt_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
    if (!err && type == SOCK_STREAM) {
        /* Only lets a restarted server listen while old connections fade; for UDP it would share
         * the port with a stranger. */
        err = sockopt_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    }
    if (!err && bind(fd, &any.any, len) != 0) {
        err = sockaddr_error(errno);
    }
    if (err) {
        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

/* One try at both families with one number. */
static int bind_both(int fd[2], int type, bool v4, bool v6, uint16_t port)
{
    fd[0] = -1;
    fd[1] = -1;
    int err = v4 ? bind_one(&fd[0], type, false, port) : 0;
    if (!err && v6) {
        err = bind_one(&fd[1], type, true, fd[0] >= 0 ? sockaddr_port(fd[0]) : port);
        if (err == E_IO && fd[0] >= 0) {
            err = 0; /* a host without IPv6 */
        }
    }
    if (err && fd[0] >= 0) {
        close(fd[0]);
        fd[0] = -1;
    }
    return err;
}

int sockaddr_bind_pair(int fd[2], int type, bool v4, bool v6, uint16_t port)
{
    fd[0] = -1;
    fd[1] = -1;
    if (!v4 && !v6) {
        return E_RANGE;
    }
    int err = E_BUSY;
    /* A number the kernel chose for one family may be taken in the other. */
    for (int i = 0; i < (port ? 1 : PORT_TRIES) && err == E_BUSY; i++) {
        err = bind_both(fd, type, v4, v6, port);
    }
    return err;
}
