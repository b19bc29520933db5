#include "signaling/class/dates.h"

#include "signaling/class/conduct.h"

enum { EMPTY_MS = 60000 };

static const int64_t DAY_MS = 86400000;

static bool is_live(const struct state *s)
{
    return s->session == SESSION_LIVE || s->session == SESSION_CLOSING;
}

/* Before the hour, with or without somebody in it. */
static bool is_early(const struct state *s)
{
    return s->session == SESSION_SCHEDULED || s->session == SESSION_PREPARING ||
           s->session == SESSION_DOORS;
}

const char *dates_kind(const struct state *s)
{
    return s->setting[SETTING_PERMANENT]                          ? "permanent"
           : s->dates.count > 1                                   ? "recurring"
           : s->dates.count == 1 || s->setting[SETTING_START] > 0 ? "dated"
                                                                  : "unplanned";
}

wall_ms dates_next(const struct state *s)
{
    if (is_early(s)) {
        return s->setting[SETTING_START];
    }
    const struct class_date *later =
        is_live(s) ? dates_after(&s->dates, s->setting[SETTING_START]) : NULL;
    return later ? later->start : 0;
}

/* ---- changing
 * -------------------------------------------------------------------------------------- */

static void set(struct act *act, enum setting which, int64_t value)
{
    if (act->klass->work->setting[which] != value) {
        act_emit(act, (struct event){.type = EVENT_CLASS_SET, .a = (uint32_t)which, .n = value});
    }
}

static void plan(struct act *act, struct class_date date)
{
    set(act, SETTING_START, date.start);
    set(act, SETTING_DURATION, date.minutes);
}

void dates_go_on(struct act *act, struct id by)
{
    const struct state *s = act->klass->work;
    const struct class_date *next = dates_after(&s->dates, act->now.wall);
    if (next) {
        plan(act, *next);
    }
    /* One that was closed before its hour keeps its date. */
    if (s->setting[SETTING_START] > act->now.wall) {
        conduct_change(act, SESSION_SCHEDULED, by, 0);
    }
}

void dates_set(struct act *act, const struct class_date *list, size_t count)
{
    const struct state *s = act->klass->work;
    bool same = s->dates.count == count;
    for (size_t i = 0; i < count && same; i++) {
        same =
            s->dates.list[i].start == list[i].start && s->dates.list[i].minutes == list[i].minutes;
    }
    if (same) {
        return;
    }
    if (s->dates.count > 0) {
        act_emit(act, (struct event){.type = EVENT_DATES_CLEARED});
    }
    for (size_t i = 0; i < count && !act->err; i++) {
        act_emit(act, (struct event){
                          .type = EVENT_DATE_ADDED, .n = list[i].start, .a = list[i].minutes});
    }
    if (count > 0 && !is_live(s)) {
        const struct class_date *at = dates_at(&s->dates, act->now.wall);
        plan(act, at ? *at : list[count - 1]);
    }
}

void dates_archive(struct act *act, bool archive)
{
    const struct state *s = act->klass->work;
    struct id nobody = {{0}};
    bool planned = s->setting[SETTING_START] > act->now.wall;
    if (archive && is_live(s)) {
        conduct_change(act, SESSION_CLOSED, nobody, 0);
    }
    if (archive && s->session != SESSION_ARCHIVED) {
        conduct_change(act, SESSION_ARCHIVED, nobody, 0);
    } else if (!archive && s->session == SESSION_ARCHIVED) {
        conduct_change(act,
                       planned                     ? SESSION_SCHEDULED
                       : s->setting[SETTING_START] ? SESSION_CLOSED
                                                   : SESSION_IDLE,
                       nobody, 0);
    }
}

/* ---- deadlines
 * ------------------------------------------------------------------------------------ */

