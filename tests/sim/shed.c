/*
 * What a busy shard sheds (server/proto/overload.h), step by step and back, and what was taken from
 * somebody while copies of it were on their way. Sound is counted packet by packet in every step.
 */
#include "server/proto/alloc.h"
#include "server/proto/overload.h"
#include "tests/sim/model.h"
#include "tests/sim/scenario.h"

enum {
    MIC = 1u << SOURCE_MIC,
    CAM = 1u << SOURCE_CAMERA,
    ROOM = 7,
    OTHER = 8,
    AUDIO = 5, /* slots: four or five speak to each */
    PEOPLE = 10,
    SETTLE_S = 2,
    COUNT_S = 3,
    SOUND = (AUDIO - 1) * COUNT_S * 50 - 4, /* packets at least */
};

static void step(struct world *w, uint32_t overload)
{
    for (unsigned i = 0; i < w->shards; i++) {
        const struct sfu_cmd cmd = {.kind = SFU_CMD_OVERLOAD, .overload = overload};
        sfu_command(w->shard[i]->sfu, &cmd, w->now);
    }
    world_run(w, SETTLE_S * US_PER_S);
}

struct counts {
    uint64_t sound;
    unsigned pictures;    /* slots that show one */
    uint64_t temporal[3]; /* frames decoded */
};

static struct counts count(const struct client *c)
{
    struct counts n = {0};
    for (unsigned k = 0; k < AUDIO + DESC_VIDEO_SLOTS_MAX; k++) {
        if (k < AUDIO) {
            n.sound += c->check[k].packets;
            continue;
        }
        n.pictures += c->slot[k].state == SFU_SLOT_LIVE;
        for (unsigned t = 0; t < 3; t++) {
            n.temporal[t] += c->model[k - AUDIO].by_temporal[t];
        }
    }
    return n;
}

/* heard: what everybody heard without any load, 0 = not counted yet. */
static void expect_step(struct world *w, unsigned overload, unsigned pictures,
                        uint64_t heard[PEOPLE])
{
    struct counts before[PEOPLE];
    const struct overload_limits *limits = overload_limits(overload);
    for (unsigned i = 0; i < PEOPLE; i++) {
        before[i] = count(w->client[i]);
    }
    world_run(w, COUNT_S * US_PER_S);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct counts n = count(w->client[i]);
        uint64_t sound = n.sound - before[i].sound;
        uint64_t upper =
            n.temporal[1] + n.temporal[2] - before[i].temporal[1] - before[i].temporal[2];
        unsigned all = pictures + (i == 0 && pictures < PEOPLE - 1); /* he does not see himself */
        unsigned most = all < limits->video_max ? all : limits->video_max;
        heard[i] = heard[i] ? heard[i] : sound;
        EXPECT(w, sound >= SOUND && sound + 2 >= heard[i] && sound <= heard[i] + 2,
               "step %u: client %u heard %llu, without load %llu", overload, i + 1,
               (unsigned long long)sound, (unsigned long long)heard[i]);
        EXPECT(w, n.pictures == most, "step %u: client %u sees %u, not %u", overload, i + 1,
               n.pictures, most);
        EXPECT(w, (upper > 0) == (limits->temporal_max > 0), "step %u: client %u got %llu of upper",
               overload, i + 1, (unsigned long long)upper);
        EXPECT(w, n.temporal[0] > before[i].temporal[0] + most * COUNT_S * 5,
               "step %u: client %u: too few pictures", overload, i + 1);
    }
}

/* A camera that begins while nothing new may: nobody gets it, and all do when it is over. */
static void expect_late_camera(struct world *w, bool seen)
{
    const struct client *late = w->client[0];
    for (unsigned i = 1; i < PEOPLE; i++) {
        const struct client *c = w->client[i];
        for (unsigned k = AUDIO; k < SIM_SLOTS; k++) {
            const struct sfu_slot_view *v = &c->slot[k];
            if (v->publisher == late->id) {
                EXPECT(w,
                       (v->state == SFU_SLOT_LIVE) == seen &&
                           (seen || v->reason == ALLOC_BY_SERVER),
                       "client %u: the late camera has state %u, reason %u", i + 1, v->state,
                       v->reason);
            }
        }
    }
}

void shed_steps(struct world *w)
{
    static const enum overload_step way[] = {
        OVERLOAD_LAST_N,    OVERLOAD_TEMPORAL, OVERLOAD_NEW_VIDEO, OVERLOAD_JOINS,
        OVERLOAD_NEW_VIDEO, OVERLOAD_TEMPORAL, OVERLOAD_LAST_N,    OVERLOAD_NONE};
    static const struct structure simulcast = {"vp8", CODEC_VP8, 3, 1, 3, false, false};
    uint64_t heard[PEOPLE] = {0};
    w->modelled = true;
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct client *c = world_join(w, ROOM, i % w->shards, i ? MIC | CAM : MIC);
        media_structure(c, SOURCE_CAMERA, &simulcast);
    }
    for (unsigned i = 0; i < PEOPLE; i++) {
        world_view_all(w, w->client[i], PEOPLE, 180);
    }
    world_run(w, 3 * US_PER_S);
    expect_step(w, OVERLOAD_NONE, PEOPLE - 2, heard);
    for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        step(w, way[i]);
        if (way[i] == OVERLOAD_JOINS) {
            world_publish(w, w->client[0], MIC | CAM);
            w->client[0]->on[SOURCE_CAMERA] = true;
            world_run(w, US_PER_S);
        }
        expect_step(w, way[i], way[i] == OVERLOAD_NONE ? PEOPLE - 1 : PEOPLE - 2, heard);
        if (!overload_limits(way[i])->new_video && w->client[0]->publish & CAM) {
            expect_late_camera(w, false);
        }
    }
    expect_late_camera(w, true);
}

