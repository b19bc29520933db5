/*
 * One type of subscription: whatever a slot shows goes by the same rules, and what differs is a row
 * (server/sfu/policy.h, server/proto/alloc.h). And what those rows and limits are worth, in
 * numbers.
 */
#include "server/sfu/policy.h"

#include <stdio.h>

#include "codec/wire/rtcp.h"
#include "server/proto/alloc.h"
#include "tests/sim/model.h"
#include "tests/sim/scenario.h"

enum {
    ROOM = 7,
    VIDEO0 = 5,
    MIC = 1u << SOURCE_MIC,
    CAMERA = 1u << SOURCE_CAMERA,
    SCREEN = 1u << SOURCE_SCREEN,
    SOUND = 1u << SOURCE_SOUND,
    WHEP_HEIGHT = 2160, /* what a viewer at the door wishes for */
};

/* ---- one slot, every kind ---- */

static bool screen_of(const struct structure *st)
{
    return st->name[4] == 's' && st->name[5] == 'c';
}

/* The slot shows `who` as high as that, in the end: its reason. */
static uint8_t shows(struct world *w, struct client *viewer, const struct sfu_want *want,
                     uint16_t height)
{
    uint64_t before = 0;
    world_view(w, viewer, want, 1);
    for (unsigned i = 0; i < 60; i++) {
        const struct sfu_slot_view *s = &viewer->slot[VIDEO0];
        world_run(w, 100 * US_PER_MS);
        bool there =
            s->publisher == want->publisher && s->state == SFU_SLOT_LIVE && s->height == height;
        before = there && before ? before : (there ? viewer->model[0].frames : 0);
        if (there && viewer->model[0].frames > before + 3) {
            return s->reason;
        }
    }
    return UINT8_MAX;
}

/* One slot shows a person after the other, each in another codec and layer structure, large, as a
 * thumbnail, and as large as there is: the same answers for all of them. The receiver is the strict
 * one: whatever came before, nothing in the slot breaks off. */
void policy_one_slot(struct world *w)
{
    struct client *host[STRUCTURES];
    w->modelled = true;
    for (unsigned i = 0; i < STRUCTURES; i++) {
        bool screen = screen_of(&structures[i]);
        host[i] = world_join(w, ROOM, i % w->shards, screen ? SCREEN : CAMERA);
        media_structure(host[i], screen ? SOURCE_SCREEN : SOURCE_CAMERA, &structures[i]);
    }
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < STRUCTURES; i++) {
        const struct structure *st = &structures[i];
        unsigned steps = st->encodings > 1 ? st->encodings : st->spatial;
        uint16_t least = (uint16_t)(720 >> (steps - 1));
        const struct {
            uint16_t wish, shown;
            enum alloc_reason reason;
        } rows[] = {
            {720, 720, ALLOC_FULL},
            {90, least, ALLOC_FULL},
            {WHEP_HEIGHT, 720, ALLOC_BY_SOURCE},
        };
        for (unsigned k = 0; k < 3; k++) {
            const struct sfu_want want = {
                .slot = 0,
                .source = screen_of(st) ? SOURCE_SCREEN : SOURCE_CAMERA,
                .height_max = rows[k].wish,
                .publisher = host[i]->id,
            };
            uint8_t reason = shows(w, viewer, &want, rows[k].shown);
            EXPECT(w, reason == rows[k].reason, "%s at %u lines: shows %u, reason %u (state %u)",
                   st->name, rows[k].wish, viewer->slot[VIDEO0].height, reason,
                   viewer->slot[VIDEO0].state);
        }
    }
}

/* ---- upper layers on a path with plenty ---- */

static uint64_t left_out_of(struct world *w)
{
    uint64_t sum = 0;
    for (unsigned shard = 0; shard < w->shards; shard++) {
        struct sfu_stats stats;
        world_stats(w, shard, &stats);
        sum += stats.left_out;
    }
    return sum;
}

