/*
 * What a Type=notify systemd unit hears from us (sd_notify(3)), without libsystemd: one datagram to
 * $NOTIFY_SOCKET. Outside systemd nothing happens.
 */
#pragma once

#include "codec/base/time.h"

/* Sends state ("READY=1", "STATUS=...", several lines joined by \n). 0, also without systemd;
 * E_IO when the socket cannot be reached. */
int notify_send(const char *state);
/* Half of the watchdog interval systemd asks of this process, or 0 when it asks none. */
mono_us notify_watchdog_us(void);
