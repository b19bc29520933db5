#include "tests/sim/scenario.h"

#include <string.h>

#include "codec/wire/rtcp.h"

enum {
    MIC = 1u << SOURCE_MIC,
    CAM = 1u << SOURCE_CAMERA,
    SCREEN = 1u << SOURCE_SCREEN,
    SOUND = 1u << SOURCE_SOUND,
    ROOM_A = 7,
    ROOM_B = 8,
    ROOM_V = 9, /* nobody is in it: a voice to those who have an ear on it */
    VIDEO0 = 5, /* first video slot behind five audio slots */
};

/* People of room A on alternating shards, everybody watching everybody. */
static void people(struct world *w, unsigned count, uint32_t publish, uint16_t height)
{
    for (unsigned i = 0; i < count; i++) {
        world_join(w, ROOM_A, i % w->shards, publish);
    }
    for (unsigned i = 0; i < w->clients; i++) {
        world_view_all(w, w->client[i], count, height);
    }
}

static unsigned live_slots(const struct client *c)
{
    unsigned n = 0;
    for (unsigned k = 0; k < SIM_SLOTS; k++) {
        n += c->slot[k].state == SFU_SLOT_LIVE;
    }
    return n;
}

static void everybody_live(struct world *w, unsigned each)
{
    for (unsigned i = 0; i < w->clients; i++) {
        const struct client *c = w->client[i];
        EXPECT(w, live_slots(c) == each, "client %u has %u live slots, not %u", c->number,
               live_slots(c), each);
    }
}

static void run_table(struct world *w)
{
    people(w, 4, MIC | CAM, 720);
    world_run(w, 5 * US_PER_S);
    everybody_live(w, 6);
    for (unsigned i = 0; i < w->clients; i++) {
        const struct client *c = w->client[i];
        EXPECT(w, c->twcc_feedbacks > 30, "client %u got %llu transport feedbacks", c->number,
               (unsigned long long)c->twcc_feedbacks);
        EXPECT(w, c->srs > 3 && c->rrs > 3, "client %u got too few reports", c->number);
        EXPECT(w, c->check[VIDEO0].packets > 3 * 25 * 5, "client %u: too few packets", c->number);
    }
}

static void run_layers(struct world *w)
{
    people(w, 3, MIC | CAM, 720);
    world_run(w, 3 * US_PER_S);
    const uint16_t heights[] = {180, 720, 300, 100, 360, 720};
    for (unsigned i = 0; i < 6; i++) {
        world_view_all(w, w->client[0], 2, heights[i]);
        world_run(w, 1500 * US_PER_MS);
        uint8_t want = heights[i] > 360 ? 0 : (heights[i] > 180 ? 1 : 2);
        EXPECT(w, w->client[0]->check[VIDEO0].mark.layer == want, "height %u gives layer %u",
               heights[i], w->client[0]->check[VIDEO0].mark.layer);
    }
    EXPECT(w, w->client[0]->check[VIDEO0].switches >= 5, "only %llu switches",
           (unsigned long long)w->client[0]->check[VIDEO0].switches);
    /* Nobody looks any more: the smallest encoding is what a newcomer can have at once. */
    for (unsigned i = 0; i < w->clients; i++) {
        world_view_all(w, w->client[i], 0, 0);
    }
    const struct stream_out *stream = w->client[1]->stream;
    world_run(w, 6 * US_PER_S);
    EXPECT(w, stream[1].off && stream[2].off && !stream[3].off, "after 6 s: off %d %d %d",
           stream[1].off, stream[2].off, stream[3].off);
    world_run(w, 14 * US_PER_S);
    EXPECT(w, stream[3].off, "the smallest is sent for nobody");
}

static void run_switch(struct world *w)
{
    people(w, 5, MIC | CAM, 360);
    world_run(w, 3 * US_PER_S);
    struct client *viewer = w->client[0];
    for (unsigned i = 0; i < 24; i++) {
        struct sfu_want want = {.slot = 0,
                                .source = SOURCE_CAMERA,
                                .height_max = i % 3 ? 360 : 720,
                                .publisher = w->client[1 + i % 4]->id};
        world_view(w, viewer, &want, 1);
        world_run(w, 500 * US_PER_MS);
    }
    world_run(w, US_PER_S);
    EXPECT(w, viewer->check[VIDEO0].switches >= 20, "only %llu of 24 switches happened",
           (unsigned long long)viewer->check[VIDEO0].switches);
    EXPECT(w, viewer->check[VIDEO0].gap_us < 400 * US_PER_MS, "a switch took %lld ms",
           (long long)viewer->check[VIDEO0].gap_us / 1000);
}

