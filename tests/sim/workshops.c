/*
 * Workshops as the forwarding unit sees them: rooms that never hear each other, a trainer who
 * listens to one, speaks into one, speaks into all, and people who are moved. The oracle (check.c)
 * opens every packet and fails on one that crosses; these scenarios add that what must be heard is.
 */
#include "tests/sim/scenario.h"

enum {
    MIC = 1u << SOURCE_MIC,
    CAM = 1u << SOURCE_CAMERA,
    MAIN = 20,
    TABLE = 21, /* three of them */
    TABLES = 3,
    EACH = 3,
    VOICE = 40,
    AUDIO = 5,
    MOVE_US = 60 * US_PER_MS, /* what a move may cost until the first sound of the new room */
};

static bool hears(const struct client *c, const struct client *p)
{
    for (unsigned k = 0; k < AUDIO; k++) {
        if (c->slot[k].publisher == p->id && c->slot[k].state == SFU_SLOT_LIVE) {
            return true;
        }
    }
    return false;
}

/* Two trainers in the main room, three tables of three, everybody speaks; shards alternate. */
static void tables(struct world *w)
{
    world_join(w, MAIN, 0, MIC | CAM);
    world_join(w, MAIN, 1 % w->shards, MIC | CAM);
    for (unsigned i = 0; i < TABLES * EACH; i++) {
        world_join(w, TABLE + i % TABLES, i % w->shards, MIC | CAM);
    }
    for (unsigned i = 0; i < w->clients; i++) {
        world_view_all(w, w->client[i], EACH, 180);
    }
    world_run(w, 3 * US_PER_S);
}

static void expect_hears(struct world *w, const struct client *c, const struct client *p, bool yes)
{
    EXPECT(w, hears(c, p) == yes, "client %u %s client %u", c->number,
           yes ? "does not hear" : "still hears", p->number);
}

static void expect_table(struct world *w, const struct client *c, unsigned table, bool yes)
{
    for (unsigned i = 2; i < w->clients; i++) {
        const struct client *p = w->client[i];
        if (p != c && p->room == TABLE + table) {
            expect_hears(w, c, p, yes);
        }
    }
}

void workshop_listen(struct world *w)
{
    tables(w);
    struct client *trainer = w->client[0];
    for (unsigned t = 0; t < TABLES; t++) {
        struct sfu_ears ears = {.ears = 1, .eyes = 1, .ear = {TABLE + t}, .eye = {TABLE + t}};
        world_ears(w, trainer, &ears);
        struct sfu_want want[EACH];
        uint32_t n = 0;
        for (unsigned i = 2; i < w->clients; i++) { /* one of another table is asked for in vain */
            if (w->client[i]->room == TABLE + t || (n == 0 && i == 2)) {
                want[n] = (struct sfu_want){.slot = (uint8_t)n,
                                            .source = SOURCE_CAMERA,
                                            .height_max = 180,
                                            .publisher = w->client[i]->id};
                n += n < EACH - 1;
            }
        }
        world_view(w, trainer, want, n);
        world_run(w, 2 * US_PER_S);
        for (unsigned other = 0; other < TABLES; other++) {
            expect_table(w, trainer, other, other == t);
        }
        expect_hears(w, w->client[1], trainer, true); /* he is still in the main room */
        EXPECT(w, trainer->slot[AUDIO + 1].state == SFU_SLOT_LIVE, "no picture of table %u", t);
    }
    world_ears(w, trainer, &(struct sfu_ears){.ears = 0});
    world_run(w, US_PER_S);
    for (unsigned t = 0; t < TABLES; t++) {
        expect_table(w, trainer, t, false);
    }
    expect_hears(w, trainer, w->client[1], true);
}

void workshop_voice(struct world *w)
{
    tables(w);
    struct client *trainer = w->client[0];
    for (unsigned round = 0; round < 3; round++) {
        /* All three tables, then one of them, then all again, with the main room. */
        unsigned first = round == 1 ? 1 : 0;
        unsigned last = round == 1 ? 1 : TABLES - 1;
        for (unsigned i = 1; i < w->clients; i++) {
            struct client *c = w->client[i];
            bool to =
                c->room == MAIN ? round == 2 : c->room >= TABLE + first && c->room <= TABLE + last;
            world_ears(w, c, &(struct sfu_ears){.ears = to, .ear = {VOICE}});
        }
        world_voice(w, trainer, VOICE);
        world_run(w, US_PER_S);
        for (unsigned i = 1; i < w->clients; i++) {
            const struct client *c = w->client[i];
            expect_hears(w, c, trainer, c->ears.ears > 0);
        }
        expect_hears(w, trainer, w->client[1], true);
        world_voice(w, trainer, 0);
        world_run(w, US_PER_S);
        expect_hears(w, w->client[1], trainer, true);
        expect_hears(w, w->client[2], trainer, false);
    }
}

/* The longest a mover waits for the first sound of its new table. */
void workshop_moves(struct world *w)
{
    tables(w);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 2; i < w->clients; i++) {
            struct client *c = w->client[i];
            uint64_t before[AUDIO];
            for (unsigned k = 0; k < AUDIO; k++) {
                before[k] = c->check[k].packets;
            }
            world_room(w, c, TABLE + (c->room - TABLE + 1) % TABLES);
            world_run(w, MOVE_US);
            uint64_t got = 0;
            for (unsigned k = 0; k < AUDIO; k++) {
                got += c->check[k].packets - before[k];
            }
            EXPECT(w, got > 0, "client %u hears nothing %d ms after a move", c->number,
                   (int)(MOVE_US / US_PER_MS));
        }
        world_run(w, US_PER_S);
    }
    for (unsigned t = 0; t < TABLES; t++) {
        for (unsigned i = 2; i < w->clients; i++) {
            if (w->client[i]->room == TABLE + t) {
                expect_table(w, w->client[i], t, true);
            }
        }
    }
}
