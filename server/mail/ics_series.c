/* A class of several dates as one appointment (RFC 5545, 3.6.1, 3.6.5, 3.8.5). */
#include <inttypes.h>
#include <string.h>

#include "server/mail/ics_parts.h"
#include "signaling/people/recur.h"
#include "signaling/people/zone.h"

enum { DAY_S = 86400, WEEK_DAYS = 7, MONTHS = 12, WEEKS_TRIED = 4 };

/* The dates that matter: what was cancelled before the first and behind the last is left out. */
struct view {
    const struct zone *zone; /* NULL = UTC */
    const char *zone_name;
    const struct ics_date *dates;
    size_t count;
};

static int64_t local_of(const struct view *v, wall_ms at)
{
    int64_t utc = at / 1000;
    return v->zone ? utc + zone_offset(v->zone, utc) : utc;
}

/* The second time an hour comes when clocks are put back: a local time means the first one
 * (RFC 5545, 3.3.5), so this one can only be said in UTC. */
static bool comes_again(const struct zone *zone, wall_ms at)
{
    struct zone_span span = zone_span(zone, at / 1000);
    return span.from != INT64_MIN && at / 1000 - span.from < span.before - span.offset;
}

static struct view view_of(const struct ics_series *s)
{
    struct view v = {
        .zone = s->zone, .zone_name = s->zone_name, .dates = s->dates, .count = s->count};
    size_t first = 0;
    size_t last = s->count;
    while (first < s->count && s->dates[first].cancelled) {
        first++;
    }
    while (last > first && s->dates[last - 1].cancelled) {
        last--;
    }
    if (last > first) {
        v.dates += first;
        v.count = last - first;
    }
    for (size_t i = 0; i < v.count && v.zone; i++) {
        const struct ics_date *d = &v.dates[i];
        bool again = comes_again(v.zone, d->slot) || comes_again(v.zone, d->start) ||
                     comes_again(v.zone, d->end);
        v.zone = again ? NULL : v.zone;
    }
    return v;
}

static void moment(struct mail_text *out, const struct view *v, const char *name, wall_ms at)
{
    int64_t local = local_of(v, at);
    struct zone_day d = zone_day(local);
    unsigned second = (unsigned)(((local % 60) + 60) % 60);
    mail_text_str(out, name);
    if (v->zone) {
        mail_text_format(out, ";TZID=%s", v->zone_name);
    }
    mail_text_format(out, ":%04d%02d%02dT%02d%02d%02u%s\r\n", d.year, d.month, d.day, d.hour,
                     d.minute, second, v->zone ? "" : "Z");
}

/* ---- the rule they follow
 * ------------------------------------------------------------------------------------------ */

static bool gives(const struct view *v, const struct recur *rule)
{
    wall_ms starts[RECUR_COUNT_MAX];
    if (v->count > RECUR_COUNT_MAX || !rule->interval ||
        recur_expand(rule, v->zone, v->dates[0].slot, starts, v->count) != v->count) {
        return false;
    }
    for (size_t i = 0; i < v->count; i++) {
        if (starts[i] != v->dates[i].slot) {
            return false;
        }
    }
    return true;
}

static bool is_weekly(const struct view *v, struct recur *rule, int64_t first_gap)
{
    *rule = (struct recur){.every = RECUR_WEEKLY, .count = (uint32_t)v->count};
    for (size_t i = 0; i < v->count; i++) {
        rule->days |= (uint8_t)(1u << zone_day(local_of(v, v->dates[i].slot)).weekday);
    }
    bool one_day = (rule->days & (rule->days - 1)) == 0;
    if (one_day) {
        rule->interval = (uint32_t)(first_gap / WEEK_DAYS);
        return gives(v, rule);
    }
    for (rule->interval = 1; rule->interval <= WEEKS_TRIED; rule->interval++) {
        if (gives(v, rule)) {
            return true;
        }
    }
    return false;
}

static bool is_monthly(const struct view *v, struct recur *rule, struct zone_day a)
{
    struct zone_day b = zone_day(local_of(v, v->dates[1].slot));
    int months = (b.year - a.year) * MONTHS + b.month - a.month;
    *rule = (struct recur){.every = RECUR_MONTHLY,
                           .interval = months > 0 ? (uint32_t)months : 0,
                           .count = (uint32_t)v->count};
    if (gives(v, rule)) {
        return true;
    }
    rule->days = (uint8_t)(1u << a.weekday);
    rule->nth = (int8_t)((a.day - 1) / WEEK_DAYS + 1);
    if (gives(v, rule)) {
        return true;
    }
    rule->nth = -1;
    return gives(v, rule);
}

/* Two dates follow any rule and none: they are said to when it is days or weeks. */
static bool rule_of(const struct view *v, struct recur *rule)
{
    if (!v->zone || v->count < 2) {
        return false;
    }
    int64_t first = local_of(v, v->dates[0].slot);
    for (size_t i = 1; i < v->count; i++) { /* an hour that was left out: said as it is */
        if ((local_of(v, v->dates[i].slot) - first) % DAY_S) {
            return false;
        }
    }
    int64_t gap = (local_of(v, v->dates[1].slot) - first) / DAY_S;
    if (is_weekly(v, rule, gap)) {
        return true;
    }
    *rule = (struct recur){
        .every = RECUR_DAILY, .interval = (uint32_t)gap, .count = (uint32_t)v->count};
    return gives(v, rule) || (v->count > 2 && is_monthly(v, rule, zone_day(first)));
}