static void run_mute(struct world *w)
{
    people(w, 4, MIC | CAM, 360);
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < 6; i++) { /* the client goes on sending: the SFU must hold it back */
        world_publish(w, w->client[1], i % 2 ? MIC | CAM : (i % 4 ? MIC : 0));
        world_run(w, 700 * US_PER_MS);
    }
    world_publish(w, w->client[1], MIC | CAM);
    world_run(w, 2 * US_PER_S);
    everybody_live(w, 6);
}

/* What was shown while the camera was off is never asked for afterwards. */
static void run_mute_privacy(struct world *w)
{
    people(w, 3, MIC | CAM, 720);
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < 8; i++) {
        struct client *c = w->client[1];
        uint64_t asked = c->answered_nacks;
        world_publish(w, c, 0);
        world_run(w, (100 + 50 * i) * US_PER_MS);
        world_publish(w, c, MIC | CAM);
        world_run(w, US_PER_S);
        EXPECT(w, c->answered_nacks == asked, "%llu packets of the muted time were asked for",
               (unsigned long long)(c->answered_nacks - asked));
    }
    everybody_live(w, 4);
}

static void run_rooms(struct world *w)
{
    for (unsigned i = 0; i < 6; i++) {
        world_join(w, i % 2 ? ROOM_A : ROOM_B, i % w->shards, MIC | CAM);
    }
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < w->clients; i++) { /* wishes reach across rooms on purpose */
            struct sfu_want want[5];
            uint32_t n = 0;
            for (unsigned p = 0; p < w->clients; p++) {
                if (p != i && n < 5) {
                    want[n] = (struct sfu_want){.slot = (uint8_t)n,
                                                .source = SOURCE_CAMERA,
                                                .height_max = 360,
                                                .publisher = w->client[p]->id};
                    n++;
                }
            }
            world_view(w, w->client[i], want, n);
        }
        world_run(w, 1500 * US_PER_MS);
        struct client *mover = w->client[round % w->clients];
        world_room(w, mover, mover->room == ROOM_A ? ROOM_B : ROOM_A);
    }
    world_run(w, 2 * US_PER_S);
}

static void run_speakers(struct world *w)
{
    people(w, 12, MIC, 0);
    for (unsigned i = 0; i < w->clients; i++) {
        w->client[i]->level[SOURCE_MIC] = 110;
    }
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < w->clients; i++) {
        w->client[(i + w->clients - 1) % w->clients]->level[SOURCE_MIC] = 110;
        w->client[i]->level[SOURCE_MIC] = 20;
        world_run(w, 2 * US_PER_S);
        const struct client *listener = w->client[(i + 1) % w->clients];
        bool heard = false;
        for (unsigned k = 0; k < 5; k++) {
            heard = heard || (listener->slot[k].publisher == w->client[i]->id &&
                              listener->slot[k].state == SFU_SLOT_LIVE);
        }
        EXPECT(w, heard, "client %u speaks and client %u does not hear it", w->client[i]->number,
               listener->number);
        EXPECT(w,
               w->last_speaking.speaking.count >= 1 &&
                   w->last_speaking.speaking.speaker[0].peer == w->client[i]->id,
               "SPEAKING does not name client %u", w->client[i]->number);
        EXPECT(w, live_slots(listener) <= 3, "more than the loudest are forwarded");
    }
}

static uint64_t unopened(struct world *w)
{
    struct sfu_stats s;
    world_stats(w, 0, &s);
    return s.drops[DROP_SILENCE_UNOPENED];
}

static bool hears(const struct client *listener, const struct client *speaker)
{
    for (unsigned k = 0; k < 5; k++) {
        if (listener->slot[k].publisher == speaker->id &&
            listener->slot[k].state == SFU_SLOT_LIVE) {
            return true;
        }
    }
    return false;
}

/* The microphone's numbers go to just before their end, in steps a loss could be. */
static void near_roll_over(struct world *w, struct client *c, int64_t before)
{
    struct stream_out *s = &c->stream[0];
    while (s->seq % 65536 < 65536 - before) {
        int64_t left = 65536 - before - (int64_t)(s->seq % 65536);
        s->seq += left < 20000 ? left : 20000;
        world_run(w, 100 * US_PER_MS);
    }
}

