#include "bench/load/machine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Processor time of all threads, seconds. The clock of a process counts nanoseconds
 * (clock_getcpuclockid(3)); /proc/PID/stat has ticks of 10 ms. */
static double process_cpu(pid_t pid)
{
    clockid_t clock;
    struct timespec spent;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &spent)) {
        return 0;
    }
    return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static uint64_t process_rss(pid_t pid)
{
    char path[64];
    unsigned long size = 0;
    unsigned long resident = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &size, &resident) != 2) {
            resident = 0;
        }
        (void)fclose(f);
    }
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void machine_busy(struct machine_sample *out)
{
    unsigned long long t[8] = {0};
    FILE *f = fopen("/proc/stat", "r");
    if (!f) {
        return;
    }
    int got = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
                     &t[4], &t[5], &t[6], &t[7]);
    (void)fclose(f);
    if (got == 8) {
        double tick = (double)sysconf(_SC_CLK_TCK);
        /* Interrupts (t[5], t[6]) belong to no process. Here they are the delivery of our own
         * packets, up to 4 % of the machine: counting them would call a full server noise. */
        out->busy_s = (double)(t[0] + t[1] + t[2]) / tick;
        out->steal_s = (double)t[7] / tick;
    }
}

void machine_read(const pid_t *pids, unsigned count, struct machine_sample *out)
{
    *out = (struct machine_sample){0};
    for (unsigned i = 0; i < count; i++) {
        const struct machine_process p = {.cpu_s = process_cpu(pids[i]),
                                          .rss_bytes = process_rss(pids[i])};
        out->server_cpu_s += p.cpu_s;
        out->server_rss_bytes += p.rss_bytes;
        if (i < MACHINE_PIDS) {
            out->process[i] = p;
        }
    }
    out->self_cpu_s = process_cpu(0);
    machine_busy(out);
}

static void thread_read(pid_t pid, pid_t id, struct machine_thread *out)
{
    char path[64];
    unsigned long long spent = 0;
    *out = (struct machine_thread){.id = id};
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)id);
    FILE *f = fopen(path, "r");
    if (f) {
        out->cpu_s = fscanf(f, "%llu", &spent) == 1 ? (double)spent / 1e9 : 0;
        (void)fclose(f);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)id);
    f = fopen(path, "r");
    if (f) {
        if (fgets(out->name, sizeof(out->name), f)) {
            out->name[strcspn(out->name, "\n")] = '\0';
        }
        (void)fclose(f);
    }
}

void machine_threads_read(const pid_t *pids, unsigned count, struct machine_threads *out)
{
    out->count = 0;
    for (unsigned i = 0; i < count; i++) {
        char path[64];
        const struct dirent *entry;
        (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pids[i]);
        DIR *dir = opendir(path);
        while (dir && (entry = readdir(dir)) != NULL && out->count < MACHINE_THREADS) {
            pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
            if (id > 0) {
                thread_read(pids[i], id, &out->thread[out->count++]);
            }
        }
        if (dir) {
            (void)closedir(dir);
        }
    }
}

double machine_noise(const struct machine_sample *from, const struct machine_sample *to,
                     double wall_s)
{
    double foreign = (to->busy_s - from->busy_s) - (to->server_cpu_s - from->server_cpu_s) -
                     (to->self_cpu_s - from->self_cpu_s);
    double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    double noise = (foreign > 0 ? foreign : 0) + (to->steal_s - from->steal_s);
    return noise / (wall_s * cores);
}
