#include "server/proto/redundancy.h"

#include <math.h>

/* Loss p leaves p^2 with one repetition, p^3 with two; a voice is small beside any picture. */
static const double DEEPER[REDUNDANCY_MAX] = {0.01, 0.05};
static const double SHALLOWER = 0.6;    /* of the limit that led here */
static const double LOST_LEAST = 2.5;   /* fewer are chance, whatever share they are */
static const double PACKETS_LEAST = 50; /* a share of fewer is not taken for more than it is */
static const double PACKETS_MOST = 400; /* what is older than these counts little */
static const double HALF_US = 3 * US_PER_S;

static double share_lost(const struct redundancy_count *c)
{
    return c->lost < LOST_LEAST ? 0 : c->lost / fmax(c->packets, PACKETS_LEAST);
}

static void count(struct redundancy_count *c, double packets, double lost, mono_us now)
{
    double kept = exp2(-(double)(now - c->at) / HALF_US);
    double all = c->packets * kept + packets;
    kept *= fmin(1, PACKETS_MOST / fmax(all, 1));
    c->packets = c->packets * kept + packets;
    c->lost = c->lost * kept + lost;
    c->at = now;
}

unsigned redundancy_input(struct redundancy *r, enum redundancy_teller teller, double packets,
                          double lost, mono_us now)
{
    count(&r->count[teller], packets, lost, now);
    double loss = fmax(share_lost(&r->count[0]), share_lost(&r->count[1]));
    unsigned wanted = 0;
    while (wanted < REDUNDANCY_MAX && loss >= DEEPER[wanted]) {
        wanted++;
    }
    if (wanted > r->depth) {
        r->depth = (uint8_t)wanted;
        r->calm_us = now;
    } else if (r->depth && loss >= SHALLOWER * DEEPER[r->depth - 1]) {
        r->calm_us = now;
    } else if (r->depth && now - r->calm_us >= REDUNDANCY_CALM_US) {
        r->depth--;
        r->calm_us = now;
    }
    return r->depth;
}
