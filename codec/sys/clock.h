/*
 * The three clocks of the program. Pure code never calls these: the shell reads once per batch and
 * passes the value on (design.md D14).
 *   mono  CLOCK_MONOTONIC: deadlines; stands still while the machine sleeps.
 *   boot  CLOCK_BOOTTIME: anchors class time across a restart of the process.
 *   wall  CLOCK_REALTIME: stamps for people; may jump.
 */
#pragma once

#include "codec/base/time.h"

/* Microseconds of CLOCK_MONOTONIC. Never fails, never goes back. */
mono_us clock_mono_us(void);
/* Processor time of the calling thread. */
mono_us clock_thread_us(void);
/* Microseconds of CLOCK_BOOTTIME. */
int64_t clock_boot_us(void);
/* Unix time in milliseconds. */
wall_ms clock_wall_ms(void);

enum { CLOCK_BOOT_ID_LEN = 36, CLOCK_WALL_TEXT_MAX = 32 };

/* Identity of this boot of the machine (a UUID), NUL-terminated. 0 or E_IO. */
int clock_boot_id(char out[CLOCK_BOOT_ID_LEN + 1]);
/* "2026-11-23T18:50:12.123Z" with NUL. Returns buf. */
const char *clock_wall_text(wall_ms at, char buf[CLOCK_WALL_TEXT_MAX]);
