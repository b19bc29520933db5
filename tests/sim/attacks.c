/* The attacks of the reliability rules S7 to S12 and S27, at their numbers, in virtual time. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/base/mem.h"
#include "codec/wire/rtcp.h"
#include "server/sfu/peer.h"
#include "tests/sim/scenario.h"

enum {
    MIC = 1u << SOURCE_MIC,
    CAM = 1u << SOURCE_CAMERA,
    ROOM = 7,
    VIDEO0 = 5,
    BAD_PACKETS = 1000000,
    BAD_PER_MS = 10, /* 10 k a second */
};

static void two_people(struct world *w)
{
    for (unsigned i = 0; i < 2; i++) {
        world_join(w, ROOM, i % w->shards, MIC | CAM);
    }
    world_view_all(w, w->client[0], 1, 360);
    world_view_all(w, w->client[1], 1, 360);
    world_run(w, 3 * US_PER_S);
}

static struct tuple stranger(struct world *w)
{
    struct tuple t = w->client[0]->tuple;
    t.remote.port = 666;
    return t;
}

/* What an attack must not move. */
struct state {
    uint64_t forwarded;
    uint64_t rtx;
    uint64_t nacks;
    uint64_t plis;
    uint32_t tracks;
    uint32_t peers;
    uint32_t packets;
    uint64_t tx;
    long blocks;
};

static struct state state_of(struct world *w)
{
    struct sfu_stats s;
    world_stats(w, 0, &s);
    return (struct state){
        .forwarded = s.forwarded,
        .rtx = s.rtx_received + s.rtx_sent,
        .nacks = s.nacks_sent + s.nacks_received,
        .plis = s.plis_sent + s.plis_received,
        .tracks = s.tracks,
        .peers = s.peers,
        .packets = s.packets_used,
        .tx = s.tx_packets,
        .blocks = mem_live(),
    };
}

static void expect_same(struct world *w, const struct state *before, const char *attack)
{
    struct state now = state_of(w);
    bool same = now.forwarded == before->forwarded && now.rtx == before->rtx &&
                now.nacks == before->nacks && now.plis == before->plis &&
                now.tracks == before->tracks && now.peers == before->peers &&
                now.packets == before->packets && now.tx == before->tx &&
                now.blocks == before->blocks;
    EXPECT(w, same, "%s moved something: %llu forwarded, %llu sent, %u tracks, %u packets", attack,
           (unsigned long long)(now.forwarded - before->forwarded),
           (unsigned long long)(now.tx - before->tx), now.tracks, now.packets);
}

/* A well-formed RTP packet of a client, sealed; returns its length. */
static size_t forged(struct client *c, uint32_t ssrc, uint8_t pt, uint16_t seq, bool mid,
                     uint8_t *out)
{
    struct crypto_ops ops = fake_crypto_ops();
    uint8_t payload[MARK_LEN + 1] = {0x78, 0, 0, 0, (uint8_t)c->number};
    struct wr w = wr_init(out, 200);
    struct rtp_header hdr = {.ssrc = ssrc, .seq = seq, .timestamp = seq * 960U, .pt = pt};
    struct rtpext_values v = {
        .kinds = mid ? 1u << RTPEXT_MID : 0,
        .mid = "0",
        .mid_len = 1,
    };
    payload[12] = 1; /* one packet of a frame, as mark_read wants it */
    payload[14] = 0xab;
    payload[15] = 0xcd;
    payload[16] = 0xef;
    rtp_write(&w, &hdr, NULL, mid);
    rtpext_write(&w, &c->offer.audio_ext, &v, NULL);
    return ops.seal_rtp(c->seal, out, wr_len(&w), 0, payload, sizeof(payload), seq);
}

void attack_s7_takeover(struct world *w)
{
    two_people(w);
    struct client *victim = w->client[0];
    struct tuple thief = stranger(w);
    struct state before = state_of(w);
    uint8_t out[200];
    for (uint16_t i = 0; i < 1000; i++) { /* even rightly sealed media moves no path */
        size_t len = forged(victim, victim->stream[0].ssrc, SIM_PT_OPUS, i, false, out);
        EXPECT(w, world_inject(w, 0, &thief, out, len) == DROP_UNKNOWN_TUPLE, "a new path");
    }
    expect_same(w, &before, "RTP from an unchecked address");
    world_run(w, US_PER_S);
    EXPECT(w, w->now - victim->last_rtp_us < 100 * US_PER_MS, "media left the victim");
}

