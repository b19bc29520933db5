/*
 * Many viewers join a running webinar within seconds: what they ask of the publisher, when their
 * first picture stands, when it is live. Time is the world's own, so the figures are exact.
 */
#include <stdio.h>
#include <stdlib.h>

#include "codec/wire/rtcp.h"
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
    bool asked;
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

/* As if the first packets had been lost: its decoder asks for a key frame, too. */
static void complain(struct world *w, struct client *c, struct join *j)
{
    enum { COMPLAINS_US = 100 * US_PER_MS };
    uint8_t out[100];
    struct wr wr = wr_init(out, 60);
    if (j->asked || !j->up || w->now - j->up < COMPLAINS_US) {
        return;
    }
    j->asked = true;
    rtcp_write_pli(&wr, 1, c->answer.ssrc_base + 2U * c->offer.audio_slots);
    client_rtcp(c, out, wr_len(&wr));
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

/* Requests for key frames the publisher heard, those of one moment are one. */
struct requests {
    uint32_t seen;
    uint32_t times;
    mono_us last;
    mono_us least; /* between two of them */
};

static void count_requests(struct requests *r, const struct client *host, mono_us now)
{
    uint32_t seen = host->stream[1].plis + host->stream[2].plis + host->stream[3].plis;
    if (seen != r->seen) {
        mono_us gap = now - r->last;
        r->least = r->times && gap < r->least ? gap : r->least;
        r->last = now;
        r->times++;
    }
    r->seen = seen;
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
    struct requests asked = {.least = MONO_NEVER};
    while (w->now < start + JOIN_US + 3 * US_PER_S) {
        unsigned due = (unsigned)((w->now - start) * VIEWERS / JOIN_US) + 1;
        while (w->clients - first < due && w->clients - first < VIEWERS) {
            viewer(w);
        }
        world_run(w, STEP_US);
        count_requests(&asked, host, w->now);
        for (unsigned i = first; i < w->clients; i++) {
            note(w, w->client[i], &join[i - first]);
            complain(w, w->client[i], &join[i - first]);
        }
    }
    struct ear_sum before;
    ear_sum(w->client[1], &before);
    mono_us shown = p95(join, VIEWERS, false);
    mono_us live = p95(join, VIEWERS, true);
    printf(
        "   %u joins in 5 s on %u shards: first picture p95 %lld ms, live p95 %lld ms, key frames "
        "asked %u times in 8 s, %lld ms apart or more, others: %llu freezes\n",
        VIEWERS, w->shards, (long long)shown / 1000, (long long)live / 1000, asked.times,
        asked.times > 1 ? (long long)asked.least / 1000 : 0, (unsigned long long)before.freezes);
    EXPECT(w, asked.least >= US_PER_S - 2 * STEP_US, "key frames asked %lld ms after the last",
           (long long)asked.least / 1000);
    EXPECT(w, shown <= 300 * US_PER_MS, "first picture p95 %lld ms", (long long)shown / 1000);
    EXPECT(w, live <= US_PER_S, "live p95 %lld ms", (long long)live / 1000);
    EXPECT(w, before.freezes == 0, "joins stall those who were there");
}
