/* Rules of dates and what they give in a time zone. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "signaling/people/recur.h"
#include "signaling/people/series.h"

static struct zone zone_of(const char *name, char **bytes)
{
    char path[80];
    size_t len = 0;
    struct zone zone;
    (void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    assert_int_equal(file_read(path, 65536, bytes, &len), 0);
    assert_int_equal(zone_read(&zone, *bytes, len), 0);
    return zone;
}

/* "YYYY-MM-DD HH:MM" in the zone. */
static const char *local(const struct zone *zone, wall_ms at)
{
    static char text[64];
    struct zone_day d = zone_day(at / 1000 + zone_offset(zone, at / 1000));
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d", d.year, d.month, d.day, d.hour,
                   d.minute);
    return text;
}

struct rule_case {
    const char *zone;
    const char *first; /* ms */
    const char *rule;
    const char *dates[6];
    size_t count;
};

/* 2026-10-13 14:00 in Paris is a Tuesday; summer time ends on the 25th. */
static const struct rule_case cases[] = {
    {"Europe/Paris",
     "1791892800000",
     "FREQ=WEEKLY;COUNT=3",
     {"2026-10-13 14:00", "2026-10-20 14:00", "2026-10-27 14:00"},
     3},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=WEEKLY;INTERVAL=2;UNTIL=20261110",
     {"2026-10-13 14:00", "2026-10-27 14:00", "2026-11-10 14:00"},
     3},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4",
     {"2026-10-13 14:00", "2026-10-15 14:00", "2026-10-20 14:00", "2026-10-22 14:00"},
     4},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU;COUNT=4",
     {"2026-10-13 14:00", "2026-10-26 14:00", "2026-10-27 14:00", "2026-11-09 14:00"},
     4},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=5",
     {"2026-10-13 14:00", "2026-10-14 14:00", "2026-10-15 14:00", "2026-10-16 14:00",
      "2026-10-19 14:00"},
     5},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=MONTHLY;BYDAY=2TU;COUNT=3",
     {"2026-10-13 14:00", "2026-11-10 14:00", "2026-12-08 14:00"},
     3},
    {"Europe/Paris",
     "1791892800000",
     "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
     {"2026-10-13 14:00", "2026-11-27 14:00", "2026-12-25 14:00"},
     3},
    /* 31 January 2027 10:00: months without a 31st are left out. */
    {"Europe/Paris",
     "1801386000000",
     "FREQ=MONTHLY;COUNT=3",
     {"2027-01-31 10:00", "2027-03-31 10:00", "2027-05-31 10:00"},
     3},
    /* An hour that does not exist on 28 March 2027 in Paris. */
    {"Europe/Paris",
     "1805592600000",
     "FREQ=WEEKLY;COUNT=2",
     {"2027-03-21 02:30", "2027-03-28 03:30"},
     2},
    {"America/New_York",
     "1791892800000",
     "FREQ=DAILY;INTERVAL=10;COUNT=3",
     {"2026-10-13 08:00", "2026-10-23 08:00", "2026-11-02 08:00"},
     3},
};

static void rules_give_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *bytes = NULL;
        struct zone zone = zone_of(cases[i].zone, &bytes);
        struct recur rule;
        wall_ms out[RECUR_COUNT_MAX];
        assert_int_equal(recur_read(&rule, cases[i].rule), 0);
        size_t n =
            recur_expand(&rule, &zone, strtoll(cases[i].first, NULL, 10), out, RECUR_COUNT_MAX);
        assert_int_equal(n, cases[i].count);
        for (size_t k = 0; k < n; k++) {
            assert_string_equal(local(&zone, out[k]), cases[i].dates[k]);
        }
        mem_free(bytes);
    }
}

/* 02:30 on the night the clocks go forward is 03:30. */
static void a_missing_hour_is_the_one_behind_it(void **state)
{
    (void)state;
    char *bytes = NULL;
    struct zone zone = zone_of("Europe/Paris", &bytes);
    const int64_t day = 1806192000 / 86400; /* 2027-03-28 */
    assert_string_equal(local(&zone, recur_utc(&zone, day, 150) * 1000), "2027-03-28 03:30");
    assert_string_equal(local(&zone, recur_utc(&zone, day, 90) * 1000), "2027-03-28 01:30");
    assert_string_equal(local(&zone, recur_utc(&zone, day, 210) * 1000), "2027-03-28 03:30");
    mem_free(bytes);
}

static void what_is_no_rule_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "WEEKLY",
        "FREQ=HOURLY;COUNT=2",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=261",
        "FREQ=WEEKLY;COUNT=2;UNTIL=20270101",
        "FREQ=WEEKLY;COUNT=2;BYDAY=",
        "FREQ=WEEKLY;COUNT=2;BYDAY=XX",
        "FREQ=WEEKLY;COUNT=2;BYDAY=2TU",
        "FREQ=MONTHLY;COUNT=2;BYDAY=TU",
        "FREQ=MONTHLY;COUNT=2;BYDAY=-2TU",
        "FREQ=WEEKLY;COUNT=2;BYSETPOS=1",
        "COUNT=2",
        "FREQ=WEEKLY;COUNT=99999999999999999999",
        "FREQ=WEEKLY;INTERVAL=53;COUNT=2",
        "FREQ=WEEKLY;COUNT=2;BYDAY=MOTU",
        "FREQ=WEEKLY;COUNT=2;BYDAY=M",
        "FREQ=WEEKLY;COUNT=2;BYDAY=-",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct recur rule;
        if (recur_read(&rule, bad[i]) != E_BAD) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

/* ---- the dates as calendars know them
 * --------------------------------------------------------------------------------------- */

enum { HOUR_MS = 3600000 };

