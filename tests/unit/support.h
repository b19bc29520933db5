/*
 * What every unit test stands on: cmocka, a leak check around each test, and a sweep that runs a
 * test again with the 1st, 2nd, 3rd ... allocation failing.
 */
#pragma once

/* cmocka.h wants these four first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* setup/teardown for every test: fails the test when mem_live() differs afterwards. */
int support_setup(void **state);
int support_teardown(void **state);

/* One row of a test table, with the leak check. */
#define UNIT(test) cmocka_unit_test_setup_teardown(test, support_setup, support_teardown)

/*
 * Runs scene(arg) with allocation k = 1, 2, ... failing until a run completes without the fail
 * point firing. scene must release everything in every case and must not assert success: it
 * returns 0 when it succeeded, a negative E_* when it gave up. Fails the test when a run with a
 * failed allocation leaks, or when the undisturbed run does not return 0. Returns the number of
 * allocations swept.
 */
long support_oom_sweep(int (*scene)(void *arg), void *arg);

/* Removes a folder with everything in it. Returns 0 when it is gone. */
int support_remove(const char *folder);

/* Rounds of a long test: `full`, or a twentieth while `make check` sets AMPHI_QUICK. */
unsigned support_rounds(unsigned full);
