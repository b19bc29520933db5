#include "server/app/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/sys/file.h"
#include "server/app/config.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *sa, const char *ip, uint16_t port)
{
    struct addr parsed;
    memset(sa, 0, sizeof(*sa));
    if (!*ip || addr_parse(&parsed, ip) || parsed.family == ADDR_V6) {
        sa->v6.sin6_family = AF_INET6;
        sa->v6.sin6_port = htons(port);
        if (*ip) {
            inet_pton(AF_INET6, ip, &sa->v6.sin6_addr);
        }
        return sizeof(sa->v6);
    }
    sa->v4.sin_family = AF_INET;
    sa->v4.sin_port = htons(port);
    memcpy(&sa->v4.sin_addr, parsed.ip, 4);
    return sizeof(sa->v4);
}

static int explain(const char *key, const char *endpoint, int cause, char *why, size_t why_cap)
{
    const char *cure = strerror(cause);
    int err = file_err(cause);
    if (cause == EADDRINUSE) {
        err = E_BUSY;
        cure = "the port is taken: stop the other program (`ss -ltnp` names it) or choose another";
    } else if (err == E_DENIED) {
        cure = "not allowed: ports below 1024 need CAP_NET_BIND_SERVICE, or choose another";
    } else if (cause == EADDRNOTAVAIL || cause == EAFNOSUPPORT) {
        err = E_UNSUPPORTED;
        cure = "this machine has no such address: take one that `ip address` shows";
    }
    snprintf(why, why_cap, "%s: %s: %s", key, endpoint, cure);
    return err;
}

int listen_open(const char *key, const char *endpoint, int *fd, uint16_t *port, char *why,
                size_t why_cap)
{
    char ip[64];
    union address sa;
    int on = 1;
    *fd = -1;
    if (config_endpoint(endpoint, ip, sizeof(ip), port)) {
        return explain(key, endpoint, EINVAL, why, why_cap);
    }
    socklen_t len = fill(&sa, ip, *port);
    int s = socket(sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) {
        return explain(key, endpoint, errno, why, why_cap);
    }
    int only_v6 = *ip != '\0'; /* "" means both families on one socket */
    (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (sa.any.sa_family == AF_INET6) {
        (void)setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
    }
    if (bind(s, &sa.any, len) || listen(s, 1024) || getsockname(s, &sa.any, &len)) {
        int cause = errno;
        close(s);
        return explain(key, endpoint, cause, why, why_cap);
    }
    *port = ntohs(sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
    *fd = s;
    return 0;
}
