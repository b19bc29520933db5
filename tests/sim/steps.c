/*
 * When a viewer goes from one layer to another, and what he sees meanwhile: a smaller picture that
 * has to wait for a key frame, steps up that are taken back, a past that is too old to begin with,
 * a layer whose publisher did not hear that it is wanted again.
 */
#include <stdio.h>

#include "tests/sim/model.h"
#include "tests/sim/scenario.h"

enum {
    ROOM = 7,
    VIDEO0 = 5,
    MIC = 1u << SOURCE_MIC,
    SCREEN = 1u << SOURCE_SCREEN,
    CAMERA = MIC | 1u << SOURCE_CAMERA
};

static const struct structure layered = {"vp9_steps", CODEC_VP9, 1, 3, 3, true, false};

static struct client *host_of_layers(struct world *w)
{
    w->modelled = true;
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    media_structure(host, SOURCE_CAMERA, &layered);
    return host;
}

static uint64_t pictures(struct world *w, const struct client *c, mono_us during)
{
    uint64_t before = c->model[0].frames;
    world_run(w, during);
    return c->model[0].frames - before;
}

/* No request reaches the camera: what is too large comes with every fourth picture, and is small
 * and comes more often as soon as a key frame allows it. */
void steps_down_thinned(struct world *w)
{
    struct client *host = host_of_layers(w);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 5 * US_PER_S);
    uint64_t before = pictures(w, viewer, 2 * US_PER_S);
    uint64_t large = viewer->model[0].by_spatial[2];
    EXPECT(w, before >= 48, "%llu pictures in 2 s before", (unsigned long long)before);
    host->down.cut = true;
    world_view_all(w, viewer, 1, 360);
    world_run(w, 400 * US_PER_MS);
    uint64_t thin = pictures(w, viewer, 2 * US_PER_S);
    printf("   a step down without key frame: %llu pictures in 2 s, %llu before\n",
           (unsigned long long)thin, (unsigned long long)before);
    EXPECT(w, thin >= 11 && thin <= 14, "%llu pictures in 2 s meanwhile", (unsigned long long)thin);
    EXPECT(w, viewer->model[0].by_spatial[2] > large + 11, "the large picture stopped");
    host->down.cut = false;
    uint64_t small = viewer->model[0].by_spatial[1];
    for (unsigned i = 0; i < 100 && viewer->model[0].by_spatial[1] < small + 5; i++) {
        world_run(w, 100 * US_PER_MS);
    }
    large = viewer->model[0].by_spatial[2];
    uint64_t after = pictures(w, viewer, 2 * US_PER_S);
    EXPECT(w, after >= 20, "%llu small pictures in 2 s", (unsigned long long)after);
    EXPECT(w, viewer->model[0].by_spatial[2] == large, "the large picture goes on");
}

/* The viewer says how much he takes, and nothing of what came. */
static void told_width(struct world *w, struct client *c, uint64_t bps)
{
    client_width(c, bps);
    world_run(w, 100 * US_PER_MS);
}

/* How often the picture became as large as it can be while so much was said. */
static unsigned rises(struct world *w, struct client *c, uint64_t bps, mono_us during)
{
    unsigned n = 0;
    for (mono_us end = w->now + during; w->now < end;) {
        uint16_t was = c->slot[VIDEO0].height;
        told_width(w, c, bps);
        n += was < 720 && c->slot[VIDEO0].height == 720;
    }
    return n;
}

/* Key frames that were asked for lose their first packet: it comes by repair, when the picture has
 * begun without it, so nobody can step up with them, and whoever asked for them was answered. It is
 * asked again until one comes in order. */
