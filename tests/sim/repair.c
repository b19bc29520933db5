/*
 * What is sent again to whom, counted one by one, with a view into the SFU: in a world that loses
 * packets by chance the second copy of one is hidden among the others, and so is a rule that only
 * works until feedback is lost for long.
 */
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"

#include "codec/wire/rtcp.h"
#include "codec/wire/twcc.h"
#include "server/proto/bwe.h"
#include "tests/sim/scenario.h"

enum { ROOM = 7, VIDEO0 = 5, CAMERA = 1u << SOURCE_CAMERA };

/* One camera and who looks at it; he tells nothing of single packets. */
struct pair {
    struct client *host;
    struct client *viewer;
    struct sfu *sfu;
    struct peer *peer; /* the viewer inside */
};

static struct pair pair_begin(struct world *w)
{
    struct pair p = {.sfu = w->shard[0]->sfu};
    w->loss_up_any = 1;
    p.host = world_join(w, ROOM, 0, CAMERA);
    p.viewer = world_join(w, ROOM, 0, 0);
    p.viewer->lie = LIE_WIDTH;
    world_view_all(w, p.viewer, 1, 720);
    world_run(w, 10 * US_PER_S);
    p.peer = peer_find(p.sfu, p.viewer->id);
    return p;
}

/* The path is held to be that bad all the while. */
static void run_at(struct world *w, struct pair *p, uint8_t depth, mono_us during)
{
    for (mono_us end = w->now + during; w->now < end;) {
        p->peer->red_depth = depth;
        world_run(w, US_PER_MS);
    }
}

static uint64_t repeated(const struct pair *p)
{
    struct sfu_stats s;
    sfu_stats_read(p->sfu, &s);
    return s.repeated;
}

static uint64_t again(const struct pair *p)
{
    struct sfu_stats s;
    sfu_stats_read(p->sfu, &s);
    return s.rtx_sent;
}

/* Where repairs are lost as well, a picture's packet that is sent again goes twice: whether it was
 * asked for or told as lost. On better paths it goes once. */
void repair_twice(struct world *w)
{
    struct pair p = pair_begin(w);
    struct subscription *sub = p.peer->slot[VIDEO0];
    for (uint8_t depth = 0; depth <= REDUNDANCY_MAX; depth++) {
        unsigned copies = depth == REDUNDANCY_MAX ? 2 : 1;
        run_at(w, &p, depth, 500 * US_PER_MS);
        uint64_t before = again(&p);
        retransmit_lost(p.sfu, sub, (uint16_t)sub->rewrite.out_top, 0, w->now);
        EXPECT(w, again(&p) - before == copies, "depth %u: told as lost, sent %u times", depth,
               (unsigned)(again(&p) - before));
        uint8_t out[100];
        uint16_t seq = (uint16_t)(p.viewer->check[VIDEO0].got_top - 3);
        struct wr wr = wr_init(out, 60);
        before = again(&p);
        rtcp_write_nack(&wr, 1, sub->ssrc, &seq, 1);
        client_rtcp(p.viewer, out, wr_len(&wr));
        run_at(w, &p, depth, 50 * US_PER_MS);
        EXPECT(w, again(&p) - before == copies, "depth %u: asked for, sent %u times", depth,
               (unsigned)(again(&p) - before));
    }
}

/* What came late, by repair from its publisher, has no time to be lost once more. */
void repair_of_late_ones(struct world *w)
{
    struct pair p = pair_begin(w);
    for (uint8_t depth = 0; depth <= 1; depth++) {
        uint64_t before = repeated(&p);
        uint64_t late = p.viewer->check[VIDEO0].late;
        for (unsigned i = 0; i < 5; i++) {
            p.host->up.cut = true;
            run_at(w, &p, depth, 40 * US_PER_MS); /* one picture */
            p.host->up.cut = false;
            run_at(w, &p, depth, 500 * US_PER_MS);
        }
        late = p.viewer->check[VIDEO0].late - late;
        EXPECT(w, late >= 5, "only %u came late", (unsigned)late);
        EXPECT(w, repeated(&p) - before == (depth ? late : 0), "depth %u: %u late, %u copies",
               depth, (unsigned)late, (unsigned)(repeated(&p) - before));
    }
}

