/*
 * The socket of the operator in data/run: one JSON line in, one JSON line out (admin_json.h), then
 * the connection ends. Only processes of our user (or root) are heard.
 * Invariants: at most CONTROL_CLIENTS_MAX at once; a client that sends no line within
 * CONTROL_WAIT_US is cut; nothing here blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum { CONTROL_CLIENTS_MAX = 16, CONTROL_WAIT_US = 10 * US_PER_S };

struct core;
struct control;

/* Listens at run/control.sock. 0 or an error with one line in why. */
int control_new(struct control **out, struct core *core, char *why, size_t why_cap);
void control_free(struct control *control);
/* The classroom's answer to a request of ours (admin_h). */
void control_answer(struct control *control, uint64_t request, int err, const char *json,
                    size_t len);
/* Cuts who takes too long; once per tick. */
void control_timer(struct control *control, mono_us now);
