#include "server/proto/bwe.h"

#include <math.h>

enum {
    RTT_START_US = 100 * US_PER_MS,
    CONFIRM_FEEDBACKS = 2,
    SURGE_US = 60 * US_PER_MS,
    SURGE_FEEDBACKS = 10,
    OWN_QUEUE_US = 150 * US_PER_MS, /* more than that no probe of ours makes */
    CONFIRM_US = 15 * US_PER_MS,
    DRAIN_US = 400 * US_PER_MS, /* a queue this long above the free part lets nothing but a rest */
};

static const double LOSSY = 0.09; /* of the packets that are told of; feedback is lost as well */
static const double DRAIN_LEAST = 0.3;
static const double SILENCE_FACTOR = 0.5;
static const double SILENCE_BPS =
    300e3; /* not below for silence alone: a dead path feels nothing */

void bwe_init(struct bwe *b, uint32_t start_bps, mono_us now)
{
    b->sent_bytes = 0;
    b->first_unheard_us = MONO_NEVER;
    b->heard = false;
    b->begun_us = now;
    b->feedback_us = now;
    b->judged_us = now;
    b->silent_us = MONO_NEVER;
    b->wanted_bps = 0;
    b->budget = BWE_STATUS_PER_S;
    b->fates = 0;
    b->fates_lost = 0;
    aimd_init(&b->aimd, start_bps, now);
    probing_init(&b->probing, now);
    bwe_path(b, now);
}

void bwe_path(struct bwe *b, mono_us now)
{
    /* What was sent by the old path says nothing about this one, least of all that it was lost. */
    sendlog_init(&b->log);
    lossbwe_init(&b->lossbwe);
    b->first_unheard_us = MONO_NEVER;
    b->silent_us = MONO_NEVER;
    b->rtt_us = RTT_START_US;
    b->clock_known = false;
    b->queue_us = 0;
    b->queue_now_us = 0;
    b->newest_sent = now;
    b->use = OVERUSE_NORMAL;
    b->queue = (struct bwe_queue){0};
    arrival_init(&b->arrival);
    trendline_init(&b->trend);
    detector_init(&b->detector);
    acked_init(&b->acked);
    alr_init(&b->alr, now);
    burst_init(&b->burst, now);
    b->strange_us[0] = 0;
    b->strange_us[1] = 0;
    b->aimd.link_bps = 0;
    aimd_shown(&b->aimd, 0, now);
    /* Nothing is known of it, and what silence made of the estimate belonged to the old one. */
    aimd_set(&b->aimd, BWE_START_BPS, now);
    probing_anew(&b->probing, now);
}

void bwe_sent(struct bwe *b, uint16_t number, uint16_t bytes, uint8_t cluster, mono_us now)
{
    b->sent_bytes += bytes;
    if (b->log.count == 0) {
        b->loss_next = number;
    }
    if (b->first_unheard_us == MONO_NEVER) {
        b->first_unheard_us = now;
        b->silent_us = now + BWE_SILENCE_US;
    }
    sendlog_sent(&b->log, number, bytes, cluster, now);
}

/* ---- what a feedback says ---- */

static void queue_note(struct bwe_queue *q, int64_t owd, mono_us now)
{
    if (!q->started) {
        q->base[0] = owd;
        q->base[1] = owd;
        q->window_us = now;
        q->started = true;
    }
    if (now - q->window_us > BWE_OWD_WINDOW_US) {
        q->base[1] = q->base[0];
        q->base[0] = owd;
        q->window_us = now;
    }
    q->base[0] = owd < q->base[0] ? owd : q->base[0];
}

struct feedback {
    int64_t owd_least;
    int64_t strange_least; /* one-way time without what our own packets before it took */
    mono_us rtt_least;
    double bps; /* the estimate before it */
    uint32_t arrived;
    bool judged; /* the detector said something */
};

/* The lowest one-way time of this feedback; jitter adds to it, a queue lifts it. */
static void queue_close(struct bwe *b, const struct feedback *f)
{
    struct bwe_queue *q = &b->queue;
    int64_t base = q->base[0] < q->base[1] ? q->base[0] : q->base[1];
    noise_feedback(&q->noise, f->strange_least);
    int64_t best = base + noise_slack(&q->noise);
    int64_t over = f->owd_least - best;
    q->seen[q->at++ % BWE_QUEUE_SEEN] = over > 0 && over < UINT32_MAX ? (uint32_t)over : 0;
    b->strange_us[1] = b->strange_us[0];
    b->strange_us[0] = f->strange_least - best;
    uint32_t least = UINT32_MAX;
    for (unsigned i = 1; i <= BWE_QUEUE_SEEN; i++) {
        uint32_t seen = q->seen[(q->at - i) % BWE_QUEUE_SEEN];
        least = seen < least ? seen : least;
        if (i == CONFIRM_FEEDBACKS) {
            b->queue_now_us = least;
        }
        if (i == CONFIRM_FEEDBACKS && b->use == OVERUSE_OVER && least < CONFIRM_US) {
            b->use = OVERUSE_UNDER; /* some packets still pass at once: jitter, not a queue */
        }
    }
    b->queue_us = least;
    if (b->queue_now_us > q->usual_us + SURGE_US) {
        b->use = OVERUSE_OVER; /* the trend would tell later */
    }
    q->usual_us += (b->queue_now_us - q->usual_us) / SURGE_FEEDBACKS;
}

