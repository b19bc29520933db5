/* How long what is known of people is kept, by default and per class; deleting what is over. */
#pragma once

#include "server/app/office_call.h"

/* Days this kind of data ("words", "roster", "people", "mails", "audit") is kept; class_id NULL or
 * zero = by default. */
int64_t keep_days(struct office_call *call, const struct id *class_id, const char *what);
/* Deletes what has been kept long enough: what is the server's each time, and a few classes. */
void keep_upkeep(struct office_call *call);
/* A class leaves the bin for good: names and texts of everybody go, then the class. */
void keep_purge_class(struct office_call *call, const struct id *class_id, const char *title);
