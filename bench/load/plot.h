/*
 * Plots as inline SVG: lines over time, bars over a spread. Colours and fonts come from the page's
 * style sheet (classes s0, s1 ..., grid, axis).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bench/load/spread.h"

enum { PLOT_SERIES = 3 };

struct plot {
    const char *unit;
    unsigned series;
    double (*value_h)(const void *data, unsigned series, unsigned i); /* below 0 = unknown */
    double (*time_h)(const void *data, unsigned i);
    const void *data;
    unsigned count;
    double limit; /* a line across, 0 = none */
};

void plot_lines(FILE *out, const struct plot *plot);
/* Values in milliseconds, 24 bars on a logarithmic scale; limit_ms 0 = none. */
void plot_spread(FILE *out, const struct spread *spread, double limit_ms);
