/*
 * UDP of one shard: one port on IPv4 and IPv6, batches in both directions.
 * Receiving: recvmmsg straight into packets of the sfu. Sending: one sendmmsg per batch, each run
 * of equal datagrams one message with UDP_SEGMENT (GSO), leaving from the address the peer wrote to
 * (IP_PKTINFO, RFC 3542).
 * Invariants: never blocks beyond one poll of UDP_POLL_MS when the socket is full, then drops and
 * counts; bytes that leave are exactly those committed to the batch (S38).
 * Out of scope: TCP runs of a batch (tcp.h takes them), path MTU discovery (1200 bytes fit nearly
 * everywhere; DF is not set and forged ICMP is not believed, so a narrower path still works).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/drop.h"
#include "codec/base/packet.h"
#include "codec/base/time.h"
#include "server/proto/txbatch.h"

enum { UDP_SOCKETS_MAX = 2, UDP_BATCH = 64, UDP_POLL_MS = 2 };

struct udp_config {
    uint16_t port;         /* 0 = the kernel chooses; the same number on both families */
    bool ipv4;             /* at least one of the two */
    bool ipv6;             /* a host without IPv6 is no error when ipv4 is set too */
    uint32_t buffer_bytes; /* wished SO_RCVBUF and SO_SNDBUF; 0 = 4 MiB */
    bool gso;              /* try UDP_SEGMENT; falls back by itself when the kernel refuses */
};

struct udp_hooks {
    void *arg;
    /* A packet to receive into, or NULL: what is waiting is then thrown away and counted. */
    struct pkt *(*room_h)(void *arg);
    /* Several datagrams from there are about to be given to input_h, in this order; may be NULL. */
    void (*near_h)(void *arg, const struct tuple *from, unsigned n);
    /* One datagram; takes the reference. The answer only matters to tcp.h. */
    enum drop (*input_h)(void *arg, struct pkt *pkt, const struct tuple *from, mono_us now);
};

struct udp_stats {
    uint64_t rx_datagrams, rx_bytes, rx_no_room, rx_too_big;
    uint64_t rx_overflow; /* lost in the kernel because we read too slowly */
    uint64_t tx_datagrams, tx_bytes, tx_calls;
    uint64_t tx_dropped;    /* datagrams the kernel did not take (full or refused) */
    uint64_t tx_waits;      /* times the socket was full */
    uint64_t gso_fallbacks; /* 1 after UDP_SEGMENT was given up */
};

struct udp;

/* Binds. 0, E_RANGE (no family), E_BUSY (port taken), E_DENIED, E_NOMEM or E_IO. */
int udp_new(struct udp **out, const struct udp_config *config, const struct udp_hooks *hooks);
/* Gives its spare packets back: before the pool they came from goes. */
void udp_free(struct udp *udp);
/* The bound port, host order. */
uint16_t udp_port(const struct udp *udp);
/* Descriptor of socket i (0 .. UDP_SOCKETS_MAX-1), -1 when there is none: watch with LOOP_READ. */
int udp_fd(const struct udp *udp, unsigned i);
/*
 * Takes what is waiting on socket i, at most rounds batches of UDP_BATCH datagrams, through the
 * hooks. Returns the number of datagrams taken (0 .. rounds * UDP_BATCH).
 */
unsigned udp_receive(struct udp *udp, unsigned i, unsigned rounds, mono_us now);
/* Sends all UDP runs of batch; TCP runs are left alone. The batch itself is not changed. */
void udp_send_batch(struct udp *udp, const struct txbatch *batch);
void udp_stats_read(const struct udp *udp, struct udp_stats *out);