static void acked_packet(struct bwe *b, struct sendlog_record *r, int64_t got, mono_us now,
                         struct feedback *f)
{
    struct arrival_delta delta;
    mono_us sent = sendlog_time(r, now);
    r->state = SENDLOG_ACKED;
    b->newest_sent = sent > b->newest_sent ? sent : b->newest_sent;
    f->owd_least = got - sent < f->owd_least ? got - sent : f->owd_least;
    int64_t strange = got - sent - burst_input(&b->burst, r->bytes, f->bps, sent);
    f->strange_least = strange < f->strange_least ? strange : f->strange_least;
    f->rtt_least = mono_min(f->rtt_least, now - sent);
    f->arrived++;
    queue_note(&b->queue, got - sent, now);
    noise_packet(&b->queue.noise, sent, got);
    acked_input(&b->acked, got, r->bytes);
    if (r->cluster) {
        probing_acked(&b->probing, r->cluster, sent, got, r->bytes);
    }
    if (arrival_input(&b->arrival, sent, got, r->bytes, &delta)) {
        trendline_input(&b->trend, delta.got_us - delta.sent_us, delta.got_at);
        enum overuse use = detector_input(&b->detector, &b->trend, delta.sent_us, delta.got_at);
        /* an overuse anywhere in the feedback counts */
        b->use = f->judged && b->use == OVERUSE_OVER ? b->use : use;
        f->judged = true;
    }
}

static void statuses(struct bwe *b, const struct twcc_feedback *fb,
                     const struct twcc_status *status, mono_us now, struct feedback *f)
{
    int64_t got = twcc_reference_us(fb, b->clock_known ? b->clock : 0);
    b->clock = got;
    b->clock_known = true;
    for (uint32_t i = 0; i < fb->count; i++) {
        got += status[i].received ? (int64_t)status[i].delta * TWCC_TICK_US : 0;
        struct sendlog_record *r = sendlog_at(&b->log, status[i].seq);
        if (!r || r->state == SENDLOG_ACKED) {
            continue;
        }
        if (status[i].received) {
            acked_packet(b, r, got, now, f);
        } else {
            r->state = SENDLOG_LOST;
        }
    }
}

/* Counts the fate of packets once they are too old to come late. */
static void losses(struct bwe *b, mono_us now)
{
    while (b->loss_next != b->log.next) {
        const struct sendlog_record *r = sendlog_at(&b->log, b->loss_next);
        if (r && b->newest_sent - sendlog_time(r, now) < BWE_LOSS_LAG_US) {
            break;
        }
        if (r && r->state != SENDLOG_SENT) { /* else a feedback was lost: nobody knows */
            bool lost = r->state == SENDLOG_LOST;
            lossbwe_input(&b->lossbwe, sendlog_time(r, now), r->bytes, lost);
            b->fates++;
            b->fates_lost += lost;
        }
        b->loss_next++;
    }
}

/* Would a path of the estimate's rate show the same queue? */
static bool ours(const struct bwe *b)
{
    return mono_min(b->strange_us[0], b->strange_us[1]) < CONFIRM_US;
}

static void judge(struct bwe *b, mono_us now)
{
    /* What a probe beyond the path's rate queues, or a key frame, says nothing about what is sent
     * anyway. */
    bool own =
        b->use == OVERUSE_OVER &&
        (ours(b) || (b->queue_now_us < OWN_QUEUE_US && probing_stirs(&b->probing, b->rtt_us, now)));
    struct aimd_input in = {
        .use = own ? OVERUSE_UNDER : b->use,
        .acked_bps = acked_bps(&b->acked),
        .recent_bps = acked_recent_bps(&b->acked),
        .limited = alr_limited(&b->alr) && b->queue_now_us < BWE_QUEUE_FREE_US,
        .rtt_us = b->rtt_us,
    };
    double before = fmin(b->aimd.bps, b->lossbwe.bps);
    bool lowered = aimd_update(&b->aimd, &in, now);
    (void)lossbwe_update(&b->lossbwe, b->aimd.bps, in.acked_bps, now);
    if (lowered && fmin(b->aimd.bps, b->lossbwe.bps) < 0.9 * before) {
        probing_anew(&b->probing, now + PROBING_QUIET_US);
    }
    uint32_t shown = probing_result(&b->probing, now);
    if (shown > b->aimd.bps && b->use != OVERUSE_OVER) {
        aimd_set(&b->aimd, shown, now);
    }
    if (shown) {
        aimd_shown(&b->aimd, b->probing.filled ? shown : 0, now);
        lossbwe_raise(&b->lossbwe, shown);
    }
}

