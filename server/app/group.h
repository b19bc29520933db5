/*
 * The control group of this process (cgroup version 2, 1, or both mounted): how much of the
 * machine it may use, and how long it was held back.
 * Invariants: what cannot be read limits nothing; the tightest group on the way to the root counts.
 * Out of scope: affinity (codec/sys/thread.h), what the figures mean.
 * Source: cgroup-v2.rst, cgroup-v1/memory.rst and sched-bwc.rst of the kernel's documentation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group_limits {
    double cores;       /* 0 = no limit */
    double throttled_s; /* counted since the group exists */
    uint64_t memory;    /* bytes, 0 = no limit */
};

/* The path of the group that holds the process under a version 1 controller ("cpu", "memory"), or
 * under version 2 (""), from the text of /proc/self/cgroup. False when no line names it. */
bool group_path(const char *text, const char *controller, char *out, size_t cap);

/* Reads the limits: self = the text of /proc/self/cgroup, mount = where the controllers are
 * ("/sys/fs/cgroup"). Never fails. */
void group_read(const char *self, const char *mount, struct group_limits *out);
