/* The limits of a control group, from files as a kernel shows them. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/base/mem.h"
#include "server/app/group.h"

static char root[64];

static int tree_new(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/amphi-group-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tree_free(void **state)
{
    (void)state;
    return support_remove(root);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[300];
    for (const char *at = folder; at; at = strchr(at + 1, '/')) {
        const char *end = strchr(at + 1, '/');
        int len = end ? (int)(end - folder) : (int)strlen(folder);
        (void)snprintf(path, sizeof(path), "%s%.*s", root, len, folder);
        (void)mkdir(path, 0700);
    }
    (void)snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

/* "cpuset" stands before "cpu" on many machines and is another controller. */
static void a_controller_is_a_whole_word(void **state)
{
    (void)state;
    static const char *const text = "9:name=systemd:/\n4:memory:/m\n3:cpuset:/set\n"
                                    "2:cpuacct,cpu:/busy/one\n0::/two\n";
    char path[64];
    assert_true(group_path(text, "cpu", path, sizeof(path)));
    assert_string_equal(path, "/busy/one");
    assert_true(group_path(text, "memory", path, sizeof(path)));
    assert_string_equal(path, "/m");
    assert_true(group_path(text, "", path, sizeof(path)));
    assert_string_equal(path, "/two");
    assert_false(group_path(text, "pu", path, sizeof(path)));
    assert_false(group_path("", "cpu", path, sizeof(path)));
    assert_false(group_path("nothing of the kind", "cpu", path, sizeof(path)));
}

static void version_1_limits_are_read(void **state)
{
    (void)state;
    struct group_limits got;
    put("/cpu/quarter", "cpu.cfs_quota_us", "5000\n");
    put("/cpu/quarter", "cpu.cfs_period_us", "20000\n");
    put("/cpu/quarter", "cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n");
    put("/cpu", "cpu.cfs_quota_us", "-1\n");
    put("/cpu", "cpu.cfs_period_us", "100000\n");
    put("/memory/small", "memory.limit_in_bytes", "268435456\n");
    put("/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    group_read("4:memory:/small\n3:cpuset:/\n1:cpu:/quarter\n0::/\n", root, &got);
    assert_true(got.cores == 0.25);
    assert_true(got.throttled_s == 1.5);
    assert_int_equal(got.memory, 268435456);
}

static void version_2_counts_the_tightest_group_above(void **state)
{
    (void)state;
    struct group_limits got;
    put("/slice/amphi", "cpu.max", "max 100000\n");
    put("/slice/amphi", "memory.max", "max\n");
    put("/slice", "cpu.max", "150000 100000\n");
    put("/slice", "cpu.stat", "usage_usec 7\nthrottled_usec 250000\n");
    put("/slice", "memory.max", "1073741824\n");
    group_read("0::/slice/amphi\n", root, &got);
    assert_true(got.cores == 1.5);
    assert_true(got.throttled_s == 0.25);
    assert_int_equal(got.memory, 1073741824);
}

static void what_is_not_there_limits_nothing(void **state)
{
    (void)state;
    struct group_limits got;
    put("/cpu/odd", "cpu.cfs_quota_us", "words\n");
    put("/cpu/odd", "cpu.cfs_period_us", "0\n");
    group_read("1:cpu:/odd\n0::/gone\n", root, &got);
    assert_true(got.cores == 0 && got.throttled_s == 0 && got.memory == 0);
    group_read("", root, &got);
    assert_true(got.cores == 0 && got.throttled_s == 0 && got.memory == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_controller_is_a_whole_word),
        cmocka_unit_test_setup_teardown(version_1_limits_are_read, tree_new, tree_free),
        cmocka_unit_test_setup_teardown(version_2_counts_the_tightest_group_above, tree_new,
                                        tree_free),
        cmocka_unit_test_setup_teardown(what_is_not_there_limits_nothing, tree_new, tree_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
