#include "tests/net/link.h"

/* A sender's retransmission timer never fires earlier than this (RFC 6298 asks for 1 s, all
 * current stacks use 200 ms). */
#define SEGMENT_RTO_US_MIN 200000u

/* The draws of one packet, always taken together: see the invariants in the header. */
struct fate {
    uint32_t move_ppm;
    uint32_t loss_ppm;
    uint32_t jitter_ppm;
    uint32_t reorder_ppm;
    uint32_t hold_ppm;
    uint32_t duplicate_ppm;
};

static uint64_t splitmix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t v, unsigned bits)
{
    return (v << bits) | (v >> (64u - bits));
}

/* xoroshiro128+ (Blackman and Vigna): small, and good in its high bits, which we use. */
static uint64_t draw(struct link *l)
{
    uint64_t a = l->rng[0];
    uint64_t b = l->rng[1];
    uint64_t sum = a + b;

    b ^= a;
    l->rng[0] = rotate_left(a, 24) ^ b ^ (b << 16);
    l->rng[1] = rotate_left(b, 37);
    return sum;
}

/* Uniform in 0..LINK_PPM-1. Multiply-shift keeps the bias below 1e-3 of one ppm. */
static uint32_t draw_ppm(struct link *l)
{
    return (uint32_t)(((draw(l) >> 32) * LINK_PPM) >> 32);
}

static struct fate draw_fate(struct link *l)
{
    struct fate f;

    f.move_ppm = draw_ppm(l);
    f.loss_ppm = draw_ppm(l);
    f.jitter_ppm = draw_ppm(l);
    f.reorder_ppm = draw_ppm(l);
    f.hold_ppm = draw_ppm(l);
    f.duplicate_ppm = draw_ppm(l);
    return f;
}

void link_seed(struct link *l, uint64_t seed)
{
    uint64_t state = seed;

    l->rng[0] = splitmix(&state);
    l->rng[1] = splitmix(&state);
    l->bad = 0;
}

void link_init(struct link *l, const struct link_conf *conf, uint64_t seed)
{
    *l = (struct link){.conf = *conf};
    link_seed(l, seed);
}

void link_set_conf(struct link *l, const struct link_conf *conf)
{
    /* The remainder counts in 1/rate; it means nothing at another rate. */
    if (conf->rate_bps != l->conf.rate_bps)
        l->free_rem = 0;
    l->conf = *conf;
}

void link_conf_loss(struct link_conf *conf, uint32_t loss_ppm, uint32_t burst_milli)
{
    conf->enter_bad_ppm = 0;
    conf->leave_bad_ppm = LINK_PPM;
    conf->loss_good_ppm = loss_ppm;
    conf->loss_bad_ppm = LINK_PPM;
    if (burst_milli <= 1000 || loss_ppm == 0 || loss_ppm >= LINK_PPM)
        return;

    /* Mean stay in the bad state is 1/leave packets; the share of time spent there,
     * enter / (enter + leave), has to equal the wanted loss. */
    uint64_t leave = (uint64_t)LINK_PPM * 1000u / burst_milli;
    uint64_t enter = (uint64_t)loss_ppm * leave / (LINK_PPM - loss_ppm);

    conf->loss_good_ppm = 0;
    conf->leave_bad_ppm = (uint32_t)leave;
    conf->enter_bad_ppm = enter > LINK_PPM ? LINK_PPM : (uint32_t)enter;
}

static int is_lost(struct link *l, const struct fate *f)
{
    const struct link_conf *c = &l->conf;

    if (f->move_ppm < (l->bad ? c->leave_bad_ppm : c->enter_bad_ppm))
        l->bad = !l->bad;
    return f->loss_ppm < (l->bad ? c->loss_bad_ppm : c->loss_good_ppm);
}

static void count_loss(struct link *l, int lost)
{
    l->burst_packets = lost ? l->burst_packets + 1 : 0;
    if (l->burst_packets > l->count.burst_packets_max)
        l->count.burst_packets_max = l->burst_packets;
}

uint64_t link_backlog_us(const struct link *l, uint64_t now_us)
{
    if (l->conf.rate_bps == 0 || l->free_us <= now_us)
        return 0;
    return l->free_us - now_us;
}

/* Send len bytes through the bottleneck; returns when the last bit has left it. */
static uint64_t pass_bottleneck(struct link *l, size_t len, uint64_t now_us)
{
    uint64_t rate = l->conf.rate_bps;

    if (rate == 0)
        return now_us;
    if (l->free_us < now_us) {
        l->free_us = now_us;
        l->free_rem = 0;
    }
    uint64_t bit_us = (uint64_t)len * 8u * 1000000u + l->free_rem;

    l->free_us += bit_us / rate;
    l->free_rem = bit_us % rate;
    return l->free_us;
}

static uint64_t fly(const struct link *l, uint64_t sent_us, const struct fate *f)
{
    uint64_t delay = l->conf.delay_us;
    uint64_t jitter = l->conf.jitter_us;
    uint64_t up = delay + 2u * jitter * f->jitter_ppm / LINK_PPM;

    return sent_us + (up > jitter ? up - jitter : 0);
}

size_t link_send(struct link *l, size_t len, uint64_t now_us, uint64_t due_us[LINK_COPIES_MAX])
{
    const struct link_conf *c = &l->conf;
    struct fate f = draw_fate(l);
    int lost = is_lost(l, &f);

    l->count.in_packets++;
    l->count.in_bytes += len;
    count_loss(l, lost);
    if (link_backlog_us(l, now_us) > c->queue_us) {
        l->count.queue_drop_packets++;
        return 0;
    }
    /* A packet lost in the air has used the bottleneck all the same. */
    uint64_t due = fly(l, pass_bottleneck(l, len, now_us), &f);

    if (lost) {
        l->count.lost_packets++;
        return 0;
    }
    if (due < l->last_due_us)
        due = l->last_due_us;
    if (f.reorder_ppm < c->reorder_ppm) {
        l->count.reordered_packets++;
        due += 1u + (uint64_t)c->reorder_us * f.hold_ppm / LINK_PPM;
    } else {
        l->last_due_us = due;
    }
    due_us[0] = due;
    if (f.duplicate_ppm >= c->duplicate_ppm)
        return 1;
    l->count.duplicated_packets++;
    due_us[1] = due;
    return 2;
}

uint64_t link_send_segment(struct link *l, size_t len, uint64_t now_us, uint64_t *order_us)
{
    struct fate f = draw_fate(l);
    int lost = is_lost(l, &f);

    l->count.in_packets++;
    l->count.in_bytes += len;
    count_loss(l, lost);
    uint64_t due = fly(l, pass_bottleneck(l, len, now_us), &f);

    if (lost) {
        uint64_t rto = 3u * (uint64_t)l->conf.delay_us;

        due += rto > SEGMENT_RTO_US_MIN ? rto : SEGMENT_RTO_US_MIN;
        l->count.retransmitted_segments++;
    }
    if (due < *order_us)
        due = *order_us;
    *order_us = due;
    return due;
}
