/*
 * Threads and the only locks of the program. Shards share nothing and meet through mailboxes; the
 * locks here are for queues at the edge (storage thread, log, metrics), never on the packet path.
 * Invariants: waits are measured on CLOCK_MONOTONIC, so a clock jump wakes nobody early or late.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "codec/base/time.h"

struct thread {
    pthread_t handle;
    void (*run_h)(void *arg);
    void *arg;
    int cpu;
    char name[16];
    bool started;
};

struct mutex {
    pthread_mutex_t handle;
};

struct cond {
    pthread_cond_t handle;
};

/*
 * Starts run_h(arg) in a new thread called name (first 15 bytes) with all signals blocked, on core
 * cpu (0 .. thread_cores()-1; -1 = any). t must live until thread_join. 0, E_RANGE or E_LIMIT.
 * A core the machine does not let us use is not an error: the thread runs anywhere.
 */
int thread_start(struct thread *t, const char *name, int cpu, void (*run_h)(void *arg), void *arg);
/* Waits for the end of a started thread; nothing for one that was not. */
void thread_join(struct thread *t);
/* Cores this process may run on, at least 1. */
int thread_cores(void);
/* Lowers the calling thread to background priority (SCHED_BATCH, nice 10). Best effort. */
void thread_background(void);

void mutex_init(struct mutex *m);
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
/* Waits with m held; may wake without cause. */
void cond_wait(struct cond *c, struct mutex *m);
/* The same until deadline; false when it has passed. */
bool cond_wait_until(struct cond *c, struct mutex *m, mono_us deadline);
