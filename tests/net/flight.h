/*
 * flight.h - packets under way: a heap of owned copies ordered by delivery time.
 *
 * Purpose: hold each packet from the moment the link model took it until it is due.
 * Invariants: packets with equal times leave in the order they were added; at most
 * FLIGHT_PACKETS_MAX packets and FLIGHT_BYTES_MAX bytes are held, beyond that an add fails.
 * Out of scope: what a packet means; `to` and `generation` belong to the caller.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FLIGHT_PACKETS_MAX 65536u
#define FLIGHT_BYTES_MAX (64u << 20)

struct flight_packet {
    uint64_t due_us;
    uint64_t entry;      /* position in the order of adding, breaks ties */
    uint32_t to;         /* the caller's target */
    uint32_t generation; /* of the target, so that a re-used one can be told apart */
    uint8_t dir;         /* the caller's direction, 0 or 1 */
    size_t len;
    uint8_t data[];
};

struct flight {
    struct flight_packet **heap;
    size_t len;
    size_t cap;
    size_t bytes;
    uint64_t entries;
    uint64_t overflow_packets;
};

/* Add a copy of data[0..len). Returns 0, or -1 when a bound is reached or memory is short. */
int flight_add(struct flight *f, uint64_t due_us, uint8_t dir, uint32_t to, uint32_t generation,
               const void *data, size_t len);

/* Time of the next delivery, or UINT64_MAX when nothing is under way. */
uint64_t flight_deadline(const struct flight *f);

/* Take the first packet due at or before now_us, or NULL. The caller frees it with free(). */
struct flight_packet *flight_take(struct flight *f, uint64_t now_us);

/* Drop everything and release the memory. */
void flight_fini(struct flight *f);
