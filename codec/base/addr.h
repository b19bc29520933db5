/*
 * Network addresses as values. An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) is always kept as
 * IPv4, so that one host has one spelling.
 * Out of scope: sockaddr (server/io) and name resolution (never done).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
    uint8_t family; /* enum addr_family */
    uint8_t pad;
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* network order; 4 bytes used for IPv4, the rest zero */
};

/* INNER: a peer inside this process (server/app/inner.h); remote.ip begins with its number. */
enum addr_proto { ADDR_UDP = 0, ADDR_TCP = 1, ADDR_INNER = 2 };

/* What identifies one path: where a packet came from, the local address it came to, and over what.
 */
struct tuple {
    struct addr remote;
    struct addr local;
    uint8_t proto; /* enum addr_proto */
    uint8_t pad[3];
    uint32_t conn; /* TCP: connection number of server/io, generation checked; UDP: 0 */
};

/* Asked for every packet, so they are here. */
static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    uint64_t x[2];
    uint64_t y[2];
    memcpy(x, a->ip, sizeof(x));
    memcpy(y, b->ip, sizeof(y));
    return a->port == b->port && a->family == b->family && ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static inline bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
    return addr_equal(&a->remote, &b->remote) && a->proto == b->proto && a->conn == b->conn &&
           addr_equal(&a->local, &b->local);
}

/* Turns ::ffff:a.b.c.d into a.b.c.d in place. */
void addr_canonical(struct addr *a);
/* Parses "1.2.3.4" or "2001:db8::1" (no port, no zone). Returns 0 or E_BAD. Port is set to 0. */
int addr_parse(struct addr *out, const char *text);

#define ADDR_TEXT_MAX 56
/* Writes "1.2.3.4:5" or "[::1]:5" (no ":port" when port is 0) with NUL. Returns buf. */
const char *addr_print(const struct addr *a, char buf[ADDR_TEXT_MAX]);
