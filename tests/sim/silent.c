/*
 * A picture that somebody has or waits for and that does not come: its publisher never hears that
 * it is wanted, or his browser stops. It is asked for as long as somebody wants it, he is not told
 * that it is there, and it is there again when it comes. A screen on which nothing moves sends
 * nothing.
 */
#include <stdio.h>

#include "server/proto/alloc.h"
#include "tests/sim/scenario.h"

enum {
    ROOM = 7,
    VIDEO0 = 5,
    MIC = 1u << SOURCE_MIC,
    SCREEN = 1u << SOURCE_SCREEN,
    CAMERA = MIC | 1u << SOURCE_CAMERA,
    NEVER = 1000, /* so many messages are lost */
};

static const mono_us SILENT_US = 12 * US_PER_S; /* so long it may be told to be there */
static const mono_us AGAIN_US = 31 * US_PER_S;  /* the longest time between two requests */

static bool live(const struct client *viewer)
{
    return viewer->slot[VIDEO0].state == SFU_SLOT_LIVE;
}

/* How often the viewer was told something else about his picture, in that time. */
static unsigned turns(struct world *w, const struct client *viewer, mono_us during)
{
    unsigned count = 0;
    for (mono_us end = w->now + during; w->now < end;) {
        bool before = live(viewer);
        world_run(w, 100 * US_PER_MS);
        count += live(viewer) != before;
    }
    return count;
}

/* The publisher's page stops to send pictures, whatever it was told. */
static void stop(struct client *c)
{
    for (unsigned i = 1; i <= 4; i++) {
        c->stream[i].off = true;
    }
}

static void heard_again(struct world *w, struct client *host, const struct client *viewer,
                        const char *what)
{
    host->sends_lost = 0;
    mono_us from = w->now;
    uint64_t packets = viewer->check[VIDEO0].got;
    while (w->now - from < AGAIN_US && !(live(viewer) && viewer->check[VIDEO0].got > packets)) {
        world_run(w, 100 * US_PER_MS);
    }
    EXPECT(w, live(viewer) && viewer->check[VIDEO0].got > packets, "%s: never asked again", what);
    printf("   %s: back %.1f s after it can be heard\n", what, (double)(w->now - from) / US_PER_S);
}

/* A camera that is watched stops. */
void silent_camera(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 20 * US_PER_S); /* the smaller ones rest: nothing of it flows but what he sees */
    EXPECT(w, live(viewer) && host->stream[2].off, "no picture to begin with");
    host->sends_lost = NEVER;
    stop(host);
    mono_us from = w->now;
    while (live(viewer) && w->now - from < 60 * US_PER_S) {
        world_run(w, 100 * US_PER_MS);
    }
    EXPECT(w, !live(viewer) && w->now - from <= SILENT_US, "told to be there for %lld s",
           (long long)((w->now - from) / US_PER_S));
    EXPECT(w, w->now - from > 6 * US_PER_S, "a short pause is told");
    EXPECT(w, viewer->slot[VIDEO0].reason == ALLOC_BY_SOURCE, "reason %u",
           viewer->slot[VIDEO0].reason);
    uint64_t heard = viewer->check[0].got + viewer->check[1].got;
    EXPECT(w, turns(w, viewer, 100 * US_PER_S) == 0, "told back and forth");
    EXPECT(w, viewer->check[0].got + viewer->check[1].got > heard + 1000, "sound stopped too");
    host->stream[1].off = false; /* a few packets, and nothing again */
    world_run(w, 200 * US_PER_MS);
    host->stream[1].off = true;
    world_run(w, 100 * US_PER_MS);
    EXPECT(w, live(viewer), "what comes is not told");
    EXPECT(w, turns(w, viewer, 60 * US_PER_S) == 1 && !live(viewer), "told for ever");
    heard_again(w, host, viewer, "a camera that stopped");
    EXPECT(w, viewer->slot[VIDEO0].reason == ALLOC_FULL, "reason %u", viewer->slot[VIDEO0].reason);
    uint32_t told = host->sends_told;
    EXPECT(w, turns(w, viewer, 60 * US_PER_S) == 0, "not whole afterwards");
    EXPECT(w, host->sends_told <= told + 1, "what comes was asked for again");
}

/* A tab that was hidden is seen again, and the publisher does not hear that his picture is wanted,
 * for longer than anybody used to insist. The source has one encoding, or several of which another
 * one never comes either. */
