#include "server/proto/alr.h"

enum { HORIZON_US = 500 * US_PER_MS };

static const double BEGIN_BELOW = 0.65;
static const double END_ABOVE = 0.80;

void alr_init(struct alr *a, mono_us now)
{
    *a = (struct alr){.use = 1, .at = now, .since = MONO_NEVER};
}

void alr_input(struct alr *a, uint64_t bytes, uint32_t target_bps, mono_us now)
{
    mono_us passed = now - a->at;
    if (passed <= 0 || target_bps == 0) {
        return;
    }
    double use = (double)bytes * 8 * US_PER_S / (double)passed / target_bps;
    double weight = (double)passed / (double)(passed + HORIZON_US);
    a->use += (use - a->use) * weight;
    a->at = now;
    if (a->use < BEGIN_BELOW && a->since == MONO_NEVER) {
        a->since = now;
    } else if (a->use > END_ABOVE) {
        a->since = MONO_NEVER;
    }
}
