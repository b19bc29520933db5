/*
 * nat.h - port translation inside the relay, so that a TUN link can change a client's address
 * as a home router does when it forgets a binding (fault F5).
 *
 * The client side's UDP ports are mapped by exclusive-or with a mask: a bijection, so no table is
 * needed and two clients' ports never collide. Mask 0 is the identity. After a change of mask the
 * server sees new source ports, and packets to the old ones are dropped, as behind a real router.
 * Checksums are updated incrementally (RFC 1624 eq. 3).
 *
 * Invariant: only UDP over IPv4 (first fragment) and IPv6 without extension headers is touched.
 * Pure: bytes in, bytes out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Masks stay below this, so that ephemeral ports (32768 and up) stay ephemeral. */
#define NAT_MASK_MAX 0x3fffu

struct nat {
    uint16_t mask;
    uint8_t changed; /* a change has happened: packets to old ports must be dropped */
};

/* Take a new mask in 1..NAT_MASK_MAX, different from the present one, from 32 random bits. */
void nat_rebind(struct nat *n, uint32_t random);

/* Rewrite the source port of a packet from the client. */
void nat_out(const struct nat *n, uint8_t *packet, size_t len);

/*
 * Rewrite the destination port of a packet to the client. port_known(arg, port) says whether the
 * client has sent from that (translated) port since the change; a packet to another port is one
 * for a forgotten binding. Returns 0, or -1 when it must be dropped.
 */
int nat_in(const struct nat *n, uint8_t *packet, size_t len,
           int (*port_known)(void *arg, uint16_t port), void *arg);

/* The UDP source port of a packet in host order, or 0 when it is not UDP. */
uint16_t nat_source_port(const uint8_t *packet, size_t len);
