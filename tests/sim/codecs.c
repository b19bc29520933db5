/*
 * Every layer structure over every kind of link: two people are seen by three, who want other
 * sizes, other people in a slot, nothing for a while; links narrow and widen. The receivers are the
 * strict ones of model.h.
 */
#include "server/proto/alloc.h"
#include "tests/sim/model.h"
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

enum {
    ROOM = 7,
    VIEWERS = 3,
    SLOTS = 2,
    STEPS = 14,
    /* What takes every layer of both with room to spare, and what takes hardly one. */
    NARROW_BPS = 160000,
};

static const struct codec_link {
    const char *name;
    uint32_t loss_up;
    uint32_t loss_down;
    uint32_t burst;
    uint32_t reorder;
    mono_us jitter_us;
    bool narrow;
} links[] = {
    {"clean", 0, 0, 0, 0, 0, false},
    {"jitter", 0, 0, 0, 0, 10 * US_PER_MS, false}, /* hardly two packets in order */
    {"reordered", 0, 0, 0, 40, 0, false},
    {"lossy_down", 0, 40, 0, 5, 0, false},
    {"lossy_up", 40, 0, 0, 5, 0, false},
    {"bursts", 20, 20, 4, 10, 0, false},
    {"narrow", 0, 0, 0, 0, 0, true},
};

enum { LINKS = sizeof(links) / sizeof(links[0]) };

const unsigned codec_rows = STRUCTURES * LINKS;

void codec_row_name(uint64_t row, char *out, size_t cap)
{
    snprintf(out, cap, "codec_%s_%s_%llu", structures[row % STRUCTURES].name,
             links[row / STRUCTURES % LINKS].name, (unsigned long long)row);
}

/* Whom each viewer sees in each slot and how high. */
struct wish {
    unsigned who[SLOTS];
    uint16_t height[SLOTS];
};

static void view(struct world *w, struct client *c, const struct wish *wish, const uint8_t *source)
{
    struct sfu_want want[SLOTS];
    for (unsigned i = 0; i < SLOTS; i++) {
        want[i] = (struct sfu_want){
            .slot = (uint8_t)i,
            .source = source[wish->who[i]],
            .height_max = wish->height[i],
            .publisher = w->client[wish->who[i]]->id,
        };
    }
    world_view(w, c, want, SLOTS);
}

static void step(struct world *w, struct client *c, struct wish *wish, bool narrow,
                 const uint8_t *source)
{
    static const uint16_t heights[] = {720, 720, 360, 180, 90, 0};
    uint32_t what = rng_below(&w->rng, 8);
    unsigned i = rng_below(&w->rng, SLOTS);
    if (what < 5) {
        wish->height[i] = heights[rng_below(&w->rng, 6)];
    } else if (what < 7) {
        unsigned first = wish->who[0];
        wish->who[0] = wish->who[1];
        wish->who[1] = first;
    } else if (narrow) {
        c->down.bps = c->down.bps == NARROW_BPS ? 0 : NARROW_BPS;
    }
    view(w, c, wish, source);
}

static void set_link(struct world *w, const struct codec_link *link)
{
    /* Jitter reorders: late packets are allowed, and holes until they come. */
    w->loss_up_any = link->loss_up + link->reorder + (link->jitter_us > 0);
    w->loss_down_any = link->loss_down + link->narrow;
    for (unsigned i = 0; i < w->clients; i++) {
        struct client *c = w->client[i];
        c->up.loss = link->loss_up;
        c->down.loss = link->loss_down;
        c->up.burst = link->burst;
        c->down.burst = link->burst;
        c->up.reorder = link->reorder;
        c->down.reorder = link->reorder;
        c->up.jitter_us = link->jitter_us;
        c->down.jitter_us = link->jitter_us;
    }
}

