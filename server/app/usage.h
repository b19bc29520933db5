/*
 * What the server uses of its machine and what it may use: processor time of the core, its threads
 * and the doors, and the limits of its control group (cgroup v2 or v1).
 * Invariants: a figure that cannot be read is 0; nothing here blocks.
 * Out of scope: what the figures mean.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { USAGE_THREADS_MAX = 80 };

struct usage_thread {
    char name[16];
    double cpu_s;
};

struct usage {
    double core_cpu_s;
    double door_cpu_s; /* of the doors given */
    uint64_t core_rss, door_rss;
    double cpu_limit;      /* cores this process may use: affinity and control group */
    double throttled_s;    /* held back by the group's limit */
    uint64_t memory_limit; /* 0 = none */
    unsigned threads;
    struct usage_thread thread[USAGE_THREADS_MAX];
};

/* Reads everything now; doors[i] 0 = not there. */
void usage_read(struct usage *out, const pid_t *doors, unsigned door_count);
