/* Paths that fail and come back by another address (F6): what was lost is let go, what is new comes
 * at once. */
#include <string.h>

#include "codec/wire/rtcp.h"
#include "tests/sim/scenario.h"

enum {
    MIC = 1u << SOURCE_MIC,
    CAM = 1u << SOURCE_CAMERA,
    ROOM = 7,
    VIDEO0 = 5,
    SOON_US = 150 * US_PER_MS, /* links of 20 ms, an encoder and the gap between two requests */
};

static void people(struct world *w, unsigned count, uint16_t height)
{
    w->loss_up_any = 1; /* what goes into a dead path is a hole of nobody's making */
    for (unsigned i = 0; i < count; i++) {
        world_join(w, ROOM, i % w->shards, MIC | CAM);
    }
    for (unsigned i = 0; i < count; i++) {
        world_view_all(w, w->client[i], count, height);
    }
    world_run(w, 4 * US_PER_S);
}

static uint32_t asked_of(const struct client *c)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        sum += c->stream[i].plis;
    }
    return sum;
}

static void lose_path(struct client *c)
{
    c->gone_tuple = c->tuple;
    c->up.cut = true;
}

/* Its page makes an offer of ICE alone over signalling and checks from another address. */
static void find_path(struct world *w, struct client *c, const char *ufrag)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_RESTART, .token = 99};
    memcpy(c->offer.ufrag, ufrag, 5);
    cmd.offer = c->offer;
    c->answered = false;
    world_command(w, c, &cmd);
    EXPECT(w, c->answered, "no answer to a restart");
    c->up.cut = false;
    c->tuple.remote.ip[3]++;
    c->next_check_us = 0;
}

/* The newest picture of `p` that reached `c`. */
static bool sees(const struct world *w, const struct client *c, const struct client *p)
{
    for (unsigned k = VIDEO0; k < SIM_SLOTS; k++) {
        if (c->check[k].got && c->check[k].mark.publisher == p->number &&
            w->now - c->check[k].got_us < 100 * US_PER_MS) {
            return true;
        }
    }
    return false;
}

static void everybody_sees(struct world *w, const char *when)
{
    for (unsigned i = 0; i < w->clients; i++) {
        for (unsigned k = 0; k < w->clients; k++) {
            EXPECT(w, i == k || sees(w, w->client[i], w->client[k]), "%s: %u does not see %u", when,
                   i + 1, k + 1);
        }
    }
}

/* What the others ask while nobody hears it, as loudly as they may. */
static void viewers_ask(struct world *w, mono_us duration)
{
    for (mono_us end = w->now + duration; w->now < end;) {
        for (unsigned i = 2; i < w->clients; i++) {
            struct client *c = w->client[i];
            for (unsigned k = 0; k < 3; k++) {
                uint8_t out[64];
                struct wr wr = wr_init(out, sizeof(out) - 20);
                rtcp_write_pli(&wr, 1, c->answer.ssrc_base + 2 * (VIDEO0 + k));
                client_rtcp(c, out, wr_len(&wr));
            }
        }
        world_run(w, 100 * US_PER_MS);
    }
}

static void comes_back(struct world *w, struct client *c, const char *ufrag)
{
    uint32_t asked = asked_of(c);
    uint64_t again = c->answered_nacks;
    c->lost_told = 0;
    find_path(w, c, ufrag);
    world_run(w, SOON_US);
    EXPECT(w, asked_of(c) > asked, "F6: no key frame asked of the one who is back");
    world_run(w, 600 * US_PER_MS);
    EXPECT(w, c->answered_nacks < again + 5, "F6: %llu packets of the dead path asked for",
           (unsigned long long)(c->answered_nacks - again));
    world_run(w, 1500 * US_PER_MS);
    EXPECT(w, c->lost_told < 26, "F6: %u/256 of the dead path told as lost", c->lost_told);
}

/* Numbers that were skipped in what `c` got and were not filled. */
static uint64_t holes_of(const struct client *c)
{
    uint64_t sum = 0;
    for (unsigned k = 0; k < SIM_SLOTS; k++) {
        sum += c->check[k].holes;
    }
    return sum;
}

