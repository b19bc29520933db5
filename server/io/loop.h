/*
 * One thread's waiting: epoll over file descriptors, up to a deadline, and a bell other threads may
 * ring. The owner calls loop_wait in its own for-loop, so what happens between two waits (timers,
 * flush) stays visible there.
 * Invariants: level triggered; a handler may remove any descriptor, its own included; the bell is
 * the only call another thread (or a signal handler) may make.
 * Out of scope: timers (each machine has x_deadline; the owner passes the least).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

struct loop;

/* Bits of `events` and `ready`. */
enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 /* always reported */ };

/* ready: what may be done on the descriptor; now: read once per wait. */
typedef void (*loop_fd_h)(void *arg, unsigned ready, mono_us now);

/* fds_max: descriptors at once, 1 .. 65536. 0, E_RANGE, E_NOMEM or E_IO. */
int loop_new(struct loop **out, uint32_t fds_max);
/* Descriptors are the owners' to close. */
void loop_free(struct loop *loop);
/* Watches fd. 0, E_FULL, E_DUP or E_IO. */
int loop_add(struct loop *loop, int fd, unsigned events, loop_fd_h handler, void *arg);
/* Changes what is watched for. 0, E_NOTFOUND or E_IO. */
int loop_set(struct loop *loop, int fd, unsigned events);
/* Forgets fd (before it is closed); its handler is not called again. */
void loop_del(struct loop *loop, int fd);
/*
 * Waits until something is ready, the bell rings or deadline comes (MONO_NEVER: no limit), calls
 * the handlers, and returns the time read after waiting, at which the handlers ran.
 */
mono_us loop_wait(struct loop *loop, mono_us deadline);
/* Sleeps until then whatever comes, not even for the bell: for moments only. */
void loop_rest(mono_us until);
/* Wakes loop_wait from any thread or signal handler; several rings before it wakes are one. */
void loop_ring(struct loop *loop);
