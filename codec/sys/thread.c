#include "codec/sys/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/base/err.h"

/* A failing lock call is a broken invariant (bad memory, double unlock): never go on. */
static void must(int err)
{
    if (err) {
        abort();
    }
}

/* The n-th core of those this process may use, or -1. */
static int nth_core(int n)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set)) {
        return -1;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET((size_t)cpu, &set) && n-- == 0) {
            return cpu;
        }
    }
    return -1;
}

static void pin(int n)
{
    int cpu = n < 0 ? -1 : nth_core(n);
    if (cpu < 0) {
        return;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *entry(void *arg)
{
    struct thread *t = arg;
    (void)pthread_setname_np(pthread_self(), t->name);
    pin(t->cpu);
    t->run_h(t->arg);
    return NULL;
}

int thread_start(struct thread *t, const char *name, int cpu, void (*run_h)(void *arg), void *arg)
{
    if (!t || !run_h || cpu < -1) {
        return E_RANGE;
    }
    memset(t, 0, sizeof(*t));
    t->run_h = run_h;
    t->arg = arg;
    t->cpu = cpu;
    snprintf(t->name, sizeof(t->name), "%s", name);

    /* Signals belong to the main thread: a worker must never be the one that is interrupted. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&t->handle, NULL, entry, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->started = !err;
    return err ? E_LIMIT : 0;
}

void thread_join(struct thread *t)
{
    if (t->started) {
        must(pthread_join(t->handle, NULL));
        t->started = false;
    }
}

int thread_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set)) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

void thread_background(void)
{
    struct sched_param param = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
}

void mutex_init(struct mutex *m)
{
    must(pthread_mutex_init(&m->handle, NULL));
}

void mutex_fini(struct mutex *m)
{
    must(pthread_mutex_destroy(&m->handle));
}

void mutex_lock(struct mutex *m)
{
    must(pthread_mutex_lock(&m->handle));
}

void mutex_unlock(struct mutex *m)
{
    must(pthread_mutex_unlock(&m->handle));
}

void cond_init(struct cond *c)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr));
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    must(pthread_cond_init(&c->handle, &attr));
    pthread_condattr_destroy(&attr);
}

void cond_fini(struct cond *c)
{
    must(pthread_cond_destroy(&c->handle));
}

void cond_signal(struct cond *c)
{
    must(pthread_cond_signal(&c->handle));
}

void cond_broadcast(struct cond *c)
{
    must(pthread_cond_broadcast(&c->handle));
}

void cond_wait(struct cond *c, struct mutex *m)
{
    must(pthread_cond_wait(&c->handle, &m->handle));
}

bool cond_wait_until(struct cond *c, struct mutex *m, mono_us deadline)
{
    struct timespec ts = {.tv_sec = deadline / US_PER_S, .tv_nsec = deadline % US_PER_S * 1000};
    int err = pthread_cond_timedwait(&c->handle, &m->handle, &ts);
    if (err != ETIMEDOUT) {
        must(err);
    }
    return err != ETIMEDOUT;
}
