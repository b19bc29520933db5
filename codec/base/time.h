/*
 * Units of time. Monotonic microseconds are read once per batch by the shell and passed by value;
 * pure code never sees a clock. Wall clock (unix milliseconds) appears in journal stamps only.
 */
#pragma once

#include <stdint.h>

typedef int64_t mono_us; /* monotonic microseconds since an arbitrary start */
typedef int64_t wall_ms; /* unix time in milliseconds */

#define MONO_NEVER INT64_MAX /* a deadline that is not set */
#define US_PER_MS 1000
#define US_PER_S 1000000

static inline mono_us mono_min(mono_us a, mono_us b)
{
    return a < b ? a : b;
}

static inline mono_us mono_max(mono_us a, mono_us b)
{
    return a > b ? a : b;
}