static void resumed_in_vain(struct world *w, uint32_t publish, uint8_t source, unsigned stream,
                            const char *what)
{
    struct client *host = world_join(w, ROOM, 0, publish);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    struct sfu_want want = {.slot = 0, .source = source, .height_max = 720, .publisher = host->id};
    host->on[source] = true;
    world_view(w, viewer, &want, 1);
    world_run(w, 5 * US_PER_S);
    EXPECT(w, live(viewer), "%s: no picture to begin with", what);
    world_view(w, viewer, &want, 0);
    world_run(w, 30 * US_PER_S);
    EXPECT(w, host->stream[stream].off, "%s: does not rest", what);
    host->sends_lost = NEVER;
    world_view(w, viewer, &want, 1);
    world_run(w, 200 * US_PER_S);
    EXPECT(w, !live(viewer) && viewer->slot[VIDEO0].state == SFU_SLOT_WAITING, "%s: state %u", what,
           viewer->slot[VIDEO0].state);
    EXPECT(w, viewer->slot[VIDEO0].reason == ALLOC_BY_SOURCE, "%s: reason %u", what,
           viewer->slot[VIDEO0].reason);
    heard_again(w, host, viewer, what);
    world_leave(w, viewer);
    world_leave(w, host);
}

void silent_resumed(struct world *w)
{
    resumed_in_vain(w, CAMERA, SOURCE_CAMERA, 1, "a camera resumed in vain");
    resumed_in_vain(w, MIC | SCREEN, SOURCE_SCREEN, 4, "a screen resumed in vain");
}

/* Nothing moves on a screen for minutes: it is there, and nobody is asked for it all the time. */
void silent_screen(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, MIC | SCREEN);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    const struct sfu_want want = {
        .slot = 0, .source = SOURCE_SCREEN, .height_max = 1080, .publisher = host->id};
    host->on[SOURCE_SCREEN] = true;
    world_view(w, viewer, &want, 1);
    world_run(w, 5 * US_PER_S);
    uint32_t told = host->sends_told;
    uint32_t asked = host->stream[4].plis;
    host->on[SOURCE_SCREEN] = false;
    EXPECT(w, live(viewer) && turns(w, viewer, 300 * US_PER_S) == 0, "a still screen is told gone");
    EXPECT(w, host->sends_told <= told + 16, "%u requests in five minutes",
           host->sends_told - told);
    EXPECT(w, host->stream[4].plis == asked, "key frames of a still screen");
    host->on[SOURCE_SCREEN] = true;
    uint64_t packets = viewer->check[VIDEO0].got;
    world_run(w, US_PER_S);
    EXPECT(w, live(viewer) && viewer->check[VIDEO0].got > packets, "it moves, and nobody sees it");
}

/* One picture every five seconds is a picture: what is slow is not told off and on. */
void silent_slow(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 5 * US_PER_S);
    for (unsigned i = 0; i < 12; i++) {
        host->on[SOURCE_CAMERA] = false;
        EXPECT(w, turns(w, viewer, 5 * US_PER_S) == 0, "picture %u: told off and on", i);
        host->on[SOURCE_CAMERA] = true;
        EXPECT(w, turns(w, viewer, 100 * US_PER_MS) == 0 && live(viewer), "picture %u", i);
    }
    world_publish(w, host, MIC); /* a camera that is closed is no picture that does not come */
    world_run(w, 30 * US_PER_S);
    EXPECT(w, viewer->slot[VIDEO0].reason != ALLOC_BY_SOURCE, "a closed camera is told silent");
    EXPECT(w, viewer->slot[VIDEO0].state == SFU_SLOT_OFF, "state %u", viewer->slot[VIDEO0].state);
}

/* A screen that does not move sends nothing: who comes late asks for it all the same. */
void silent_still_screen(struct world *w)
{
    struct client *teacher = world_join(w, ROOM, 0, MIC);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    world_publish(w, teacher, MIC | SCREEN);
    teacher->on[SOURCE_SCREEN] = true;
    struct sfu_want want = {
        .slot = 0, .source = SOURCE_SCREEN, .height_max = 1080, .publisher = teacher->id};
    world_view(w, viewer, &want, 1);
    world_run(w, 2 * US_PER_S);
    teacher->on[SOURCE_SCREEN] = false;
    world_run(w, 6 * US_PER_S);
    uint32_t before = teacher->stream[4].plis;
    struct client *late = world_join(w, ROOM, 0, MIC);
    world_view(w, late, &want, 1);
    world_run(w, US_PER_S);
    EXPECT(w, teacher->stream[4].plis > before, "nobody asked the still screen for a picture");
    teacher->on[SOURCE_SCREEN] = true; /* the key frame it was asked for */
    world_run(w, US_PER_S);
    EXPECT(w, late->slot[VIDEO0].state == SFU_SLOT_LIVE, "the late viewer sees no screen");
}

