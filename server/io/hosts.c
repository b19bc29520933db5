#include "server/io/hosts.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/io/sockaddr.h"

/* Order of preference; what a page cannot use at all is HOST_NEVER. */
enum host_kind { HOST_V4, HOST_V6_GLOBAL, HOST_V6_LOCAL, HOST_LOOPBACK, HOST_NEVER };

static enum host_kind kind_of(const struct addr *addr, unsigned interface_flags, unsigned wanted)
{
    unsigned family = addr->family == ADDR_V4 ? HOSTS_V4 : addr->family == ADDR_V6 ? HOSTS_V6 : 0;
    if (!(wanted & family)) {
        return HOST_NEVER;
    }
    if (interface_flags & IFF_LOOPBACK) {
        return HOST_LOOPBACK;
    }
    if (addr->family == ADDR_V4) {
        bool link_local = addr->ip[0] == 169 && addr->ip[1] == 254;
        return link_local ? HOST_NEVER : HOST_V4;
    }
    if (addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80) {
        return HOST_NEVER; /* fe80::/10 */
    }
    return (addr->ip[0] & 0xfe) == 0xfc ? HOST_V6_LOCAL : HOST_V6_GLOBAL; /* fc00::/7 */
}

static size_t collect(struct addr *out, size_t count, size_t cap, const struct ifaddrs *list,
                      enum host_kind kind, unsigned wanted)
{
    for (const struct ifaddrs *i = list; i && count < cap; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP)) {
            continue;
        }
        union sockaddr_any any = {0};
        size_t len = i->ifa_addr->sa_family == AF_INET    ? sizeof(any.v4)
                     : i->ifa_addr->sa_family == AF_INET6 ? sizeof(any.v6)
                                                          : 0;
        if (!len) {
            continue;
        }
        memcpy(&any, i->ifa_addr, len);
        struct addr addr;
        sockaddr_to(&addr, &any);
        addr.port = 0;
        if (kind_of(&addr, i->ifa_flags, wanted) == kind) {
            out[count++] = addr;
        }
    }
    return count;
}

int hosts_list(struct addr *out, size_t cap, unsigned flags)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) {
        return E_IO;
    }
    size_t count = 0;
    for (enum host_kind kind = HOST_V4; kind < HOST_NEVER; kind++) {
        if (kind != HOST_LOOPBACK || (flags & HOSTS_LOOPBACK) || count == 0) {
            count = collect(out, count, cap, list, kind, flags);
        }
    }
    freeifaddrs(list);
    return (int)count;
}
