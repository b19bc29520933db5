#include "server/proto/burst.h"

void burst_init(struct burst *b, mono_us now)
{
    *b = (struct burst){.at = now};
}

mono_us burst_input(struct burst *b, uint32_t bytes, double bps, mono_us sent)
{
    double us = b->us;
    if (sent > b->at) {
        us -= (double)(sent - b->at);
        us = us > 0 ? us : 0;
        b->at = sent;
    }
    us += (double)bytes * 8 * US_PER_S / (bps > 1 ? bps : 1);
    b->us = us < BURST_MAX_US ? us : BURST_MAX_US;
    return (mono_us)b->us;
}