/* One authenticated check of his with another's address as sender; he does not nominate it. */
static void claim(struct world *w, struct client *c, const struct client *victim)
{
    struct tuple own = c->tuple;
    c->nominated_once = true;
    c->old_tuple = own;
    c->tuple = victim->tuple;
    c->next_check_us = w->now;
    world_run(w, US_PER_MS);
    c->tuple = own;
    world_run(w, 100 * US_PER_MS);
}

static uint64_t heard_of(struct world *w, const struct client *viewer)
{
    uint64_t before = viewer->check[VIDEO0].packets;
    world_run(w, US_PER_S);
    return viewer->check[VIDEO0].packets - before;
}

/* Somebody in the class claims the address another one sends from: what comes from there stays the
 * other's as long as he is heard. One who was silent gets it back with his next check, and keeps it
 * when the claim ends. */
void attack_s7_claim(struct world *w)
{
    two_people(w);
    struct client *victim = w->client[0];
    struct client *viewer = w->client[1];
    struct client *liar = world_join(w, ROOM, 0, 0);
    struct client *late = world_join(w, ROOM, 0, 0);
    w->loss_up_any = 1;
    world_run(w, US_PER_S);
    for (unsigned i = 0; i < 5; i++) {
        claim(w, liar, victim);
        EXPECT(w, heard_of(w, viewer) > 10, "claim %u: the victim is not heard any more", i);
    }
    victim->up.cut = true;
    world_run(w, 5 * US_PER_S);
    claim(w, late, victim);
    victim->up.cut = false;
    world_run(w, 3 * US_PER_S);
    EXPECT(w, heard_of(w, viewer) > 10, "back after a silence: not heard any more");
    world_leave(w, late);
    EXPECT(w, heard_of(w, viewer) > 10, "the claim is over: not heard any more");
}

void attack_s8_inject(struct world *w)
{
    two_people(w);
    struct client *victim = w->client[0];
    struct tuple thief = stranger(w);
    struct state before = state_of(w);
    uint8_t out[200];
    for (unsigned i = 0; i < 20000; i++) {
        rng_fill(&w->rng, out, sizeof(out));
        out[0] = 0x80;
        out[1] = (uint8_t)(i % 3 ? SIM_PT_OPUS : (i % 2 ? 200 + i % 7 : SIM_PT_VP8));
        size_t len = 12 + rng_below(&w->rng, 180);
        enum drop right = world_inject(w, 0, &victim->tuple, out, len);
        enum drop wrong = world_inject(w, 0, &thief, out, len);
        EXPECT(w, right != DROP_NONE && wrong == DROP_UNKNOWN_TUPLE, "random bytes were taken");
    }
    expect_same(w, &before, "random SRTP");
}

void attack_s9_bad_packets(struct world *w)
{
    two_people(w);
    struct client *victim = w->client[0];
    uint8_t out[200];
    struct sfu_stats s;
    clock_t cpu = 0;
    size_t len = forged(victim, victim->stream[0].ssrc, SIM_PT_OPUS, 9, false, out);
    for (unsigned i = 0; i < BAD_PACKETS; i++) {
        out[len - 1 - i % 8 - 8] ^= (uint8_t)(1 + i % 255);
        clock_t start = clock();
        enum drop drop = world_inject(w, 0, &victim->tuple, out, len);
        cpu += clock() - start;
        EXPECT(w, drop == DROP_SRTP_AUTH || drop == DROP_SRTP_REPLAY, "bad packet %u: %s", i,
               drop_name(drop));
        out[len - 1 - i % 8 - 8] ^= (uint8_t)(1 + i % 255);
        out[20] = (uint8_t)i;
        if (i % BAD_PER_MS == 0) {
            world_run(w, US_PER_MS);
        }
    }
    world_stats(w, 0, &s);
    double share = (double)cpu / CLOCKS_PER_SEC / ((double)BAD_PACKETS / BAD_PER_MS / 1000);
    printf("   S9: %u bad packets, %.2f %% of a core at 10 k a second\n", (unsigned)BAD_PACKETS,
           100 * share);
    EXPECT(w, s.drops[DROP_SRTP_AUTH] + s.drops[DROP_SRTP_REPLAY] >= BAD_PACKETS, "not counted");
    EXPECT(w, share <= 0.15, "bad packets cost %.0f %% of a core", 100 * share);
    EXPECT(w, w->now - victim->last_rtp_us < 100 * US_PER_MS, "the call died");
    EXPECT(w, w->client[1]->slot[0].state == SFU_SLOT_LIVE, "the victim is not heard any more");
}

