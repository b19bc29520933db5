#include "server/proto/trendline.h"

#include <string.h>

#include "codec/base/time.h"

enum { COUNT_MAX = 60, OLD_DELTA_MS = 100 };

static const double SMOOTH = 0.9;
static const double GAIN = 4.0;
static const double THRESHOLD_MS = 12.5; /* draft 5.4: del_var_th(0) */
static const double THRESHOLD_MIN_MS = 6;
static const double THRESHOLD_MAX_MS = 600;
static const double K_UP = 0.0087; /* per ms */
static const double K_DOWN = 0.039;
static const double OUTLIER_MS = 15; /* above the threshold: not learnt from */
static const double OVER_MS = 10;    /* draft: overuse_time_th */

void trendline_init(struct trendline *t)
{
    *t = (struct trendline){0};
}

/*
 * Least squares slope of delay over arrival in one pass over the whole window. Measured from the
 * newest point, so that the sums stay small and their differences exact; two sets of sums, since
 * additions that wait for one another are what this costs.
 */
static double slope_of(const struct trendline *t, uint32_t newest)
{
    double x0 = t->at_ms[newest];
    double y0 = t->delay_ms[newest];
    double sx[2] = {0}, sy[2] = {0}, sxx[2] = {0}, sxy[2] = {0};
    for (uint32_t i = 0; i < TRENDLINE_WINDOW; i += 2) {
        for (uint32_t k = 0; k < 2; k++) {
            double x = t->at_ms[i + k] - x0;
            double y = t->delay_ms[i + k] - y0;
            sx[k] += x;
            sy[k] += y;
            sxx[k] += x * x;
            sxy[k] += x * y;
        }
    }
    double n = TRENDLINE_WINDOW;
    double x = sx[0] + sx[1];
    double down = n * (sxx[0] + sxx[1]) - x * x;
    return down > 0 ? (n * (sxy[0] + sxy[1]) - x * (sy[0] + sy[1])) / down : t->slope;
}

void trendline_input(struct trendline *t, int64_t variation_us, int64_t got_at)
{
    if (t->points == 0) {
        t->first_got = got_at;
    }
    t->sum_ms += (double)variation_us / US_PER_MS;
    t->smooth_ms = SMOOTH * t->smooth_ms + (1 - SMOOTH) * t->sum_ms;
    uint32_t at = t->points++ % TRENDLINE_WINDOW;
    t->at_ms[at] = (double)(got_at - t->first_got) / US_PER_MS;
    t->delay_ms[at] = t->smooth_ms;
    if (t->points >= TRENDLINE_WINDOW) {
        t->slope = slope_of(t, at);
    }
    if (t->points == 2 * COUNT_MAX * TRENDLINE_WINDOW) {
        t->points = COUNT_MAX * TRENDLINE_WINDOW; /* only its low part matters from here on */
    }
}

void detector_init(struct detector *d)
{
    *d = (struct detector){.threshold_ms = THRESHOLD_MS};
}

/* The threshold follows the trend, so that a competing loss-based flow does not starve us and
 * jitter is not taken for a queue. */
static void adapt(struct detector *d, double trend_ms, int64_t got_at)
{
    double size = trend_ms < 0 ? -trend_ms : trend_ms;
    double passed_ms = d->updated_us ? (double)(got_at - d->updated_us) / US_PER_MS : 0;
    d->updated_us = got_at;
    if (size > d->threshold_ms + OUTLIER_MS) {
        return;
    }
    passed_ms = passed_ms < 0 ? 0 : (passed_ms > OLD_DELTA_MS ? OLD_DELTA_MS : passed_ms);
    double k = size < d->threshold_ms ? K_DOWN : K_UP;
    double next_ms = d->threshold_ms + k * (size - d->threshold_ms) * passed_ms;
    next_ms = next_ms > THRESHOLD_MIN_MS ? next_ms : THRESHOLD_MIN_MS;
    d->threshold_ms = next_ms < THRESHOLD_MAX_MS ? next_ms : THRESHOLD_MAX_MS;
}

enum overuse detector_input(struct detector *d, const struct trendline *t, int64_t sent_us,
                            int64_t got_at)
{
    if (t->points < TRENDLINE_WINDOW) {
        return d->state;
    }
    double count = t->points < COUNT_MAX ? t->points : COUNT_MAX;
    double trend_ms = count * t->slope * GAIN;
    if (trend_ms > d->threshold_ms) {
        d->over_ms += (double)sent_us / US_PER_MS / (d->over_count ? 1 : 2);
        d->over_count++;
        if (d->over_ms > OVER_MS && d->over_count > 1 && t->slope >= d->slope_before) {
            d->over_ms = 0;
            d->over_count = 0;
            d->state = OVERUSE_OVER;
        }
    } else {
        d->over_ms = 0;
        d->over_count = 0;
        d->state = trend_ms < -d->threshold_ms ? OVERUSE_UNDER : OVERUSE_NORMAL;
    }
    d->slope_before = t->slope;
    adapt(d, trend_ms, got_at);
    return d->state;
}
