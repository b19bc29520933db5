#include "signaling/people/recur.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"

enum { DAY_S = 86400, INTERVAL_MAX = 52, WEEK = 7 };

/* ---- reading
 * -------------------------------------------------------------------------------------- */

static int day_of(const char *text)
{
    static const char names[] = "SUMOTUWETHFRSA";
    for (int i = 0; i < WEEK; i++) {
        if (strncmp(text, &names[i * 2], 2) == 0) {
            return i;
        }
    }
    return -1;
}

static int64_t number(const char *text, size_t len, int64_t low, int64_t high)
{
    int64_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || n > high) {
            return -1;
        }
        n = n * 10 + (text[i] - '0');
    }
    return len > 0 && n >= low && n <= high ? n : -1;
}

/* "MO,WE", "2TU", "-1FR" */
static bool read_days(struct recur *r, const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        bool last = *text == '-';
        text += last;
        if (text < end && *text >= '1' && *text <= '5') {
            r->nth = (int8_t)(last ? -(*text - '0') : *text - '0');
            text++;
            last = false;
        }
        int day = end - text >= 2 && !last ? day_of(text) : -1;
        if (day < 0 || r->nth < -1) {
            return false;
        }
        r->days |= (uint8_t)(1u << day);
        text += 2;
        if (text < end && *text++ != ',') {
            return false;
        }
    }
    return r->days != 0;
}

static bool word_is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool read_part(struct recur *r, const char *key, size_t key_len, const char *value,
                      size_t len)
{
    if (word_is(key, key_len, "FREQ")) {
        r->every = word_is(value, len, "DAILY")    ? RECUR_DAILY
                   : word_is(value, len, "WEEKLY") ? RECUR_WEEKLY
                                                   : RECUR_MONTHLY;
        return r->every != RECUR_MONTHLY || word_is(value, len, "MONTHLY");
    }
    if (word_is(key, key_len, "BYDAY")) {
        return read_days(r, value, len);
    }
    bool interval = word_is(key, key_len, "INTERVAL");
    bool count = word_is(key, key_len, "COUNT");
    int64_t n = interval ? number(value, len, 1, INTERVAL_MAX)
                : count  ? number(value, len, 1, RECUR_COUNT_MAX)
                         : number(value, len, 19700101, 99991231);
    if (n < 0 || (!interval && !count && !word_is(key, key_len, "UNTIL"))) {
        return false;
    }
    r->interval = interval ? (uint32_t)n : r->interval;
    r->count = count ? (uint32_t)n : r->count;
    r->until = interval || count ? r->until : (int32_t)n;
    return true;
}

int recur_read(struct recur *out, const char *text)
{
    bool freq = false;
    *out = (struct recur){.interval = 1};
    if (strlen(text) > RECUR_TEXT_MAX) {
        return E_BAD;
    }
    while (*text) {
        size_t len = strcspn(text, ";");
        const char *equals = memchr(text, '=', len);
        size_t key = equals ? (size_t)(equals - text) : 0;
        if (!equals || !read_part(out, text, key, equals + 1, len - key - 1)) {
            return E_BAD;
        }
        freq = freq || word_is(text, key, "FREQ");
        text += len;
        text += *text == ';';
    }
    bool one_day = out->days && (out->days & (out->days - 1)) == 0;
    bool sound =
        out->every == RECUR_MONTHLY ? out->days == 0 || (out->nth && one_day) : out->nth == 0;
    return freq && sound && (out->count == 0) != (out->until == 0) ? 0 : E_BAD;
}

/* ---- expanding
 * ------------------------------------------------------------------------------------ */

/* Days since 1970 of a date; the month may be beyond December. */
static int64_t days_from(int year, int month, int day)
{
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t in_era = y - era * 400;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int weekday_of(int64_t day)
{
    return (int)((day % WEEK + WEEK + 4) % WEEK);
}

int64_t recur_utc(const struct zone *zone, int64_t local_day, int minute)
{
    int64_t local = local_day * DAY_S + (int64_t)minute * 60;
    int64_t utc = local - zone_offset(zone, local);
    utc = local - zone_offset(zone, utc);
    /* An hour that does not exist: as far behind the gap as the clock was put forward. */
    int64_t back = utc + zone_offset(zone, utc);
    return back < local ? utc + (local - back) : utc;
}

/* The day of this month that the rule means, or -1. */
static int64_t day_in_month(const struct recur *r, int year, int month, int day_of_month)
{
    int64_t first = days_from(year, month, 1);
    int64_t next = days_from(year, month + 1, 1);
    if (!r->nth) {
        return first + day_of_month - 1 < next ? first + day_of_month - 1 : -1;
    }
    int want = 0;
    while (!(r->days >> want & 1)) {
        want++;
    }
    if (r->nth < 0) {
        return next - 1 - (weekday_of(next - 1) - want + WEEK) % WEEK;
    }
    int64_t at = first + (want - weekday_of(first) + WEEK) % WEEK + (r->nth - 1) * WEEK;
    return at < next ? at : -1;
}

/* The next day of the rule behind `day`. */
static int64_t after(const struct recur *r, int64_t first, int64_t day, struct zone_day head)
{
    if (r->every == RECUR_MONTHLY) {
        struct zone_day now = zone_day(day * DAY_S);
        int months = (now.year - head.year) * 12 + now.month - head.month;
        for (int tries = 0; tries < 120; tries++) {
            months += (int)r->interval;
            int64_t at = day_in_month(r, head.year, head.month + months, head.day);
            if (at >= 0) {
                return at;
            }
        }
        return -1;
    }
    /* Weeks begin on Monday, counted from the week of the first date. */
    int64_t monday = first - (head.weekday + WEEK - 1) % WEEK;
    unsigned days = r->days ? r->days : r->every == RECUR_WEEKLY ? 1u << head.weekday : 0x7fu;
    for (int64_t at = day + 1; at < day + WEEK * (INTERVAL_MAX + 1); at++) {
        bool turn = r->every == RECUR_WEEKLY ? (at - monday) / WEEK % r->interval == 0
                                             : (at - first) % r->interval == 0;
        if (turn && (days >> weekday_of(at) & 1)) {
            return at;
        }
    }
    return -1;
}

size_t recur_expand(const struct recur *r, const struct zone *zone, wall_ms first, wall_ms *out,
                    size_t cap)
{
    int64_t local = first / 1000 + zone_offset(zone, first / 1000);
    struct zone_day head = zone_day(local);
    int64_t start = days_from(head.year, head.month, head.day);
    int64_t day = start;
    size_t most = r->count && r->count < cap ? r->count : cap;
    size_t n = 0;
    while (n < most && day >= 0) {
        struct zone_day d = zone_day(day * DAY_S);
        bool over = r->until && d.year * 10000 + d.month * 100 + d.day > r->until;
        if (over && n > 0) {
            break;
        }
        out[n] = n == 0 ? first : recur_utc(zone, day, head.hour * 60 + head.minute) * 1000;
        n++;
        day = after(r, start, day, head);
    }
    return n;
}
