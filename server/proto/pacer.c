#include "server/proto/pacer.h"

static int64_t rate_of(uint64_t estimate_bps)
{
    uint64_t bps = estimate_bps * PACER_FACTOR_PERCENT / 100;
    return (int64_t)(bps > PACER_BPS_MIN ? bps : PACER_BPS_MIN);
}

void pacer_fill(struct pacer_budget *b, uint64_t estimate_bps, mono_us now)
{
    int64_t rate = rate_of(estimate_bps);
    int64_t most = rate * PACER_BURST_US / US_PER_S;
    mono_us passed = now - b->at;
    b->at = now;
    if (passed >= PACER_BURST_US) {
        b->bits = b->bits > 0 ? most : b->bits + rate / 1000 * (passed / US_PER_MS);
    } else if (passed > 0) {
        b->bits += rate * passed / US_PER_S;
    }
    b->bits = b->bits < most ? b->bits : most;
    /* What was sent without a budget delays the next picture by two bursts at most. */
    b->bits = b->bits > -2 * most ? b->bits : -2 * most;
}

void pacer_spend(struct pacer_budget *b, uint32_t bytes)
{
    b->bits -= (int64_t)bytes * 8;
}

mono_us pacer_ready(const struct pacer_budget *b, uint64_t estimate_bps)
{
    if (b->bits > 0) {
        return b->at;
    }
    int64_t rate = rate_of(estimate_bps);
    return b->at + (-b->bits + rate / 1000) * US_PER_S / rate;
}

/* True when all of item[0 .. n) can be lifted to `size`. */
static bool liftable(const struct pacer_item *item, uint32_t n, uint16_t size, uint16_t pad_max)
{
    for (uint32_t i = 0; i < n; i++) {
        if (size - item[i].len > (item[i].may_pad ? pad_max : 0)) {
            return false;
        }
    }
    return true;
}

uint32_t pacer_run(struct pacer_item *item, uint32_t n, uint16_t pad_max)
{
    uint16_t size = item[0].len;
    uint32_t count = 1;
    n = n < PACER_RUN_MAX ? n : PACER_RUN_MAX;
    while (count < n) {
        const struct pacer_item *next = &item[count];
        if (next->len > size) {
            if (!liftable(item, count, next->len, pad_max)) {
                break;
            }
            size = next->len;
        } else if (size - next->len > (next->may_pad ? pad_max : 0)) {
            count++; /* a clearly shorter one may only end the run */
            break;
        }
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t gap = (uint16_t)(size - item[i].len);
        item[i].padding = i + 1 < count ? gap : 0;
    }
    return count;
}
