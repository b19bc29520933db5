/*
 * What the kernel says of all datagrams of the machine: what is lost before it reaches a socket is
 * counted at none. For the words of a failure only, because others of the machine count as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/attack/stage.h"

enum { LINE = 2048 };

/* /proc/net/snmp: a line of names and a line of values. */
static const char *const wanted[] = {
    "Ip InHdrErrors",   "Ip InAddrErrors",  "Ip InDiscards", "Ip OutDiscards",
    "Ip OutNoRoutes",   "Udp NoPorts",      "Udp InErrors",  "Udp RcvbufErrors",
    "Udp SndbufErrors", "Udp InCsumErrors", "Udp MemErrors",
};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

struct counts {
    unsigned long long value[WANTED];
    unsigned long long backlog; /* between the network and the protocols, /proc/net/softnet_stat */
};

static struct counts begun;

static void take(struct counts *out, const char *table, const char *name, unsigned long long value)
{
    for (unsigned i = 0; i < WANTED; i++) {
        size_t len = strlen(table);
        if (strncmp(wanted[i], table, len) == 0 && wanted[i][len] == ' ' &&
            strcmp(wanted[i] + len + 1, name) == 0) {
            out->value[i] = value;
        }
    }
}

static void read_table(struct counts *out, char *names, char *values)
{
    char *name_rest = NULL;
    char *value_rest = NULL;
    const char *table = strtok_r(names, ": ", &name_rest);
    (void)strtok_r(values, ": ", &value_rest);
    for (;;) {
        const char *name = strtok_r(NULL, " \n", &name_rest);
        const char *value = strtok_r(NULL, " \n", &value_rest);
        if (!table || !name || !value) {
            return;
        }
        take(out, table, name, strtoull(value, NULL, 10));
    }
}

static struct counts counts_read(void)
{
    struct counts out = {0};
    char names[LINE];
    char values[LINE];
    FILE *f = fopen("/proc/net/snmp", "r");
    while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
        read_table(&out, names, values);
    }
    if (f) {
        (void)fclose(f);
    }
    f = fopen("/proc/net/softnet_stat", "r");
    while (f && fgets(values, sizeof(values), f)) {
        char *rest = NULL;
        (void)strtoull(values, &rest, 16);
        out.backlog += strtoull(rest, NULL, 16);
    }
    if (f) {
        (void)fclose(f);
    }
    return out;
}

void stage_kernel_begin(void)
{
    begun = counts_read();
}

void stage_tell_kernel(void)
{
    struct counts now = counts_read();
    (void)printf("  the kernel's counters of the whole machine meanwhile: backlog +%llu",
                 now.backlog - begun.backlog);
    for (unsigned i = 0; i < WANTED; i++) {
        if (now.value[i] != begun.value[i]) {
            (void)printf(", %s +%llu", wanted[i], now.value[i] - begun.value[i]);
        }
    }
    (void)printf("\n");
}
