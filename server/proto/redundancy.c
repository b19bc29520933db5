#include "server/proto/redundancy.h"

/* Loss p leaves p^2 with one repetition, p^3 with two; a voice is small beside any picture. */
static const double DEEPER[REDUNDANCY_MAX] = {0.01, 0.05};
static const double SHALLOWER = 0.6; /* of the limit that led here */

unsigned redundancy_input(struct redundancy *r, double loss, mono_us now)
{
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
