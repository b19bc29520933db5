/* When a class takes place, as one writes it in a mail: in the zone of the class. */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"

enum { OFFICE_WHEN_MAX = 160 };

/* "Mardi 1 décembre 2026 à 14:00 (90 min, Europe/Paris)" and a line break; "" for start 0. An
 * unknown zone is UTC. Returns out. */
const char *office_when(char out[OFFICE_WHEN_MAX], wall_ms start, int64_t minutes, const char *zone,
                        bool french);
/* Whether this machine knows the zone. */
bool office_zone_known(const char *zone);