static void rule_write(struct mail_text *out, const struct recur *r)
{
    static const char *const every[] = {"DAILY", "WEEKLY", "MONTHLY"};
    static const char days[] = "SUMOTUWETHFRSA";
    const char *separator = ";BYDAY=";
    mail_text_format(out, "RRULE:FREQ=%s;INTERVAL=%u;COUNT=%u", every[r->every], r->interval,
                     r->count);
    for (int i = 0; i < WEEK_DAYS; i++) {
        if (r->days >> i & 1) {
            mail_text_str(out, separator);
            if (r->nth) {
                mail_text_format(out, "%d", r->nth);
            }
            mail_text_add(out, &days[(size_t)i * 2], 2);
            separator = ",";
        }
    }
    mail_text_str(out, "\r\n");
}

/* ---- the zone
 * ------------------------------------------------------------------------------------------ */

static void offset_write(struct mail_text *out, const char *name, int32_t offset)
{
    int32_t s = offset < 0 ? -offset : offset;
    mail_text_format(out, "%s:%c%02d%02d", name, offset < 0 ? '-' : '+', s / 3600, s / 60 % 60);
    if (s % 60) {
        mail_text_format(out, "%02d", s % 60);
    }
    mail_text_str(out, "\r\n");
}

/* Every stretch from the first date to the end of the last, one by one: nothing is said of a year
 * whose clock changes nobody has decided yet (RFC 5545, 3.6.5). */
static void zone_write(struct mail_text *out, const struct view *v)
{
    int64_t from = INT64_MAX;
    int64_t until = INT64_MIN;
    for (size_t i = 0; i < v->count; i++) {
        const struct ics_date *d = &v->dates[i];
        int64_t low = (d->start < d->slot ? d->start : d->slot) / 1000;
        int64_t high = (d->end > d->slot ? d->end : d->slot) / 1000;
        from = low < from ? low : from;
        until = high > until ? high : until;
    }
    mail_text_format(out, "BEGIN:VTIMEZONE\r\nTZID:%s\r\n", v->zone_name);
    for (int64_t at = from; at <= until;) {
        struct zone_span span = zone_span(v->zone, at);
        const char *kind = span.daylight ? "DAYLIGHT" : "STANDARD";
        struct zone_day d = zone_day(span.from > 0 ? span.from + span.before : 0);
        mail_text_format(out, "BEGIN:%s\r\nDTSTART:%04d%02d%02dT%02d%02d00\r\n", kind, d.year,
                         d.month, d.day, d.hour, d.minute);
        offset_write(out, "TZOFFSETFROM", span.before);
        offset_write(out, "TZOFFSETTO", span.offset);
        mail_text_format(out, "END:%s\r\n", kind);
        if (span.until == INT64_MAX) {
            break;
        }
        at = span.until;
    }
    mail_text_str(out, "END:VTIMEZONE\r\n");
}

/* ---- the appointment
 * ------------------------------------------------------------------------------------------ */

static wall_ms length_of(const struct ics_date *d)
{
    return d->end - d->start;
}

/* What most calendars show as "the series"; the length is that of the last date that stands. */
static void series_when(struct mail_text *when, const struct view *v, wall_ms length)
{
    struct recur rule;
    moment(when, v, "DTSTART", v->dates[0].slot);
    moment(when, v, "DTEND", v->dates[0].slot + length);
    if (rule_of(v, &rule)) {
        rule_write(when, &rule);
    } else {
        for (size_t i = 1; i < v->count; i++) {
            moment(when, v, "RDATE", v->dates[i].slot);
        }
    }
    for (size_t i = 0; i < v->count; i++) {
        if (v->dates[i].cancelled) {
            moment(when, v, "EXDATE", v->dates[i].slot);
        }
    }
}

static void part(struct mail_text *out, const struct ics_event *e, struct mail_text *when)
{
    ics_part(out, e, when->s ? when->s : "");
    out->bad = out->bad || when->bad;
    mail_text_fini(when);
}

/* One date that is not where the series has it, or not as long (RFC 5545, 3.8.4.4). */
static void moved(struct mail_text *out, const struct ics_event *e, const struct view *v,
                  const struct ics_date *d)
{
    struct mail_text when = {0};
    moment(&when, v, "RECURRENCE-ID", d->slot);
    moment(&when, v, "DTSTART", d->start);
    moment(&when, v, "DTEND", d->end);
    part(out, e, &when);
}

void ics_series(struct mail_text *out, const struct ics_event *e)
{
    struct view v = view_of(e->series);
    struct mail_text when = {0};
    wall_ms length = 0;
    for (size_t i = 0; i < v.count; i++) {
        length = v.dates[i].cancelled ? length : length_of(&v.dates[i]);
    }
    if (v.zone) {
        zone_write(out, &v);
    }
    /* Cancelled as a whole: the series without RECURRENCE-ID (RFC 5546, 3.2.5). */
    series_when(&when, &v, length);
    part(out, e, &when);
    for (size_t i = 0; i < v.count && !e->cancelled; i++) {
        const struct ics_date *d = &v.dates[i];
        if (!d->cancelled && (d->start != d->slot || length_of(d) != length)) {
            moved(out, e, &v, d);
        }
    }
}
