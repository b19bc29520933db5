/*
 * The office: everything around the live hour that pages ask for over HTTP (/api/...): accounts,
 * classes being prepared, rosters, invitations. The core thread only hands a request over; two
 * threads of the office answer it, each with its own connection to people.db: the desk, and one for
 * what is slow (passwords, identity providers, long rosters), so that hashing never holds up a
 * class nor a colleague (reliability S39).
 *
 *   office_ask (core thread) -> route -> queue (64) -> handler on its thread -> core thread -> door
 *
 * What a handler sees is office_call.h; which requests there are is office_routes.c.
 * Invariants: the classroom is touched by the core thread only; a full queue answers 503 at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/class/classroom.h"
#include "signaling/door/ipc.h"

struct core;
struct office;

/* Opens people.db and starts the threads. 0 or an error with one line in why. */
int office_new(struct office **out, struct core *core, char *why, size_t why_cap);
void office_free(struct office *office);
/* A request of a page; false when no route has this path (nothing was answered). */
bool office_ask(struct office *office, const struct ipc_ask *ask);
/* True when this request number of classroom_admin is the office's; then it is answered. */
bool office_answered(struct office *office, uint64_t request, int err, const char *json,
                     size_t len);
/* Somebody found no seat: written down and told to administrators by the desk. Core thread. */
void office_full(struct office *office, const struct id *class_id, enum class_full why);
/* Takes over settings that changed while running. */
void office_reload(struct office *office);
