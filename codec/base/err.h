/*
 * Error codes of the whole program: 0 is success, every failure is one negative E_* of err.def.
 * Out of scope: errno (turned into E_IO where a syscall fails) and per-packet drop reasons
 * (drop.h).
 */
#pragma once

#define ERR(name, value, text) name = (value),
enum err {
    E_OK = 0,
#include "codec/base/err.def"
};
#undef ERR

/* Text of an E_* code for people; never NULL, static storage. */
const char *err_text(int err);
/* Name of an E_* code ("E_FULL") for logs; never NULL, static storage. */
const char *err_name(int err);
