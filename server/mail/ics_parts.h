/* What ics.c and ics_series.c share. Nobody else includes it. */
#pragma once

#include "server/mail/ics.h"

/* One VEVENT; when = its lines about time. */
void ics_part(struct mail_text *out, const struct ics_event *event, const char *when);
/* Time zone, series and moved dates of event->series. */
void ics_series(struct mail_text *out, const struct ics_event *event);
