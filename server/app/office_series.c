/* Heap: one series at a time, and the file of its zone. */
#include "server/app/office_series.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/office_class.h"
#include "server/app/office_when.h"

enum { LINES_MAX = 40, MS_PER_MINUTE = 60000 };

/* ---- kept as [[slot, start, minutes], ...]
 * ------------------------------------------------------------------------------------------ */

static void plan_read(struct series *plan, const char *text)
{
    json_error_t error;
    size_t i;
    json_t *one;
    json_t *list = text[0] ? json_loads(text, 0, &error) : NULL;
    *plan = (struct series){.count = 0};
    json_array_foreach(list, i, one)
    {
        if (plan->count < SERIES_SLOTS_MAX) {
            plan->slot[plan->count++] =
                (struct series_slot){.slot = json_integer_value(json_array_get(one, 0)),
                                     .start = json_integer_value(json_array_get(one, 1)),
                                     .minutes = json_integer_value(json_array_get(one, 2))};
        }
    }
    json_decref(list);
}

static char *plan_text(const struct series *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct series_slot *s = &plan->slot[i];
        json_array_append_new(list, json_pack("[I, I, I]", (json_int_t)s->slot,
                                              (json_int_t)s->start, (json_int_t)s->minutes));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static size_t dates_read(struct series_slot out[SERIES_SLOTS_MAX], const json_t *live)
{
    size_t n = 0;
    size_t i;
    json_t *date;
    json_array_foreach(json_object_get(live, "dates"), i, date)
    {
        int64_t start = json_integer_value(json_array_get(date, 0));
        if (n < SERIES_SLOTS_MAX) {
            out[n++] = (struct series_slot){.slot = start,
                                            .start = start,
                                            .minutes = json_integer_value(json_array_get(date, 1))};
        }
    }
    return n;
}

void office_series_follow(struct office_call *call, const struct id *class_id)
{
    char id[ID_TEXT_MAX];
    struct series_slot dates[SERIES_SLOTS_MAX];
    struct series plan;
    json_t *live = office_classroom(call, json_pack("{s:s, s:s}", "cmd", "class.show", "class",
                                                    id_print(id, ID_CLASS, class_id)));
    json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    size_t count = dates_read(dates, live);
    bool answered = json_is_array(json_object_get(live, "dates"));
    plan_read(&plan, office_row_text(row, "plan"));
    bool first = plan.count == 0;
    bool several = count > 1 || !first;
    if (row && answered && several && series_follow(&plan, dates, count, call->now)) {
        char *text = plan_text(&plan);
        if (text) {
            (void)people_run(call->people, PEOPLE_CLASS_PLAN, "dti", class_id, text,
                             (int64_t)(!first || office_row_number(row, "invited") > 0));
        }
        free(text);
    }
    json_decref(row);
    json_decref(live);
}

/* ---- in words
 * ------------------------------------------------------------------------------------------ */

static void add_line(struct mail_text *out, const struct series_slot *s, const char *zone,
                     bool french)
{
    char when[OFFICE_WHEN_MAX];
    char was[OFFICE_WHEN_MAX];
    office_when(when, s->start ? s->start : s->slot, s->minutes, zone, french);
    office_when(was, s->slot, s->minutes, zone, french);
    when[strcspn(when, "\n")] = '\0';
    was[strcspn(was, "(\n")] = '\0';
    size_t end = strlen(was);
    was[end && was[end - 1] == ' ' ? end - 1 : end] = '\0';
    mail_text_format(out, "- %s", s->start ? when : was);
    if (!s->start) {
        mail_text_str(out, french ? " : annulé" : ": cancelled");
    } else if (s->start != s->slot) {
        mail_text_format(out, french ? ", au lieu de : %s" : ", instead of: %s", was);
    }
    mail_text_str(out, "\n");
}

static void words(struct office_series *o, const char *zone, wall_ms now, bool french)
{
    size_t lines = 0;
    size_t more = 0;
    for (size_t i = 0; i < o->plan.count; i++) {
        const struct series_slot *s = &o->plan.slot[i];
        wall_ms at = s->start ? s->start : s->slot;
        bool coming = at + s->minutes * MS_PER_MINUTE > now;
        if (coming && lines < LINES_MAX) {
            add_line(&o->when, s, zone, french);
        } else if (coming) {
            more++;
        }
        lines += coming;
    }
    if (more) {
        mail_text_format(&o->when,
                         french ? "… et %zu autres, dans le rendez-vous joint\n"
                                : "… and %zu more, in the attached appointment\n",
                         more);
    }
}

/* ---- open
 * ------------------------------------------------------------------------------------------ */

struct office_series *office_series_open(const json_t *class_row, wall_ms now, bool french)
{
    const char *text = office_row_text(class_row, "plan");
    const char *zone = office_row_text(class_row, "zone");
    struct office_series *o = text[0] ? mem_alloc(sizeof(*o)) : NULL;
    if (!o) {
        return NULL;
    }
    o->bytes = NULL;
    o->when = (struct mail_text){0};
    plan_read(&o->plan, text);
    if (o->plan.count < 2) {
        office_series_close(o);
        return NULL;
    }
    for (size_t i = 0; i < o->plan.count; i++) {
        const struct series_slot *s = &o->plan.slot[i];
        wall_ms start = s->start ? s->start : s->slot;
        o->dates[i] = (struct ics_date){.slot = s->slot,
                                        .start = start,
                                        .end = start + s->minutes * MS_PER_MINUTE,
                                        .cancelled = s->start == 0};
    }
    bool known = office_zone_open(zone, &o->zone, &o->bytes);
    o->ics = (struct ics_series){.zone = known ? &o->zone : NULL,
                                 .zone_name = zone,
                                 .dates = o->dates,
                                 .count = o->plan.count};
    words(o, zone, now, french);
    return o;
}

void office_series_close(struct office_series *o)
{
    if (o) {
        mail_text_fini(&o->when);
        mem_free(o->bytes);
        mem_free(o);
    }
}
