/*
 * When to try whether more would fit: a cluster of packets at a higher rate, only while a better
 * layer waits for it (wanted > estimate), and what a cluster told (send and receive rate of its
 * packets, draft-ietf-rmcat-gcc-02 gives no probing; the rules are those published for the probe
 * bitrate estimator: the slower of both ends, 0.95 of a saturated one).
 *
 *   idle -> waiting (a cluster is under way) -> success: the next one at once, twice as high
 *                                            -> failure: pause, longer each time
 *
 * Invariants: one cluster at a time; none while the queue grows or just after a decrease.
 * Out of scope: sending it (server/sfu/pace.h), recovering from a decrease by growth (aimd.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    PROBING_MIN_US = 15 * US_PER_MS, /* length of a cluster */
    PROBING_BYTES_MIN = 1500,
    PROBING_PACKETS_MIN = 3,
    PROBING_QUIET_US = 700 * US_PER_MS, /* after a decrease */
};

struct probing {
    uint8_t cluster; /* last one, 0 = none yet */
    bool waiting;
    uint8_t fails;
    uint32_t bps; /* of the cluster under way */
    uint32_t bytes;
    mono_us sent_us;
    mono_us next_us; /* not before */
    /* what is known of the cluster under way */
    uint32_t packets;
    uint32_t got_bytes;
    mono_us first_sent;
    mono_us last_sent;
    int64_t first_got;
    int64_t last_got;
    uint16_t last_sent_bytes;
    uint16_t first_got_bytes;
    bool filled; /* the last one came slower than it was sent: its result is what the path has */
};

struct probe_cluster {
    uint8_t cluster;
    uint32_t bps;
    uint32_t bytes;
};

struct probing_input {
    uint32_t estimate_bps;
    uint32_t wanted_bps;
    bool overuse; /* the queue grows or stands */
    mono_us decreased_us;
    mono_us rtt_us;
};

void probing_init(struct probing *p, mono_us now);
/* A cluster to send now? */
bool probing_next(struct probing *p, const struct probing_input *in, struct probe_cluster *out,
                  mono_us now);
/* A packet of a cluster arrived. */
void probing_acked(struct probing *p, uint8_t cluster, mono_us sent, int64_t got, uint16_t bytes);
/* After a feedback: bits a second the cluster under way has shown, 0 = nothing (yet). */
uint32_t probing_result(struct probing *p, mono_us now);
/* The path fell or changed: what failed before says nothing any more. */
void probing_anew(struct probing *p, mono_us at);
/* A cluster was sent so recently that a queue in the path is its own doing. */
bool probing_stirs(const struct probing *p, mono_us rtt_us, mono_us now);
/* When to ask probing_next again, as long as more is wanted. */
mono_us probing_deadline(const struct probing *p);