void steps_torn(struct world *w)
{
    static const uint16_t heights[] = {720, 180, 360};
    struct client *host = host_of_layers(w);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    w->loss_up_any = 1;
    world_view_all(w, viewer, 1, 180);
    world_run(w, 5 * US_PER_S);
    for (unsigned i = 0; i < 3; i++) {
        unsigned spatial = heights[i] / 360; /* of three: 0, 1, 2 */
        uint64_t before = viewer->model[0].by_spatial[spatial];
        host->stream[1].torn = 2;
        world_view_all(w, viewer, 1, heights[i]);
        mono_us from = w->now;
        while (w->now - from < 20 * US_PER_S && viewer->model[0].by_spatial[spatial] < before + 9) {
            world_run(w, 100 * US_PER_MS);
        }
        printf("   two key frames that begin late: %u lines after %lld ms\n", heights[i],
               (long long)((w->now - from) / US_PER_MS));
        EXPECT(w, host->stream[1].torn == 0, "%u more", host->stream[1].torn);
        EXPECT(w, w->now - from < 6 * US_PER_S, "%u lines: not after %lld ms", heights[i],
               (long long)((w->now - from) / US_PER_MS));
        world_run(w, 5 * US_PER_S);
    }
}

/* A width that comes and goes every three seconds: each step up that is taken back makes the next
 * one wait twice as long; one that lasted is forgiven. */
void steps_up_in_vain(struct world *w)
{
    enum { WIDE = 185000, SLIM = 130000, ROUNDS = 10 };
    unsigned up = 0;
    host_of_layers(w);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    viewer->lie = LIE_WIDTH;
    world_view_all(w, viewer, 1, 720);
    rises(w, viewer, SLIM, 10 * US_PER_S);
    for (unsigned i = 0; i < ROUNDS; i++) {
        up += rises(w, viewer, WIDE, 3 * US_PER_S);
        rises(w, viewer, SLIM, 3 * US_PER_S);
    }
    rises(w, viewer, WIDE, 40 * US_PER_S);
    rises(w, viewer, SLIM, 4 * US_PER_S);
    unsigned forgiven = rises(w, viewer, WIDE, 4 * US_PER_S);
    printf("   a width that changes every 3 s for 60 s: %u steps up\n", up);
    EXPECT(w, up >= 2 && up <= 4, "%u steps up in %u rounds", up, ROUNDS);
    EXPECT(w, forgiven == 1, "a step that lasted is held against the next");
    rises(w, viewer, SLIM, 5 * US_PER_S);
    world_run(w, 8 * US_PER_S); /* what was said holds for 10 s, and no longer */
    EXPECT(w, viewer->slot[VIDEO0].height < 720, "what was said 8 s ago is forgotten");
    world_run(w, 8 * US_PER_S);
    EXPECT(w, viewer->slot[VIDEO0].height == 720, "what was said 16 s ago still holds");
}

/* Two cameras, one of them large: it is the one that is looked at, and has all its pictures before
 * the small one grows. */
void steps_focus_first(struct world *w)
{
    enum { BOTH = 470000 };
    w->modelled = true;
    struct client *viewer = world_join(w, ROOM, 0, 0);
    viewer->lie = LIE_WIDTH;
    struct sfu_want want[2] = {{.slot = 0, .source = SOURCE_CAMERA, .height_max = 720},
                               {.slot = 1, .source = SOURCE_CAMERA, .height_max = 360}};
    for (unsigned i = 0; i < 2; i++) {
        want[i].publisher = world_join(w, ROOM, i % w->shards, CAMERA)->id;
    }
    world_view(w, viewer, want, 2);
    rises(w, viewer, BOTH, 15 * US_PER_S);
    uint64_t before = viewer->model[0].frames;
    rises(w, viewer, BOTH, 4 * US_PER_S);
    uint64_t shown = viewer->model[0].frames - before;
    EXPECT(w, viewer->slot[VIDEO0].height == 720 && shown >= 95, "%u lines, %llu pictures in 4 s",
           viewer->slot[VIDEO0].height, (unsigned long long)shown);
}

/* A path is tried with the first picture; one that shows a queue has answered, and nobody waits for
 * the end of the trial. */
