/*
 * A seeded model of one person's network: loss, delay and rate, one direction. Datagrams go in with
 * the time and come out when they would arrive.
 * Invariants: at most LINK_QUEUE datagrams wait; what finds the queue full is lost, as in a router.
 * Out of scope: reordering, bursts (tests/net/relay has them).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"
#include "codec/base/time.h"

enum { LINK_QUEUE = 512 };

struct link_config {
    double loss;    /* share of datagrams, 0 .. 1 */
    mono_us delay;  /* one way */
    mono_us jitter; /* added, 0 .. jitter, order kept */
    uint32_t bps;   /* 0 = no limit */
};

struct link_wait {
    mono_us due;
    uint16_t len;
    uint8_t *bytes;
};

struct link {
    struct link_config config;
    struct rng_seeded seeded;
    mono_us free_at; /* the wire is busy until then */
    mono_us last_due;
    struct link_wait *wait;
    uint32_t head, count;
    uint64_t passed, lost;
};

/* True when the config changes anything at all. */
bool link_matters(const struct link_config *config);
/* 0 or E_NOMEM. */
int link_init(struct link *link, const struct link_config *config, uint64_t seed);
void link_fini(struct link *link);
/* True: the datagram passes at once. False: it was taken (lost or waiting). */
bool link_put(struct link *link, const void *data, size_t len, mono_us now);
/* Next datagram that has arrived by now into out; its length, 0 when there is none. */
size_t link_get(struct link *link, void *out, size_t cap, mono_us now);
