/*
 * The history of a class read from the database beside a running server: what reports are made
 * from. The core is not asked and does not notice.
 * Out of scope: writing, the state of the class (signaling/class).
 */
#pragma once

#include <stddef.h>

#include "server/app/config.h"
#include "signaling/attendance/sheet.h"

/*
 * Folds the attendance of a class; names of erased people are missing. *sheet is initialised in
 * every case (sheet_fini). 0, or an error with one line in why.
 */
int history_sheet(struct sheet *sheet, const struct config *config, const struct id *class_id,
                  char *why, size_t why_cap);
