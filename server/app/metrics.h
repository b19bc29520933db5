/*
 * The counters of the process as OpenMetrics text (OpenMetrics 1.0: families with HELP and TYPE,
 * counters end in _total, base units, "# EOF" last).
 */
#pragma once

#include <stddef.h>

struct core;

/* The whole page; *len bytes owned by the caller (free), NULL when out of memory. Any thread. */
char *metrics_page(struct core *core, size_t *len);
