/*
 * Congestion control of one peer: the seam between what leaves (drain.c, retransmit.c, pace.c), the
 * estimator of the path, and the share of it (share.h).
 *
 *   cc_sent (every RTP datagram) + cc_feedback / cc_remb -> peer->estimate_bps -> share_update
 *   share_update -> peer->wanted_bps (what a better layer would take) -> pace_probe
 *
 * estimate_bps counts whole UDP payloads, audio and retransmissions included; 0 = nothing known, no
 * limit. wanted_bps is 0 when no better layer waits: then nobody probes.
 * Out of scope: which layer gets what (server/proto/alloc.h), when packets leave (pace.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

struct cc;
struct peer;
struct rtcp_packet;
struct sfu;

enum cc_kind { CC_AUDIO, CC_VIDEO, CC_RTX, CC_PADDING };

struct cc_packet {
    uint16_t number; /* transport-wide */
    uint16_t bytes;  /* of the UDP payload */
    uint8_t kind;    /* enum cc_kind */
    uint8_t cluster; /* probe cluster it belongs to, 0 = none */
};

/* Bytes of a struct cc, for its pool. */
size_t cc_size(void);
/* Media may flow to the peer from now on. */
void cc_open(struct sfu *sfu, struct peer *peer, mono_us now);
/* It is reached at another address. */
void cc_path(struct sfu *sfu, struct peer *peer, mono_us now);
/* A numbered RTP datagram leaves. */
void cc_sent(struct sfu *sfu, struct peer *peer, const struct cc_packet *p, mono_us now);
/* Brings nearer what cc_sent will touch; then, for a packet with this number, what that needs. */
void cc_near(const struct cc *cc);
void cc_near_next(const struct cc *cc, uint16_t number);
/* A datagram of so many bytes repeats something; cc_sent says so itself of those it is told of. */
void cc_repaired(struct peer *peer, size_t bytes);
/* May a lost packet be sent again now? Repair has half of the estimate: what is asked for while a
 * queue overflows would only feed the queue. Where there is none it has 2 Mbit/s: who tells nothing
 * of his path, or lies about his round trip, must not get everything as often as he likes (S12). */
bool cc_may_repair(struct peer *peer, mono_us now);
/* The same for what nobody is known to miss: half of that is kept for what was asked for. */
bool cc_may_guess(struct peer *peer, mono_us now);
/* The path loses so much by itself that hardly a picture is whole at once, and it has room for all
 * of them twice: may another packet go twice? */
bool cc_may_double(struct peer *peer, mono_us now);
/* RTPFB transport-cc of the peer (authenticated, not yet parsed). */
void cc_feedback(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p, mono_us now);
/* REMB of the peer: counts where the peer sends no transport-cc. */
void cc_remb(struct sfu *sfu, struct peer *peer, uint64_t bps, mono_us now);
/* peer->cc_node came due. */
void cc_timer(struct sfu *sfu, struct peer *peer, mono_us now);

/* server/proto/bwe.h: bwe_congested and bwe_narrow of its path; false where nothing is measured. */
bool cc_congested(const struct peer *peer);
bool cc_narrow(const struct peer *peer);
/* The peer closes: everything kept for it is given back. */
void cc_close(struct sfu *sfu, struct peer *peer);
