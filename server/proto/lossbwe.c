#include "server/proto/lossbwe.h"

#include <math.h>

enum { OBSERVE_PACKETS = 8, HOLD_US = 600 * US_PER_MS, CANDIDATES = 6 };

static const double AGE = 0.9; /* weight of an observation against the next newer */
static const double AGE_MEAN = 0.8;
static const double LOSS_MIN = 0.0001;   /* probabilities stay inside (0, 1) */
static const double LOSS_MAX = 0.9;      /* of inherent loss */
static const double CLEAN = 0.02;        /* below: nothing to explain */
static const double BIAS = 0.002;        /* for the higher of two equal explanations */
static const double PROOF = 3;           /* log likelihood a lower rate must explain better by */
static const double BALANCE_BPS = 150e3; /* loss beyond FREE is tolerated up to BALANCE / rate */
static const double FREE = 0.05;
static const double GROW = 1.05; /* an observation */
static const double GROW_CLEAN = 1.1;
static const double ACKED_SHARE = 0.9;
static const double FLOOR_BPS = 20e3;

void lossbwe_init(struct lossbwe *l)
{
    *l = (struct lossbwe){.bps = LOSSBWE_NONE};
}

void lossbwe_input(struct lossbwe *l, mono_us sent, uint32_t bytes, bool lost)
{
    if (l->packets == 0) {
        /* From the last packet of the observation before: between bursts nothing is sent. */
        bool follows = l->count && sent >= l->last_sent && sent - l->last_sent < LOSSBWE_OBSERVE_US;
        l->first_sent = follows ? l->last_sent : sent;
        l->last_sent = sent;
    }
    l->last_sent = sent > l->last_sent ? sent : l->last_sent;
    l->packets++;
    l->lost += lost;
    l->bytes += bytes;
}

/* The i-th newest observation and its weight. */
static const struct lossbwe_observation *newest(const struct lossbwe *l, uint32_t i)
{
    return &l->seen[(l->count - 1 - i) % LOSSBWE_WINDOW];
}

static uint32_t held(const struct lossbwe *l)
{
    return l->count < LOSSBWE_WINDOW ? l->count : LOSSBWE_WINDOW;
}

/* Share of what was sent that does not fit. */
static double excess(const struct lossbwe_observation *o, double bps)
{
    return o->sent_bps > bps ? (o->sent_bps - bps) / o->sent_bps : 0;
}

/* Every observation counts by its age, not by its packets: a flood that is over is soon forgotten.
 */
static double average_loss(const struct lossbwe *l)
{
    double lost = 0;
    double all = 0;
    double weight = 1;
    for (uint32_t i = 0; i < held(l); i++, weight *= AGE_MEAN) {
        lost += weight * newest(l, i)->lost / newest(l, i)->packets;
        all += weight;
    }
    return all > 0 ? lost / all : 0;
}

/* The inherent loss that explains what the bandwidth leaves over. */
static double inherent_of(const struct lossbwe *l, double bps)
{
    double lost = 0;
    double packets = 0;
    double weight = 1;
    for (uint32_t i = 0; i < held(l); i++, weight *= AGE) {
        const struct lossbwe_observation *o = newest(l, i);
        double over = excess(o, bps);
        lost += weight * (o->lost - o->packets * over);
        packets += weight * o->packets * (1 - over);
    }
    double most = fmin(FREE + BALANCE_BPS / bps, LOSS_MAX);
    return packets > 0 ? fmin(fmax(lost / packets, LOSS_MIN), most) : LOSS_MIN;
}

static double likelihood(const struct lossbwe *l, double bps, double inherent)
{
    double sum = 0;
    double weight = 1;
    for (uint32_t i = 0; i < held(l); i++, weight *= AGE) {
        const struct lossbwe_observation *o = newest(l, i);
        double p = inherent + (1 - inherent) * excess(o, bps);
        p = fmin(fmax(p, LOSS_MIN), 1 - LOSS_MIN);
        sum += weight * (o->lost * log(p) + (o->packets - o->lost) * log(1 - p) +
                         BIAS * o->packets * log(bps));
    }
    return sum;
}

static double best_of(struct lossbwe *l, double base, double delay_bps, double acked_bps)
{
    const double candidate[CANDIDATES] = {
        base, base * GROW, base * 0.95, base * 0.85, acked_bps, fmin(delay_bps, base * GROW),
    };
    double best = base;
    double best_value = -HUGE_VAL;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        if (candidate[i] < FLOOR_BPS) {
            continue;
        }
        double inherent = inherent_of(l, candidate[i]);
        double value = likelihood(l, candidate[i], inherent);
        /* At a constant rate a path that loses a fifth looks like one that is a fifth too small. */
        value -= candidate[i] < base ? PROOF : 0;
        if (value > best_value) {
            best_value = value;
            best = candidate[i];
            l->inherent = inherent;
        }
    }
    return best;
}

static void work_out(struct lossbwe *l, double delay_bps, double acked_bps, mono_us now)
{
    l->loss = average_loss(l);
    double last = newest(l, 0)->packets ? (double)newest(l, 0)->lost / newest(l, 0)->packets : 0;
    if (l->loss < CLEAN) {
        l->bps *= GROW_CLEAN;
        l->bps = l->bps >= delay_bps ? LOSSBWE_NONE : l->bps;
        l->inherent = 0;
        return;
    }
    double base = fmin(l->bps, delay_bps);
    double next = best_of(l, base, delay_bps, acked_bps);
    if (next > base && (now - l->lowered_us < HOLD_US || last > l->inherent + FREE)) {
        next = base;
    }
    if (l->loss > FREE) {
        double most = fmax(BALANCE_BPS / (l->loss - FREE), ACKED_SHARE * acked_bps);
        next = fmin(next, most);
    }
    next = fmax(next, FLOOR_BPS);
    if (next < base) {
        l->lowered_us = now;
    }
    l->bps = next;
}

bool lossbwe_update(struct lossbwe *l, double delay_bps, double acked_bps, mono_us now)
{
    mono_us span = l->last_sent - l->first_sent;
    if (span < LOSSBWE_OBSERVE_US || l->packets < OBSERVE_PACKETS) {
        return false;
    }
    l->seen[l->count++ % LOSSBWE_WINDOW] = (struct lossbwe_observation){
        .packets = l->packets,
        .lost = l->lost < l->packets ? l->lost : l->packets,
        .sent_bps = (double)l->bytes * 8 * US_PER_S / (double)span,
    };
    if (l->count == 2 * LOSSBWE_WINDOW) {
        l->count = LOSSBWE_WINDOW;
    }
    l->packets = 0;
    l->lost = 0;
    l->bytes = 0;
    work_out(l, delay_bps, acked_bps, now);
    return true;
}

void lossbwe_raise(struct lossbwe *l, double bps)
{
    if (bps > l->bps) {
        l->bps = bps;
    }
}
