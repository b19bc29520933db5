#include "server/app/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"

enum { TEXT_MAX = 16384, PATH_CAP = 700 };

/* Whether list ("cpu,cpuacct") has name as one of its members: "cpuset" is not "cpu". */
static bool list_has(const char *list, size_t len, const char *name)
{
    size_t want = strlen(name);
    for (size_t at = 0; at <= len;) {
        const char *comma = memchr(list + at, ',', len - at);
        size_t n = comma ? (size_t)(comma - list) - at : len - at;
        if (n == want && memcmp(list + at, name, n) == 0) {
            return true;
        }
        at += n + 1;
    }
    return false;
}

bool group_path(const char *text, const char *controller, char *out, size_t cap)
{
    for (const char *line = text; line && *line;) {
        size_t len = strcspn(line, "\n");
        const char *list = memchr(line, ':', len);
        const char *path = list ? memchr(list + 1, ':', len - (size_t)(list + 1 - line)) : NULL;
        if (path && list_has(list + 1, (size_t)(path - list - 1), controller)) {
            (void)snprintf(out, cap, "%.*s", (int)(line + len - path - 1), path + 1);
            return true;
        }
        line += len + (line[len] == '\n');
    }
    return false;
}

static char *read_in(const char *mount, const char *controller, const char *group, const char *name)
{
    char path[PATH_CAP * 2];
    char *text = NULL;
    size_t len = 0;
    (void)snprintf(path, sizeof(path), "%s%s%s/%s", mount, controller, group, name);
    return file_read(path, TEXT_MAX, &text, &len) == 0 ? text : NULL;
}

static double number_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;
    return at ? strtod(at + strlen(key), NULL) : 0;
}

static void cores_at_most(struct group_limits *out, double cores)
{
    if (cores > 0 && (out->cores == 0 || cores < out->cores)) {
        out->cores = cores;
    }
}

static void memory_at_most(struct group_limits *out, const char *text)
{
    /* Version 1 says "none" as the largest multiple of a page in 63 bits. */
    uint64_t bytes = text && *text != 'm' ? strtoull(text, NULL, 10) : 0;
    if (bytes > 0 && bytes < UINT64_C(1) << 62 && (out->memory == 0 || bytes < out->memory)) {
        out->memory = bytes;
    }
}

static void held_back(struct group_limits *out, double seconds)
{
    out->throttled_s = seconds > out->throttled_s ? seconds : out->throttled_s;
}

static void read_v2(const char *mount, const char *group, struct group_limits *out)
{
    char *max = read_in(mount, "", group, "cpu.max");
    char *stat = read_in(mount, "", group, "cpu.stat");
    char *memory = read_in(mount, "", group, "memory.max");
    const char *space = max ? strchr(max, ' ') : NULL;
    double period = space ? strtod(space, NULL) : 0;
    cores_at_most(out, period > 0 && *max != 'm' ? strtod(max, NULL) / period : 0);
    held_back(out, number_after(stat, "throttled_usec ") / 1e6);
    memory_at_most(out, memory);
    mem_free(max);
    mem_free(stat);
    mem_free(memory);
}

static void read_v1_cpu(const char *mount, const char *group, struct group_limits *out)
{
    char *quota = read_in(mount, "/cpu", group, "cpu.cfs_quota_us");
    char *period = read_in(mount, "/cpu", group, "cpu.cfs_period_us");
    char *stat = read_in(mount, "/cpu", group, "cpu.stat");
    double p = period ? strtod(period, NULL) : 0;
    cores_at_most(out, quota && p > 0 ? strtod(quota, NULL) / p : 0);
    held_back(out, number_after(stat, "throttled_time ") / 1e9);
    mem_free(quota);
    mem_free(period);
    mem_free(stat);
}

static void read_v1_memory(const char *mount, const char *group, struct group_limits *out)
{
    char *limit = read_in(mount, "/memory", group, "memory.limit_in_bytes");
    memory_at_most(out, limit);
    mem_free(limit);
}

/* The group and every group above it: each may be the one that holds the process back. */
static void each_level(const char *self, const char *controller, const char *mount,
                       void (*read)(const char *mount, const char *group, struct group_limits *out),
                       struct group_limits *out)
{
    char group[PATH_CAP];
    if (!group_path(self, controller, group, sizeof(group))) {
        return;
    }
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
        *end = '\0';
        read(mount, group, out);
    }
}

void group_read(const char *self, const char *mount, struct group_limits *out)
{
    *out = (struct group_limits){0};
    each_level(self, "", mount, read_v2, out);
    each_level(self, "cpu", mount, read_v1_cpu, out);
    each_level(self, "memory", mount, read_v1_memory, out);
}