/*
 * What nobody hears is not opened, all but a packet or two a second, and still counts as received;
 * the roll-over counter goes on meanwhile, and whoever begins to speak is heard.
 */
static void run_silence(struct world *w)
{
    people(w, 10, MIC, 0);
    struct client *mute = w->client[0];
    struct client *quiet = w->client[9];
    for (unsigned i = 0; i < w->clients; i++) {
        w->client[i]->level[SOURCE_MIC] = i < 4 ? 20 : 110;
    }
    world_run(w, 3 * US_PER_S);
    EXPECT(w, !hears(mute, quiet), "the quiet one has a seat");
    world_publish(w, mute, 0); /* and it goes on sending */
    near_roll_over(w, quiet, 300);
    near_roll_over(w, mute, 300);
    world_run(w, 3 * US_PER_S);
    uint64_t before = unopened(w);
    uint64_t fed = quiet->twcc_told;
    quiet->lost_told = 0;
    world_run(w, 4 * US_PER_S);
    /* seven senders of 50 packets a second */
    EXPECT(w, unopened(w) - before > 7ULL * 4 * 45, "silence is decrypted: %llu packets were not",
           (unsigned long long)(unopened(w) - before));
    EXPECT(w, unopened(w) - before <= 7ULL * 4 * 49, "some silence is never authenticated");
    EXPECT(w, quiet->twcc_told - fed > 4 * 45, "what is not opened is missing in the feedback");
    EXPECT(w, quiet->lost_told == 0, "what is not opened is told as lost");
    w->client[1]->level[SOURCE_MIC] = 110;
    w->client[3]->level[SOURCE_MIC] = 110;
    quiet->level[SOURCE_MIC] = 20;
    world_publish(w, mute, 1u << SOURCE_MIC);
    world_run(w, 2 * US_PER_S);
    EXPECT(w, hears(w->client[2], quiet), "the quiet one speaks and is not heard");
    EXPECT(w, hears(w->client[2], mute), "the muted one speaks again and is not heard");
}

static void run_screen(struct world *w)
{
    people(w, 3, MIC | CAM, 360);
    world_run(w, 2 * US_PER_S);
    struct client *teacher = w->client[0];
    world_publish(w, teacher, MIC | CAM | SCREEN | SOUND);
    teacher->on[SOURCE_SCREEN] = true;
    teacher->on[SOURCE_SOUND] = true;
    struct sfu_want want[2] = {
        {.slot = 0, .source = SOURCE_SCREEN, .height_max = 1080, .publisher = teacher->id},
        {.slot = 1, .source = SOURCE_CAMERA, .height_max = 180, .publisher = teacher->id},
    };
    world_view(w, w->client[1], want, 2);
    world_view(w, w->client[2], want, 2);
    world_run(w, 3 * US_PER_S);
    for (unsigned i = 1; i < 3; i++) {
        bool sound = false;
        for (unsigned k = 0; k < 5; k++) {
            sound = sound || (w->client[i]->slot[k].source == SOURCE_SOUND &&
                              w->client[i]->slot[k].state == SFU_SLOT_LIVE);
        }
        EXPECT(w, sound, "the sound of the screen is not heard");
        EXPECT(w, w->client[i]->check[VIDEO0].mark.source == SOURCE_SCREEN, "no screen in slot 0");
    }
    world_publish(w, teacher, MIC | CAM);
    world_run(w, US_PER_S);
}

static void run_churn(struct world *w)
{
    people(w, 6, MIC | CAM, 360);
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned k = 0; k < w->clients; k++) {
            if (w->client[k]->open && rng_below(&w->rng, 3) == 0) {
                world_leave(w, w->client[k]);
                break;
            }
        }
        world_join(w, ROOM_A, i % w->shards, MIC | CAM);
        for (unsigned k = 0; k < w->clients; k++) {
            if (w->client[k]->open) {
                world_view_all(w, w->client[k], 10, 360);
            }
        }
        world_run(w, 900 * US_PER_MS);
    }
    for (unsigned k = 0; k < w->clients; k++) {
        if (w->client[k]->open) {
            world_leave(w, w->client[k]);
        }
    }
    world_run(w, 3 * US_PER_S);
    for (unsigned i = 0; i < w->shards; i++) {
        struct sfu_stats s;
        world_stats(w, i, &s);
        EXPECT(w, s.peers == 0 && s.tracks == 0 && s.subscriptions == 0 && s.packets_used == 0,
               "left behind on shard %u: %u peers, %u tracks, %u subscriptions, %u packets", i,
               s.peers, s.tracks, s.subscriptions, s.packets_used);
    }
}

