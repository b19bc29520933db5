/*
 * Class time: milliseconds that never run back, known again after a restart (design.md D14). While
 * the machine runs it follows the monotonic clock, whatever the wall clock does; over a reboot the
 * wall clock bridges. Deadlines of the journal are told in it, and one timer per class wakes
 * whoever has one due.
 */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"

enum {
    REANCHOR_MS = 10 * 60 * 1000,
    LOOK_MS = 60 * 1000, /* dates are wall time: look again at least this often */
    SHIFT_MS = 250,      /* a wall clock this far off its path is noted (F16) */
    HASTE_MS = 100,      /* something due that changed nothing is not asked about sooner */
};

static void clock_ready(struct klass *k, struct class_time now)
{
    if (k->clock_set) {
        return;
    }
    const struct anchor *a = &k->work->anchor;
    int64_t mono_ms = now.mono / US_PER_MS;
    k->clock_mono = now.mono;
    k->clock_base = now.wall;
    if (!id_is_zero(&a->boot)) {
        bool same = id_equal(&a->boot, &k->room->config.boot) && mono_ms >= a->mono_ms;
        int64_t passed = same ? mono_ms - a->mono_ms : now.wall - a->wall;
        k->clock_base = a->clock + (passed > 0 ? passed : 0);
    }
    k->clock_set = true;
}

int64_t class_clock(struct klass *k, struct class_time now)
{
    clock_ready(k, now);
    int64_t passed = (now.mono - k->clock_mono) / US_PER_MS;
    return k->clock_base + (passed > 0 ? passed : 0);
}

int64_t act_clock(const struct act *act)
{
    return class_clock(act->klass, act->now);
}

static void anchor(struct act *act, int64_t clock)
{
    act_emit(act, (struct event){.type = EVENT_TIME_ANCHORED,
                                 .other = act->klass->room->config.boot,
                                 .n = act->now.mono / US_PER_MS,
                                 .a = (uint32_t)clock,
                                 .b = (uint32_t)((uint64_t)clock >> 32)});
}

/*
 * Stamps are wall time and lengths are not: whoever reads the journal takes them from the distance
 * between stamp and class time, which an anchor tells. A wall clock that was set is told before
 * the first event stamped with it.
 */
void clock_shift(struct act *act)
{
    const struct anchor *a = &act->klass->work->anchor;
    if (act->err || id_is_zero(&a->boot)) {
        return;
    }
    int64_t clock = act_clock(act);
    int64_t shift = (act->now.wall - clock) - (a->wall - a->clock);
    if (shift > SHIFT_MS || shift < -SHIFT_MS) {
        anchor(act, clock);
    }
}

static bool counted(const struct state *s)
{
    return s->session == SESSION_LIVE || s->session == SESSION_CLOSING;
}

void clock_anchor(struct act *act)
{
    struct klass *k = act->klass;
    int64_t clock = act_clock(act);
    const struct anchor *a = &k->work->anchor;
    bool known = id_equal(&a->boot, &k->room->config.boot) && clock - a->clock < REANCHOR_MS;
    bool needed = counted(k->work) || parts_due(k->work, clock, act->now.wall) != INT64_MAX;
    if (!known && !act->err && needed) {
        anchor(act, clock);
    }
}

void clock_arm(struct klass *k, struct class_time now)
{
    int64_t clock = class_clock(k, now);
    int64_t due = k->work->ended ? INT64_MAX : parts_due(k->work, clock, now.wall);
    if (due == INT64_MAX) {
        twheel_cancel(&k->room->wheel, &k->due_timer);
        return;
    }
    int64_t left = due - clock;
    left = left > LOOK_MS ? LOOK_MS : left;
    left = left < 0 ? 0 : left;
    if (k->due_idle && left < HASTE_MS) {
        left = HASTE_MS;
    }
    twheel_set(&k->room->wheel, &k->due_timer, now.mono + left * US_PER_MS);
}

void clock_due(struct klass *k, struct class_time now)
{
    int64_t clock = class_clock(k, now);
    struct act act;
    if (parts_due(k->work, clock, now.wall) > clock) {
        clock_arm(k, now);
        return;
    }
    if (act_begin(&act, k, now)) {
        twheel_set(&k->room->wheel, &k->due_timer, now.mono + RETRY_US);
        return;
    }
    parts_tick(&act, clock);
    k->due_idle = act.batch->count == 0;
    if (act_end(&act)) {
        twheel_set(&k->room->wheel, &k->due_timer, now.mono + RETRY_US);
    } else {
        clock_arm(k, now);
    }
}
