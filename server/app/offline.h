/*
 * Requests of the operator without a running server: opens the database, folds the classes, does
 * one thing, closes. Same code as the core, without doors, media and threads of its own.
 */
#pragma once

#include <stddef.h>

#include "server/app/config.h"

/* Does the request line and gives its answer line (owned, free). 0 or an error with one line in
 * why. */
int offline_request(const struct config *config, const char *request, char **answer, char *why,
                    size_t why_cap);
