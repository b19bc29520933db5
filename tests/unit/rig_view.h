/*
 * What a page makes of the events it is told: the same fold as the web client's, in C, so that a
 * test can compare a page with the state of the classroom.
 */
#pragma once

#include <jansson.h>

/* One event of a delta on the newest snapshot. */
void rig_view_apply(json_t *view, const json_t *event);
