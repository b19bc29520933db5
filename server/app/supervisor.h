/*
 * The parent of the two processes that serve: starts core and door (the same program, hidden
 * commands), starts again what dies, kills what hangs, passes signals on, tells systemd. It keeps
 * no state of any class and never parses a byte from outside. SIGTERM, SIGINT  graceful: everybody
 * is told, exit 0 within server.drain_s (twice: at once) SIGHUP           certificate and live
 * settings again Watchdog: each child writes a byte every 500 ms; the door is killed after 3 s of
 * silence, the core after 10 s (a machine that stands still for 3 s must not cost a class, F24).
 * Out of scope: which deaths are worth a new start (restart.h).
 */
#pragma once

#include <stdbool.h>

#include "server/app/command.h"
#include "server/app/prepare.h"

/* Serves until told to stop. demo: print the links of a demo class once ready. Returns the exit
 * code. */
int supervisor_run(struct command_line *line, struct prepared *prepared, bool demo);
