#include "server/app/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "codec/sys/thread.h"
#include "server/app/group.h"

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

static void read_group(struct usage *out)
{
    struct group_limits group;
    char *self = NULL;
    size_t len = 0;
    if (file_read("/proc/self/cgroup", TEXT_MAX, &self, &len) != 0) {
        return;
    }
    group_read(self, "/sys/fs/cgroup", &group);
    mem_free(self);
    out->throttled_s = group.throttled_s;
    out->memory_limit = group.memory;
    if (group.cores > 0 && group.cores < out->cpu_limit) {
        out->cpu_limit = group.cores;
    }
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
    read_group(out);
    read_threads(out);
}