void steps_trial_answered(struct world *w)
{
    static const struct structure alone = {"vp8_alone", CODEC_VP8, 1, 1, 1, false, false};
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    host->stream[1].packets = 12;
    media_structure(host, SOURCE_CAMERA, &alone);
    world_run(w, 2 * US_PER_S);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    viewer->down.bps = 200000;
    w->loss_down_any = 1;
    world_view_all(w, viewer, 1, 720);
    mono_us shown = 0;
    mono_us rested = 0;
    for (mono_us end = w->now + 10 * US_PER_S; w->now < end && !rested;) {
        world_run(w, 50 * US_PER_MS);
        bool live = viewer->slot[VIDEO0].state == SFU_SLOT_LIVE;
        shown = live && !shown ? w->now : shown;
        rested = shown && !live ? w->now : 0;
    }
    printf("   600 kbit/s on a link of 200: taken away after %lld ms\n",
           (long long)((rested - shown) / US_PER_MS));
    EXPECT(w, shown, "no picture was tried");
    EXPECT(w, rested && rested - shown < 4 * US_PER_S, "the trial went on for %lld ms",
           (long long)((rested - shown) / US_PER_MS));
}

static uint64_t fast_starts(struct world *w)
{
    struct sfu_stats s;
    world_stats(w, 0, &s);
    return s.fast_starts;
}

/* A newcomer begins with the last key frame while it is at most two seconds old, and asks for one
 * when it is older, though the packets may still be there. */
void steps_begin_with_the_past(struct world *w)
{
    static const uint32_t age_ms[] = {300, 1000, 1800, 2060, 2070, 2080, 2090, 2100};
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *watcher = world_join(w, ROOM, 0, 0);
    struct client *newcomer = world_join(w, ROOM, 0, 0);
    world_view_all(w, watcher, 1, 720);
    world_run(w, 8 * US_PER_S);
    for (unsigned i = 0; i < sizeof(age_ms) / sizeof(age_ms[0]); i++) {
        world_view_all(w, newcomer, 1, 0);
        world_run(w, (500 + 37 * i) * US_PER_MS);
        host->stream[1].key_wanted = true;
        world_run(w, 60 * US_PER_MS); /* the next picture, and its way */
        uint64_t before = fast_starts(w);
        uint32_t asked = host->stream[1].plis;
        world_run(w, age_ms[i] * US_PER_MS);
        world_view_all(w, newcomer, 1, 720);
        world_run(w, 400 * US_PER_MS);
        bool young = age_ms[i] < 2000;
        EXPECT(w, fast_starts(w) == before + young, "%u ms: %llu fast starts", age_ms[i],
               (unsigned long long)(fast_starts(w) - before));
        EXPECT(w, (host->stream[1].plis == asked) == young, "%u ms: asked %u times", age_ms[i],
               host->stream[1].plis - asked);
        EXPECT(w, newcomer->slot[VIDEO0].state == SFU_SLOT_LIVE, "%u ms: no picture", age_ms[i]);
    }
}

/* Of the pictures since, a newcomer gets the base layer: a quarter of them, and all that are new.
 */
void steps_past_is_base(struct world *w)
{
    enum { PAST = 45, NEW = 10, MOST = PAST / 4 + NEW + 8 };
    static const struct structure in_time = {
        .codec = CODEC_VP8, .encodings = 1, .spatial = 1, .temporal = 3};
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *watcher = world_join(w, ROOM, 0, 0);
    struct client *newcomer = world_join(w, ROOM, 0, 0);
    host->stream[1].packets = 2;
    media_structure(host, SOURCE_CAMERA, &in_time);
    world_view_all(w, watcher, 1, 720);
    world_run(w, 8 * US_PER_S);
    host->stream[1].key_wanted = true;
    world_run(w, PAST * 40 * US_PER_MS);
    uint64_t before = fast_starts(w);
    unsigned each = host->stream[1].packets;
    world_view_all(w, newcomer, 1, 720);
    world_run(w, NEW * 40 * US_PER_MS);
    unsigned pictures = (unsigned)newcomer->check[VIDEO0].packets / each;
    EXPECT(w, fast_starts(w) == before + 1, "it did not begin with the past");
    EXPECT(w, pictures > NEW && pictures < MOST, "%u pictures of %u", pictures, PAST + NEW);
}