/* When a date that nobody held makes room for the next one; 0 = not. */
static wall_ms missed_at(const struct state *s)
{
    wall_ms start = s->setting[SETTING_START];
    bool later = is_early(s) && s->seat_count == 0 && dates_after(&s->dates, start);
    return later ? dates_end(start, s->setting[SETTING_DURATION]) : 0;
}

/* When a class whose last date is over goes into the archive; 0 = not. */
static wall_ms archived_at(const struct state *s)
{
    wall_ms start = s->setting[SETTING_START];
    int64_t days = s->setting[SETTING_ARCHIVE];
    bool rests = (is_early(s) || s->session == SESSION_CLOSED) && s->seat_count == 0 &&
                 s->wait_count == 0 && !s->ended && !s->setting[SETTING_PERMANENT];
    if (!rests || start == 0 || days == 0 || dates_after(&s->dates, start)) {
        return 0;
    }
    wall_ms end = dates_end(start, s->setting[SETTING_DURATION]);
    return (s->changed_at > end ? s->changed_at : end) + days * DAY_MS;
}

static int64_t dates_due(const struct state *s, int64_t clock, wall_ms wall)
{
    wall_ms missed = missed_at(s);
    wall_ms archived = archived_at(s);
    int64_t due = s->session == SESSION_LIVE && s->dates.empty_due ? s->dates.empty_due : INT64_MAX;
    int64_t by_date = missed ? clock + (missed - wall) : INT64_MAX;
    due = by_date < due ? by_date : due;
    by_date = archived ? clock + (archived - wall) : INT64_MAX;
    return by_date < due ? by_date : due;
}

static void dates_tick(struct act *act, int64_t clock)
{
    const struct state *s = act->klass->work;
    struct id nobody = {{0}};
    wall_ms missed = missed_at(s);
    wall_ms archived = archived_at(s);
    if (s->session == SESSION_LIVE && s->dates.empty_due && s->dates.empty_due <= clock) {
        conduct_close(act, nobody);
        if (s->session == SESSION_CLOSED && s->setting[SETTING_START] == 0) {
            conduct_change(act, SESSION_IDLE, nobody, 0); /* whoever comes next begins anew */
        }
    } else if (missed && missed <= act->now.wall) {
        dates_go_on(act, nobody);
    } else if (archived && archived <= act->now.wall) {
        dates_archive(act, true);
    }
}

/* ---- what follows
 * --------------------------------------------------------------------------------- */

/* A room that everybody has left is kept for a minute, and until its planned end at least. */
static void dates_settle(struct act *act)
{
    const struct state *s = act->klass->work;
    bool empty = s->session == SESSION_LIVE && s->seat_count == 0;
    int64_t clock = act_clock(act);
    if (!empty && s->dates.empty_due) {
        act_emit(act, (struct event){.type = EVENT_EMPTY_SET});
    } else if (empty && !s->dates.empty_due) {
        wall_ms start = s->setting[SETTING_START];
        int64_t until = s->end_due > clock ? s->end_due : clock;
        int64_t left = start && !s->end_due ? dates_end(start, 0) - act->now.wall : 0;
        until = left > 0 ? clock + left : until;
        act_emit(act, (struct event){.type = EVENT_EMPTY_SET, .n = until + EMPTY_MS});
    }
}

static void dates_told(struct klass *k, const struct event *events, size_t count)
{
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        unsigned type = events[i].type;
        changed = changed || type == EVENT_DATES_CLEARED || type == EVENT_DATE_ADDED ||
                  (type == EVENT_CLASS_SET && events[i].a == SETTING_START);
    }
    if (changed) {
        struct jsonw *w = out_event(k, "times.set");
        jsonw_key(w, "times");
        out_times(w, k->done);
        jsonw_object_end(w);
        out_log(k, events[count - 1].seq, (struct out_scope){.see = SEE_ALL});
    }
}

const struct class_part class_dates = {
    .first = 140,
    .last = 149,
    .told_h = dates_told,
    .due_h = dates_due,
    .tick_h = dates_tick,
    .settle_h = dates_settle,
};
