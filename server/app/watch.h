/*
 * Watches how full the server is: every two seconds what it uses of processor, media connections
 * and page connections; every minute a row of the history; at 80 and 100 % an alert (log, metric,
 * mail). Also starts and watches rehearsals: `amphi load` as a child process, stopped at once when
 * real classes would suffer.
 * Invariants: a thread of its own in the core process that only reads copies and talks over the
 * control socket like any command; nothing here can stop a class.
 * Out of scope: HTTP (admin_page.h), the load itself (cmd_load.c).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct core;
struct watch;

enum { WATCH_SHAPE_MAX = 48 };

/* 0, E_NOMEM or E_LIMIT. */
int watch_new(struct watch **out, struct core *core);
void watch_free(struct watch *watch);
/* What is now: {"now","used","cpu","cores":[...],"headroom_people","classes":[...], ...}; the
 * caller's. Any thread. */
json_t *watch_state(struct watch *watch);
/* The last `hours` as rows [minute, classes, people, media, cpu, used, mbit, memory]. */
json_t *watch_history(struct watch *watch, uint32_t hours);
/* Fullest share (0..1) and the alert that holds (0, 80 or 100), for the metrics. */
double watch_used(struct watch *watch, unsigned *alert);
/* Starts a rehearsal. 0, E_BUSY (one is running), E_NOTFOUND (no such shape), E_IO. */
int watch_rehearse(struct watch *watch, const char *shape);
/* Ends it; its report tells what was measured. */
void watch_rehearse_stop(struct watch *watch, const char *why);
/* Path of the newest report in buf; false when there is none. */
bool watch_report(struct watch *watch, char *buf, size_t cap);
