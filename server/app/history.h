/*
 * The history of a class read from the database beside a running server: what reports are made
 * from. The core is not asked and does not notice.
 * Out of scope: writing, the state of the class (signaling/class).
 */
#pragma once

#include <stddef.h>

#include "server/app/config.h"
#include "signaling/attendance/seal.h"
#include "signaling/attendance/sheet.h"
#include "signaling/journal/event.h"

struct history {
    struct sheet sheet;
    struct attendance_chain chain; /* digest of every byte of the journal */
};

/* Called with each event in order; texts of erased people are NULL. Not 0 = stop. */
typedef int (*history_event_h)(void *arg, const struct event *event);

/*
 * Folds the attendance of a class; names of erased people are missing. history->sheet is
 * initialised in every case (sheet_fini). event_h may be NULL. 0, or an error with one line in why.
 */
int history_walk(struct history *history, const struct config *config, const struct id *class_id,
                 history_event_h event_h, void *arg, char *why, size_t why_cap);
