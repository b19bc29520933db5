#include "server/proto/overload.h"

static const struct {
    const char *name;
    struct overload_limits limits;
} rows[OVERLOAD_STEPS] = {
    [OVERLOAD_NONE] = {"none", {UINT8_MAX, UINT8_MAX, true, true}},
    [OVERLOAD_LAST_N] = {"fewer pictures", {6, UINT8_MAX, true, true}},
    [OVERLOAD_TEMPORAL] = {"fewer pictures a second", {6, 0, true, true}},
    [OVERLOAD_NEW_VIDEO] = {"no new pictures", {4, 0, false, true}},
    [OVERLOAD_JOINS] = {"no new people", {4, 0, false, false}},
};

void overload_init(struct overload *o)
{
    *o = (struct overload){.hot_us = MONO_NEVER, .calm_us = MONO_NEVER};
}

/* Keeps since when a condition has held; how long it has by now, -1 when it does not hold. */
static mono_us held(mono_us *since, bool holds, mono_us now)
{
    if (!holds) {
        *since = MONO_NEVER;
        return -1;
    }
    *since = mono_min(*since, now);
    return now - *since;
}

bool overload_input(struct overload *o, const struct overload_sample *s, mono_us now)
{
    mono_us delay = s->busy_permille >= OVERLOAD_OWN_PERMILLE ? s->delay_us : 0;
    bool very = s->busy_permille >= OVERLOAD_VERY_HOT_PERMILLE || delay >= OVERLOAD_VERY_HOT_US;
    bool hot = very || s->busy_permille >= OVERLOAD_HOT_PERMILLE || delay >= OVERLOAD_HOT_US;
    bool calm = s->busy_permille < OVERLOAD_CALM_PERMILLE && delay < OVERLOAD_CALM_US;
    mono_us hot_for = held(&o->hot_us, hot, now);
    mono_us calm_for = held(&o->calm_us, calm, now);
    uint8_t before = o->step;
    if (hot_for >= (very ? OVERLOAD_RISE_FAST_US : OVERLOAD_RISE_US)) {
        o->step = (uint8_t)(before + (before < OVERLOAD_JOINS));
        o->hot_us = now; /* the next step must earn its own time */
    } else if (calm_for >= OVERLOAD_FALL_US) {
        o->step = (uint8_t)(before - (before > OVERLOAD_NONE));
        o->calm_us = now;
    }
    return o->step != before;
}

const struct overload_limits *overload_limits(unsigned step)
{
    return &rows[step < OVERLOAD_STEPS ? step : OVERLOAD_NONE].limits;
}

const char *overload_name(unsigned step)
{
    return rows[step < OVERLOAD_STEPS ? step : OVERLOAD_NONE].name;
}
