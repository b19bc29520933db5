/*
 * link.h - one direction of an impaired network link, as a pure model.
 *
 * Purpose: decide, for each packet offered to the link, whether it is delivered, how often and
 * when. The shell (relay.c) moves the bytes; this file never sees them, only lengths and times.
 * The loss model is the four-parameter Gilbert-Elliott chain (E. O. Elliott, "Estimates of error
 * rates for codes on burst-noise channels", 1963); independent loss is the chain that never
 * leaves its good state.
 *
 * Invariants:
 *  - A packet always takes the same number of draws from the generator, whatever the settings.
 *    So the n-th packet meets the same fate for the same seed, also after delay, rate or jitter
 *    were changed at run time.
 *  - Time is the caller's monotonic clock in microseconds and must not go backwards.
 *  - Without reordering, deliveries of one link keep the order of the packets.
 *
 * Out of scope: sockets, clocks, memory, the packets themselves.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINK_PPM 1000000u
/* A link never delivers one packet more often than this. */
#define LINK_COPIES_MAX 2u

/* Settings of one direction. All zero is a perfect link. */
struct link_conf {
    uint32_t enter_bad_ppm; /* chance per packet to go from the good to the bad state */
    uint32_t leave_bad_ppm; /* chance per packet to go back */
    uint32_t loss_good_ppm; /* loss while in the good state */
    uint32_t loss_bad_ppm;  /* loss while in the bad state */
    uint32_t delay_us;
    uint32_t jitter_us; /* uniform in [-jitter, +jitter] around the delay, never below zero */
    uint64_t rate_bps;  /* 0 = unlimited */
    uint32_t queue_us;  /* longest wait in front of the bottleneck, beyond it packets drop */
    uint32_t reorder_ppm;
    uint32_t reorder_us; /* a reordered packet is held back by up to this much */
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm; /* the shell turns over a bit of so many RTP packets */
};

/* What has happened on the link so far. */
struct link_count {
    uint64_t in_packets;
    uint64_t in_bytes;
    uint64_t lost_packets;
    uint64_t queue_drop_packets;
    uint64_t reordered_packets;
    uint64_t duplicated_packets;
    uint64_t retransmitted_segments; /* link_send_segment(): losses that became lateness */
    uint64_t burst_packets_max;      /* longest run of consecutive losses */
};

struct link {
    struct link_conf conf;
    struct link_count count;
    uint64_t rng[2];
    uint64_t free_us;  /* when the bottleneck has sent all that waits in front of it */
    uint64_t free_rem; /* sub-microsecond part of free_us, in 1/rate_bps */
    uint64_t last_due_us;
    uint64_t burst_packets; /* run of losses going on now */
    uint8_t bad;            /* state of the Gilbert-Elliott chain */
};

/* Start a link in its good state. Different seeds give independent fates. */
void link_init(struct link *l, const struct link_conf *conf, uint64_t seed);

/* Change the settings while packets are under way; fate sequence and bottleneck go on. */
void link_set_conf(struct link *l, const struct link_conf *conf);

/* Restart the fate sequence from a seed, keeping settings and counters. */
void link_seed(struct link *l, uint64_t seed);

/*
 * Turn "mean loss" and "mean length of a burst" into chain parameters of *conf.
 * loss_ppm: 0..LINK_PPM. burst_milli: mean burst in thousandths of a packet; 1000 or less means
 * independent loss. With total loss the burst length has no meaning and is ignored.
 */
void link_conf_loss(struct link_conf *conf, uint32_t loss_ppm, uint32_t burst_milli);

/*
 * Offer a datagram of len bytes at now_us. Returns how many copies are delivered, 0 to
 * LINK_COPIES_MAX, and writes their times to due_us[], each >= now_us.
 */
size_t link_send(struct link *l, size_t len, uint64_t now_us, uint64_t due_us[LINK_COPIES_MAX]);

/*
 * Offer a segment of a byte stream whose ends are real TCP sockets: a loss cannot drop bytes, so
 * it delays them as a retransmission would, and all later bytes of the stream wait behind.
 * *order_us is the stream's own memory of its last delivery, 0 at its start. Returns the time.
 */
uint64_t link_send_segment(struct link *l, size_t len, uint64_t now_us, uint64_t *order_us);

/* How long a packet offered at now_us would wait in front of the bottleneck, microseconds. */
uint64_t link_backlog_us(const struct link *l, uint64_t now_us);