void attack_s10_replay(struct world *w)
{
    two_people(w);
    struct client *c = w->client[0];
    struct sfu_stats before;
    struct sfu_stats after;
    world_stats(w, 0, &before);
    c->up.duplicate = 1000; /* every packet twice: the oracle sees it when one gets through */
    world_run(w, 3 * US_PER_S);
    c->up.duplicate = 0;
    world_run(w, 100 * US_PER_MS);
    world_stats(w, 0, &after);
    uint64_t replays = after.drops[DROP_SRTP_REPLAY] - before.drops[DROP_SRTP_REPLAY];
    printf("   S10: %llu packets sent twice, 0 delivered twice\n", (unsigned long long)replays);
    EXPECT(w, replays > 3 * 25 * 4, "only %llu replays refused", (unsigned long long)replays);
    uint64_t forwarded = after.forwarded;
    for (unsigned kind = 0; kind < 4; kind++) {
        static const uint8_t first[4] = {0x00, 0x16, 0x80, 0x80};
        static const uint8_t second[4] = {0x01, 0xfe, SIM_PT_OPUS, 200};
        for (size_t n = 0; n <= 128; n++) {
            uint8_t copy[128] = {first[kind], second[kind]};
            world_inject(w, 0, &c->tuple, copy, n);
        }
    }
    world_stats(w, 0, &after);
    EXPECT(w, after.forwarded == forwarded, "short packets were forwarded");
    world_run(w, 2 * US_PER_S);
    EXPECT(w, w->now - c->last_rtp_us < 100 * US_PER_MS, "the call died");
}

void attack_s11_ssrcs(struct world *w)
{
    two_people(w);
    struct client *a = w->client[0];
    struct client *b = w->client[1];
    uint8_t out[200];
    struct state before = state_of(w);
    for (uint16_t i = 0; i < 200; i++) { /* with the other's SSRC */
        size_t len = forged(a, b->stream[0].ssrc, SIM_PT_OPUS, (uint16_t)(100 + i), false, out);
        enum drop drop = world_inject(w, 0, &a->tuple, out, len);
        EXPECT(w, drop == DROP_SSRC_UNKNOWN, "a foreign SSRC: %s", drop_name(drop));
    }
    for (uint32_t i = 0; i < 65000; i++) {
        size_t len = forged(a, 1000 + i * 7, SIM_PT_OPUS, 5, i % 2, out);
        enum drop drop = world_inject(w, 0, &a->tuple, out, len);
        EXPECT(w, drop == DROP_SSRC_LIMIT || drop == DROP_SSRC_UNKNOWN || drop == DROP_SSRC_FOREIGN,
               "SSRC %u: %s", i, drop_name(drop));
    }
    struct state after = state_of(w);
    EXPECT(w,
           after.forwarded == before.forwarded && after.tracks == before.tracks &&
               after.packets == before.packets && after.blocks == before.blocks,
           "65 k SSRCs left something behind");
    world_run(w, 2 * US_PER_S);
    EXPECT(w, w->now - a->last_rtp_us < 100 * US_PER_MS && b->slot[0].state == SFU_SLOT_LIVE,
           "the calls suffered");
}

static void view_packets(const struct world *w, uint64_t got[5])
{
    for (unsigned i = 1; i < 5; i++) {
        got[i] = w->client[i]->check[VIDEO0].packets - got[i];
    }
}

/* Two viewers tell lies about their network, one that nothing can pass, the other that most is
 * lost. What the others are sent stays what it was, to the packet: a camera of constant rate, links
 * without loss, whole seconds. The liars get less, so the lies were heard. */
void attack_s12_feedback(struct world *w)
{
    uint64_t quiet[5] = {0};
    uint64_t lied[5] = {0};
    for (unsigned i = 0; i < 5; i++) {
        world_join(w, ROOM, i % w->shards, i ? 0 : MIC | CAM);
        world_view_all(w, w->client[i], 1, 720);
    }
    world_run(w, 10 * US_PER_S);
    view_packets(w, quiet);
    world_run(w, 5 * US_PER_S);
    view_packets(w, quiet);
    struct client *narrow = w->client[1];
    narrow->lie = LIE_WIDTH;
    w->client[2]->lie = LIE_LOST;
    view_packets(w, lied);
    for (unsigned ms = 0; ms < 5000; ms += 20) {
        uint8_t out[100];
        uint32_t ssrc = narrow->answer.ssrc_base + 2 * VIDEO0;
        struct wr wr = wr_init(out, 60);
        rtcp_write_remb(&wr, 1, 0, &ssrc, 1);
        client_rtcp(narrow, out, wr_len(&wr));
        world_run(w, 20 * US_PER_MS);
    }
    view_packets(w, lied);
    for (unsigned i = 1; i < 5; i++) {
        bool liar = w->client[i]->lie != LIE_NONE;
        EXPECT(w, liar ? lied[i] < quiet[i] : lied[i] == quiet[i],
               "viewer %u%s: %llu packets, %llu before", i, liar ? " (lies)" : "",
               (unsigned long long)lied[i], (unsigned long long)quiet[i]);
    }
    printf("   S12: REMB 0 %llu of %llu packets, false loss %llu; the others %llu of %llu\n",
           (unsigned long long)lied[1], (unsigned long long)quiet[1], (unsigned long long)lied[2],
           (unsigned long long)lied[3], (unsigned long long)quiet[3]);
}

