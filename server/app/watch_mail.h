/* The mail of a capacity alert, put into the queue of mails (server/mail/spool.h). */
#pragma once

struct core;

/* To admin.alert_to; nothing without one. percent: 80 or 100. */
void watch_mail(struct core *core, unsigned percent, const char *why);