/* So many bytes of repair leave now. */
static void spend(struct world *w, struct pair *p, uint16_t bytes)
{
    const struct cc_packet packet = {.number = p->peer->twcc_seq++, .bytes = bytes, .kind = CC_RTX};
    cc_sent(p->sfu, p->peer, &packet, w->now);
}

/* Packets of one kind leave, and one feedback speaks of the newest only: how many go again. */
static void told_of_newest(struct world *w, struct pair *p, enum outcome_kind kind, bool spent,
                           bool known, const char *what)
{
    unsigned noted = 0;
    run_at(w, p, 1, 200 * US_PER_MS);
    struct twcc_status newest = {.seq = (uint16_t)(p->peer->twcc_seq - 1), .received = true};
    for (unsigned i = 0; i < OUTCOME_KEPT; i++) {
        struct outcome_entry *e = &p->peer->outcome->entry[i];
        noted += e->kind != OUTCOME_NONE && e->number != newest.seq;
        e->kind = (uint8_t)(e->kind != OUTCOME_NONE ? kind : OUTCOME_NONE);
    }
    p->peer->estimate_bps = 20000000; /* 4 Mbit may be sent again at once, half of them unasked */
    (void)cc_may_repair(p->peer, w->now);
    while (spent && cc_may_guess(p->peer, w->now)) {
        spend(w, p, 1200);
    }
    uint64_t before = repeated(p);
    outcome_told(p->sfu, p->peer, &newest, 1, w->now);
    EXPECT(w, noted > 10, "%s: only %u noted", what, noted);
    EXPECT(w, repeated(p) - before == (known ? noted : 0), "%s: %u noted, %u sent again", what,
           noted, (unsigned)(repeated(p) - before));
    for (unsigned i = 0; i < OUTCOME_KEPT; i++) {
        p->peer->outcome->entry[i].kind = OUTCOME_NONE;
    }
}

/* Feedback is lost: repairs it would have told of go again. When so much was lost that nothing is
 * known any more they do not, and from the next feedback on they do again. Upper layers only as
 * long as there is plenty, and what is asked for until it comes not at all. */
void repair_untold(struct world *w)
{
    struct pair p = pair_begin(w);
    EXPECT(w, p.peer->twcc_seq > OUTCOME_KEPT && !p.peer->outcome, "begun at the first numbers");
    told_of_newest(w, &p, OUTCOME_REPAIR, false, true, "the first feedback");
    told_of_newest(w, &p, OUTCOME_REPAIR, false, true, "the next one");
    p.peer->twcc_seq = (uint16_t)(p.peer->twcc_seq + OUTCOME_KEPT);
    told_of_newest(w, &p, OUTCOME_REPAIR, false, false, "after a long silence");
    told_of_newest(w, &p, OUTCOME_REPAIR, false, true, "the one behind it");
    told_of_newest(w, &p, OUTCOME_UPPER, false, true, "upper layers");
    told_of_newest(w, &p, OUTCOME_FIRST, false, false, "what is asked for until it comes");
    told_of_newest(w, &p, OUTCOME_REPAIR, true, true, "repairs while little is left");
    told_of_newest(w, &p, OUTCOME_UPPER, true, false, "upper layers while little is left");
}

