/*
 * Relays (TURN, RFC 8656) people and programs are told to use where nothing else passes, with
 * credentials of their own that end by themselves: user "expiry:id", password HMAC-SHA1 of it under
 * a secret shared with coturn (`use-auth-secret`).
 * Invariants: the secret never leaves the process; a credential lives a day at most; without
 * turn.urls nobody is told of any relay. Out of scope: the relay itself (packaging/coturn.conf).
 */
#pragma once

#include <stddef.h>

#include "codec/base/time.h"
#include "server/app/config.h"
#include "server/crypto/hmac.h"
#include "signaling/class/classroom.h"

enum { TURN_SECRET_MIN = 16, TURN_WHY_MAX = 400 };

struct turn {
    struct class_relay urls; /* borrowed from the configuration */
    struct hmac_key key;
    wall_ms ttl_ms;
};

/* Reads turn.* and the secret file. 0, or E_BAD, E_IO ... with one line in why. */
int turn_init(struct turn *turn, const struct config *config, char *why, size_t cap);
/* The relays for one user. */
void turn_relay(const struct turn *turn, const char *user, wall_ms now, struct class_relay *out);
/* The same as the value of a Link header (RFC 9725 section 4.6), "" when there are none. */
void turn_link(const struct turn *turn, const char *user, wall_ms now, char *out, size_t cap);
