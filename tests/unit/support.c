#include "tests/unit/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/base/mem.h"

static long live_before;

int support_setup(void **state)
{
    (void)state;
    live_before = mem_live();
    return 0;
}

int support_teardown(void **state)
{
    (void)state;
    mem_fail_at(0);
    if (mem_live() != live_before) {
        print_error("leak: %ld blocks\n", mem_live() - live_before);
        return -1;
    }
    return 0;
}

long support_oom_sweep(int (*scene)(void *arg), void *arg)
{
    enum { SWEEP_MAX = 100000 };
    for (long k = 1; k < SWEEP_MAX; k++) {
        long before = mem_live();
        mem_fail_at(k);
        int err = scene(arg);
        int fired = mem_fail_fired();
        mem_fail_at(0);
        assert_int_equal(mem_live(), before);
        if (!fired) {
            assert_int_equal(err, 0);
            return k - 1;
        }
    }
    fail_msg("allocation sweep did not end");
    return -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int support_remove(const char *folder)
{
    enum { OPEN_MAX_DIRS = 8 };
    return nftw(folder, remove_one, OPEN_MAX_DIRS, FTW_DEPTH | FTW_PHYS);
}

unsigned support_rounds(unsigned full)
{
    return getenv("AMPHI_QUICK") ? full / 20 : full;
}