static void lossy(struct world *w, uint32_t up, uint32_t down)
{
    w->loss_up_any = up;
    for (unsigned i = 0; i < w->clients; i++) {
        struct client *c = w->client[i];
        c->up.loss = up;
        c->down.loss = down;
        c->up.jitter_us = 8 * US_PER_MS;
        c->down.jitter_us = 8 * US_PER_MS;
        c->up.duplicate = 10;
        c->down.duplicate = 10;
    }
}

/* Share of a slot's numbers that arrived, original or repaired, of 1000. */
static unsigned repaired(const struct slot_check *s)
{
    unsigned got = 0;
    unsigned all = 0;
    for (int64_t seq = s->got_top - 400; seq < s->got_top - 100; seq++) {
        if (seq > s->got_first) {
            got += s->got_map[seq & 8191];
            all++;
        }
    }
    return all ? got * 1000 / all : 0;
}

static void run_loss_down(struct world *w)
{
    people(w, 4, MIC | CAM, 720);
    lossy(w, 0, 50);
    w->loss_up_any = 1; /* jitter reorders: late packets are allowed, holes are not */
    world_run(w, 8 * US_PER_S);
    for (unsigned i = 0; i < w->clients; i++) {
        const struct slot_check *s = &w->client[i]->check[VIDEO0];
        EXPECT(w, repaired(s) >= 995, "client %u: only %u of 1000 repaired", w->client[i]->number,
               repaired(s));
        EXPECT(w, s->got_rtx > 10, "client %u: no retransmissions", w->client[i]->number);
    }
}

static void run_loss_up(struct world *w)
{
    people(w, 4, MIC | CAM, 720);
    lossy(w, 50, 0);
    world_run(w, 8 * US_PER_S);
    for (unsigned i = 0; i < w->clients; i++) {
        const struct slot_check *s = &w->client[i]->check[VIDEO0];
        EXPECT(w, repaired(s) >= 990, "client %u: only %u of 1000 arrived", w->client[i]->number,
               repaired(s));
        EXPECT(w, w->client[i]->answered_nacks > 10, "client %u was not asked for packets",
               w->client[i]->number);
    }
}

static void run_consent(struct world *w)
{
    people(w, 3, MIC | CAM, 360);
    world_run(w, 3 * US_PER_S);
    struct client *c = w->client[0];
    c->silent = true;
    mono_us last_check = w->now;
    world_run(w, 40 * US_PER_S);
    EXPECT(w, c->evt_lost, "LOST was not said");
    EXPECT(w, c->last_rtp_us <= last_check + 30 * US_PER_S + 2 * US_PER_MS,
           "RTP was sent %lld ms after the last check",
           (long long)(c->last_rtp_us - last_check) / 1000);
    c->silent = false;
    w->loss_up_any = 1; /* numbers of the silent time are gone for this client */
    world_run(w, 5 * US_PER_S);
    EXPECT(w, !c->evt_lost, "BACK was not said");
    EXPECT(w, w->now - c->last_rtp_us < US_PER_S, "media did not come back");
}

/* close_notify both ways: one who says it gets nothing more, one who is let go is told. */
static void run_farewell(struct world *w)
{
    people(w, 3, MIC | CAM, 360);
    world_run(w, 3 * US_PER_S);
    struct client *c = w->client[0];
    struct client *let_go = w->client[1];
    uint8_t forged[18] = {FAKE_ALERT, FAKE_BYE};
    world_inject(w, 0, &c->tuple, forged, sizeof(forged));
    world_run(w, US_PER_S);
    EXPECT(w, !c->evt_lost && w->now - c->last_rtp_us < 200 * US_PER_MS,
           "a forged farewell ended the call");
    mono_us said = w->now;
    client_bye(c);
    world_run(w, 3 * US_PER_S);
    EXPECT(w, c->evt_lost, "LOST was not said");
    EXPECT(w, c->byes == 1, "answered %u times", c->byes);
    EXPECT(w, c->last_rtp_us <= said + 200 * US_PER_MS, "RTP was sent %lld ms after the farewell",
           (long long)(c->last_rtp_us - said) / 1000);
    world_leave(w, let_go);
    world_run(w, 500 * US_PER_MS);
    EXPECT(w, let_go->byes == 1, "who was let go heard of it %u times", let_go->byes);
}