/* Pictures that came in 4 s of the camera, wished as high as that. */
static uint64_t pictures(struct world *w, struct client *viewer, const struct sfu_want *want)
{
    enum { SETTLE_US = 3 * US_PER_S, LOOK_US = 4 * US_PER_S };
    world_view(w, viewer, want, 1);
    world_run(w, SETTLE_US);
    uint64_t before = viewer->model[0].frames;
    world_run(w, LOOK_US);
    return viewer->model[0].frames - before;
}

/*
 * Of three encodings the large one costs hardly more than each of the others, as when it began and
 * rests, or when little moves. Who wishes a small one and has plenty gets every picture of it, and
 * no change of his wish costs him one: upper temporal layers were left out as dearer than the
 * lower ones of a picture nobody wished for.
 */
void policy_plenty_is_whole(struct world *w)
{
    static const struct structure layered = {"vp8", CODEC_VP8, 3, 1, 3, false, false};
    static const uint16_t filler[3] = {420, 380, 350};
    static const uint16_t wish[] = {360, 180, 720, 360, 720, 180};
    w->modelled = true;
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    media_structure(host, SOURCE_CAMERA, &layered);
    for (unsigned i = 0; i < 3; i++) {
        host->stream[1 + i].packets = 1;
        host->stream[1 + i].filler = filler[i];
    }
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    struct sfu_want want = {.source = SOURCE_CAMERA, .height_max = 720, .publisher = host->id};
    (void)pictures(w, viewer, &want);
    uint64_t left_out = left_out_of(w);
    for (unsigned i = 0; i < sizeof(wish) / sizeof(wish[0]); i++) {
        want.height_max = wish[i];
        uint64_t got = pictures(w, viewer, &want);
        EXPECT(w, viewer->slot[VIDEO0].height == wish[i], "%u lines wished, %u there", wish[i],
               viewer->slot[VIDEO0].height);
        EXPECT(w, got >= 98, "%u lines: %llu pictures in 4 s, 100 were sent", wish[i],
               (unsigned long long)got);
    }
    EXPECT(w, left_out_of(w) == left_out, "%llu packets left out",
           (unsigned long long)(left_out_of(w) - left_out));
}

/* ---- what is kept for sound ---- */

static void told_for(struct world *w, struct client *c, uint64_t bps, mono_us during)
{
    for (mono_us end = w->now + during; w->now < end;) {
        client_width(c, bps);
        world_run(w, 100 * US_PER_MS);
    }
}

/* The least width, roughly, at which the viewer has the large picture. */
static uint32_t width_for_picture(uint64_t seed, unsigned shards, uint32_t sounds)
{
    struct world *own = world_new(seed, shards, 5);
    struct client *host = world_join(own, ROOM, 0, CAMERA | sounds);
    struct client *viewer = world_join(own, ROOM, shards - 1, 0);
    const struct sfu_want want = {
        .slot = 0, .source = SOURCE_CAMERA, .height_max = 720, .publisher = host->id};
    uint32_t bps = 180000;
    viewer->lie = LIE_WIDTH;
    world_view(own, viewer, &want, 1);
    told_for(own, viewer, bps, 8 * US_PER_S);
    while (bps < 1000000 && viewer->slot[VIDEO0].height < 720) {
        bps += bps / 19;
        told_for(own, viewer, bps, 500 * US_PER_MS);
    }
    world_free(own);
    return bps;
}

/* Of every budget is kept what somebody needs who speaks, and more for the sound of a screen. */
void policy_room_for_sound(struct world *w)
{
    uint32_t quiet = width_for_picture(w->seed, w->shards, 0);
    uint32_t voice = width_for_picture(w->seed, w->shards, MIC);
    uint32_t both = width_for_picture(w->seed, w->shards, MIC | SOUND);
    printf("   a picture needs %u kbit/s, %u beside a voice, %u with the sound of a screen\n",
           quiet / 1000, voice / 1000, both / 1000);
    EXPECT(w, voice > quiet + 20000 && voice < quiet + 80000, "%u beside a voice", voice);
    EXPECT(w, both > voice + 100000 && both < voice + 200000, "%u beside sound", both);
}

/* ---- the trial of a path ---- */

/* The first picture is tried for five seconds on a path of which nothing good is known, and then
 * rests. */
