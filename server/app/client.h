/*
 * One request of a command (admin_json.h) to the running server over data/run/control.sock; without
 * a server, to the database directly, in this process.
 * Invariants: never both at once: the offline way takes the lock of the data folder first.
 */
#pragma once

#include <jansson.h>

#include "server/app/command.h"

/*
 * Sends request (taken) and waits at most 10 s. *answer = the object of the answer (the caller's,
 * json_decref). offline: allowed without a server. 0; E_NOTFOUND (no server and not offline),
 * E_EXPIRED (no answer in time), E_IO ... with one line in why. An answer with "ok":false is 0
 * here.
 */
int client_request(struct command_line *line, json_t *request, bool offline, json_t **answer,
                   char *why, size_t why_cap);
/* The same for commands: prints the failure (also "ok":false) and returns NULL, or the answer; with
 * --json the answer is printed as it is. *code = exit code. */
json_t *client_ask(struct command_line *line, json_t *request, bool offline, int *code);
