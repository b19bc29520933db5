#include "server/proto/aimd.h"

#include <math.h>

enum { PACKET_BITS = 1200 * 8, RESPONSE_US = 100 * US_PER_MS, STEP_MAX_US = US_PER_S };

static const double BETA = 0.85;
static const double ETA = 1.08; /* a second */
static const double AVERAGE = 0.95;
static const double SHOWN_SLACK = 1.15; /* more arrives than a probe showed: it was wrong */
static const double SAME = 0.05;        /* what two probes show, the second longer than the first */
static const double LIMITED_FLOOR = 0.6; /* of the rate: application limited, little was measured */

void aimd_init(struct aimd *a, uint32_t bps, mono_us now)
{
    *a = (struct aimd){.bps = bps, .at = now, .decreased_us = now - US_PER_S, .link_var = 400};
}

void aimd_set(struct aimd *a, uint32_t bps, mono_us now)
{
    a->bps = fmin(fmax(bps, AIMD_MIN_BPS), AIMD_MAX_BPS);
    a->at = now;
}

/* Three standard deviations around the rate at which it overflowed. */
static double spread(const struct aimd *a)
{
    return 3 * sqrt(a->link_var * a->link_bps);
}

void aimd_shown(struct aimd *a, uint32_t bps, mono_us now)
{
    bool overflowed = a->link_bps > 0 && fabs(bps - a->link_bps) <= spread(a);
    bool again = fabs(bps - a->shown_last) <= SAME * bps;
    a->shown_bps = overflowed || again ? bps : 0;
    a->shown_last = bps;
    a->shown_us = now;
}

static void link_learn(struct aimd *a, double bps)
{
    if (a->link_bps > 0 && fabs(bps - a->link_bps) > spread(a)) {
        a->link_bps = 0; /* another path than the one we knew */
    }
    if (a->link_bps <= 0) {
        a->link_bps = bps;
        return;
    }
    a->link_bps = AVERAGE * a->link_bps + (1 - AVERAGE) * bps;
    double norm = fmax(a->link_bps, 1);
    double off = a->link_bps - bps;
    a->link_var = AVERAGE * a->link_var + (1 - AVERAGE) * off * off / norm;
    a->link_var = fmin(fmax(a->link_var, 400), 2500);
}

/* It is too long ago, or more arrives. */
static void shown_expire(struct aimd *a, double acked, mono_us now)
{
    if (now - a->shown_us > AIMD_SHOWN_US || acked > SHOWN_SLACK * a->shown_bps) {
        a->shown_bps = 0;
    }
}

/*
 * Up to where it may grow. As long as less is sent than the path carries, nothing but a probe ever
 * tells that the estimate is beyond it: then a picture is chosen that does not fit, its key frame
 * fills the queue, and all pictures are paused for it.
 */
static double most_of(const struct aimd *a, double acked)
{
    double most = acked > 0 ? 1.5 * acked + 10000 : AIMD_MAX_BPS;
    return a->shown_bps > 0 ? fmin(most, a->shown_bps) : most;
}

static void increase(struct aimd *a, const struct aimd_input *in, mono_us passed, mono_us now)
{
    double acked = in->acked_bps;
    if (a->link_bps > 0 && acked > a->link_bps + spread(a)) {
        a->link_bps = 0;
    }
    if (in->limited) {
        return;
    }
    double before = a->bps;
    double s = (double)passed / US_PER_S;
    if (a->link_bps > 0) {
        double response_us = (double)(in->rtt_us + RESPONSE_US);
        a->bps += fmax(1000 * s, PACKET_BITS / 2.0 * (double)passed / response_us);
    } else {
        a->bps *= pow(ETA, fmin(s, 1));
    }
    shown_expire(a, acked, now);
    /* own growth ends here; what a probe gave stays */
    a->bps = fmax(before, fmin(a->bps, most_of(a, acked)));
}

static void decrease(struct aimd *a, const struct aimd_input *in, mono_us now)
{
    double acked = in->acked_bps > 0 ? in->acked_bps : a->bps;
    acked = in->recent_bps > 0 ? fmin(acked, in->recent_bps) : acked;
    if (in->limited) {
        acked = fmax(acked, LIMITED_FLOOR * a->bps);
    } else {
        link_learn(a, acked);
    }
    a->bps = fmin(a->bps, BETA * acked);
    a->decreased_us = now;
}

bool aimd_update(struct aimd *a, const struct aimd_input *in, mono_us now)
{
    mono_us passed = now - a->at;
    passed = passed < 0 ? 0 : (passed > STEP_MAX_US ? STEP_MAX_US : passed);
    bool lowered = false;
    if (in->use == OVERUSE_OVER) {
        a->state = AIMD_DECREASE;
    } else if (in->use == OVERUSE_UNDER) {
        a->state = AIMD_HOLD;
    } else if (a->state != AIMD_INCREASE) {
        /* one step through hold before growing again */
        a->state = a->state == AIMD_DECREASE ? AIMD_HOLD : AIMD_INCREASE;
    }
    if (a->state == AIMD_INCREASE) {
        increase(a, in, passed, now);
    } else if (a->state == AIMD_DECREASE &&
               now - a->decreased_us >= mono_min(in->rtt_us + RESPONSE_US, US_PER_S)) {
        decrease(a, in, now);
        lowered = true;
    }
    a->bps = fmin(fmax(a->bps, AIMD_MIN_BPS), AIMD_MAX_BPS);
    a->at = now;
    return lowered;
}
