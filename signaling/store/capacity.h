/*
 * How full the server was, minute by minute, in a database of its own (data/capacity.db): what an
 * administrator compares from month to month. Losing it loses no class.
 * Invariants: at most one row a minute; rows older than CAPACITY_DAYS go; a database that cannot be
 * opened or written is an error to log, never a reason to stop.
 * Out of scope: measuring (server/app/watch.h).
 */
#pragma once

#include <stdint.h>

#include "codec/base/time.h"

enum { CAPACITY_DAYS = 400 };

struct capacity_row {
    int64_t minute; /* Unix time / 60 */
    uint32_t classes, people, media;
    double cpu;    /* of what the server may use, 0..1 */
    double used;   /* the fullest of all shares, 0..1 */
    double mbit;   /* sent */
    double memory; /* bytes */
};

struct capacity;

/* 0, E_CORRUPT, E_IO or E_NOMEM. */
int capacity_open(struct capacity **out, const char *path);
void capacity_close(struct capacity *capacity);
/* Keeps the higher values when the minute is there already. */
int capacity_put(struct capacity *capacity, const struct capacity_row *row);
/* Rows from `since` (a minute) on, oldest first, each the maxima of `step` minutes. */
int capacity_each(struct capacity *capacity, int64_t since, int64_t step,
                  void (*row_h)(void *arg, const struct capacity_row *row), void *arg);
