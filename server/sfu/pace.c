#include "server/sfu/pace.h"

#include "server/sfu/core.h"

enum {
    PROBE_STEP_US = 3 * US_PER_MS,
    PROBE_PACKET_MIN = 200,
    PROBE_PACKET_MAX = 1200,
    PROBE_STEPS_MAX = 100, /* a cluster that is not sent by then is given up */
};

bool pace_limited(struct peer *peer, mono_us now)
{
    if (peer->estimate_bps == 0) {
        return false;
    }
    pacer_fill(&peer->budget, peer->estimate_bps, now);
    return true;
}

bool pace_may_send(const struct peer *peer)
{
    return pacer_may_send(&peer->budget) || peer->probe_left;
}

void pace_sent(struct sfu *sfu, struct peer *peer, enum cc_kind kind, size_t bytes, mono_us now)
{
    const struct cc_packet sent = {
        .number = peer->twcc_seq++,
        .bytes = (uint16_t)bytes,
        .kind = (uint8_t)kind,
        .cluster = peer->probe_left ? peer->probe.cluster : 0,
    };
    if (peer->estimate_bps) {
        pacer_spend(&peer->budget, (uint32_t)bytes);
    }
    if (peer->probe_left) {
        peer->probe_left -= bytes < peer->probe_left ? (uint32_t)bytes : peer->probe_left;
    }
    cc_sent(sfu, peer, &sent, now);
}

void pace_unnumbered(struct peer *peer, size_t bytes)
{
    if (peer->estimate_bps) {
        pacer_spend(&peer->budget, (uint32_t)bytes);
    }
}

static void arm(struct sfu *sfu, struct peer *peer, mono_us at)
{
    if (!peer->pace_node.armed || peer->pace_node.deadline > at) {
        sfu_arm(sfu, &peer->pace_node, TIMER_PEER_PACE, at);
    }
}

void pace_wait(struct sfu *sfu, struct peer *peer, mono_us now)
{
    mono_us at = pacer_ready(&peer->budget, peer->estimate_bps);
    arm(sfu, peer, at > now ? at : now + US_PER_MS);
}

void pace_probe(struct sfu *sfu, struct peer *peer, const struct pace_probe *probe, mono_us now)
{
    peer->probe = *probe;
    peer->probe_left = probe->bytes;
    peer->probe_steps = 0;
    arm(sfu, peer, now);
}

/* One step of a cluster: as many bytes as its rate gives in a step, useful ones if there are. */
static void probe_step(struct sfu *sfu, struct peer *peer, mono_us now)
{
    uint64_t size = (uint64_t)peer->probe.bps * PROBE_STEP_US / US_PER_S / 8;
    size = size < PROBE_PACKET_MIN ? PROBE_PACKET_MIN : size;
    uint32_t left = peer->probe_left;
    uint32_t step = size < left ? (uint32_t)size : left;
    uint32_t packet = step < PROBE_PACKET_MAX ? step : PROBE_PACKET_MAX;
    while (peer->probe_left && left - peer->probe_left < step) {
        uint32_t before = peer->probe_left;
        if (!retransmit_probe(sfu, peer, packet * 2, now)) {
            retransmit_padding(sfu, peer, packet, now);
        }
        if (peer->probe_left == before) {
            break; /* nothing to send it with yet */
        }
    }
    if (++peer->probe_steps > PROBE_STEPS_MAX) {
        peer->probe_left = 0;
    }
}

void pace_timer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (!peer_can_send(peer, now)) {
        peer->probe_left = 0;
    }
    if (peer->queue) {
        queue_wake(sfu, peer);
    }
    headers_flush(&sfu->headers, now);
    if (peer->probe_left) {
        uint32_t left = peer->probe_left;
        drain_now(sfu, peer, now); /* what waits anyway goes first */
        if (peer->probe_left == left) {
            probe_step(sfu, peer, now);
        }
        if (peer->probe_left) {
            arm(sfu, peer, now + PROBE_STEP_US);
        }
    }
}
