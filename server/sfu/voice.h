/*
 * Audio on a bad path: packets of the past repeated inside the next ones (Opus RED, RFC 2198), and
 * lost ones sent again. There is no RTX for audio in browsers, so the same packet leaves once more
 * under its own number, bit for bit: an SRTP index is never used for two texts. Browsers without
 * RED, which do not ask for audio either (Firefox), get the same copies unasked, one packet later.
 * Invariants: nothing from before the source took the slot is repeated; nothing is kept for peers
 * that never missed audio; a packet is sent again VOICE_AGAINS times at most, whoever asks (S12).
 * Out of scope: how much redundancy (server/proto/redundancy.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/time.h"
#include "server/proto/redundancy.h"

struct peer;
struct pkt;
struct rtcp_report;
struct sfu;
struct subscription;

enum {
    VOICE_KEPT = 32,
    VOICE_AGAINS = 12, /* browsers ask for a packet ten times at most */
};

/* How one audio packet was written, so that it can be written again. */
struct voice_sent {
    uint32_t abs_send_time;
    uint16_t seq;
    uint16_t transport_cc;
    uint8_t depth; /* asked for */
    uint8_t past;  /* bit n-1: the n-th packet before it was repeated in it */
    uint8_t mid;   /* it carried the MID */
    uint8_t valid;
    uint8_t again; /* how often it was sent again */
};

struct voice {
    pool_id id;
    struct voice_sent sent[VOICE_KEPT];
};

/* A copy under way: its header is written, its payload not yet. */
struct voice_copy {
    uint8_t *header;
    size_t header_len;
    unsigned depth; /* packets of the past to repeat */
    uint8_t past;   /* out: as in voice_sent */
};
/* What precedes the payload in a copy with redundancy: written behind the header, whose payload
 * type is changed. Returns its length, 0 = the copy stays plain. */
size_t voice_redundancy(const struct subscription *sub, const struct pkt *pkt,
                        struct voice_copy *copy);
/* Remembers how a copy was written. */
void voice_note(struct subscription *sub, const struct voice_sent *sent);
/* The peer misses audio packet seq of the slot. */
void voice_again(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now);
/* Packet seq of the slot was sent for the first time to a receiver that loses audio and knows no
 * redundancy: as many before it as its loss asks for go once more. */
void voice_repeat(struct sfu *sfu, struct subscription *sub, int64_t seq, mono_us now);
struct voice_told {
    enum redundancy_teller teller;
    double packets;
    double lost;
};
/* How many more packets were sent to the peer, and how many of them it did not get. */
void voice_loss(struct sfu *sfu, struct peer *peer, const struct voice_told *told, mono_us now);
/* The receiver's report on an audio slot. */
void voice_report(struct sfu *sfu, struct subscription *sub, const struct rtcp_report *report,
                  mono_us now);
void voice_close(struct sfu *sfu, struct subscription *sub);
