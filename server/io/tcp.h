/*
 * ICE-TCP, passive side (RFC 6544): browsers behind a firewall that eats UDP connect to the shard's
 * port number over TCP and speak the same datagrams in frames (framing.h).
 * Invariants: at most conns_max connections, of which at most conns_max / 4 (at least 1) have not
 * yet passed an authenticated check; a connection without one is closed after TCP_CONFIRM_US, a
 * silent one after TCP_IDLE_US. What waits for a slow reader is at most TCP_OUT_MAX bytes: frames
 * that do not fit are lost like datagrams, and a reader that takes nothing for TCP_STALL_US is cut.
 * A conn number comes again only after 2^18 connections of its row, so a stale tuple finds nobody.
 * closed_h is only called from tcp_timer, never from inside a send or an input.
 * Out of scope: TLS, the active side, candidates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/time.h"
#include "server/io/loop.h"
#include "server/io/udp.h"
#include "server/proto/txbatch.h"

enum {
    TCP_CONNS_MAX = 8192,
    TCP_CONFIRM_US = 10 * US_PER_S,
    TCP_IDLE_US = 60 * US_PER_S, /* checks come every few seconds while anybody is there */
    TCP_STALL_US = 10 * US_PER_S,
    TCP_OUT_MAX = 128 << 10, /* bytes waiting for one reader */
};

struct tcp_config {
    uint16_t port;      /* 0 = the kernel chooses */
    bool ipv4;          /* at least one of the two */
    bool ipv6;          /* a host without IPv6 is no error when ipv4 is set too */
    uint32_t conns_max; /* 1 .. TCP_CONNS_MAX */
};

struct tcp_hooks {
    void *arg;
    struct pkt *(*room_h)(void *arg);
    /* One datagram, takes the reference. DROP_NONE from an unconfirmed connection confirms it: the
     * first thing of use on a new tuple can only be an authenticated check. */
    enum drop (*input_h)(void *arg, struct pkt *pkt, const struct tuple *from, mono_us now);
    /* The connection of this tuple is gone (not called for tcp_free). */
    void (*closed_h)(void *arg, const struct tuple *tuple, mono_us now);
};

struct tcp_stats {
    uint64_t accepted, refused, timed_out, cut_slow, cut_bad, closed;
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, tx_dropped;
    uint32_t conns, unconfirmed;
};

struct tcp;

/* Listens, watched by loop (borrowed). 0, E_RANGE, E_BUSY, E_DENIED, E_NOMEM or E_IO. */
int tcp_new(struct tcp **out, struct loop *loop, const struct tcp_config *config,
            const struct tcp_hooks *hooks);
/* Closes everything silently. */
void tcp_free(struct tcp *tcp);
uint16_t tcp_port(const struct tcp *tcp);
/* Sends all TCP runs of batch; UDP runs are left alone. The batch itself is not changed. */
void tcp_send_batch(struct tcp *tcp, const struct txbatch *batch, mono_us now);
/* Closes the connection of a tuple (its peer left), without closed_h; an unknown one does nothing.
 */
void tcp_close(struct tcp *tcp, const struct tuple *tuple);
/* Closes what is overdue and reports what was closed; call at tcp_deadline. */
void tcp_timer(struct tcp *tcp, mono_us now);
mono_us tcp_deadline(const struct tcp *tcp);
void tcp_stats_read(const struct tcp *tcp, struct tcp_stats *out);
