#include "server/app/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "codec/sys/thread.h"

enum { TEXT_MAX = 16384 };

/* utime + stime (proc(5) fields 14, 15) and resident pages (24) of a stat file. */
static double read_stat(const char *path, char name[16], uint64_t *rss)
{
    char *text = NULL;
    size_t len = 0;
    unsigned long user = 0;
    unsigned long kernel = 0;
    long pages = 0;
    if (file_read(path, TEXT_MAX, &text, &len) != 0) {
        return 0;
    }
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');
    int got = close ? sscanf(close + 1,
                             " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d "
                             "%*d %*d %*u %*u %ld",
                             &user, &kernel, &pages)
                    : 0;
    if (got == 3 && name && open) {
        (void)snprintf(name, 16, "%.*s", (int)(close - open - 1), open + 1);
    }
    if (got == 3 && rss) {
        *rss = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    mem_free(text);
    return got == 3 ? (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK) : 0;
}

static void read_threads(struct usage *out)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL && out->threads < USAGE_THREADS_MAX) {
        char path[300];
        struct usage_thread *t = &out->thread[out->threads];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
        t->name[0] = '\0';
        t->cpu_s = read_stat(path, t->name, NULL);
        if (strtol(entry->d_name, NULL, 10) == (long)getpid()) {
            (void)snprintf(t->name, sizeof(t->name), "classroom");
        }
        out->threads += t->name[0] != '\0';
    }
    if (dir) {
        (void)closedir(dir);
    }
}

/* Path of our group below a controller's mount: the line of /proc/self/cgroup that names it ("" =
 * version 2). False when there is none. */
static bool group_path(const char *controller, char *out, size_t cap)
{
    char *text = NULL;
    size_t len = 0;
    bool found = false;
    if (file_read("/proc/self/cgroup", TEXT_MAX, &text, &len) != 0) {
        return false;
    }
    for (char *line = text; line && *line && !found; line = strchr(line, '\n')) {
        line += *line == '\n';
        char *first = strchr(line, ':');
        char *second = first ? strchr(first + 1, ':') : NULL;
        if (!second) {
            break;
        }
        size_t name_len = (size_t)(second - first - 1);
        const char *at = first + 1;
        found = *controller ? name_len >= strlen(controller) &&
                                  memmem(at, name_len, controller, strlen(controller)) != NULL
                            : name_len == 0;
        if (found) {
            (void)snprintf(out, cap, "%.*s", (int)strcspn(second + 1, "\n"), second + 1);
        }
    }
    mem_free(text);
    return found;
}

static char *group_file(const char *mount, const char *group, const char *name)
{
    char path[1024];
    char *text = NULL;
    size_t len = 0;
    (void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s/%s", mount, group, name);
    return file_read(path, TEXT_MAX, &text, &len) == 0 ? text : NULL;
}

static double value_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;
    return at ? strtod(at + strlen(key), NULL) : 0;
}

static void lower(double *limit, double value)
{
    *limit = value > 0 && value < *limit ? value : *limit;
}

static void read_group_v2(struct usage *out)
{
    char group[600];
    if (!group_path("", group, sizeof(group))) {
        return;
    }
    char *max = group_file("", group, "cpu.max");
    char *stat = group_file("", group, "cpu.stat");
    char *memory = group_file("", group, "memory.max");
    double quota = max && *max != 'm' ? strtod(max, NULL) : 0;
    double period = max && strchr(max, ' ') ? strtod(strchr(max, ' '), NULL) : 0;
    lower(&out->cpu_limit, period > 0 ? quota / period : 0);
    out->throttled_s += value_after(stat, "throttled_usec ") / 1e6;
    if (memory && *memory != 'm') {
        out->memory_limit = strtoull(memory, NULL, 10);
    }
    mem_free(max);
    mem_free(stat);
    mem_free(memory);
}

static void read_group_v1(struct usage *out)
{
    char group[600];
    if (!group_path("cpu", group, sizeof(group))) {
        return;
    }
    char *quota = group_file("/cpu", group, "cpu.cfs_quota_us");
    char *period = group_file("/cpu", group, "cpu.cfs_period_us");
    char *stat = group_file("/cpu", group, "cpu.stat");
    double p = period ? strtod(period, NULL) : 0;
    lower(&out->cpu_limit, quota && p > 0 ? strtod(quota, NULL) / p : 0);
    out->throttled_s += value_after(stat, "throttled_time ") / 1e9;
    mem_free(quota);
    mem_free(period);
    mem_free(stat);
}

void usage_read(struct usage *out, const pid_t *doors, unsigned door_count)
{
    memset(out, 0, sizeof(*out));
    out->core_cpu_s = read_stat("/proc/self/stat", NULL, &out->core_rss);
    for (unsigned i = 0; i < door_count; i++) {
        char path[64];
        uint64_t rss = 0;
        if (doors[i] > 0) {
            (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)doors[i]);
            out->door_cpu_s += read_stat(path, NULL, &rss);
            out->door_rss += rss;
        }
    }
    out->cpu_limit = thread_cores();
    read_group_v2(out);
    read_group_v1(out);
    read_threads(out);
}