/* One packet is told as lost, the newest as received: how often it goes again. */
static unsigned told_lost(struct world *w, struct pair *p, enum outcome_kind kind)
{
    run_at(w, p, 0, 200 * US_PER_MS);
    uint16_t newest = (uint16_t)(p->peer->twcc_seq - 1);
    const struct twcc_status status[] = {{.seq = (uint16_t)(newest - 1)},
                                         {.seq = newest, .received = true}};
    struct outcome_entry *e =
        p->peer->outcome ? &p->peer->outcome->entry[status[0].seq % OUTCOME_KEPT] : NULL;
    if (e && e->number == status[0].seq && e->kind != OUTCOME_NONE) {
        e->kind = (uint8_t)kind;
    }
    uint64_t before = repeated(p);
    outcome_told(p->sfu, p->peer, status, 2, w->now);
    return (unsigned)(repeated(p) - before);
}

/* Where sound needs no repetition yet, what is told as lost goes again all the same, as the request
 * for it may be lost or may not come; what nobody tells of is left alone. Long behind the last loss
 * that ends. */
void repair_of_seldom_losses(struct world *w)
{
    struct pair p = pair_begin(w);
    struct twcc_status newest = {.received = true};
    EXPECT(w, told_lost(w, &p, OUTCOME_UPPER) == 0, "known before the first loss");
    EXPECT(w, told_lost(w, &p, OUTCOME_UPPER) == 1, "an upper layer is left to one request");
    EXPECT(w, told_lost(w, &p, OUTCOME_REPAIR) == 1, "a lost repair is left to a second request");
    EXPECT(w, told_lost(w, &p, OUTCOME_FIRST) == 1, "a base layer waits for its second request");
    uint64_t before = repeated(&p);
    run_at(w, &p, 0, 300 * US_PER_MS);
    newest.seq = (uint16_t)(p.peer->twcc_seq - 1);
    outcome_told(p.sfu, p.peer, &newest, 1, w->now);
    EXPECT(w, repeated(&p) == before, "%u nobody told of went again",
           (unsigned)(repeated(&p) - before));
    EXPECT(w, told_lost(w, &p, OUTCOME_UPPER) == 1, "the next loss");
    run_at(w, &p, 0, OUTCOME_CALM_US + US_PER_S);
    newest.seq = (uint16_t)(p.peer->twcc_seq - 1);
    outcome_told(p.sfu, p.peer, &newest, 1, w->now);
    EXPECT(w, told_lost(w, &p, OUTCOME_UPPER) == 0, "still noted long after the last loss");
}

/* Packets that overtake each other are told as lost for a moment: few of them go again unasked. */
void repair_of_reordered(struct world *w)
{
    static const struct structure layered = {
        .codec = CODEC_VP8, .encodings = 1, .spatial = 1, .temporal = 3};
    struct pair p = {.sfu = w->shard[0]->sfu};
    w->hearing = true;
    w->loss_up_any = 1;
    media_structure(world_join(w, ROOM, 0, CAMERA), SOURCE_CAMERA, &layered);
    struct client *viewer = world_join(w, ROOM, 0, 0);
    viewer->down.reorder = 50;
    world_view_all(w, viewer, 1, 720);
    world_run(w, 5 * US_PER_S);
    struct peer *peer = peer_find(p.sfu, viewer->id);
    uint64_t copies = repeated(&p);
    uint64_t asked = again(&p);
    uint64_t sent = viewer->check[VIDEO0].packets;
    world_run(w, 30 * US_PER_S);
    copies = repeated(&p) - copies;
    asked = again(&p) - asked - copies;
    sent = viewer->check[VIDEO0].packets - sent;
    EXPECT(w, peer->outcome, "nothing was told as lost");
    EXPECT(w, copies < sent / 1000, "%u of %u went again unasked, %u asked for", (unsigned)copies,
           (unsigned)sent, (unsigned)asked);
}

/* Repair has half of the estimate, 400 ms of it at once; the second half of those is for what was
 * asked for. */
