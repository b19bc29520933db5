/*
 * How often strangers may try: a bucket of tries per key (an address, a class), refilled with time
 * (reliability S39). A try is taken before the work and given back when it was good, so that a
 * school behind one address is not locked out by its own successes.
 * Invariants: bounded memory; a full table forgets the bucket that is fullest, so an attacker with
 * many addresses only frees those who have tried least.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { THROTTLE_BUCKETS = 1024 };

struct throttle_bucket {
    uint64_t key; /* 0 = free */
    int64_t at;   /* milliseconds of the last change */
    int64_t left; /* thousandths of a try */
};

struct throttle {
    uint32_t burst;      /* tries at once */
    uint32_t per_minute; /* refill */
    struct throttle_bucket bucket[THROTTLE_BUCKETS];
};

/* Takes one try of key (not 0) at now (milliseconds, monotonic); false when none is left. */
bool throttle_take(struct throttle *t, uint64_t key, int64_t now_ms);
/* Gives it back. */
void throttle_return(struct throttle *t, uint64_t key);
/* Seconds until key has a try again, at least 1. */
uint32_t throttle_wait_s(const struct throttle *t, uint64_t key);