/* When a publisher was asked for key frames of its camera; layers asked at once are one request. */
struct asked {
    mono_us at[64];
    unsigned count;
    uint32_t seen[4]; /* by layer, streams 1 to 3 */
};

static void note_asked(struct asked *asked, const struct client *pub)
{
    for (unsigned i = 1; i <= 3; i++) {
        const struct stream_out *s = &pub->stream[i];
        for (; asked->seen[i] != s->pli_at; asked->seen[i]++) {
            mono_us at = s->pli_us[asked->seen[i] % 8];
            bool known = false;
            for (unsigned k = 0; k < asked->count; k++) {
                known = known || asked->at[k] == at;
            }
            if (!known && asked->count < 64) {
                asked->at[asked->count++] = at;
            }
        }
    }
}

/* At most four in any four seconds, 300 ms between two. */
static void expect_governed(struct world *w, const struct asked *asked)
{
    for (unsigned i = 0; i < asked->count; i++) {
        unsigned n = 0;
        for (unsigned k = 0; k < asked->count; k++) {
            mono_us after = asked->at[k] - asked->at[i];
            n += after >= 0 && after < 4 * US_PER_S;
            EXPECT(w, k <= i || after >= 300 * US_PER_MS, "requests %lld ms apart",
                   (long long)(after / US_PER_MS));
        }
        EXPECT(w, n <= 4, "the publisher heard %u requests in 4 s", n);
    }
    EXPECT(w, asked->count >= 1, "the publisher heard no request");
}

static void run_pli_flood(struct world *w)
{
    people(w, 1, MIC | CAM, 0);
    for (unsigned i = 0; i < 100; i++) {
        world_join(w, ROOM_A, i % w->shards, 0);
        world_view_all(w, w->client[w->clients - 1], 1, 720);
    }
    world_run(w, 4 * US_PER_S);
    struct client *pub = w->client[0];
    struct asked asked = {0};
    for (unsigned i = 1; i <= 3; i++) {
        asked.seen[i] = pub->stream[i].pli_at;
    }
    for (unsigned ms = 0; ms < 8000; ms += 20) {
        /* One after the other joins in, so that the limits of each viewer do not help. */
        for (unsigned i = 1; i < w->clients && 80 * i <= ms + 80; i++) {
            struct client *c = w->client[i];
            uint8_t out[64];
            struct wr wr = wr_init(out, 24);
            rtcp_write_pli(&wr, 1, c->answer.ssrc_base + 2 * VIDEO0);
            client_rtcp(c, out, wr_len(&wr));
        }
        world_run(w, 20 * US_PER_MS);
        note_asked(&asked, pub);
    }
    printf("   S12: 100 viewers x 50 PLI/s for 8 s: the publisher heard %u requests\n",
           asked.count);
    expect_governed(w, &asked);
}

static void run_restart(struct world *w)
{
    people(w, 3, MIC | CAM, 360);
    world_run(w, 3 * US_PER_S);
    struct client *c = w->client[0];
    struct sfu_cmd cmd = {.kind = SFU_CMD_RESTART, .token = 99};
    memcpy(c->offer.ufrag, "efgh", 5);
    cmd.offer = c->offer;
    c->answered = false;
    world_command(w, c, &cmd);
    EXPECT(w, c->answered, "no answer to a restart");
    c->old_tuple = c->tuple;
    c->tuple.remote.port = 23456; /* a new address: Wi-Fi to mobile */
    c->tuple.remote.ip[3] = 77;
    c->next_check_us = 0;
    world_run(w, 3 * US_PER_S);
    EXPECT(w, w->now - c->last_rtp_us < 100 * US_PER_MS, "no media on the new path");
    everybody_live(w, 4);
}

/* Key frames asked of a client so far, its camera layers together. */
static uint32_t asked_of(const struct client *c)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        sum += c->stream[i].plis;
    }
    return sum;
}

/* The newest packet that reached any slot of the client. */
static mono_us heard_us(const struct client *c)
{
    mono_us newest = 0;
    for (unsigned k = 0; k < SIM_SLOTS; k++) {
        if (c->check[k].got && c->check[k].got_us > newest) {
            newest = c->check[k].got_us;
        }
    }
    return newest;
}