/* Nobody is asked for a key frame for one whose transport is not up: it could not use it. */
void steps_not_connected(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *watcher = world_join(w, ROOM, 0, 0);
    world_view_all(w, watcher, 1, 720);
    world_run(w, 5 * US_PER_S);
    uint32_t asked = host->stream[1].plis + host->stream[2].plis + host->stream[3].plis;
    struct client *late = world_join(w, ROOM, w->shards - 1, 0);
    late->up.cut = true;
    world_view_all(w, late, 1, 720);
    world_run(w, 4 * US_PER_S);
    uint32_t now = host->stream[1].plis + host->stream[2].plis + host->stream[3].plis;
    EXPECT(w, now == asked, "%u key frames asked for nobody", now - asked);
    EXPECT(w, late->slot[VIDEO0].state != SFU_SLOT_LIVE, "a picture without a path");
    late->up.cut = false;
    world_run(w, 3 * US_PER_S);
    now = host->stream[1].plis + host->stream[2].plis + host->stream[3].plis;
    EXPECT(w, now > asked && late->slot[VIDEO0].state == SFU_SLOT_LIVE, "no picture afterwards");
}

/* Nobody heard that the large picture is wanted again, however often that was said: it stays on
 * offer, and comes in the end. */
void steps_told_in_vain(struct world *w)
{
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    for (unsigned lost = 0; lost <= 5; lost++) {
        world_view_all(w, viewer, 1, 360);
        world_run(w, 6 * US_PER_S);
        EXPECT(w, host->stream[1].off, "%u lost: not paused", lost);
        host->sends_lost = lost;
        world_view_all(w, viewer, 1, 720);
        mono_us from = w->now;
        while (w->now - from < 60 * US_PER_S &&
               (host->stream[1].off || viewer->check[VIDEO0].mark.layer != 0)) {
            world_run(w, 100 * US_PER_MS);
        }
        EXPECT(w, viewer->check[VIDEO0].mark.layer == 0 && viewer->slot[VIDEO0].height == 720,
               "%u lost: layer %u after a minute", lost, viewer->check[VIDEO0].mark.layer);
        /* Who heard it resumes it within a round trip, its key frame and what a picture takes. */
        EXPECT(w, lost || w->now - from <= 200 * US_PER_MS, "back after %lld ms",
               (long long)((w->now - from) / US_PER_MS));
        printf("   told %u times in vain: %lld ms\n", lost,
               (long long)((w->now - from) / US_PER_MS));
    }
    world_run(w, 20 * US_PER_S); /* the smaller ones come to rest */
    uint32_t told = host->sends_told;
    world_run(w, 20 * US_PER_S);
    EXPECT(w, host->sends_told == told, "what comes was asked for again");
}

/* Nobody hears that a picture is wanted again: it is said until it comes, and no more than that.
 * So it is when a page stops to send what it is asked for. */
