/* Rules of dates: eight bytes of the first date, then the rule. Whatever is taken gives at least
 * the first date, never more than it says, ascending and, behind the first, not beyond its end. */
#include <stdlib.h>
#include <string.h>

#include "signaling/journal/dates.h"
#include "signaling/people/recur.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 8 };

/* 23 hours ahead in winter and none in summer: every gap and overlap a rule can meet, and worse. */
static const uint8_t bent[] = {0, 0, 0, 0, 0x5e, 0x80, 0, 0, 0, 0, 0, 0, 0x5f, 0x80, 0, 0,
                               0, 0, 0, 0, 0x60, 0x80, 0, 0, 0, 0, 0, 0, 0x61, 0x80, 0, 0};
static const uint8_t turns[] = {1, 0, 1, 0};
static const uint8_t types[] = {0, 0, 0, 0, 0, 0, 0, 1, 0x43, 0x70, 1, 4};

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static int32_t day_of(const struct zone *zone, wall_ms at)
{
    struct zone_day d = zone_day(at / 1000 + zone_offset(zone, at / 1000));
    return d.year * 10000 + d.month * 100 + d.day;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct zone zones[] = {
        {.types = types, .type_count = 1},
        {.times = bent, .index = turns, .types = types, .time_count = 4, .type_count = 2}};
    static wall_ms starts[RECUR_COUNT_MAX];
    struct recur rule;
    char text[2 * RECUR_TEXT_MAX];
    uint64_t first;
    if (size < HEAD || size - HEAD >= sizeof(text)) {
        return 0;
    }
    memcpy(&first, data, HEAD);
    memcpy(text, data + HEAD, size - HEAD);
    text[size - HEAD] = '\0';
    if (recur_read(&rule, text)) {
        return 0;
    }
    check(rule.interval >= 1 && (rule.count == 0) != (rule.until == 0));
    check(rule.count <= RECUR_COUNT_MAX);
    const struct zone *zone = &zones[first & 1];
    wall_ms at = (wall_ms)(first % (uint64_t)DATE_START_MAX);
    size_t n = recur_expand(&rule, zone, at, starts, RECUR_COUNT_MAX);
    check(n >= 1 && starts[0] == at && (rule.count == 0 || n <= rule.count));
    for (size_t i = 1; i < n; i++) {
        check(starts[i] > starts[i - 1]);
        check(zone == &zones[1] || !rule.until || day_of(zone, starts[i]) <= rule.until);
    }
    return 0;
}
