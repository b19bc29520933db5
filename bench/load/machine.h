/*
 * What the machine and the server spent, read from /proc: CPU seconds, resident memory, and the
 * share of the machine that neither we nor the server used (noise).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { MACHINE_PIDS = 4 }; /* told apart; further ones are only summed */
enum { MACHINE_THREADS = 48, MACHINE_NAME = 16 };

struct machine_process {
    double cpu_s;
    uint64_t rss_bytes;
};

struct machine_sample {
    double server_cpu_s; /* user + system of all watched processes */
    double self_cpu_s;
    double busy_s;  /* all cores, everybody */
    double steal_s; /* taken by the hypervisor */
    uint64_t server_rss_bytes;
    struct machine_process process[MACHINE_PIDS];
};

struct machine_thread {
    pid_t id;
    double cpu_s;
    char name[MACHINE_NAME];
};

/* Every thread of the watched processes. */
struct machine_threads {
    struct machine_thread thread[MACHINE_THREADS];
    unsigned count;
};

/* Reads everything now; pids that are gone count as 0. */
void machine_read(const pid_t *pids, unsigned count, struct machine_sample *out);
/* Reads what each thread spent, to the nanosecond. */
void machine_threads_read(const pid_t *pids, unsigned count, struct machine_threads *out);
/* Share of the CPU time between two samples that was foreign or stolen, of `wall_s` x cores. */
double machine_noise(const struct machine_sample *from, const struct machine_sample *to,
                     double wall_s);
