/*
 * The door alone: `lab door key=value ...` runs the real door, `lab core key=value ...` a core that
 * knows no classroom and answers what the attack tests ask of it (lab_core.c).
 */
#pragma once

#include <stdbool.h>

/* Value of "key=..." among the arguments, or NULL. */
const char *lab_arg(int argc, char **argv, const char *key);
/* The same as a number, or fallback. */
long lab_number(int argc, char **argv, const char *key, long fallback);
/* Runs the test core until SIGTERM; exit code. */
int lab_core(int argc, char **argv);
