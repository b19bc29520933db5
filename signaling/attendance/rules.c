#include "signaling/attendance/rules.h"

#include "codec/base/err.h"

enum { MS_PER_MIN = 60000 };

struct attendance_rules attendance_rules_of(const struct sheet *sheet,
                                            const struct sheet_session *session)
{
    return session && session->sealed ? session->sealed_rules : sheet->rules;
}

static wall_ms end_of(const struct stay *stay, wall_ms now)
{
    wall_ms out = stay->out == SHEET_OPEN ? now : stay->out;
    return out > stay->in ? out : stay->in;
}

static int64_t length_of(const struct attendance_rules *rules, const struct sheet_session *session,
                         wall_ms now)
{
    if (session->planned_ms > 0 && !rules->as_lasted) {
        return session->planned_ms;
    }
    wall_ms closed = session->closed == SHEET_OPEN ? now : session->closed;
    return closed > session->opened ? closed - session->opened : 0;
}

int64_t attendance_needed_ms(const struct attendance_rules *rules,
                             const struct sheet_session *session, wall_ms now)
{
    if (rules->minutes > 0) {
        return (int64_t)rules->minutes * MS_PER_MIN;
    }
    return length_of(rules, session, now) * rules->share_permille / 1000;
}

/* The stays are in order and do not overlap: an interval goes on while the next one begins soon. */
static uint32_t interval_end(const struct attendance_rules *rules, const struct attendee *who,
                             uint32_t from, wall_ms now)
{
    uint32_t i = from;
    while (i + 1 < who->stay_count &&
           who->stays[i + 1].in - end_of(&who->stays[i], now) < (int64_t)rules->bridge_ms) {
        i++;
    }
    return i;
}

int attendance_interval(const struct attendance_rules *rules, const struct attendee *who,
                        uint32_t wanted, wall_ms now, struct stay *out)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < who->stay_count; i = at + 1) {
        at = interval_end(rules, who, i, now);
        if (wanted-- == 0) {
            *out = (struct stay){.in = who->stays[i].in,
                                 .out = end_of(&who->stays[at], now),
                                 .room = who->stays[i].room};
            return 0;
        }
    }
    return E_NOTFOUND;
}

static uint8_t judge(const struct attendance_rules *rules, const struct sheet_session *session,
                     const struct attendance_row *row, wall_ms now)
{
    if (row->intervals == 0) {
        return ATTENDANCE_ABSENT;
    }
    wall_ms start = session->planned > 0 ? session->planned : session->opened;
    bool late =
        rules->arrival_min > 0 && row->first > start + (int64_t)rules->arrival_min * MS_PER_MIN;
    bool enough = row->present_ms >= attendance_needed_ms(rules, session, now);
    uint32_t checks = rules->checks < session->checks ? rules->checks : session->checks;
    bool checked = row->who->checks_passed >= checks;
    return enough && checked && !late ? ATTENDANCE_PRESENT : ATTENDANCE_PARTIAL;
}

struct attendance_row attendance_row(const struct attendance_rules *rules,
                                     const struct sheet_session *session,
                                     const struct attendee *who, wall_ms now)
{
    struct attendance_row row = {.who = who};
    struct stay one;
    for (uint32_t i = 0; attendance_interval(rules, who, i, now, &one) == 0; i++) {
        row.first = i == 0 ? one.in : row.first;
        row.last = one.out;
        row.present_ms += one.out - one.in;
        row.intervals++;
    }
    for (uint32_t i = 0; i < who->stay_count; i++) {
        if (!id_is_zero(&who->stays[i].room)) {
            row.elsewhere_ms += end_of(&who->stays[i], now) - who->stays[i].in;
        }
    }
    row.computed = judge(rules, session, &row, now);
    row.status = who->correction.given ? who->correction.status : row.computed;
    return row;
}