void path_handover(struct world *w)
{
    people(w, 4, 360);
    everybody_sees(w, "before");
    for (unsigned turn = 0; turn < 2; turn++) {
        lose_path(w->client[0]);
        lose_path(w->client[1]);
        viewers_ask(w, 1200 * US_PER_MS);
        comes_back(w, w->client[1], turn ? "efgh" : "abcd");
        viewers_ask(w, 1000 * US_PER_MS);
        comes_back(w, w->client[0], turn ? "ijkl" : "mnop");
        everybody_sees(w, "back"); /* and they move again at once */
    }
    world_run(w, 3 * US_PER_S);
    everybody_sees(w, "after");
    for (unsigned i = 2; i < w->clients; i++) {
        EXPECT(w, holes_of(w->client[i]) == 0, "F6: client %u stayed and misses %llu packets",
               i + 1, (unsigned long long)holes_of(w->client[i]));
    }
}

/* The path fails in the middle of a change of layers, of pictures it sends and sees. */
void path_during_switch(struct world *w)
{
    people(w, 3, 180);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < w->clients; i++) {
            world_view_all(w, w->client[i], 3, turn ? 180 : 720);
        }
        world_run(w, 30 * US_PER_MS);
        lose_path(w->client[0]);
        world_run(w, 1500 * US_PER_MS);
        find_path(w, w->client[0], turn ? "efgh" : "abcd");
        world_run(w, 1000 * US_PER_MS);
        everybody_sees(w, turn ? "down" : "up");
        world_run(w, 4 * US_PER_S);
        for (unsigned i = 0; i < w->clients; i++) {
            EXPECT(w, w->client[i]->check[VIDEO0].mark.layer == (turn ? 2 : 0),
                   "client %u gets layer %u", i + 1, w->client[i]->check[VIDEO0].mark.layer);
        }
    }
}

/* A browser whose estimate leaves no room for more. */
static void smallest_only(struct client *c)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        s->off = s->off || (s->exists && s->source == SOURCE_CAMERA && s->layer < 2);
    }
}

/* The first thing that comes by the new path is a key frame of every encoding; then the estimate of
 * the browser leaves room for the smallest one only. Nobody looks at a standing picture for long.
 */
void path_gives_up_large(struct world *w)
{
    people(w, 3, 360);
    struct client *c = w->client[0];
    lose_path(c);
    world_run(w, 1500 * US_PER_MS);
    find_path(w, c, "abcd");
    world_run(w, 250 * US_PER_MS);
    everybody_sees(w, "back");
    smallest_only(c);
    world_run(w, 850 * US_PER_MS);
    EXPECT(w, sees(w, w->client[1], c) && sees(w, w->client[2], c),
           "a layer that stopped on a new path is waited for");
}

/* Browsers that know nothing of their new path soon send the smallest picture only: who comes back
 * then does not wait for a key frame of one that does not come. */
void path_comes_back_small(struct world *w)
{
    people(w, 3, 360);
    struct client *c = w->client[0];
    lose_path(c);
    lose_path(w->client[1]);
    world_run(w, 1500 * US_PER_MS);
    find_path(w, c, "abcd");
    world_run(w, 700 * US_PER_MS);
    smallest_only(c);
    find_path(w, w->client[1], "efgh");
    world_run(w, 1000 * US_PER_MS);
    EXPECT(w, sees(w, w->client[1], c), "a layer that was given up is waited for");
}

/* Chromium checks a second path of the same host as well while the first one loses: what is not
 * nominated is not taken while the other carries everything, and nothing begins anew. */
void path_spare(struct world *w)
{
    people(w, 3, 360);
    struct client *c = w->client[0];
    uint32_t asked = asked_of(w->client[0]) + asked_of(w->client[1]);
    c->spare_port = (uint16_t)(c->tuple.remote.port + 700);
    world_run(w, 12 * US_PER_S);
    asked = asked_of(w->client[0]) + asked_of(w->client[1]) - asked;
    EXPECT(w, asked == 0, "F1: %u key frames asked for a path that was not meant", asked);
    everybody_sees(w, "with a spare path");
}