/*
 * F5: the home router gives the client another port; what is sent to the old one is lost. From the
 * first check by the new port on: media within a round trip, and key frames both ways are asked
 * for without waiting for anybody to miss something.
 */
static void rebinding(struct world *w, mono_us check_after)
{
    struct client *c = w->client[0];
    c->gone_tuple = c->tuple;
    c->tuple.remote.port = (uint16_t)(c->tuple.remote.port + 1000);
    c->next_check_us = w->now + check_after;
    mono_us check = c->next_check_us;
    world_run(w, check_after - 1);
    EXPECT(w, heard_us(c) < check - check_after + 100 * US_PER_MS, "media by the old port");
    uint32_t others = asked_of(w->client[1]);
    uint32_t own = asked_of(c);
    world_run(w, 100 * US_PER_MS);
    EXPECT(w, heard_us(c) > check, "F5: no media within 100 ms of the first check");
    EXPECT(w, asked_of(w->client[1]) > others, "F5: no key frame asked for the one who was away");
    EXPECT(w, asked_of(c) > own, "F5: no key frame asked of the one who was away");
    world_run(w, 3 * US_PER_S);
    EXPECT(w, w->now - heard_us(c) < 100 * US_PER_MS, "F5: no media 3 s later");
}

static void run_rebind(struct world *w)
{
    people(w, 3, MIC | CAM, 360);
    w->loss_up_any = 1; /* until its check, what the client sends is from nobody */
    world_run(w, 5 * US_PER_S);
    rebinding(w, 2400 * US_PER_MS);
    world_run(w, 4 * US_PER_S);
    w->client[0]->nominated_once = true;
    rebinding(w, 5500 * US_PER_MS);
    world_run(w, 4 * US_PER_S);
    rebinding(w, 1500 * US_PER_MS); /* a check repeated soon after one by the old port */
    everybody_live(w, 4);
}

