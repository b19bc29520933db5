/*
 * What a complete client does with the media it receives: counts every slot, notices gaps, asks
 * for lost packets (NACK) and key pictures (PLI), reports (RR, transport-cc), sees freezes.
 * Most packets are only counted from their plain header; retransmissions are always decrypted (the
 * original number is inside), everything is for sampled clients, whose pictures and sound go to
 * the proof.
 * Invariants: a packet counts once, as received, repaired or duplicate; a number that never came
 * is lost.
 * Out of scope: ICE, DTLS (client_media.h), decoding (proof.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp_seq.h"
#include "server/proto/nack.h"
#include "server/proto/twcc_gen.h"

enum {
    RX_AUDIO = 5,
    RX_VIDEO = 25,
    RX_SLOTS = RX_AUDIO + RX_VIDEO,
    RX_FREEZE_US = 500 * US_PER_MS,  /* a picture that stands longer is a freeze */
    RX_SWITCH_US = 1500 * US_PER_MS, /* after a change of tiles pictures may be missing so long */
    RX_LIVE_US = 300 * US_PER_MS,    /* what is older is no live picture */
    RX_CATCH_US = 3 * US_PER_S,      /* so long a slot may catch up with what was sent before */
};

struct client;

/* How a person who comes begins to see; durations count from `from`, 0 = not yet. */
struct rx_start {
    mono_us from;  /* the path is up and a picture is asked for */
    mono_us first; /* a whole picture stands */
    mono_us live;  /* one no older than RX_LIVE_US */
};

/* Sums of one kind (sound or pictures) of one client. */
struct rx_count {
    uint64_t packets;  /* first time here, retransmissions included */
    uint64_t expected; /* numbers from the first to the newest of each slot */
    uint64_t gaps;     /* missing when a later one came: loss before repair */
    uint64_t repaired; /* of those, came later after all */
    uint64_t duplicates;
    uint64_t bytes;
    uint64_t frames; /* ended pictures (sound: packets) */
    uint32_t freezes;
    mono_us frozen_us;
};

struct rx_slot {
    struct rtp_seq seq;
    uint32_t ssrc;     /* of the newest packet */
    struct nack *nack; /* made at the first gap */
    mono_us last_at;   /* newest packet */
    mono_us frame_at;  /* newest end of a picture; 0 = none since the slot changed */
    mono_us pli_at;
    uint32_t timestamp;
    uint32_t reported;      /* packets received up to the last report */
    int64_t reported_first; /* number expected next at that time */
    uint64_t received;
    uint32_t jitter; /* RFC 3550 A.8, times 16 */
    uint32_t transit;
    uint32_t sr_middle; /* of the newest sender report, and when it came */
    mono_us sr_at;
    mono_us switched_at; /* somebody else was asked for */
    uint32_t sender;     /* of the newest stamp, 0 = none since the slot changed */
    mono_us catch_from;  /* since then it shows what was sent before; 0 = it is live */
    bool ended;          /* a picture ended */
    bool frozen;         /* now */
    bool wanted;         /* something should be in it */
};

struct client_rx {
    struct rx_slot slot[RX_SLOTS];
    struct twcc_gen twcc;
    struct rx_count count[2]; /* sound, pictures */
    struct rx_start start;
    uint64_t nacks, plis, feedbacks;
    uint32_t audio_slots, video_slots;
    uint32_t used; /* bit per slot: something came or is wanted */
    bool missing;  /* some slot waits for lost packets */
};

struct client_rx *client_rx_new(uint32_t audio_slots, uint32_t video_slots);
void client_rx_free(struct client_rx *rx);
/* One SRTP packet as it came; data may be decrypted in place. */
void client_rx_rtp(struct client *client, uint8_t *data, size_t len, mono_us now);
/* A sender report of the server for one of our slots. */
void client_rx_report(struct client *client, uint32_t ssrc, uint64_t ntp, mono_us now);
/* Repair requests, feedback, freezes. When it wants to be called again. */
mono_us client_rx_timer(struct client *client, mono_us now);
/* The picture slots 0 .. count-1 are asked for, the others given up: what comes next is new. */
void client_rx_view(struct client *client, uint32_t count, mono_us now);
/* Report blocks for every slot that is alive; how many. */
unsigned client_rx_blocks(struct client *client, mono_us now, struct rtcp_report *out,
                          unsigned cap);