void policy_trial_ends(struct world *w)
{
    static const struct structure alone = {"vp8_alone", CODEC_VP8, 1, 1, 1, false, false};
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    host->stream[1].packets = 12;
    media_structure(host, SOURCE_CAMERA, &alone);
    viewer->lie = LIE_WIDTH;
    told_for(w, viewer, 150000, 4 * US_PER_S);
    world_view_all(w, viewer, 1, 720);
    mono_us from = w->now;
    mono_us shown = 0;
    while (w->now - from < 20 * US_PER_S) {
        told_for(w, viewer, 150000, 100 * US_PER_MS);
        if (viewer->slot[VIDEO0].state == SFU_SLOT_LIVE) {
            shown = w->now;
        }
    }
    printf("   600 kbit/s where 150 are told: shown for %lld ms\n",
           (long long)((shown - from) / US_PER_MS));
    EXPECT(w, shown - from > 4500 * US_PER_MS && shown - from < 8 * US_PER_S, "shown for %lld ms",
           (long long)((shown - from) / US_PER_MS));
    EXPECT(w, viewer->slot[VIDEO0].reason == ALLOC_PAUSED_BY_CONNECTION, "reason %u",
           viewer->slot[VIDEO0].reason);
}

/* What cannot leave in useful time is not kept: pictures of ten times the width are tried, their
 * queue is given up and begins anew with a key frame, and it never holds more than some seconds. */
void policy_queue_given_up(struct world *w)
{
    static const struct structure alone = {"vp8_alone", CODEC_VP8, 1, 1, 1, false, false};
    struct sfu_stats stats;
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, 0, 0);
    host->stream[1].packets = 10;
    host->stream[1].filler = 1000;
    media_structure(host, SOURCE_CAMERA, &alone);
    viewer->lie = LIE_WIDTH;
    told_for(w, viewer, 200000, 4 * US_PER_S);
    world_view_all(w, viewer, 1, 720);
    uint32_t asked = host->stream[1].plis;
    uint32_t oldest = 0;
    for (unsigned i = 0; i < 50; i++) {
        told_for(w, viewer, 200000, 100 * US_PER_MS);
        uint32_t age = host->stream[1].frame - viewer->check[VIDEO0].mark.frame;
        oldest = viewer->slot[VIDEO0].state == SFU_SLOT_LIVE && age > oldest ? age : oldest;
    }
    world_stats(w, 0, &stats);
    printf("   2 Mbit/s where 200 k are told: %llu packets given up, %u ms behind at most\n",
           (unsigned long long)stats.drops[DROP_QUEUE_FULL], oldest * 40);
    /* More than once: a queue that is given up holds some 270 packets. */
    EXPECT(w, stats.drops[DROP_QUEUE_FULL] >= 400, "%llu packets given up",
           (unsigned long long)stats.drops[DROP_QUEUE_FULL]);
    EXPECT(w, host->stream[1].plis > asked, "no key frame was asked for");
}

/* Who knows no transport-wide numbers tells how wide his path is by REMB, and is sent no more of a
 * picture that is tried: ten times the width leaves at the pace of the path. Sound does not wait
 * for it: none of its packets leaves later than the next one is made. */
void policy_paced_by_remb(struct world *w)
{
    enum { WIDTH = 200000, FOR_S = 3 };
    static const struct structure alone = {"vp8_alone", CODEC_VP8, 1, 1, 1, false, false};
    struct client *host = world_join(w, ROOM, 0, CAMERA | MIC);
    mono_us pause = 0;
    w->numberless = true;
    struct client *viewer = world_join(w, ROOM, 0, 0);
    host->stream[1].packets = 10;
    host->stream[1].filler = 1000;
    media_structure(host, SOURCE_CAMERA, &alone);
    told_for(w, viewer, WIDTH, 4 * US_PER_S);
    world_view_all(w, viewer, 1, 720);
    link_clear(&viewer->down);
    for (unsigned ms = 0; ms < FOR_S * 1000; ms += 5) {
        if (ms % 100 == 0) {
            client_width(viewer, WIDTH);
        }
        world_run(w, 5 * US_PER_MS);
        mono_us silent = w->now - viewer->check[0].at;
        pause = silent > pause ? silent : pause;
    }
    uint64_t bps = viewer->down.offered * 8 / FOR_S;
    printf("   2 Mbit/s where a REMB tells 200 k: %llu kbit/s\n", (unsigned long long)bps / 1000);
    EXPECT(w, bps > WIDTH && bps < 3 * WIDTH, "%llu bit/s", (unsigned long long)bps);
    EXPECT(w, pause < 40 * US_PER_MS, "no sound for %lld ms", (long long)(pause / US_PER_MS));
}

