/*
 * Classes of several dates, and the archive, as the office knows them. The classroom goes from one
 * date to the next; here the row of the class follows, so that lists and reminders mean the date
 * that comes next.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "server/app/office_call.h"

/* [[start, minutes], ...] behind those of list; list is taken over and returned. */
json_t *office_dates(json_t *list, const int64_t *starts, size_t count, int64_t minutes);
/* Dates of a class that have begun, as such a list. */
json_t *office_dates_begun(struct office_call *call, const char *class_text);
/* Brings the rows of classes of several dates in line with the classroom. */
void office_dates_follow(struct office_call *call);
