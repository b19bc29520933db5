#include "codec/media/rungs.h"

uint16_t rungs_span(unsigned s_low, unsigned s_high, unsigned t_low)
{
    uint16_t mask = 0;
    for (unsigned s = s_low; s <= s_high && s < RUNG_SPATIAL; s++) {
        for (unsigned t = t_low; t < RUNG_TEMPORAL; t++) {
            mask = (uint16_t)(mask | 1u << rung_of(s, t));
        }
    }
    return mask;
}

void rungs_describe(struct pkt_desc *desc, bool alone, unsigned layers)
{
    unsigned s = desc->spatial < RUNG_SPATIAL ? desc->spatial : RUNG_SPATIAL - 1;
    unsigned t = desc->temporal < RUNG_TEMPORAL ? desc->temporal : RUNG_TEMPORAL - 1;
    desc->present = rungs_span(s, alone ? s : RUNG_SPATIAL - 1, t);
    if (!desc->start_of_frame) {
        return;
    }
    if (desc->keyframe) {
        desc->enter = rungs_span(0, layers - 1, 0);
        desc->from = RUNGS_ALL;
        return;
    }
    if (!alone) { /* what upper layers were built on has been sent all along */
        desc->enter = rungs_span(s, s, 0);
        desc->from = rungs_span(s + 1, RUNG_SPATIAL - 1, t);
    }
    if (desc->layer_sync && t > 0 && !desc->inter_layer) {
        desc->enter = (uint16_t)(desc->enter | 1u << rung_of(s, t));
        for (unsigned up = s; up < RUNG_SPATIAL; up++) {
            desc->enter = (uint16_t)(desc->enter | 1u << rung_of(up, t));
        }
        desc->from = (uint16_t)(desc->from | rungs_span(s, RUNG_SPATIAL - 1, t - 1));
    }
}

static bool may(const struct pkt_desc *desc, unsigned from, unsigned to)
{
    return (desc->enter >> to & 1) && (desc->from >> from & 1);
}

/* The highest rung of the mask that has no more layers than the target; else the lowest. */
static unsigned best_of(uint16_t mask, unsigned target)
{
    for (unsigned s = rung_spatial(target) + 1; s-- > 0;) {
        for (unsigned t = rung_temporal(target) + 1; t-- > 0;) {
            if (mask >> rung_of(s, t) & 1) {
                return rung_of(s, t);
            }
        }
    }
    return (unsigned)__builtin_ctz(mask);
}

unsigned rung_step(unsigned cur, unsigned target, const struct pkt_desc *desc, bool new_picture)
{
    unsigned s = rung_spatial(cur);
    unsigned t = rung_temporal(cur);
    if (desc->keyframe && desc->enter) {
        return best_of(desc->enter, target);
    }
    if (new_picture && rung_temporal(target) < t) {
        t = rung_temporal(target);
    }
    cur = rung_of(s, t);
    if (cur == target) {
        return cur;
    }
    if (rung_spatial(target) > s) {
        return cur; /* upwards only with a key frame */
    }
    if (rung_spatial(target) < s) {
        /* Fewer temporal layers only from a new picture on: its lower part may be out already. */
        unsigned down = rung_of(rung_spatial(target), t);
        return may(desc, cur, down) && (desc->present >> cur & 1) ? down : cur;
    }
    if (may(desc, cur, target) && (rung_temporal(target) == t + 1 || desc->present >> cur & 1)) {
        return target;
    }
    return may(desc, cur, rung_of(s, t + 1)) && t + 1 < rung_temporal(target) ? rung_of(s, t + 1)
                                                                              : cur;
}
