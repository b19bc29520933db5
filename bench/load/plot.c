#include "bench/load/plot.h"

#include <math.h>

enum { WIDTH = 640, HEIGHT = 200, LEFT = 64, RIGHT = 8, TOP = 10, BOTTOM = 24, BARS = 24 };

/* The next of 1, 2, 5 times a power of ten that is at least v. */
static double nice(double v)
{
    double power = pow(10, floor(log10(v > 0 ? v : 1)));
    double m = v / power;
    return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}

static double x_of(double t, double t_max)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (t_max > 0 ? t / t_max : 0);
}

static double y_of(double v, double v_max)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v_max > 0 ? v / v_max : 0);
}

static void open_svg(FILE *out)
{
    (void)fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-hidden=\"true\">", WIDTH,
                  HEIGHT);
}

static void label(FILE *out, double x, double y, const char *anchor, double v, const char *unit)
{
    int digits = v >= 100 ? 0 : 3;
    (void)fprintf(out,
                  v >= 100 ? "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.*f%s%s</text>"
                           : "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.*g%s%s</text>",
                  x, y, anchor, digits, v, *unit ? " " : "", unit);
}

static void axes(FILE *out, double v_max, double t_max, const char *unit)
{
    for (int i = 0; i <= 4; i++) {
        double v = v_max * i / 4;
        (void)fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y_of(v, v_max),
                      WIDTH - RIGHT);
        label(out, LEFT - 6, y_of(v, v_max) + 4, "end", v, i == 4 ? unit : "");
    }
    double step = nice(t_max / 8);
    for (double t = 0; t <= t_max && step > 0; t += step) {
        bool at_edge = x_of(t, t_max) > WIDTH - 3 * RIGHT;
        label(out, x_of(t, t_max), HEIGHT - 6, at_edge ? "end" : "middle", t, "s");
    }
}

static void line(FILE *out, const struct plot *p, unsigned s, double v_max, double t_max)
{
    bool pen = false;
    (void)fprintf(out, "<path class=\"line s%u\" d=\"", s);
    for (unsigned i = 0; i < p->count; i++) {
        double v = p->value_h(p->data, s, i);
        if (v < 0) {
            pen = false;
            continue;
        }
        (void)fprintf(out, "%c%.1f %.1f", pen ? 'L' : 'M', x_of(p->time_h(p->data, i), t_max),
                      y_of(v > v_max ? v_max : v, v_max));
        pen = true;
    }
    (void)fputs("\"/>", out);
}

void plot_lines(FILE *out, const struct plot *p)
{
    double v_max = 0;
    double t_max = p->count ? p->time_h(p->data, p->count - 1) : 1;
    for (unsigned s = 0; s < p->series; s++) {
        for (unsigned i = 0; i < p->count; i++) {
            double v = p->value_h(p->data, s, i);
            v_max = v > v_max ? v : v_max;
        }
    }
    /* The limit is shown when it is near enough to say something. */
    bool limit = p->limit > 0 && p->limit < v_max * 4;
    v_max = nice(limit && p->limit > v_max ? p->limit * 1.05 : v_max);
    open_svg(out);
    axes(out, v_max, t_max, p->unit);
    if (limit) {
        (void)fprintf(out, "<path class=\"limit\" d=\"M%d %.1fH%d\"/>", LEFT, y_of(p->limit, v_max),
                      WIDTH - RIGHT);
    }
    for (unsigned s = 0; s < p->series; s++) {
        line(out, p, s, v_max, t_max);
    }
    (void)fputs("</svg>", out);
}

static double upper(const struct spread *spread)
{
    return (double)(spread->max > 1000 ? spread->max : 1000) / 1000;
}

void plot_spread(FILE *out, const struct spread *spread, double limit_ms)
{
    double count[BARS] = {0};
    double most = 0;
    double low = (double)spread_at(spread, 0) / 1000;
    double high = upper(spread);
    low = low > 0.05 ? low : 0.05;
    high = high > low * 2 ? high : low * 2;
    double span = log(high / low);
    for (unsigned i = 0; i < SPREAD_BUCKETS; i++) {
        if (spread->bucket[i]) {
            double ms = (double)spread_bucket(i) / 1000;
            int bar = (int)(log((ms > low ? ms : low) / low) / span * BARS);
            bar = bar >= BARS ? BARS - 1 : bar;
            count[bar] += (double)spread->bucket[i];
            most = count[bar] > most ? count[bar] : most;
        }
    }
    double v_max = nice(most);
    double width = (double)(WIDTH - LEFT - RIGHT) / BARS;
    open_svg(out);
    for (int i = 0; i <= 4; i++) {
        (void)fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT,
                      y_of(v_max * i / 4, v_max), WIDTH - RIGHT);
        label(out, LEFT - 6, y_of(v_max * i / 4, v_max) + 4, "end", v_max * i / 4, "");
    }
    for (int i = 0; i < BARS; i++) {
        (void)fprintf(out,
                      "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                      LEFT + width * i + 1, y_of(count[i], v_max), width - 2,
                      HEIGHT - BOTTOM - y_of(count[i], v_max));
    }
    for (int i = 0; i <= BARS; i += 6) {
        label(out, LEFT + width * i, HEIGHT - 6, i ? i == BARS ? "end" : "middle" : "start",
              low * exp(span * i / BARS), "ms");
    }
    if (limit_ms > low && limit_ms < high) {
        (void)fprintf(out, "<path class=\"limit\" d=\"M%.1f %dV%d\"/>",
                      LEFT + log(limit_ms / low) / span * (WIDTH - LEFT - RIGHT), TOP,
                      HEIGHT - BOTTOM);
    }
    (void)fputs("</svg>", out);
}