const struct scenario scenarios[] = {
    {"table_of_four", 1, 5, run_table},
    {"layers_follow_the_tile", 1, 5, run_layers},
    {"slot_switches_every_500_ms", 1, 5, run_switch},
    {"mute_takes_effect_at_once", 1, 5, run_mute},
    {"muted_time_is_not_asked_for", 1, 5, run_mute_privacy},
    {"two_shards_muted_time", 2, 5, run_mute_privacy},
    {"s27_rooms_never_leak", 1, 5, run_rooms},
    {"loudest_speak", 1, 3, run_speakers},
    {"silence_is_not_opened", 1, 3, run_silence},
    {"screen_with_sound", 1, 5, run_screen},
    {"still_screen_for_a_late_viewer", 1, 5, silent_still_screen},
    {"two_shards_still_screen", 2, 5, silent_still_screen},
    {"screen_shown_again", 1, 5, silent_screen_again},
    {"two_shards_screen_again", 2, 5, silent_screen_again},
    {"told_in_vain", 1, 5, steps_screen_told_in_vain},
    {"two_shards_told_in_vain", 2, 5, steps_screen_told_in_vain},
    {"layers_told_in_vain", 1, 5, steps_told_in_vain},
    {"two_shards_layers_told_in_vain", 2, 5, steps_told_in_vain},
    {"silent_camera", 1, 5, silent_camera},
    {"two_shards_silent_camera", 2, 5, silent_camera},
    {"silent_resumed", 1, 5, silent_resumed},
    {"two_shards_silent_resumed", 2, 5, silent_resumed},
    {"silent_screen", 1, 5, silent_screen},
    {"two_shards_silent_screen", 2, 5, silent_screen},
    {"silent_slow", 1, 5, silent_slow},
    {"silent_other_ssrc", 1, 5, silent_other_ssrc},
    {"two_shards_other_ssrc", 2, 5, silent_other_ssrc},
    {"begun_with_the_past", 1, 5, silent_begun_with_the_past},
    {"stills", 1, 5, steps_stills},
    {"two_shards_stills", 2, 5, steps_stills},
    {"falters", 1, 5, steps_falters},
    {"two_shards_falters", 2, 5, steps_falters},
    {"step_down_without_key_frame", 1, 5, steps_down_thinned},
    {"steps_up_in_vain", 1, 5, steps_up_in_vain},
    {"key_frames_torn", 1, 5, steps_torn},
    {"focus_before_tiles", 1, 5, steps_focus_first},
    {"trial_that_is_answered", 1, 5, steps_trial_answered},
    {"no_request_before_the_path", 1, 5, steps_not_connected},
    {"two_shards_no_request", 2, 5, steps_not_connected},
    {"past_to_begin_with", 1, 5, steps_begin_with_the_past},
    {"past_is_base_layer", 1, 5, steps_past_is_base},
    {"people_come_and_go", 1, 5, run_churn},
    {"fast_start_300_joins", 2, 5, crowd_joins},
    {"five_percent_lost_downwards", 1, 5, run_loss_down},
    {"five_percent_lost_upwards", 1, 5, run_loss_up},
    {"s7_consent_ends_after_30_s", 1, 5, run_consent},
    {"farewell_both_ways", 1, 5, run_farewell},
    {"s12_key_frame_requests_governed", 1, 5, run_pli_flood},
    {"s1_broken_handshakes", 1, 5, attack_s1_handshake},
    {"s7_no_takeover_by_media", 1, 5, attack_s7_takeover},
    {"s7_no_takeover_by_a_check", 1, 5, attack_s7_claim},
    {"s8_injected_media_moves_nothing", 1, 5, attack_s8_inject},
    {"s9_million_bad_packets", 1, 5, attack_s9_bad_packets},
    {"s10_replays_and_short_packets", 1, 5, attack_s10_replay},
    {"s11_foreign_and_many_ssrcs", 1, 5, attack_s11_ssrcs},
    {"s12_feedback_hurts_nobody_else", 1, 5, attack_s12_feedback},
    {"s12_requests_have_an_end", 1, 5, attack_s12_requests},
    {"restart_moves_the_path", 1, 5, run_restart},
    {"f6_two_move", 1, 5, path_handover},
    {"f6_two_shards_move", 2, 5, path_handover},
    {"f6_during_a_switch", 1, 5, path_during_switch},
    {"f6_back_with_less", 1, 5, path_comes_back_small},
    {"f6_heard_first", 1, 5, path_heard_first},
    {"f1_spare_path", 1, 5, path_spare},
    {"f1_one_way", 1, 5, path_one_way},
    {"f6_soon_less", 1, 5, path_gives_up_large},
    {"away_for_long", 1, 5, path_away},
    {"overload_step_by_step", 1, 5, shed_steps},
    {"two_shards_overload", 2, 5, shed_steps},
    {"paused_under_overload", 1, 5, shed_resumed},
    {"withdrawn_in_flight", 1, 5, shed_withdrawn},
    {"two_shards_withdrawn", 2, 5, shed_withdrawn},
    {"links_of_three_sizes", 1, 5, link_sizes},
    {"f4_changing_link", 1, 5, link_f4},
    {"rfc8867_variable_capacity", 1, 5, link_rfc8867},
    {"f1_loss", 1, 5, link_f1},
    {"f2_f3_jitter_and_order", 1, 5, link_f2_f3},
    {"three_links_noisy", 1, 5, link_three},
    {"camera_of_one_encoding", 1, 5, link_one_encoding},
    {"smallest_picture", 1, 5, link_smallest},
    {"voice_repair", 1, 5, link_voice},
    {"voice_of_a_clean_path", 1, 5, link_voice_clean},
    {"voice_with_pauses", 1, 5, link_voice_pauses},
    {"pool_runs_empty", 1, 5, codec_starved},
    {"key_frames_of_layers", 1, 5, codec_keys},
    {"one_slot_every_kind", 1, 5, policy_one_slot},
    {"two_shards_one_slot", 2, 5, policy_one_slot},
    {"plenty_is_whole", 1, 5, policy_plenty_is_whole},
    {"room_for_sound", 1, 5, policy_room_for_sound},
    {"trial_that_ends", 1, 5, policy_trial_ends},
    {"two_shards_next_below", 2, 5, policy_next_below},
    {"queue_given_up", 1, 5, policy_queue_given_up},
    {"paced_by_remb", 1, 5, policy_paced_by_remb},
    {"next_below", 1, 5, policy_next_below},
    {"sound_sent_again", 1, 5, policy_sound_again},
    {"sound_asked_for_a_second", 1, 5, policy_sound_asked},
    {"two_shards_sound_kept_back", 2, 2, policy_sound_kept_back},
    {"bad_path_repaired_twice", 1, 5, repair_twice},
    {"late_ones_twice", 1, 5, repair_of_late_ones},
    {"feedback_that_never_came", 1, 5, repair_untold},
    {"seldom_losses_repaired", 1, 5, repair_of_seldom_losses},
    {"reordered_left_alone", 1, 5, repair_of_reordered},
    {"repair_has_half", 1, 5, repair_budget},
    {"lossy_path_doubled", 1, 5, repair_doubled},
    {"path_measured_anew", 1, 5, repair_path_measured_anew},
    {"f5_rebinding", 1, 5, run_rebind},
    {"f5_two_shards_rebinding", 2, 5, run_rebind},
    {"listening_to_another_room", 1, 5, workshop_listen},
    {"two_shards_listening", 2, 5, workshop_listen},
    {"three_shards_listening", 3, 3, workshop_listen},
    {"voice_into_all_rooms", 1, 5, workshop_voice},
    {"three_shards_voice", 3, 5, workshop_voice},
    {"moves_are_heard_at_once", 1, 5, workshop_moves},
    {"three_shards_moves", 3, 5, workshop_moves},
    {"two_shards_table_of_four", 2, 5, run_table},
    {"two_shards_layers", 2, 5, run_layers},
    {"two_shards_switches", 2, 5, run_switch},
    {"two_shards_mute", 2, 5, run_mute},
    {"s27_three_shards_rooms", 3, 5, run_rooms},
    {"three_shards_loudest", 3, 3, run_speakers},
    {"two_shards_screen", 2, 5, run_screen},
    {"three_shards_churn", 3, 5, run_churn},
    {"two_shards_loss_down", 2, 5, run_loss_down},
    {"two_shards_loss_up", 2, 5, run_loss_up},
    {"s12_two_shards_requests_governed", 2, 5, run_pli_flood},
    {"s12_two_shards_feedback", 2, 5, attack_s12_feedback},
    {"three_shards_full_rings", 3, 5, rings_full},
    {"three_shards_one_stands", 3, 5, rings_one_stands},
};
const unsigned scenarios_count = sizeof(scenarios) / sizeof(scenarios[0]);

