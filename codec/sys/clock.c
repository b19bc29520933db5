#include "codec/sys/clock.h"

#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"

static int64_t read_us(clockid_t id)
{
    struct timespec ts = {0};
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

mono_us clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

wall_ms clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / US_PER_MS;
}

int clock_boot_id(char out[CLOCK_BOOT_ID_LEN + 1])
{
    char *text = NULL;
    size_t len = 0;
    int err = file_read("/proc/sys/kernel/random/boot_id", 128, &text, &len);
    if (!err && len < CLOCK_BOOT_ID_LEN) {
        err = E_IO;
    }
    if (!err) {
        memcpy(out, text, CLOCK_BOOT_ID_LEN);
        out[CLOCK_BOOT_ID_LEN] = '\0';
    }
    mem_free(text);
    return err ? E_IO : 0;
}

const char *clock_wall_text(wall_ms at, char buf[CLOCK_WALL_TEXT_MAX])
{
    time_t seconds = (time_t)(at / 1000);
    unsigned ms = (unsigned)(at % 1000);
    struct tm tm;
    if (at < 0 || !gmtime_r(&seconds, &tm)) {
        memcpy(buf, "-", 2);
        return buf;
    }
    size_t len = strftime(buf, CLOCK_WALL_TEXT_MAX - 8, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + len, CLOCK_WALL_TEXT_MAX - len, ".%03uZ", ms);
    return buf;
}

mono_us clock_thread_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}