/* ---- what was chosen is not there any more ---- */

/* A step down while the encoding that was chosen has ended and nobody knows it yet: the next below
 * goes on in its place at once, as what is there already, not as something new that has to wait. */
void policy_next_below(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    viewer->lie = LIE_WIDTH;
    world_view_all(w, viewer, 1, 720);
    told_for(w, viewer, 1000000, 8 * US_PER_S);
    EXPECT(w, viewer->slot[VIDEO0].height == 720, "%u lines", viewer->slot[VIDEO0].height);
    told_for(w, viewer, 170000, 300 * US_PER_MS);
    EXPECT(w, viewer->slot[VIDEO0].height == 360, "%u lines", viewer->slot[VIDEO0].height);
    host->stream[2].exists = false;
    told_for(w, viewer, 170000, 2 * US_PER_S);
    unsigned gone = 0;
    for (unsigned i = 0; i < 30; i++) {
        told_for(w, viewer, 125000, 100 * US_PER_MS); /* half of the pictures of what has ended */
        gone += viewer->slot[VIDEO0].state != SFU_SLOT_LIVE;
    }
    EXPECT(w, gone == 0, "without a picture %u times", gone);
    EXPECT(w, viewer->slot[VIDEO0].height == 180, "%u lines", viewer->slot[VIDEO0].height);
}

/* ---- repair of sound ---- */

static void ask_sound(struct world *w, struct client *c, int64_t back)
{
    uint8_t out[100];
    uint16_t seq = (uint16_t)(c->check[0].got_top - back);
    struct wr wr = wr_init(out, 60);
    rtcp_write_nack(&wr, 1, c->answer.ssrc_base, &seq, 1);
    client_rtcp(c, out, wr_len(&wr));
    world_run(w, 87 * US_PER_MS);
}

/* Sound of the last 400 ms is sent again for who asks, whatever the moment; older is of no use. */
void policy_sound_again(struct world *w)
{
    world_join(w, ROOM, 0, MIC);
    struct client *hearer = world_join(w, ROOM, w->shards - 1, 0);
    world_run(w, 3 * US_PER_S);
    ask_sound(w, hearer, 3); /* from here on it is remembered how packets were written */
    world_run(w, 2 * US_PER_S);
    for (unsigned i = 0; i < 12; i++) {
        uint64_t before = hearer->audio_again;
        ask_sound(w, hearer, 14);
        EXPECT(w, hearer->audio_again == before + 1, "%u: 280 ms ago was not sent again", i);
        before = hearer->audio_again;
        ask_sound(w, hearer, 30);
        EXPECT(w, hearer->audio_again == before, "%u: 600 ms ago was sent again", i);
    }
}

/* What a speaker's path lost is asked for as long as it is of use: a second, no longer. */
void policy_sound_asked(struct world *w)
{
    struct sfu_stats before;
    struct sfu_stats after;
    struct client *speaker = world_join(w, ROOM, 0, MIC);
    world_join(w, ROOM, 0, 0);
    w->loss_up_any = 1;
    world_run(w, 3 * US_PER_S);
    world_stats(w, 0, &before);
    speaker->down.cut = true; /* hears of no request */
    speaker->up.cut = true;
    world_run(w, 20 * US_PER_MS);
    speaker->up.cut = false;
    world_run(w, 900 * US_PER_MS);
    world_stats(w, 0, &after);
    uint64_t asked = after.nacks_sent - before.nacks_sent;
    EXPECT(w, asked >= 6, "asked %llu times in 0.9 s", (unsigned long long)asked);
    world_run(w, 400 * US_PER_MS);
    world_stats(w, 0, &before);
    world_run(w, 2 * US_PER_S);
    world_stats(w, 0, &after);
    EXPECT(w, after.nacks_sent == before.nacks_sent, "still asked for after 1.3 s");
}

