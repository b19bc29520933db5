#include "server/app/office_when.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "signaling/people/zone.h"

enum { ZONE_BYTES_MAX = 65536 };

bool office_zone_open(const char *name, struct zone *zone, char **bytes)
{
    char path[ZONE_NAME_MAX + 32];
    size_t len = 0;
    *bytes = NULL;
    if (!zone_name_ok(name)) {
        return false;
    }
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    if (!file_read(path, ZONE_BYTES_MAX, bytes, &len) && !zone_read(zone, *bytes, len)) {
        return true;
    }
    mem_free(*bytes);
    *bytes = NULL;
    return false;
}

/* 0 when the zone is not known here. */
static bool offset_of(const char *name, int64_t utc, int32_t *offset)
{
    char *bytes;
    struct zone zone;
    bool known = office_zone_open(name, &zone, &bytes);
    *offset = known ? zone_offset(&zone, utc) : 0;
    mem_free(bytes);
    return known;
}

bool office_zone_known(const char *zone)
{
    int32_t offset;
    return offset_of(zone, 0, &offset);
}

const char *office_when(char out[OFFICE_WHEN_MAX], wall_ms start, int64_t minutes, const char *zone,
                        bool french)
{
    static const char *const days[2][7] = {
        {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
        {"Dimanche", "Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi"}};
    static const char *const months[2][12] = {
        {"January", "February", "March", "April", "May", "June", "July", "August", "September",
         "October", "November", "December"},
        {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
         "octobre", "novembre", "décembre"}};
    int32_t offset;
    out[0] = '\0';
    if (start > 0) {
        bool known = offset_of(zone, start / 1000, &offset);
        struct zone_day d = zone_day(start / 1000 + offset);
        snprintf(out, OFFICE_WHEN_MAX, "%s %d %s %d%s %02d:%02d (%lld min, %s)\n",
                 days[french][d.weekday], d.day, months[french][d.month - 1], d.year,
                 french ? " à" : ",", d.hour, d.minute, (long long)minutes, known ? zone : "UTC");
    }
    return out;
}

void office_clock(char out[OFFICE_CLOCK_MAX], wall_ms at, const char *zone)
{
    int32_t offset;
    (void)offset_of(zone, at / 1000, &offset);
    struct zone_day d = zone_day(at / 1000 + offset);
    snprintf(out, OFFICE_CLOCK_MAX, "%02u:%02u", (unsigned)d.hour % 24, (unsigned)d.minute % 60);
}