/* At the end everybody wants everything and has the link for it: the highest layers come. */
static void settled(struct world *w, const struct structure *st, const struct codec_link *link,
                    const struct wish *wish)
{
    uint64_t frames[VIEWERS][SLOTS];
    uint64_t top[VIEWERS][SLOTS];
    uint64_t fast[VIEWERS][SLOTS];
    bool tried[VIEWERS][SLOTS];
    for (unsigned v = 0; v < VIEWERS; v++) {
        for (unsigned i = 0; i < SLOTS; i++) {
            const struct model *m = &w->client[2 + v]->model[i];
            frames[v][i] = m->frames;
            top[v][i] = m->by_spatial[st->spatial - 1];
            fast[v][i] = m->by_temporal[st->temporal - 1];
            tried[v][i] = w->client[2 + v]->slot[5 + i].reason == ALLOC_BY_CONNECTION;
        }
    }
    world_run(w, 2 * US_PER_S);
    for (unsigned v = 0; v < VIEWERS; v++) {
        for (unsigned i = 0; i < SLOTS; i++) {
            const struct model *m = &w->client[2 + v]->model[i];
            unsigned number = w->client[2 + v]->number;
            const struct sfu_slot_view *view = &w->client[2 + v]->slot[5 + i];
            EXPECT(w, m->frames > frames[v][i] + 10,
                   "client %u slot %u: %u frames in 2 s (state %u, reason %u, height %u)", number,
                   i, (unsigned)(m->frames - frames[v][i]), view->state, view->reason,
                   view->height);
            /* A path that is still being tried out is no fault of the layers. */
            bool trial = tried[v][i] || view->reason == ALLOC_BY_CONNECTION;
            if (wish[v].who[i] == 0 && !link->jitter_us && !link->burst && !trial) {
                EXPECT(w, m->by_spatial[st->spatial - 1] > top[v][i],
                       "client %u slot %u: no s%u in the end", number, i, st->spatial - 1U);
                EXPECT(w, m->by_temporal[st->temporal - 1] > fast[v][i],
                       "client %u slot %u: no t%u in the end", number, i, st->temporal - 1U);
            }
        }
    }
}

/* Two publishers, the first of the structure st, and three viewers of both. */
static void gather(struct world *w, const struct structure *st, const struct codec_link *link,
                   struct wish wish[VIEWERS], uint8_t source[2])
{
    /* The other one is mostly of the same kind, sometimes of another: slots change codecs too. */
    const struct structure *other =
        rng_below(&w->rng, 3) ? st : &structures[rng_below(&w->rng, STRUCTURES)];
    w->modelled = true;
    for (unsigned i = 0; i < 2 + VIEWERS; i++) {
        const struct structure *own = i == 0 ? st : other;
        uint8_t s = strstr(own->name, "screen") ? SOURCE_SCREEN : SOURCE_CAMERA;
        struct client *c = world_join(w, ROOM, i % w->shards, i < 2 ? 1u << s | 1u : 0);
        if (i < 2) {
            source[i] = s;
            media_structure(c, s, own);
        }
    }
    set_link(w, link);
    for (unsigned v = 0; v < VIEWERS; v++) {
        wish[v] = (struct wish){.who = {v % 2, 1 - v % 2}, .height = {720, (uint16_t)(180 << v)}};
        view(w, w->client[2 + v], &wish[v], source);
    }
}

static void change_often(struct world *w, bool narrow, struct wish wish[VIEWERS],
                         const uint8_t source[2])
{
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned v = rng_below(&w->rng, VIEWERS);
        step(w, w->client[2 + v], &wish[v], narrow, source);
        world_run(w, (50 + rng_below(&w->rng, 500)) * US_PER_MS);
    }
}

void codec_row(struct world *w, uint64_t row)
{
    const struct structure *st = &structures[row % STRUCTURES];
    const struct codec_link *link = &links[row / STRUCTURES % LINKS];
    struct wish wish[VIEWERS];
    uint8_t source[2];
    gather(w, st, link, wish, source);
    world_run(w, 1500 * US_PER_MS);
    change_often(w, link->narrow, wish, source);
    for (unsigned v = 0; v < VIEWERS; v++) {
        w->client[2 + v]->down.bps = 0;
        wish[v].height[0] = 720;
        wish[v].height[1] = 720;
        view(w, w->client[2 + v], &wish[v], source);
    }
    world_run(w, (link->narrow ? 12 : 4) * US_PER_S);
    settled(w, st, link, wish);
}

/*
 * A shard that runs out of packets again and again: what it cannot receive is lost, whole runs of
 * it, repairs and all. Nobody may see anything wrong for it, and pictures go on.
 */
