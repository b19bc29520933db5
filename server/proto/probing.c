#include "server/proto/probing.h"

enum {
    FIRST_FACTOR = 3,
    NEXT_FACTOR = 2,
    GIVE_UP_US = 1 * US_PER_S,
    WAIT_MIN_US = 2 * US_PER_S,
    WAIT_MAX_US = 8 * US_PER_S,
    BPS_MAX = 50000000,
    LONGER_MAX = 2,
    SETTLE_US = 600 * US_PER_MS, /* the queue of a cluster beyond the path's rate is gone by then */
};

static const double SUCCESS = 0.7; /* of the rate it was sent at */
static const double ARRIVED = 0.8; /* of its bytes: enough to judge */
static const double RATIO_MAX = 2; /* receive over send rate: a path does not speed up */
static const double SATURATED = 0.9;
static const double SATURATED_SHARE = 0.95;

void probing_init(struct probing *p, mono_us now)
{
    *p = (struct probing){.next_us = now};
}

void probing_anew(struct probing *p, mono_us at)
{
    p->fails = 0;
    p->next_us = at;
}

static void failed(struct probing *p, mono_us now)
{
    mono_us wait = (mono_us)WAIT_MIN_US << p->fails;
    p->waiting = false;
    p->next_us = now + (wait < WAIT_MAX_US ? wait : WAIT_MAX_US);
    p->fails = p->fails < 3 ? p->fails + 1 : 3;
}

bool probing_next(struct probing *p, const struct probing_input *in, struct probe_cluster *out,
                  mono_us now)
{
    if (p->waiting && now - p->sent_us > GIVE_UP_US + in->rtt_us) {
        failed(p, now);
    }
    if (p->waiting || now < p->next_us || in->wanted_bps <= in->estimate_bps || in->overuse ||
        now - in->decreased_us < PROBING_QUIET_US) {
        return false;
    }
    uint64_t bps = (uint64_t)in->estimate_bps * (p->cluster ? NEXT_FACTOR : FIRST_FACTOR);
    uint64_t most = (uint64_t)in->wanted_bps + in->wanted_bps / 5;
    bps = bps < most ? bps : most;
    bps = bps < BPS_MAX ? bps : BPS_MAX;
    /* Jitter stretches a short cluster: after a failure the next one is longer. */
    uint64_t longer = p->fails < LONGER_MAX ? p->fails : LONGER_MAX;
    uint64_t bytes = (bps * PROBING_MIN_US << longer) / US_PER_S / 8;
    uint8_t cluster = p->cluster == UINT8_MAX ? 1 : (uint8_t)(p->cluster + 1);
    *p = (struct probing){
        .cluster = cluster,
        .waiting = true,
        .fails = p->fails,
        .bps = (uint32_t)bps,
        .bytes = (uint32_t)(bytes > PROBING_BYTES_MIN ? bytes : PROBING_BYTES_MIN),
        .sent_us = now,
        .next_us = now,
    };
    *out = (struct probe_cluster){.cluster = cluster, .bps = p->bps, .bytes = p->bytes};
    return true;
}

void probing_acked(struct probing *p, uint8_t cluster, mono_us sent, int64_t got, uint16_t bytes)
{
    if (!p->waiting || cluster != p->cluster) {
        return;
    }
    if (p->packets == 0 || sent < p->first_sent) {
        p->first_sent = sent;
    }
    if (p->packets == 0 || got < p->first_got) {
        p->first_got = got;
        p->first_got_bytes = bytes;
    }
    if (p->packets == 0 || sent >= p->last_sent) {
        p->last_sent = sent;
        p->last_sent_bytes = bytes;
    }
    if (p->packets == 0 || got > p->last_got) {
        p->last_got = got;
    }
    p->packets++;
    p->got_bytes += bytes;
}

uint32_t probing_result(struct probing *p, mono_us now)
{
    if (!p->waiting || p->packets < PROBING_PACKETS_MIN ||
        (double)p->got_bytes < ARRIVED * (double)p->bytes) {
        return 0;
    }
    int64_t sent_us = p->last_sent - p->first_sent;
    int64_t got_us = p->last_got - p->first_got;
    if (sent_us <= 0) {
        sent_us = (int64_t)((double)(p->got_bytes - p->last_sent_bytes) * 8 * US_PER_S / p->bps);
    }
    sent_us = sent_us > 0 ? sent_us : 1;
    got_us = got_us > 0 ? got_us : 1;
    double send_bps = (double)(p->got_bytes - p->last_sent_bytes) * 8 * US_PER_S / (double)sent_us;
    double got_bps = (double)(p->got_bytes - p->first_got_bytes) * 8 * US_PER_S / (double)got_us;
    double bps = got_bps < send_bps ? got_bps : send_bps;
    p->filled = got_bps < SATURATED * send_bps;
    if (got_bps > RATIO_MAX * send_bps) {
        bps = send_bps;
    } else if (p->filled) {
        bps = SATURATED_SHARE * got_bps;
    }
    bps = bps < p->bps ? bps : p->bps;
    if (bps >= SUCCESS * p->bps) {
        p->waiting = false;
        p->fails = 0;
        p->next_us = now;
    } else {
        failed(p, now);
    }
    return bps >= 1 ? (uint32_t)bps : 0;
}

bool probing_stirs(const struct probing *p, mono_us rtt_us, mono_us now)
{
    return p->cluster && now - p->sent_us < rtt_us + SETTLE_US;
}

mono_us probing_deadline(const struct probing *p)
{
    return p->waiting ? p->sent_us + GIVE_UP_US : p->next_us;
}