static void random_step(struct world *w)
{
    struct client *c = w->client[rng_below(&w->rng, w->clients)];
    uint32_t what = rng_below(&w->rng, 10);
    if (!c->open) {
        return;
    }
    if (what < 4) {
        world_view_all(w, c, 1 + rng_below(&w->rng, 8), (uint16_t)(90 << rng_below(&w->rng, 4)));
    } else if (what < 6) {
        world_publish(w, c, rng_below(&w->rng, 16));
        for (unsigned s = 0; s < SOURCE_COUNT; s++) {
            c->on[s] = (c->publish >> s & 1) || rng_below(&w->rng, 2);
        }
    } else if (what < 7) {
        world_room(w, c, rng_below(&w->rng, 3) ? ROOM_A : ROOM_B);
    } else if (what < 8) {
        c->level[SOURCE_MIC] = (uint8_t)(20 + rng_below(&w->rng, 100));
        if (rng_below(&w->rng, 2)) {
            struct sfu_ears ears = {.ears = 1 + (rng_below(&w->rng, 2) != 0), .eyes = 1};
            ears.ear[0] = rng_below(&w->rng, 2) ? ROOM_V : ROOM_A;
            ears.ear[1] = ROOM_B;
            ears.eye[0] = rng_below(&w->rng, 2) ? ROOM_B : ROOM_A;
            world_ears(w, c, &ears);
        } else {
            world_voice(w, c, rng_below(&w->rng, 2) ? ROOM_V : 0);
        }
    } else if (what < 9 && w->clients < 24) {
        world_join(w, ROOM_A, rng_below(&w->rng, w->shards), MIC | CAM);
    } else if (w->clients > 3) {
        world_leave(w, c);
    }
}

void scenario_random(struct world *w)
{
    unsigned n = 2 + rng_below(&w->rng, 8);
    people(w, n, MIC | CAM, 360);
    if (rng_below(&w->rng, 2)) {
        lossy(w, rng_below(&w->rng, 80), rng_below(&w->rng, 80));
        w->loss_up_any = 1;
    }
    world_run(w, US_PER_S);
    for (unsigned i = 0; i < 30; i++) {
        random_step(w);
        world_run(w, 20 * US_PER_MS + rng_below(&w->rng, 500) * US_PER_MS);
    }
}