static void starve(struct world *w, uint64_t seed, uint32_t packets)
{
    struct wish wish[VIEWERS];
    uint8_t source[2];
    struct world *own = world_new_small(seed, 1 + (unsigned)(seed % 3 == 0), 3, packets);
    const struct structure *st = &structures[rng_below(&own->rng, STRUCTURES)];
    gather(own, st, &links[rng_below(&own->rng, LINKS)], wish, source);
    own->loss_up_any = 1;
    own->loss_down_any = 1;
    world_run(own, 1500 * US_PER_MS);
    change_often(own, false, wish, source);
    world_run(own, 2 * US_PER_S);
    uint64_t frames = 0;
    for (unsigned i = 0; i < VIEWERS * SLOTS; i++) {
        frames += own->client[2 + i / SLOTS]->model[i % SLOTS].frames;
    }
    w->refused += own->refused;
    EXPECT(w, own->violations == 0, "%u packets, world %llu: %s", packets, (unsigned long long)seed,
           own->first);
    EXPECT(w, frames > 10, "%u packets, world %llu: %llu frames", packets, (unsigned long long)seed,
           (unsigned long long)frames);
    world_free(own);
}

void codec_starved(struct world *w)
{
    static const uint32_t packets[] = {64, 72, 80, 96, 128, 192};
    for (unsigned i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        starve(w, w->seed * 100 + i, packets[i]);
    }
    EXPECT(w, w->refused > 0, "every datagram found a packet");
}

/* What the publisher was asked while the link had one width, and what the viewer saw of it. */
struct spell {
    uint32_t asked;
    uint32_t late; /* of them in its second half */
    uint64_t frames;
    mono_us queue;
};

static struct spell keys_spell(struct world *w, struct client *host, struct client *viewer,
                               uint32_t bps)
{
    enum { HALF_US = 10 * US_PER_S };
    struct spell s;
    uint32_t before = host->stream[1].plis;
    s.frames = viewer->model[0].frames;
    viewer->down.bps = bps;
    link_clear(&viewer->down);
    world_run(w, HALF_US);
    s.late = host->stream[1].plis;
    world_run(w, HALF_US);
    s.late = host->stream[1].plis - s.late;
    s.asked = host->stream[1].plis - before;
    s.frames = viewer->model[0].frames - s.frames;
    s.queue = link_delay(&viewer->down, 0.95);
    return s;
}

/*
 * One viewer of layers in one stream, whose link narrows and widens. A step is a request or two:
 * the publisher's key frames are everybody's, and cost what a step down was to save.
 */
static uint32_t keys_row(struct world *w, const struct structure *st, uint64_t seed)
{
    static const uint32_t bps[] = {0, 220000, 150000, 220000, 0};
    enum { SPELLS = sizeof(bps) / sizeof(bps[0]) };
    uint32_t asked = 0;
    uint32_t late = 0;
    struct world *own = world_new(seed, w->shards, 3);
    own->modelled = true;
    own->loss_down_any = 1;
    struct client *host = world_join(own, ROOM, 0, 1u << SOURCE_CAMERA | 1u);
    media_structure(host, SOURCE_CAMERA, st);
    struct client *viewer = world_join(own, ROOM, 0, 0);
    uint8_t source[2] = {SOURCE_CAMERA, SOURCE_CAMERA};
    struct wish wish = {.who = {0, 0}, .height = {720, 0}};
    view(own, viewer, &wish, source);
    world_run(own, 5 * US_PER_S);
    printf("   key frames, %-22s", st->name);
    for (unsigned i = 0; i < SPELLS; i++) {
        struct spell s = keys_spell(own, host, viewer, bps[i]);
        printf(" %u k: %u (%llu frames, %u lines, queue %lld ms)", bps[i] / 1000, s.asked,
               (unsigned long long)s.frames, viewer->slot[5].height,
               (long long)s.queue / US_PER_MS);
        EXPECT(w, s.frames > 60, "%s at %u kbit/s: %llu frames in 20 s", st->name, bps[i] / 1000,
               (unsigned long long)s.frames);
        asked += s.asked;
        late += s.late;
    }
    printf("\n");
    EXPECT(w, asked <= 18, "%s: %u key frames asked in 100 s", st->name, asked);
    EXPECT(w, late <= 8, "%s: %u of %u of them on links that did not change", st->name, late,
           asked);
    EXPECT(w, own->violations == 0, "%s", own->first);
    world_free(own);
    return asked;
}

void codec_keys(struct world *w)
{
    uint32_t asked = 0;
    for (unsigned k = 0; k < 2 * STRUCTURES; k++) {
        const struct structure *st = &structures[k % STRUCTURES];
        if (st->spatial == 3) {
            asked += keys_row(w, st, w->seed + 4 + k);
        }
    }
    EXPECT(w, asked <= 88, "%u key frames asked in eight times 100 s", asked);
}
