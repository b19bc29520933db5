/*
 * The server's own figures, read once a second from its admin listener (GET /metrics over plain
 * HTTP) by a thread of its own, so that a slow server never delays a packet.
 * Invariants: a sample is whole or not there; a server without an admin listener gives none.
 * Out of scope: what the figures mean (verdict.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

struct scrape_sample {
    mono_us at;         /* when it was read; 0 = never */
    double cpu_s;       /* core process */
    double door_cpu_s;  /* doors */
    double busiest_s;   /* the busiest media thread */
    double classroom_s; /* the classroom thread */
    double cpu_limit;   /* cores the server may use */
    double throttled_s; /* time it was held back by that limit */
    double memory, memory_limit;
    double packets_in, packets_out, bytes_in, bytes_out;
    double people, connections, classes;
    double not_sent;            /* datagrams its sockets did not take */
    double no_room, pool_empty; /* packets lost because its packet pool was empty */
    double commit_max_s, store_queue;
    double nacks_in, rtx_out, plis_out;
    double shards;
};

struct scrape;

/* host: IPv4 address. NULL when out of memory. */
struct scrape *scrape_new(const char *host, uint16_t port);
void scrape_free(struct scrape *scrape);
/* The newest sample; false when there is none. */
bool scrape_read(struct scrape *scrape, struct scrape_sample *out);
/* Failures in a row. */
unsigned scrape_failures(struct scrape *scrape);
/* One GET now, at most 2 s; false when nobody answers. */
bool scrape_once(const char *host, uint16_t port, struct scrape_sample *out);
/* The figures of a page. */
void scrape_parse(struct scrape_sample *out, const char *text, size_t len);