static const wall_ms day0 = 1796130000000; /* 2026-12-01 13:00 UTC */

/* Hours behind day0, 0 ends; negative = minus one hour is no date. */
static size_t dates_of(struct series_slot out[16], const int *hours)
{
    size_t n = 0;
    for (; hours[n] >= 0; n++) {
        wall_ms at = day0 + (wall_ms)hours[n] * HOUR_MS;
        out[n] = (struct series_slot){.slot = at, .start = at, .minutes = 60};
    }
    return n;
}

static bool follow(struct series *s, const int *hours, int now)
{
    struct series_slot dates[16];
    size_t n = dates_of(dates, hours);
    return series_follow(s, dates, n, day0 + (wall_ms)now * HOUR_MS);
}

/* slot:start in hours, "-" = cancelled */
static const char *shown(const struct series *s)
{
    static char text[256];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < s->count; i++) {
        int slot = (int)((s->slot[i].slot - day0) / HOUR_MS);
        int start = (int)((s->slot[i].start - day0) / HOUR_MS);
        n += (size_t)(s->slot[i].start ? snprintf(text + n, sizeof(text) - n, "%d:%d ", slot, start)
                                       : snprintf(text + n, sizeof(text) - n, "%d:- ", slot));
    }
    return text;
}

#define HOURS(...) ((const int[]){__VA_ARGS__, -1})

static void a_series_keeps_its_slots(void **state)
{
    (void)state;
    struct series s = {.count = 0};
    assert_true(follow(&s, HOURS(24, 48, 72, 96), 0));
    assert_string_equal(shown(&s), "24:24 48:48 72:72 96:96 ");
    assert_false(follow(&s, HOURS(24, 48, 72, 96), 0));
    /* One is moved, then moved again, then moved back. */
    assert_true(follow(&s, HOURS(24, 50, 72, 96), 0));
    assert_string_equal(shown(&s), "24:24 48:50 72:72 96:96 ");
    assert_true(follow(&s, HOURS(24, 72, 96, 130), 0));
    assert_string_equal(shown(&s), "24:24 48:130 72:72 96:96 ");
    assert_true(follow(&s, HOURS(24, 48, 72, 96), 0));
    assert_string_equal(shown(&s), "24:24 48:48 72:72 96:96 ");
    /* One is cancelled, and comes back. */
    assert_true(follow(&s, HOURS(24, 72, 96), 0));
    assert_string_equal(shown(&s), "24:24 48:- 72:72 96:96 ");
    assert_true(follow(&s, HOURS(24, 48, 72, 96), 0));
    assert_string_equal(shown(&s), "24:24 48:48 72:72 96:96 ");
    /* What has begun stays; others are added. */
    assert_true(follow(&s, HOURS(24, 72, 96, 120, 144), 25));
    assert_string_equal(shown(&s), "24:24 48:120 72:72 96:96 144:144 ");
}

static void another_series_begins_anew(void **state)
{
    (void)state;
    struct series s = {.count = 0};
    (void)follow(&s, HOURS(24, 48, 72), 0);
    /* All of them an hour later: no date is an exception. */
    assert_true(follow(&s, HOURS(25, 49, 73), 0));
    assert_string_equal(shown(&s), "25:25 49:49 73:73 ");
    /* The first is over. */
    assert_true(follow(&s, HOURS(25, 60, 84), 30));
    assert_string_equal(shown(&s), "25:25 60:60 84:84 ");
    /* The only one to come is moved. */
    assert_true(follow(&s, HOURS(25, 60, 90), 70));
    assert_string_equal(shown(&s), "25:25 60:60 84:90 ");
    /* All that are left are cancelled. */
    assert_true(follow(&s, HOURS(25, 60), 70));
    assert_string_equal(shown(&s), "25:25 60:60 84:- ");
    /* A date goes where another one was moved away from. */
    s.count = 0;
    (void)follow(&s, HOURS(24, 48, 72), 0);
    (void)follow(&s, HOURS(24, 50, 72), 0);
    assert_true(follow(&s, HOURS(24, 48, 50, 72), 0));
    assert_string_equal(shown(&s), "24:24 48:48 50:50 72:72 ");
}

/* Any list of dates, whatever was before: what stands is that list, slots ascend and differ. */
static void any_change_of_a_series(void **state)
{
    (void)state;
    uint32_t seed = 1;
    struct series s = {.count = 0};
    for (unsigned round = 0; round < 3000; round++) {
        struct series_slot dates[16];
        size_t n = 0;
        wall_ms at = day0;
        for (unsigned k = 0; k < 12; k++) {
            seed = seed * 1664525u + 1013904223u;
            at += (wall_ms)(1 + (seed >> 28)) * HOUR_MS;
            if (seed >> 20 & 3) {
                dates[n++] = (struct series_slot){.slot = at, .start = at, .minutes = 60};
            }
        }
        bool changed = series_follow(&s, dates, n, day0);
        struct series again = s;
        assert_false(series_follow(&again, dates, n, day0));
        size_t stand = 0;
        for (size_t i = 0; i < s.count; i++) {
            assert_true(i == 0 || s.slot[i].slot > s.slot[i - 1].slot);
            bool found = s.slot[i].start == 0;
            for (size_t k = 0; k < n && !found; k++) {
                found = dates[k].start == s.slot[i].start;
            }
            assert_true(found);
            stand += s.slot[i].start != 0;
        }
        assert_int_equal(stand, n);
        (void)changed;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(rules_give_dates),           UNIT(a_missing_hour_is_the_one_behind_it),
        UNIT(what_is_no_rule_is_refused), UNIT(a_series_keeps_its_slots),
        UNIT(another_series_begins_anew), UNIT(any_change_of_a_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
