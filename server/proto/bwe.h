/*
 * Bandwidth estimation of the path to one peer, at the sending side, from transport-cc feedback:
 * delay-based (arrival.h, trendline.h, aimd.h), loss-based (lossbwe.h), application limits (alr.h)
 * and probes (probing.h). The lower of the two rates counts; while a queue stands in the path less
 * than that is given out, so that it drains.
 *
 *   bwe_sent per datagram -> bwe_input per feedback -> bwe_estimate, bwe_probe; bwe_timer for
 * silence
 *
 * Invariants: noting a packet is one store; a feedback costs its packets, and at most
 * BWE_STATUS_PER_S of them a second are looked at; whatever a peer claims moves its own rate only.
 * Out of scope: what is sent with it (server/sfu/share.h), sending probes (server/sfu/pace.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire/twcc.h"
#include "server/proto/acked.h"
#include "server/proto/aimd.h"
#include "server/proto/alr.h"
#include "server/proto/arrival.h"
#include "server/proto/burst.h"
#include "server/proto/lossbwe.h"
#include "server/proto/noise.h"
#include "server/proto/probing.h"
#include "server/proto/sendlog.h"
#include "server/proto/trendline.h"

enum {
    BWE_START_BPS = 500000,
    BWE_MIN_BPS = 30000,
    BWE_STATUS_PER_S = 20000,
    BWE_SILENCE_US = 1 * US_PER_S,      /* without feedback while packets are out */
    BWE_BLIND_US = 2 * US_PER_S,        /* a peer that never gives any is not estimated */
    BWE_QUEUE_FREE_US = 60 * US_PER_MS, /* standing delay that is left alone */
    BWE_OWD_WINDOW_US = 15 * US_PER_S,
    BWE_QUEUE_SEEN = 4,
    BWE_LOSS_LAG_US = 200 * US_PER_MS,  /* so late a packet may still come */
    BWE_CONGESTED_US = 200 * US_PER_MS, /* a queue nobody can talk over */
    BWE_NARROW_BPS = 100000,            /* hardly more than a voice */
    BWE_NOTABLE_UP = 20,                /* 1/20 = 5 %: less upwards changes nothing for anybody */
    BWE_NOTABLE_DOWN = 50,              /* 1/50 = 2 %: less downwards is within what pacing bears */
};

/* Standing delay of the path over what it was at best. */
struct bwe_queue {
    int64_t base[2]; /* lowest one-way time (clocks differ) of this window and the last */
    mono_us window_us;
    uint32_t seen[BWE_QUEUE_SEEN]; /* lowest of the last feedbacks, over the base */
    uint8_t at;
    bool started;
    double usual_us; /* slow average of what stands */
    struct noise noise;
};

struct bwe {
    /* touched per packet */
    uint64_t sent_bytes;      /* since the last feedback */
    mono_us first_unheard_us; /* sent first after the last feedback, MONO_NEVER = none */
    bool heard;               /* some feedback came */

    mono_us begun_us;
    mono_us silent_us; /* when silence counts next */
    mono_us judged_us;
    mono_us feedback_us;
    mono_us rtt_us; /* lowest of the last feedbacks */
    int64_t clock;  /* receiver's time of the last feedback */
    bool clock_known;
    uint32_t wanted_bps;
    double budget; /* statuses that may be looked at */
    uint32_t queue_us;
    uint32_t queue_now_us; /* the same over the last two feedbacks */
    mono_us newest_sent;   /* of what is known to have arrived */
    uint16_t loss_next;    /* number whose fate is counted next */
    uint32_t fates;        /* packets of which the last feedback told what became of them */
    uint32_t fates_lost;
    enum overuse use;
    struct bwe_queue queue;
    struct arrival arrival;
    struct trendline trend;
    struct detector detector;
    struct acked acked;
    struct alr alr;
    struct burst burst;
    mono_us strange_us[2]; /* least a packet waited beyond what we made it wait: last feedbacks */
    struct aimd aimd;
    struct lossbwe lossbwe;
    struct probing probing;
    struct sendlog log;
};

void bwe_init(struct bwe *b, uint32_t start_bps, mono_us now);
/* A numbered datagram leaves. */
void bwe_sent(struct bwe *b, uint16_t number, uint16_t bytes, uint8_t cluster, mono_us now);
/* A feedback of the peer: status[0 .. fb->count). */
void bwe_input(struct bwe *b, const struct twcc_feedback *fb, const struct twcc_status *status,
               mono_us now);
/* What would be sent if there were room; 0 = nothing better waits. */
void bwe_want(struct bwe *b, uint32_t wanted_bps);
/* A probe to send now? */
bool bwe_probe(struct bwe *b, struct probe_cluster *out, mono_us now);
/* The path changed (another address): what was measured is void. */
void bwe_path(struct bwe *b, mono_us now);
/* Time passed: silence lowers the rate. */
void bwe_timer(struct bwe *b, mono_us now);
mono_us bwe_deadline(const struct bwe *b);
/* Bits a second that may be sent, 0 = no limit (a peer that never gives feedback). */
uint32_t bwe_estimate(const struct bwe *b, mono_us now);
/* Did a rate move so much that what is sent should be thought over? 0 = not known. */
bool bwe_notable(uint64_t before_bps, uint64_t now_bps);
/* True while a queue stands in the path that nobody can talk over. */
bool bwe_congested(const struct bwe *b);
/* True where saying everything twice would make the path worse: by delay it carries hardly more
 * than a voice. Loss alone does not count. */
bool bwe_narrow(const struct bwe *b);
/* True where the path loses so much by itself that hardly a picture is whole at once. */
bool bwe_lossy(const struct bwe *b);
