#include "server/proto/burst.h"

#include <math.h>

void burst_init(struct burst *b, mono_us now)
{
    *b = (struct burst){.at = now};
}

mono_us burst_input(struct burst *b, uint32_t bytes, double bps, mono_us sent)
{
    if (sent > b->at) {
        b->us = fmax(b->us - (double)(sent - b->at), 0);
        b->at = sent;
    }
    b->us = fmin(b->us + (double)bytes * 8 * US_PER_S / fmax(bps, 1), BURST_MAX_US);
    return (mono_us)b->us;
}
