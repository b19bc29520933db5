#include "signaling/people/zone.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"

enum { HEAD_LEN = 44, COUNTS = 6, TYPE_LEN = 6 };

bool zone_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ZONE_NAME_MAX || name[0] == '/' || name[len - 1] == '/' ||
        strstr(name, "//")) {
        return false;
    }
    for (const char *c = name; *c; c++) {
        bool good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr("_+-/", *c);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Order of the counts in the header. */
enum { ISUT, ISSTD, LEAP, TIME, TYPE, CHARS };

static int head(struct rd *r, uint8_t *version, uint32_t count[COUNTS])
{
    const uint8_t *magic = rd_bytes(r, 4);
    *version = rd_u8(r);
    rd_skip(r, 15);
    for (int i = 0; i < COUNTS; i++) {
        count[i] = rd_u32(r);
    }
    if (r->bad || memcmp(magic, "TZif", 4) != 0) {
        return E_BAD;
    }
    return 0;
}

int zone_read(struct zone *zone, const void *bytes, size_t len)
{
    struct rd r = rd_init(bytes, len);
    uint8_t version;
    uint32_t n[COUNTS];
    memset(zone, 0, sizeof(*zone));
    int err = head(&r, &version, n);
    if (err || version < '2') {
        return err ? err : E_UNSUPPORTED;
    }
    uint64_t skip = (uint64_t)n[TIME] * 5 + (uint64_t)n[TYPE] * TYPE_LEN + n[CHARS] +
                    (uint64_t)n[LEAP] * 8 + n[ISSTD] + n[ISUT];
    if (skip > len) {
        return E_BAD;
    }
    rd_skip(&r, (size_t)skip);
    err = head(&r, &version, n);
    size_t at = HEAD_LEN * 2 + (size_t)skip;
    uint64_t need = (uint64_t)n[TIME] * 9 + (uint64_t)n[TYPE] * TYPE_LEN;
    if (err || n[TYPE] == 0 || need > len - at) {
        return E_BAD;
    }
    zone->times = (const uint8_t *)bytes + at;
    zone->time_count = n[TIME];
    zone->index = zone->times + (size_t)n[TIME] * 8;
    zone->types = zone->index + n[TIME];
    zone->type_count = n[TYPE];
    for (uint32_t i = 0; i < n[TIME]; i++) {
        if (zone->index[i] >= n[TYPE]) {
            return E_BAD;
        }
    }
    return 0;
}

static int64_t time_at(const struct zone *zone, uint32_t i)
{
    struct rd r = rd_init(zone->times + (size_t)i * 8, 8);
    return (int64_t)rd_u64(&r);
}

/* How many changes lie at or before utc. */
static uint32_t changes_until(const struct zone *zone, int64_t utc)
{
    uint32_t low = 0;
    uint32_t high = zone->time_count; /* first change later than utc */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (time_at(zone, middle) <= utc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Of the stretch behind so many changes. */
static int32_t offset_behind(const struct zone *zone, uint32_t changes, bool *summer)
{
    uint32_t type = changes ? zone->index[changes - 1] : 0;
    struct rd r = rd_init(zone->types + (size_t)type * TYPE_LEN, TYPE_LEN);
    int32_t offset = (int32_t)rd_u32(&r);
    *summer = rd_u8(&r) != 0;
    return offset;
}

int32_t zone_offset(const struct zone *zone, int64_t utc)
{
    bool summer;
    return offset_behind(zone, changes_until(zone, utc), &summer);
}

struct zone_span zone_span(const struct zone *zone, int64_t utc)
{
    uint32_t n = changes_until(zone, utc);
    bool summer;
    struct zone_span span = {.from = n ? time_at(zone, n - 1) : INT64_MIN,
                             .until = n < zone->time_count ? time_at(zone, n) : INT64_MAX};
    span.before = offset_behind(zone, n ? n - 1 : 0, &summer);
    span.offset = offset_behind(zone, n, &span.daylight);
    return span;
}

/* Days since 1970 to a date: the calendar counted in years that begin in March. */
struct zone_day zone_day(int64_t local)
{
    int64_t days = local / 86400;
    int64_t rest = local % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t in_era = shifted - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    struct zone_day out = {
        .day = (int)(in_year - (153 * month + 2) / 5 + 1),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .weekday = (int)((days % 7 + 11) % 7),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest % 3600 / 60),
    };
    out.year = (int)(year + era * 400 + (out.month <= 2));
    return out;
}