static bool hears(const struct client *c, const struct client *speaker)
{
    bool found = false;
    for (unsigned k = 0; k < VIDEO0; k++) {
        found = found || (c->slot[k].publisher == speaker->id && c->slot[k].state == SFU_SLOT_LIVE);
    }
    return found;
}

static uint64_t unopened(struct world *w, unsigned shard)
{
    struct sfu_stats s;
    world_stats(w, shard, &s);
    return s.drops[DROP_SILENCE_UNOPENED];
}

/* From their next packets on they send one after the other, 5 ms apart; nothing is on its way
 * before that. */
static void in_turn(struct world *w, struct client *const *c, unsigned count)
{
    enum { WAY = 21 * US_PER_MS };
    for (unsigned i = 0; i < count; i++) {
        c[i]->stream[0].next_us = w->now + WAY + i * 5 * US_PER_MS;
    }
    world_run(w, WAY);
}

/*
 * Two shards seat different people. A silent one loses his seat where he sends and keeps it where
 * he is heard: what he sends meanwhile is not opened and does not cross. When he has a seat again
 * his sound begins anew there; it does not go on as if packets had been lost.
 */
void policy_sound_kept_back(struct world *w)
{
    enum { SILENT = 110, HUM = 100, LOUD = 20 };
    struct client *first = world_join(w, ROOM, 0, MIC);
    struct client *silent = world_join(w, ROOM, 1, MIC);
    struct client *here = world_join(w, ROOM, 0, MIC);
    struct client *there = world_join(w, ROOM, 1, MIC);
    struct client *hearer = world_join(w, ROOM, 0, 0);
    first->level[SOURCE_MIC] = SILENT;
    silent->level[SOURCE_MIC] = SILENT;
    here->level[SOURCE_MIC] = HUM;
    there->level[SOURCE_MIC] = HUM;
    silent->on[SOURCE_MIC] = here->on[SOURCE_MIC] = there->on[SOURCE_MIC] = false;
    world_run(w, US_PER_S);
    here->on[SOURCE_MIC] = there->on[SOURCE_MIC] = true; /* each shard seats its own */
    here->stream[0].next_us = there->stream[0].next_us = w->now;
    world_run(w, 500 * US_PER_MS);
    silent->on[SOURCE_MIC] = true;
    world_run(w, 3 * US_PER_S);
    EXPECT(w, hears(hearer, here) && !hears(hearer, there), "both shards seat the same");
    EXPECT(w, !hears(hearer, silent), "the silent one has a seat");
    in_turn(w, (struct client *[]){silent, here, there}, 3);
    world_publish(w, first, 0);     /* his seat goes to the silent one, on both shards ... */
    here->level[SOURCE_MIC] = LOUD; /* ... and on one of them to who begins to speak */
    world_run(w, 100 * US_PER_MS);
    EXPECT(w, hears(hearer, silent), "the silent one has no seat where he is heard");
    uint64_t before = unopened(w, 1);
    world_run(w, 400 * US_PER_MS);
    EXPECT(w, unopened(w, 1) - before >= 18, "only %llu packets were kept back",
           (unsigned long long)(unopened(w, 1) - before));
    EXPECT(w, hears(hearer, silent), "the silent one lost his seat where he is heard");
    world_publish(w, there, 0);
    uint64_t holes = hearer->check[0].holes + hearer->check[1].holes;
    before = unopened(w, 1);
    world_run(w, 500 * US_PER_MS);
    EXPECT(w, unopened(w, 1) - before > 20, "nothing of who is muted comes");
    EXPECT(w, hearer->check[0].holes + hearer->check[1].holes == holes, "a hole in his sound");
    EXPECT(w, hears(hearer, silent), "the silent one is not heard again");
}