void repair_budget(struct world *w)
{
    static const struct {
        uint16_t bytes;
        mono_us later;
        bool repair, guess;
    } rows[] = {
        {12400, 0, true, true},
        {100, 0, true, true}, /* 200 000 bits, half is left */
        {1, 0, true, false},
        {12498, 0, true, false}, /* one byte is left */
        {1, 0, false, false},
        {0, 100 * US_PER_MS, true, false},
        {0, 100 * US_PER_MS, true, true},
        {0, 5 * US_PER_S, true, true},
        {25000, 0, false, false}, /* no more than 400 ms were saved up */
    };
    struct pair p = pair_begin(w);
    mono_us now = w->now + US_PER_S;
    p.peer->estimate_bps = 1000000;
    EXPECT(w, cc_may_guess(p.peer, now), "nothing was saved up");
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        now += rows[i].later;
        (void)cc_may_repair(p.peer, now); /* is worked out when asked */
        spend(w, &p, rows[i].bytes);
        EXPECT(w, cc_may_repair(p.peer, now) == rows[i].repair, "row %u: repair", i);
        EXPECT(w, cc_may_guess(p.peer, now) == rows[i].guess, "row %u: guess", i);
    }
    cc_remb(p.sfu, p.peer, 1ULL << 62, now); /* no sum of bits overflows */
    EXPECT(w, p.peer->estimate_bps == 100000000, "a claim of everything is taken for %llu bit/s",
           (unsigned long long)p.peer->estimate_bps);
}

/* Where hardly a picture is whole at once and there is room, nearly every packet goes twice; where
 * less is lost only what was lost goes again. */
void repair_doubled(struct world *w)
{
    enum { VIEWERS = 4 };
    static const uint32_t lost[] = {30, 250};
    struct pair p = {.sfu = w->shard[0]->sfu};
    w->hearing = true;
    w->loss_down_any = 1;
    for (unsigned i = 0; i < 2; i++) {
        struct client *viewer[VIEWERS];
        world_join(w, ROOM + i, 0, CAMERA);
        for (unsigned k = 0; k < VIEWERS; k++) {
            viewer[k] = world_join(w, ROOM + i, 0, 0);
            viewer[k]->down.loss = lost[i];
            world_view_all(w, viewer[k], 1, 180);
        }
        world_run(w, 20 * US_PER_S);
        uint64_t copies = repeated(&p);
        uint64_t sent = 0;
        for (unsigned k = 0; k < VIEWERS; k++) {
            sent -= viewer[k]->check[VIDEO0].packets;
        }
        world_run(w, 10 * US_PER_S);
        copies = repeated(&p) - copies;
        for (unsigned k = 0; k < VIEWERS; k++) {
            sent += viewer[k]->check[VIDEO0].packets;
            world_leave(w, viewer[k]);
        }
        EXPECT(w, i ? copies > sent * 3 / 5 : copies < sent / 4, "%u of 1000 lost: %u of %u again",
               lost[i], (unsigned)copies, (unsigned)sent);
    }
}

/* Another address is another path: what was measured of the old one does not count on it. */
void repair_path_measured_anew(struct world *w)
{
    enum { SLIM = 200000 };
    struct sfu *sfu = w->shard[0]->sfu;
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, 0, 0);
    w->loss_up_any = 1;
    w->loss_down_any = 1;
    media_fat(host);
    viewer->down.bps = SLIM;
    world_view_all(w, viewer, 1, 720);
    world_run(w, 10 * US_PER_S);
    struct peer *peer = peer_find(sfu, viewer->id);
    EXPECT(w, peer->estimate_bps < BWE_START_BPS / 2, "%llu bit/s of %u",
           (unsigned long long)peer->estimate_bps, SLIM);
    struct tuple old = peer->to;
    viewer->tuple.remote.port++;
    viewer->down.bps = 0;
    viewer->next_check_us = w->now;
    for (unsigned i = 0; i < 5000 && tuple_equal(&peer->to, &old); i++) {
        world_run(w, US_PER_MS);
    }
    EXPECT(w, !tuple_equal(&peer->to, &old), "the path was not taken");
    EXPECT(w, peer->estimate_bps == BWE_START_BPS, "%llu bit/s of the new path",
           (unsigned long long)peer->estimate_bps);
}
