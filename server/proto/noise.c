#include "server/proto/noise.h"

#include <math.h>

/* Of packets that take 0 to j us each, a few dozen a second, some j/6 are seen as overtaken; the
 * lowest time of five of them is below j/2 in 31 of 32 cases. Where the same path keeps their
 * order, the lowest times swing by j/10, about j/3 above the best and up to j/2. */
enum {
    MEMORY_PACKETS = 32,
    MEMORY_SWINGS = 8,

    OVERTAKEN_SLACK = 3,
    SWING_SLACK = 5,
};

void noise_init(struct noise *n)
{
    *n = (struct noise){0};
}

void noise_packet(struct noise *n, mono_us sent, int64_t got)
{
    mono_us later = sent - n->sent; /* than the other one; before it when negative */
    int64_t after = got - n->got;
    double by = 0;
    if (n->sent == 0) {
        later = 1;
    } else if ((later > 0 && after < 0) || (later < 0 && after > 0)) {
        by = (double)(after > later ? after - later : later - after);
    }
    n->overtaken_us += (by - n->overtaken_us) / MEMORY_PACKETS;
    if (later > 0) {
        n->sent = sent;
        n->got = got;
    }
}

void noise_feedback(struct noise *n, int64_t low)
{
    double bend = fabs((double)(low - n->low[0]) - (double)(n->low[0] - n->low[1])) / 2;
    if (n->lows == 2) {
        n->swing_us += (fmin(bend, NOISE_SLACK_MAX_US) - n->swing_us) / MEMORY_SWINGS;
    } else {
        n->lows++;
    }
    n->low[1] = n->low[0];
    n->low[0] = low;
}

int64_t noise_slack(const struct noise *n)
{
    double us = OVERTAKEN_SLACK * n->overtaken_us;
    us = us > SWING_SLACK * n->swing_us ? us : SWING_SLACK * n->swing_us;
    return us < NOISE_SLACK_MAX_US ? (int64_t)us : NOISE_SLACK_MAX_US;
}
