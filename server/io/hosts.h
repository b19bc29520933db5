/*
 * The machine's own addresses, for host candidates.
 * Out of scope: names, the outside address of a 1:1 NAT (config rtc.external_ip).
 */
#pragma once

#include <stddef.h>

#include "codec/base/addr.h"

enum hosts_flags {
    HOSTS_V4 = 1,
    HOSTS_V6 = 2,
    HOSTS_LOOPBACK = 4, /* loopback too; without it only when there is nothing else */
};

/*
 * Writes up to cap addresses of interfaces that are up (port 0): IPv4 first, then global, then
 * unique-local IPv6; never link-local (a page cannot use its zone). Returns their number or E_IO.
 */
int hosts_list(struct addr *out, size_t cap, unsigned flags);