void steps_screen_told_in_vain(struct world *w)
{
    struct client *teacher = world_join(w, ROOM, 0, MIC);
    struct client *viewer = world_join(w, ROOM, 1 % w->shards, MIC);
    struct sfu_want want = {
        .slot = 0, .source = SOURCE_SCREEN, .height_max = 1080, .publisher = teacher->id};
    world_publish(w, teacher, MIC | SCREEN);
    teacher->on[SOURCE_SCREEN] = true;
    for (unsigned lost = 0; lost <= 3; lost++) {
        world_view(w, viewer, &want, 0);
        world_run(w, 20 * US_PER_S);
        EXPECT(w, teacher->stream[4].off, "%u lost: not paused", lost);
        teacher->sends_lost = lost;
        world_view(w, viewer, &want, 1);
        world_run(w, 10 * US_PER_S);
        EXPECT(w, !teacher->stream[4].off && viewer->slot[VIDEO0].state == SFU_SLOT_LIVE,
               "%u lost: no screen", lost);
    }
    uint32_t told = teacher->sends_told;
    world_run(w, 20 * US_PER_S);
    EXPECT(w, teacher->sends_told == told, "what comes was asked for again");
    teacher->stream[4].off = true; /* as a page does whose browser refused */
    struct client *late = world_join(w, ROOM, 0, 0);
    world_run(w, US_PER_S);
    world_view(w, late, &want, 1);
    world_run(w, 10 * US_PER_S);
    EXPECT(w, late->slot[VIDEO0].state == SFU_SLOT_LIVE, "no screen for the late one");
}

static unsigned layer_seen(const struct client *viewer)
{
    return viewer->check[VIDEO0].mark.layer;
}

/* Until he sees that layer; how long it took. */
static mono_us until_layer(struct world *w, const struct client *viewer, unsigned layer,
                           mono_us most)
{
    mono_us from = w->now;
    while (layer_seen(viewer) != layer && w->now - from < most) {
        world_run(w, 100 * US_PER_MS);
    }
    return w->now - from;
}

/* A path up loses a third, and the large picture comes three times a second: the smaller one is
 * shown, all of it, and the large one again when the path is good. Without loss it is a slow
 * camera, and shown as it is. */
void steps_stills(struct world *w)
{
    enum { LOST = 300, OFTEN = 8 };
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 8 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 0 && host->stream[2].off, "not the large one alone");
    host->stream[1].thin = OFTEN;
    world_run(w, 15 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 0, "a slow camera is taken for a bad path");
    w->loss_up_any = true;
    host->up.loss = LOST;
    mono_us took = until_layer(w, viewer, 1, 30 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 1, "still a row of stills after 30 s");
    world_run(w, 5 * US_PER_S);
    EXPECT(w, host->stream[1].off && !host->stream[2].off, "the large one is not paused");
    world_run(w, 60 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 1, "the path is as bad as it was");
    host->up.loss = 0;
    host->stream[1].thin = 0;
    mono_us back = until_layer(w, viewer, 0, 60 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 0, "still small a minute later");
    printf("   smaller after %.1f s, large again after %.1f s\n", (double)took / US_PER_S,
           (double)back / US_PER_S);
}

/* A path up loses a fifth, somebody wants the small picture, and the browser of the camera, which
 * gives that its rate first, begins and ends the large one every three seconds. Who wants the large
 * one is shown the small one, all of it, instead of both in turn. */
void steps_falters(struct world *w)
{
    enum { LOST = 200, LONG = 75 };
    struct client *host = world_join(w, ROOM, 0, CAMERA);
    struct client *small = world_join(w, ROOM, 0, 0);
    struct client *viewer = world_join(w, ROOM, w->shards - 1, 0);
    world_view_all(w, small, 1, 360);
    world_view_all(w, viewer, 1, 720);
    world_run(w, 8 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 0 && layer_seen(small) == 1, "not one large and one small");
    w->loss_up_any = true;
    host->up.loss = LOST;
    world_run(w, 5 * US_PER_S);
    EXPECT(w, layer_seen(viewer) == 0, "a loss alone takes the large one away");
    host->stream[1].falters = LONG;
    unsigned changes = 0;
    unsigned seen = layer_seen(viewer);
    for (unsigned ms = 0; ms < 60000; ms += 100) {
        world_run(w, 100 * US_PER_MS);
        changes += layer_seen(viewer) != seen;
        seen = layer_seen(viewer);
    }
    printf("   %u changes in a minute\n", changes);
    EXPECT(w, changes <= 6, "%u changes in a minute", changes);
}