void bwe_input(struct bwe *b, const struct twcc_feedback *fb, const struct twcc_status *status,
               mono_us now)
{
    struct feedback f = {
        .owd_least = INT64_MAX,
        .strange_least = INT64_MAX,
        .rtt_least = MONO_NEVER,
        .bps = fmin(b->aimd.bps, b->lossbwe.bps),
    };
    b->budget += (double)(now - b->feedback_us) * BWE_STATUS_PER_S / US_PER_S;
    b->budget = fmin(b->budget, BWE_STATUS_PER_S);
    b->feedback_us = now;
    b->fates = 0;
    b->fates_lost = 0;
    if (b->budget < fb->count) {
        return;
    }
    b->budget -= fb->count;
    uint32_t allowed = bwe_estimate(b, now);
    statuses(b, fb, status, now, &f);
    if (f.arrived == 0) {
        return; /* nothing of it was ours: no sign of life of the path */
    }
    b->heard = true;
    b->first_unheard_us = MONO_NEVER;
    b->silent_us = MONO_NEVER;
    b->rtt_us += (f.rtt_least - b->rtt_us) / 8;
    alr_input(&b->alr, b->sent_bytes, allowed, now);
    b->sent_bytes = 0;
    queue_close(b, &f);
    losses(b, now);
    judge(b, now);
}

/* ---- what follows ---- */

void bwe_want(struct bwe *b, uint32_t wanted_bps)
{
    b->wanted_bps = wanted_bps;
}

uint32_t bwe_estimate(const struct bwe *b, mono_us now)
{
    if (!b->heard && now - b->begun_us >= BWE_BLIND_US) {
        return 0;
    }
    double bps = fmin(b->aimd.bps, b->lossbwe.bps);
    if (b->queue_us > BWE_QUEUE_FREE_US) {
        double left = 1 - (double)(b->queue_us - BWE_QUEUE_FREE_US) / DRAIN_US;
        bps *= fmax(left, DRAIN_LEAST);
    }
    return (uint32_t)fmax(bps, BWE_MIN_BPS);
}

bool bwe_notable(uint64_t before_bps, uint64_t now_bps)
{
    if (before_bps == 0 || now_bps == 0) {
        return before_bps != now_bps;
    }
    return now_bps > before_bps ? now_bps - before_bps >= before_bps / BWE_NOTABLE_UP
                                : before_bps - now_bps > before_bps / BWE_NOTABLE_DOWN;
}

bool bwe_congested(const struct bwe *b)
{
    return b->heard && b->queue_us > BWE_CONGESTED_US;
}

bool bwe_narrow(const struct bwe *b)
{
    return bwe_congested(b) || (b->heard && b->aimd.bps < BWE_NARROW_BPS);
}

bool bwe_lossy(const struct bwe *b)
{
    return b->heard && b->lossbwe.inherent >= LOSSY;
}

bool bwe_probe(struct bwe *b, struct probe_cluster *out, mono_us now)
{
    struct probing_input in = {
        .estimate_bps = bwe_estimate(b, now),
        .wanted_bps = b->wanted_bps,
        .overuse = b->use == OVERUSE_OVER || b->queue_us > BWE_QUEUE_FREE_US,
        .decreased_us = b->aimd.decreased_us,
        .rtt_us = b->rtt_us,
    };
    return b->heard && in.estimate_bps && probing_next(&b->probing, &in, out, now);
}

void bwe_timer(struct bwe *b, mono_us now)
{
    if (!b->heard || now < b->silent_us) {
        return;
    }
    /* Packets are out and nothing comes back: the path is worse than thought, or gone. */
    double bps = fmin(b->aimd.bps, b->lossbwe.bps);
    bps = fmin(bps, fmax(bps * SILENCE_FACTOR, SILENCE_BPS));
    aimd_set(&b->aimd, (uint32_t)fmax(bps, BWE_MIN_BPS), now);
    b->silent_us = now + BWE_SILENCE_US;
    probing_anew(&b->probing, now);
}

mono_us bwe_deadline(const struct bwe *b)
{
    mono_us at = b->heard ? b->silent_us : b->begun_us + BWE_BLIND_US;
    return b->heard && b->wanted_bps ? mono_min(at, probing_deadline(&b->probing)) : at;
}
