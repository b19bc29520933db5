/*
 * What we take for a mail address: one plain addr-spec (RFC 5321, 4.1.2) without quotes, comments
 * or international parts, so that it can stand in any header and any shell.
 */
#pragma once

#include <stdbool.h>

enum { MAILADDR_MAX = 254 };

bool mailaddr_ok(const char *text);