/* A screen is shown again that nobody looked at for long: it is not paused before it is asked for.
 */
void silent_screen_again(struct world *w)
{
    struct client *teacher = world_join(w, ROOM, 0, MIC);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    struct sfu_want want = {
        .slot = 0, .source = SOURCE_SCREEN, .height_max = 1080, .publisher = teacher->id};
    for (unsigned round = 0; round < 3; round++) {
        uint64_t paused = w->layers_paused;
        world_publish(w, teacher, MIC | SCREEN);
        teacher->on[SOURCE_SCREEN] = true;
        world_run(w, 1800 * US_PER_MS);
        EXPECT(w, !teacher->stream[4].off && w->layers_paused == paused,
               "round %u: what has just begun was paused", round);
        world_view(w, viewer, &want, 1);
        world_run(w, 2 * US_PER_S);
        EXPECT(w, viewer->slot[VIDEO0].state == SFU_SLOT_LIVE, "round %u: no screen", round);
        world_view(w, viewer, &want, 0);
        world_run(w, (round == 1 ? 20 : 1) * US_PER_S); /* long enough to be paused, or not */
        EXPECT(w, teacher->stream[4].off == (round == 1), "round %u: not paused", round);
        world_publish(w, teacher, MIC);
        teacher->on[SOURCE_SCREEN] = false;
        world_run(w, 20 * US_PER_S);
    }
}

/* A camera that was silent for a while goes on under other SSRCs, as after a collision or in a
 * client that makes its senders anew: numbers and timestamps begin anywhere, behind the old ones or
 * ahead of them. What was and what is are not one stream. */
void silent_other_ssrc(struct world *w)
{
    static const uint16_t jump[] = {40000, 20000, 300, 65036};
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 5 * US_PER_S);
    for (unsigned i = 0; i < sizeof(jump) / sizeof(jump[0]); i++) {
        host->on[SOURCE_CAMERA] = false;
        world_run(w, 3 * US_PER_S);
        for (unsigned k = 1; k <= 3; k++) {
            struct stream_out *s = &host->stream[k];
            s->ssrc += 1000;
            s->seq = (uint16_t)(s->seq + jump[i]);
            s->timestamp0 += 0x9abcdef0;
            s->sent = 0;
            s->key_wanted = true;
        }
        host->on[SOURCE_CAMERA] = true;
        uint64_t before = viewer->check[VIDEO0].packets;
        world_run(w, 5 * US_PER_S);
        EXPECT(w, viewer->check[VIDEO0].packets - before > 4 * 25 && live(viewer),
               "%u numbers further: %u packets in 5 s", jump[i],
               (unsigned)(viewer->check[VIDEO0].packets - before));
        EXPECT(w, host->lost_told < 8, "%u numbers further: %u of 256 told as lost", jump[i],
               host->lost_told);
    }
}

/* Nobody looks for a while, the publisher is told to rest and does; whoever comes in that second
 * begins with the past that still lies here. It is a beginning only if the publisher is told. */
void silent_begun_with_the_past(struct world *w)
{
    static const struct structure alone = {"vp8_alone", CODEC_VP8, 1, 1, 1, false, false};
    struct sfu_stats stats;
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    media_structure(host, SOURCE_CAMERA, &alone);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, MIC);
    host->sends_lost = 1; /* it comes late */
    for (unsigned i = 0; i < 300 && host->sends_lost; i++) {
        world_run(w, 100 * US_PER_MS);
    }
    EXPECT(w, !host->sends_lost, "an unwatched camera was never told to rest");
    host->stream[1].key_wanted = true;
    world_run(w, 200 * US_PER_MS);
    stop(host);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 5 * US_PER_S);
    world_stats(w, 0, &stats);
    uint64_t packets = viewer->check[VIDEO0].got;
    world_run(w, 1 * US_PER_S);
    EXPECT(w, stats.fast_starts == 1, "it did not begin with the past");
    EXPECT(w, live(viewer) && viewer->check[VIDEO0].got > packets + 10, "it stands");
}
