/*
 * The page of the operator: GET /healthz (alive), /readyz (fit for new classes), /metrics
 * (OpenMetrics 1.0), on its own listener and thread (libmicrohttpd).
 * Invariants: reads only copies and atomics; a hanging classroom thread makes /healthz fail and
 * never the other way round; no name, class or address appears in any metric.
 * Out of scope: what changes the server (control.h).
 */
#pragma once

#include <stddef.h>

struct core;
struct admin;

/* Serves on the listening socket fd (taken). 0 or E_IO. */
int admin_new(struct admin **out, struct core *core, int fd);
void admin_free(struct admin *admin);
