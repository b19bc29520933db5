/*
 * Many viewers join a running webinar within seconds: what they ask of the publisher, when their
 * first picture stands, when it is live. Time is the world's own, so the figures are exact.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/ear.h"
#include "tests/sim/scenario.h"

enum {
    ROOM = 7,
    VIEWERS = 300,
    ALREADY = 5,
    JOIN_US = 5 * US_PER_S,
    FRAME_US = 40 * US_PER_MS,
    LIVE_US = 300 * US_PER_MS,
    STEP_US = 5 * US_PER_MS,
};

struct join {
    mono_us up;    /* the transport is up */
    mono_us first; /* a picture stands */
    mono_us live;  /* one no older than LIVE_US */
};

static void note(struct world *w, const struct client *c, struct join *j)
{
    const struct stream_out *s = &w->client[0]->stream[1];
    if (!c->connected) {
        return;
    }
    j->up = j->up ? j->up : w->now;
    const struct ear_picture *p = &c->ear->picture[0];
    if (!p->shown) {
        return;
    }
    j->first = j->first ? j->first : w->now;
    const struct mark *m = &c->check[c->offer.audio_slots].mark;
    /* Of the stream it sees, how far the newest picture sent to it lies behind the camera. */
    bool live = m->layer == 0 && (mono_us)(s->frame - m->frame) * FRAME_US <= LIVE_US;
    j->live = j->live || !live ? j->live : w->now;
}

static int by_time(const void *a, const void *b)
{
    mono_us x = *(const mono_us *)a;
    mono_us y = *(const mono_us *)b;
    return x < y ? -1 : x > y;
}

static mono_us p95(const struct join *join, unsigned n, bool live)
{
    mono_us took[VIEWERS];
    for (unsigned i = 0; i < n; i++) {
        mono_us at = live ? join[i].live : join[i].first;
        took[i] = join[i].up && at ? at - join[i].up : 60 * US_PER_S;
    }
    qsort(took, n, sizeof(took[0]), by_time);
    return took[n * 95 / 100];
}

static struct client *viewer(struct world *w)
{
    struct client *c = world_join(w, ROOM, w->clients % w->shards, 0);
    world_view_all(w, c, 1, 720);
    return c;
}

void crowd_joins(struct world *w)
{
    static struct join join[VIEWERS];
    w->hearing = true;
    struct client *host = world_join(w, ROOM, 0, 1u << SOURCE_MIC | 1u << SOURCE_CAMERA);
    for (unsigned i = 0; i < ALREADY; i++) {
        viewer(w);
    }
    world_run(w, 8 * US_PER_S);
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        host->stream[i].plis = 0;
    }
    for (unsigned i = 0; i <= ALREADY; i++) {
        if (w->client[i]->ear) {
            ear_clear(w->client[i]);
        }
    }
    mono_us start = w->now;
    unsigned first = w->clients;
    for (unsigned i = 0; i < VIEWERS; i++) {
        join[i] = (struct join){0};
    }
    while (w->now < start + JOIN_US + 3 * US_PER_S) {
        unsigned due = (unsigned)((w->now - start) * VIEWERS / JOIN_US) + 1;
        while (w->clients - first < due && w->clients - first < VIEWERS) {
            viewer(w);
        }
        world_run(w, STEP_US);
        for (unsigned i = first; i < w->clients; i++) {
            note(w, w->client[i], &join[i - first]);
        }
    }
    uint32_t worst = 0;
    for (unsigned i = 1; i <= 3; i++) {
        worst = host->stream[i].plis > worst ? host->stream[i].plis : worst;
    }
    struct ear_sum before;
    ear_sum(w->client[1], &before);
    mono_us shown = p95(join, VIEWERS, false);
    mono_us live = p95(join, VIEWERS, true);
    printf("   %u joins in 5 s on %u shards: first picture p95 %lld ms, live p95 %lld ms, %u key "
           "frames asked in 8 s, others: %llu freezes\n",
           VIEWERS, w->shards, (long long)shown / 1000, (long long)live / 1000, worst,
           (unsigned long long)before.freezes);
    EXPECT(w, worst <= 8, "%u key frames asked of the publisher in 8 s", worst);
    EXPECT(w, shown <= 300 * US_PER_MS, "first picture p95 %lld ms", (long long)shown / 1000);
    EXPECT(w, live <= US_PER_S, "live p95 %lld ms", (long long)live / 1000);
    EXPECT(w, before.freezes == 0, "joins stall those who were there");
}
