#include "tests/net/script.h"

#include <string.h>

struct word {
    const char *at;
    size_t len;
};

/* A decimal number with at most `decimals` digits after the point, scaled by 10^decimals. */
static int parse_fixed(struct word w, unsigned decimals, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    unsigned fraction = 0;
    size_t digits = 0;
    int point = 0;

    for (size_t i = 0; i < w.len; i++) {
        char c = w.at[i];

        if (c == '.' && !point && digits) {
            point = 1;
            continue;
        }
        if (c < '0' || c > '9' || (point && fraction == decimals) || value > UINT64_MAX / 10 - 1)
            return -1;
        value = value * 10 + (uint64_t)(c - '0');
        fraction += (unsigned)point;
        digits++;
    }
    for (; fraction < decimals; fraction++) {
        if (value > UINT64_MAX / 10)
            return -1;
        value *= 10;
    }
    *out = value;
    return digits && value <= max ? 0 : -1;
}

static int parse_u32(struct word w, unsigned decimals, uint32_t max, uint32_t *out)
{
    uint64_t value;

    if (parse_fixed(w, decimals, max, &value) < 0)
        return -1;
    *out = (uint32_t)value;
    return 0;
}

/* `p/r/good/bad` in percent. */
static int parse_chain(struct word w, struct script_dir *d)
{
    uint32_t *part[] = {&d->conf.enter_bad_ppm, &d->conf.leave_bad_ppm, &d->conf.loss_good_ppm,
                        &d->conf.loss_bad_ppm};

    for (size_t i = 0; i < 4; i++) {
        const char *slash = memchr(w.at, '/', w.len);
        struct word one = {w.at, slash ? (size_t)(slash - w.at) : w.len};

        if ((slash == NULL) != (i == 3) || parse_u32(one, 4, LINK_PPM, part[i]) < 0)
            return -1;
        if (slash) {
            w.len -= one.len + 1;
            w.at = slash + 1;
        }
    }
    return 0;
}

static int is_word(struct word w, const char *text)
{
    return w.len == strlen(text) && memcmp(w.at, text, w.len) == 0;
}

static void set_loss(struct script_dir *d)
{
    link_conf_loss(&d->conf, d->loss_ppm, d->burst_milli);
}

static int set_value(struct script_dir *d, struct word key, struct word value)
{
    /* An hour of delay is more than any test wants; a bound keeps the sums far from overflow. */
    const uint32_t time_us_max = 3600u * 1000000u;
    struct link_conf *c = &d->conf;

    if (is_word(key, "loss") || is_word(key, "burst")) {
        int err = key.len == 4 ? parse_u32(value, 4, LINK_PPM, &d->loss_ppm)
                               : parse_u32(value, 3, 1000000u, &d->burst_milli);

        set_loss(d);
        return err;
    }
    if (is_word(key, "ge"))
        return parse_chain(value, d);
    if (is_word(key, "delay"))
        return parse_u32(value, 3, time_us_max, &c->delay_us);
    if (is_word(key, "jitter"))
        return parse_u32(value, 3, time_us_max, &c->jitter_us);
    if (is_word(key, "queue"))
        return parse_u32(value, 3, time_us_max, &c->queue_us);
    if (is_word(key, "hold"))
        return parse_u32(value, 3, time_us_max, &c->reorder_us);
    if (is_word(key, "rate"))
        return parse_fixed(value, 3, 1000000000000u, &c->rate_bps);
    if (is_word(key, "reorder"))
        return parse_u32(value, 4, LINK_PPM, &c->reorder_ppm);
    if (is_word(key, "dup"))
        return parse_u32(value, 4, LINK_PPM, &c->duplicate_ppm);
    if (is_word(key, "corrupt"))
        return parse_u32(value, 4, LINK_PPM, &c->corrupt_ppm);
    return -1;
}

static void reset_dir(struct script_dir *d)
{
    *d = (struct script_dir){.burst_milli = 1000};
    d->conf.queue_us = 300000;
    d->conf.reorder_us = 50000;
    set_loss(d);
}

void script_init(struct script *s)
{
    *s = (struct script){.seed = 1};
    reset_dir(&s->dir[0]);
    reset_dir(&s->dir[1]);
}

static int apply_word(struct script *s, struct word w)
{
    unsigned first = 0;
    unsigned last = 1;
    uint64_t seed;

    if (is_word(w, "stat"))
        return SCRIPT_STAT;
    if (is_word(w, "rebind"))
        return SCRIPT_REBIND;
    if (is_word(w, "quit"))
        return SCRIPT_QUIT;
    if (w.len > 3 && (memcmp(w.at, "ab:", 3) == 0 || memcmp(w.at, "ba:", 3) == 0)) {
        first = last = w.at[0] == 'b';
        w = (struct word){w.at + 3, w.len - 3};
    }
    if (is_word(w, "reset")) {
        for (unsigned i = first; i <= last; i++)
            reset_dir(&s->dir[i]);
        return SCRIPT_NONE;
    }
    const char *equals = memchr(w.at, '=', w.len);

    if (!equals)
        return -1;
    struct word key = {w.at, (size_t)(equals - w.at)};
    struct word value = {equals + 1, w.len - key.len - 1};

    if (is_word(key, "seed")) {
        if (parse_fixed(value, 0, UINT64_MAX, &seed) < 0)
            return -1;
        s->seed = seed;
        s->seed_set = 1;
        return SCRIPT_NONE;
    }
    for (unsigned i = first; i <= last; i++)
        if (set_value(&s->dir[i], key, value) < 0)
            return -1;
    return SCRIPT_NONE;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct word next_word(const char *line, size_t len, size_t *pos)
{
    size_t i = *pos;

    while (i < len && is_blank(line[i]))
        i++;
    size_t start = i;

    while (i < len && !is_blank(line[i]))
        i++;
    if (start < i && line[start] == '#')
        start = i = len;
    *pos = i;
    return (struct word){line + start, i - start};
}

int script_apply(struct script *s, const char *line, size_t len)
{
    struct script next = *s;
    unsigned verbs = SCRIPT_NONE;
    size_t pos = 0;

    for (;;) {
        struct word w = next_word(line, len, &pos);

        if (w.len == 0)
            break;
        int got = apply_word(&next, w);

        if (got < 0) {
            s->bad = w.at;
            s->bad_len = w.len;
            return -1;
        }
        verbs |= (unsigned)got;
    }
    *s = next;
    return (int)verbs;
}

int script_schedule_line(const char *line, size_t len, uint64_t *at_us, size_t *rest)
{
    size_t pos = 0;
    struct word w = next_word(line, len, &pos);

    if (w.len == 0)
        return 0;
    if (parse_fixed(w, 3, UINT64_MAX, at_us) < 0)
        return -1;
    *rest = pos;
    return 1;
}
