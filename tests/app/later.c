/* A clock that is LATER_S seconds ahead: preloaded into a server to see what it does in a month.
 * Only the wall clock moves; timers go on as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static long long ahead(void)
{
    const char *text = getenv("LATER_S");
    return text ? strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(id, out);
    if (result == 0 && id == CLOCK_REALTIME) {
        out->tv_sec += ahead();
    }
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
