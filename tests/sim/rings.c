/* Rings between shards that are full, because a shard does not get to what is in them. */
#include "tests/sim/scenario.h"

enum { MIC = 1u << SOURCE_MIC, CAM = 1u << SOURCE_CAMERA, ROOM = 7, VIDEO0 = 5 };

/* On alternating shards, everybody watching everybody. */
static void people(struct world *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        world_join(w, ROOM, i % w->shards, MIC | CAM);
    }
    for (unsigned i = 0; i < count; i++) {
        world_view_all(w, w->client[i], count, 360);
    }
}

void rings_full(struct world *w)
{
    people(w, 6);
    for (unsigned a = 0; a < w->shards; a++) {
        for (unsigned b = 0; b < w->shards; b++) {
            w->shard[a]->in[b].cap = 6;
        }
    }
    w->loss_up_any = 1;
    world_run(w, 4 * US_PER_S);
    for (unsigned a = 0; a < w->shards; a++) {
        for (unsigned b = 0; b < w->shards; b++) {
            w->shard[a]->in[b].cap = SIM_MAILBOX;
        }
    }
    world_run(w, 3 * US_PER_S);
    for (unsigned k = 0; k < w->clients; k++) {
        world_leave(w, w->client[k]);
    }
    world_run(w, 3 * US_PER_S);
    for (unsigned i = 0; i < w->shards; i++) {
        struct sfu_stats s;
        world_stats(w, i, &s);
        EXPECT(w, s.packets_used == 0, "shard %u keeps %u packets", i, s.packets_used);
    }
}

/* One shard does not get to what the others have for it, for as long as a busy machine may take.
 * Between the others nothing waits, and afterwards nothing is missing in what it knows. */
void rings_one_stands(struct world *w)
{
    people(w, 3);
    uint64_t *got = &w->client[1]->check[VIDEO0].packets;
    world_run(w, 2 * US_PER_S);
    uint64_t before = *got;
    world_run(w, 2 * US_PER_S);
    uint64_t quiet = *got - before;
    for (unsigned from = 0; from < 2; from++) {
        w->shard[2]->in[from].cap = 0;
    }
    w->loss_up_any = 1;
    before = *got;
    world_publish(w, w->client[1], MIC);
    world_run(w, 2 * US_PER_S);
    EXPECT(w, *got - before >= quiet * 9 / 10, "%llu packets while another shard stands, %llu else",
           (unsigned long long)(*got - before), (unsigned long long)quiet);
    for (unsigned from = 0; from < 2; from++) {
        w->shard[2]->in[from].cap = SIM_MAILBOX;
    }
    world_publish(w, w->client[1], MIC | CAM);
    world_run(w, 3 * US_PER_S);
    for (unsigned i = 0; i < w->clients; i++) {
        unsigned live = 0;
        for (unsigned k = 0; k < SIM_SLOTS; k++) {
            live += w->client[i]->slot[k].state == SFU_SLOT_LIVE;
        }
        EXPECT(w, live == 4, "client %u has %u live slots, not 4", i + 1, live);
    }
}
