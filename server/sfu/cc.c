/* Until an estimator runs on transport-cc feedback, a peer's own REMB is its estimate. */
#include "server/sfu/cc.h"

#include "server/sfu/core.h"
#include "server/sfu/share.h"

void cc_sent(struct sfu *sfu, struct peer *peer, const struct cc_packet *p, mono_us now)
{
    (void)sfu;
    (void)peer;
    (void)p;
    (void)now;
}

void cc_feedback(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p, mono_us now)
{
    (void)sfu;
    (void)peer;
    (void)p;
    (void)now;
}

void cc_remb(struct sfu *sfu, struct peer *peer, uint64_t bps, mono_us now)
{
    peer->estimate_bps = bps ? bps : 1;
    share_update(sfu, peer, now);
}

void cc_wanted(struct sfu *sfu, struct peer *peer, mono_us now)
{
    (void)sfu;
    (void)peer;
    (void)now;
}

void cc_timer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    (void)sfu;
    (void)peer;
    (void)now;
}

void cc_close(struct sfu *sfu, struct peer *peer)
{
    twheel_cancel(&sfu->wheel, &peer->cc_node);
}
