#include "signaling/class/part.h"

#include "signaling/class/conduct.h"
#include "signaling/class/dates.h"
#include "signaling/class/floor_cmd.h"
#include "signaling/class/minutes.h"
#include "signaling/class/roll.h"
#include "signaling/class/webinar.h"
#include "signaling/class/ws.h"

/* A new part: one row. */
static const struct class_part *const parts[] = {
    &class_conduct, &class_floor, &class_workshops, &class_webinar,
    &class_roll,    &class_dates, &class_minutes,
};

const struct class_part *class_part(size_t i)
{
    return i < sizeof(parts) / sizeof(parts[0]) ? parts[i] : NULL;
}

void parts_note(struct klass *k, const struct event *e)
{
    for (size_t i = 0; class_part(i); i++) {
        const struct class_part *p = class_part(i);
        bool own = (unsigned)e->type >= p->first && (unsigned)e->type <= p->last;
        if (own && p->note_h) {
            p->note_h(k, e);
        } else if (!own && p->other_h) {
            p->other_h(k, e);
        }
    }
}

void parts_told(struct klass *k, const struct event *events, size_t count)
{
    for (size_t i = 0; class_part(i); i++) {
        if (class_part(i)->told_h) {
            class_part(i)->told_h(k, events, count);
        }
    }
}

int64_t parts_due(const struct state *s, int64_t clock, wall_ms wall)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; class_part(i); i++) {
        const struct class_part *p = class_part(i);
        int64_t at = p->due_h ? p->due_h(s, clock, wall) : INT64_MAX;
        due = at < due ? at : due;
    }
    return due;
}

void parts_tick(struct act *act, int64_t clock)
{
    for (size_t i = 0; class_part(i) && !act->err; i++) {
        const struct class_part *p = class_part(i);
        int64_t due = p->due_h ? p->due_h(act->klass->work, clock, act->now.wall) : INT64_MAX;
        if (due <= clock) {
            p->tick_h(act, clock);
        }
    }
}

static void settle_once(struct act *act)
{
    for (size_t i = 0; class_part(i) && !act->err; i++) {
        if (class_part(i)->settle_h) {
            class_part(i)->settle_h(act);
        }
    }
}

/* What one part emits may concern another: again until nothing more follows. */
void parts_settle(struct act *act)
{
    enum { PASSES = 4 };
    size_t before = 0;
    for (unsigned pass = 0; pass < PASSES && before != act->batch->count && !act->err; pass++) {
        before = act->batch->count;
        settle_once(act);
    }
}

command_h parts_handler(enum msg_type type)
{
    for (size_t i = 0; class_part(i); i++) {
        command_h found = class_part(i)->handler_h ? class_part(i)->handler_h(type) : NULL;
        if (found) {
            return found;
        }
    }
    return NULL;
}