/* Claims a path without any round trip, and that every packet of late was lost, many times over. */
static void ask_for_all(struct client *c, unsigned slot)
{
    enum { LATELY = 60, TIMES = 12 };
    uint8_t out[1200];
    uint16_t seqs[LATELY];
    uint32_t ssrc = c->answer.ssrc_base + 2 * slot;
    struct wr wr = wr_init(out, sizeof(out) - 40);
    const struct rtcp_report now = {
        .ssrc = ssrc,
        .highest_seq = (uint32_t)c->check[slot].got_top,
        .lsr = (uint32_t)(report_ntp(c->world->now + c->up.delay_us) >> 16),
    };
    for (unsigned i = 0; i < LATELY; i++) {
        seqs[i] = (uint16_t)(c->check[slot].got_top - LATELY + i);
    }
    rtcp_write_rr(&wr, 1, &now, 1);
    for (unsigned i = 0; i < TIMES; i++) {
        rtcp_write_nack(&wr, 1, ssrc, seqs, LATELY);
    }
    client_rtcp(c, out, wr_len(&wr));
}

static uint64_t bytes_sent(struct world *w)
{
    struct sfu_stats s;
    world_stats(w, 0, &s);
    return s.tx_bytes;
}

/* Somebody who tells nothing of what arrives has no estimate that would limit what he asks for: he
 * may ask a thousand times a second for all that was sent, and gets his share of it. */
void attack_s12_requests(struct world *w)
{
    enum { DURING_MS = 4000, PICTURES_MAX = 1300000, SOUND_MAX = 700000 };
    for (unsigned i = 0; i < 2; i++) {
        world_join(w, ROOM, 0, i ? 0 : MIC | CAM);
    }
    struct client *greedy = w->client[1];
    world_view_all(w, greedy, 1, 720);
    greedy->lie = LIE_WIDTH;
    w->loss_up_any = 1;
    world_run(w, 10 * US_PER_S);
    for (unsigned sound = 0; sound < 2; sound++) {
        uint64_t quiet = bytes_sent(w);
        world_run(w, DURING_MS * US_PER_MS);
        quiet = bytes_sent(w) - quiet;
        uint64_t asked = bytes_sent(w);
        for (unsigned ms = 0; ms < DURING_MS; ms++) {
            ask_for_all(greedy, sound ? 0 : VIDEO0);
            world_run(w, US_PER_MS);
        }
        asked = bytes_sent(w) - asked;
        printf("   S12: %u requests of everything: %llu bytes, %llu without\n", DURING_MS,
               (unsigned long long)asked, (unsigned long long)quiet);
        EXPECT(w, asked > quiet, "nothing was sent again");
        EXPECT(w, asked < quiet + (sound ? SOUND_MAX : PICTURES_MAX), "%llu bytes, %llu without",
               (unsigned long long)asked, (unsigned long long)quiet);
        world_run(w, US_PER_S);
    }
}

/* A handshake that fails is thrown away; the right one still completes (S1). */
void attack_s1_handshake(struct world *w)
{
    struct client *c = world_join(w, ROOM, 0, MIC);
    struct tuple thief = c->tuple;
    thief.remote.port = 667;
    uint8_t broken[18] = {FAKE_DTLS, FAKE_BROKEN};
    for (unsigned ms = 0; ms < 4000; ms++) {
        EXPECT(w, world_inject(w, 0, &thief, broken, sizeof(broken)) == DROP_UNKNOWN_TUPLE,
               "DTLS of a stranger was looked at");
        if (c->checked && !c->connected && ms < 1000 && ms % 37 == 0) {
            world_inject(w, 0, &c->tuple, broken, sizeof(broken));
        }
        world_run(w, US_PER_MS);
    }
    EXPECT(w, c->connected && c->evt_connected && !c->failed, "the join did not complete");
    world_inject(w, 0, &c->tuple, broken, sizeof(broken));
    world_run(w, US_PER_S);
    EXPECT(w, c->evt_connected && !c->failed, "a late bad handshake ended the call");
}
