/*
 * The only clock. Read once per batch; everybody below gets the value.
 */
#pragma once

#include "codec/base/time.h"

/* CLOCK_MONOTONIC in microseconds. */
mono_us clock_mono(void);
/* Wall clock in unix milliseconds: for server/app and journal stamps only (design.md D14). */
wall_ms clock_wall(void);
