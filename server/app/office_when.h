/* When a class takes place, as one writes it in a mail: in the zone of the class. */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"

enum { OFFICE_WHEN_MAX = 160, OFFICE_CLOCK_MAX = 8 };

/* "Mardi 1 décembre 2026 à 14:00 (90 min, Europe/Paris)" and a line break; "" for start 0. An
 * unknown zone is UTC. Returns out. */
const char *office_when(char out[OFFICE_WHEN_MAX], wall_ms start, int64_t minutes, const char *zone,
                        bool french);
/* "14:05" in the zone. */
void office_clock(char out[OFFICE_CLOCK_MAX], wall_ms at, const char *zone);
struct zone;

/* The zone of this name; zone borrows *bytes (mem_free). False when this machine has none. */
bool office_zone_open(const char *name, struct zone *zone, char **bytes);
/* Whether this machine knows the zone. */
bool office_zone_known(const char *zone);