/* Chromium hears by the new path a second before it sends by it: the key frame it was asked for
 * went into the old one. It is asked again with the first packet that comes, not when it is due. */
void path_heard_first(struct world *w)
{
    people(w, 3, 360);
    struct client *c = w->client[0];
    lose_path(c);
    world_run(w, 1500 * US_PER_MS);
    find_path(w, c, "abcd");
    world_run(w, 22 * US_PER_MS);
    c->up.cut = true;
    world_run(w, 1000 * US_PER_MS);
    uint32_t asked = asked_of(c);
    c->up.cut = false;
    world_run(w, SOON_US);
    bool answers = sees(w, w->client[1], c); /* a request that was due anyway */
    EXPECT(w, asked_of(c) > asked || answers, "F6: sends again and is not asked for a key frame");
    world_run(w, 250 * US_PER_MS);
    everybody_sees(w, "back");
}

/* Everything still comes to it, nothing of it arrives: a page knows by reports, which name only
 * what came since the report before (RFC 3550 6.4). */
void path_one_way(struct world *w)
{
    people(w, 3, 360);
    struct client *c = w->client[0];
    uint64_t told = c->rrs;
    world_run(w, 3 * US_PER_S);
    EXPECT(w, c->rrs >= told + 4, "F1: %llu reports on what came",
           (unsigned long long)(c->rrs - told));
    c->up.cut = true;
    world_run(w, 2 * US_PER_S); /* the second in which it was cut is told of once more */
    told = c->rrs;
    world_run(w, 4 * US_PER_S);
    EXPECT(w, c->rrs == told, "F1: %llu reports on what did not come",
           (unsigned long long)(c->rrs - told));
    EXPECT(w, sees(w, c, w->client[1]), "F1: hears nothing though only its own way up is cut");
    c->up.cut = false;
    world_run(w, 3 * US_PER_S);
    EXPECT(w, c->rrs > told, "F1: no report on what comes again");
    everybody_sees(w, "after");
}

/* For a while nothing may be sent to somebody, and what his slots carry changes meanwhile: who
 * speaks, and which encoding of a camera there is. What begins while he is away begins anew when he
 * is back. */
void path_away(struct world *w)
{
    enum { SOUND = 1u << SOURCE_MIC, BOTH = SOUND | 1u << SOURCE_CAMERA };
    people(w, 2, 720);
    struct client *host = w->client[0];
    struct client *away = w->client[1];
    w->loss_up_any = 1;
    w->loss_down_any = 1;
    world_run(w, 5 * US_PER_S);
    away->silent = true;
    away->up.cut = true;
    away->down.cut = true;
    world_run(w, 33 * US_PER_S);
    EXPECT(w, away->evt_lost, "consent did not end");
    struct client *other = world_join(w, 7, 0, BOTH);
    world_publish(w, host, BOTH & ~SOUND);
    world_view_all(w, away, 3, 180);
    world_run(w, 5 * US_PER_S);
    uint64_t sound = away->check[0].packets + away->check[1].packets;
    uint64_t first = away->check[5].packets;
    uint64_t second = away->check[6].packets;
    EXPECT(w, away->last_rtp_us < w->now - 3 * US_PER_S, "something is sent without consent");
    away->silent = false;
    away->up.cut = false;
    away->down.cut = false;
    away->next_check_us = w->now;
    uint32_t asked = asked_of(host);
    world_run(w, SOON_US);
    EXPECT(w, !away->evt_lost && asked_of(host) > asked, "no key frame is asked for at once");
    world_run(w, 5 * US_PER_S);
    sound = away->check[0].packets + away->check[1].packets - sound;
    first = away->check[5].packets - first;
    second = away->check[6].packets - second;
    EXPECT(w, other->on[SOURCE_MIC] && sound > 200 && first > 20 && second > 20,
           "back: %u packets of sound, %u and %u of pictures", (unsigned)sound, (unsigned)first,
           (unsigned)second);
}