/* ---- paused meanwhile ---- */

static unsigned pictures_of(const struct client *c)
{
    unsigned n = 0;
    for (unsigned k = AUDIO; k < AUDIO + DESC_VIDEO_SLOTS_MAX; k++) {
        n += c->slot[k].state == SFU_SLOT_LIVE;
    }
    return n;
}

/*
 * While nothing new may begin, a path carries nothing for a while: what was shown there before is
 * no new picture and comes back with the path, and a camera that was opened meanwhile does not.
 */
void shed_resumed(struct world *w)
{
    struct client *viewer = world_join(w, ROOM, 0, MIC);
    struct client *late = world_join(w, ROOM, 0, MIC);
    w->loss_down_any = 1; /* a queue of 60 kbit/s overflows */
    for (unsigned i = 0; i < 2; i++) {
        world_join(w, ROOM, 0, MIC | CAM);
    }
    viewer->down.bps = 3000000;
    world_view_all(w, viewer, 4, 180);
    world_run(w, 4 * US_PER_S);
    EXPECT(w, pictures_of(viewer) == 2, "%u pictures before", pictures_of(viewer));
    step(w, OVERLOAD_NEW_VIDEO);
    EXPECT(w, pictures_of(viewer) == 2, "%u pictures are kept", pictures_of(viewer));
    viewer->down.bps = 60000;
    for (unsigned i = 0; i < 60 && pictures_of(viewer); i++) {
        world_run(w, US_PER_S / 2);
    }
    EXPECT(w, pictures_of(viewer) == 0, "%u pictures on 60 kbit/s", pictures_of(viewer));
    world_publish(w, late, MIC | CAM);
    late->on[SOURCE_CAMERA] = true;
    viewer->down.bps = 3000000;
    for (unsigned i = 0; i < 60 && pictures_of(viewer) < 2; i++) {
        world_run(w, US_PER_S / 2);
    }
    world_run(w, 3 * US_PER_S);
    EXPECT(w, pictures_of(viewer) == 2, "%u pictures come back", pictures_of(viewer));
    for (unsigned k = AUDIO; k < SIM_SLOTS; k++) {
        const struct sfu_slot_view *v = &viewer->slot[k];
        EXPECT(w, v->publisher != late->id || v->state != SFU_SLOT_LIVE, "the late camera is seen");
    }
    step(w, OVERLOAD_NONE);
    world_run(w, 3 * US_PER_S);
    EXPECT(w, pictures_of(viewer) == 3, "%u pictures without load", pictures_of(viewer));
}

/* ---- withdrawn while on its way ---- */

static void look_at(struct world *w, struct client *c, const struct client *p)
{
    const struct sfu_want want[] = {
        {.slot = 0, .source = SOURCE_CAMERA, .height_max = 720, .publisher = p->id},
        {.slot = 1, .source = SOURCE_CAMERA, .height_max = 720, .publisher = c->id}, /* himself */
    };
    world_view(w, c, want, 2);
}

/*
 * Copies wait for a slow path and are asked for again after losses, while their source is closed,
 * its owner moves to another room, or the slot goes on to somebody else: none of them leaves then.
 */
void shed_withdrawn(struct world *w)
{
    w->hearing = true;
    struct client *a = world_join(w, ROOM, 0, MIC | CAM);
    struct client *b = world_join(w, ROOM, w->shards - 1, MIC | CAM);
    struct client *viewer = world_join(w, ROOM, 0, MIC | CAM);
    media_fat(a);
    media_fat(b);
    w->loss_up_any = 1; /* the path holds back: late ones are no fault */
    w->loss_down_any = 1;
    viewer->down.bps = 900000;
    viewer->down.loss = 100;
    look_at(w, viewer, a);
    world_run(w, 4 * US_PER_S);
    for (unsigned i = 0; i < 40; i++) {
        struct client *going = i % 2 ? b : a;
        struct client *coming = i % 2 ? a : b;
        look_at(w, viewer, coming);
        world_run(w, (20 + rng_below(&w->rng, 200)) * US_PER_MS);
        if (i % 4 < 2) {
            world_publish(w, going, MIC);
        } else {
            world_room(w, going, OTHER);
        }
        world_run(w, (100 + rng_below(&w->rng, 400)) * US_PER_MS);
        world_publish(w, coming, MIC); /* what is shown goes, in mid-picture */
        world_run(w, 60 * US_PER_MS);
        world_publish(w, coming, MIC | CAM);
        world_publish(w, going, MIC | CAM);
        world_room(w, going, ROOM);
        world_run(w, (200 + rng_below(&w->rng, 600)) * US_PER_MS);
    }
    EXPECT(w, viewer->check[AUDIO].switches > 10, "only %llu switches",
           (unsigned long long)viewer->check[AUDIO].switches);
    EXPECT(w, viewer->check[AUDIO].got_rtx > 10, "nothing was asked for again");
}
