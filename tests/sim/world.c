#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/mem.h"
#include "tests/sim/model.h"

enum { STEP_US = 1000, PEERS_MAX = 384, PACKETS_MAX = 20000 };

void world_fail(struct world *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (w->violations++ == 0) {
        int n = snprintf(w->first, sizeof(w->first), "at %.3f s: ", (double)w->now / US_PER_S);
        vsnprintf(w->first + n, sizeof(w->first) - (size_t)n, format, args);
    }
    va_end(args);
}

/* ---- links ---- */

static bool earlier(const struct flight *a, const struct flight *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void heap_push(struct world *w, struct flight *f)
{
    if (w->flights == w->flights_cap) {
        w->flights_cap = w->flights_cap ? 2 * w->flights_cap : 1024;
        w->heap = mem_realloc(w->heap, w->flights_cap * sizeof(struct flight *));
    }
    uint32_t i = w->flights++;
    while (i > 0 && earlier(f, w->heap[(i - 1) / 2])) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = f;
}

static struct flight *heap_pop(struct world *w)
{
    struct flight *top = w->heap[0];
    struct flight *last = w->heap[--w->flights];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= w->flights) {
            break;
        }
        if (child + 1 < w->flights && earlier(w->heap[child + 1], w->heap[child])) {
            child++;
        }
        if (!earlier(w->heap[child], last)) {
            break;
        }
        w->heap[i] = w->heap[child];
        i = child;
    }
    if (w->flights) {
        w->heap[i] = last;
    }
    return top;
}

static void fly(struct world *w, struct client *c, struct sim_link *link, bool up,
                const uint8_t *data, size_t len)
{
    mono_us at = link_pass(w, link, len);
    if (!at) {
        return;
    }
    struct flight *f = mem_alloc(sizeof(*f));
    *f = (struct flight){.at = at,
                         .order = w->order++,
                         .client = c,
                         .up = up,
                         .from = c->tuple,
                         .len = (uint16_t)len,
                         .data = mem_dup(data, len)};
    heap_push(w, f);
}

void world_up(struct world *w, struct client *c, const uint8_t *data, size_t len)
{
    fly(w, c, &c->up, true, data, len);
    if (rng_below(&w->rng, 1000) < c->up.duplicate) {
        fly(w, c, &c->up, true, data, len);
    }
}

void world_down(struct world *w, struct client *c, const uint8_t *data, size_t len)
{
    fly(w, c, &c->down, false, data, len);
    if (rng_below(&w->rng, 1000) < c->down.duplicate) {
        fly(w, c, &c->down, false, data, len);
    }
}

enum drop world_inject(struct world *w, unsigned shard, const struct tuple *from,
                       const uint8_t *data, size_t len)
{
    struct pkt *pkt = sfu_rx_packet(w->shard[shard]->sfu);
    if (!pkt) {
        w->refused++;
        return DROP_NO_BUFFER;
    }
    memcpy(pkt->data, data, len);
    pkt->len = (uint16_t)len;
    sfu_near(w->shard[shard]->sfu, from, 1); /* a hint: changes nothing */
    return sfu_input(w->shard[shard]->sfu, pkt, from, w->now);
}

/* ---- the shell around each SFU ---- */

static struct client *client_at(struct world *w, const struct tuple *to)
{
    for (unsigned i = 0; i < w->clients; i++) {
        struct client *c = w->client[i];
        if (c && (tuple_equal(&c->tuple, to) || tuple_equal(&c->old_tuple, to) ||
                  tuple_equal(&c->gone_tuple, to))) {
            return c;
        }
    }
    return NULL;
}

static void on_flush(void *arg, struct txbatch *batch)
{
    struct shard_world *s = arg;
    for (uint32_t r = 0; r < batch->runs; r++) {
        const struct txrun *run = &batch->run[r];
        struct client *c = client_at(s->world, &run->to);
        for (uint32_t at = 0; at < run->len; at += run->segment_len) {
            uint32_t left = run->len - at;
            uint32_t len = left < run->segment_len ? left : run->segment_len;
            const uint8_t *data = batch->buffer + run->at + at;
            if (c) {
                check_sent(c, data, len, s->world->now);
                if (!tuple_equal(&c->gone_tuple, &run->to)) {
                    world_down(s->world, c, data, len);
                }
            }
        }
    }
}

struct client *world_peer(struct world *w, sfu_peer_id id)
{
    for (unsigned i = 0; i < w->clients; i++) {
        if (w->client[i] && w->client[i]->id == id) {
            return w->client[i];
        }
    }
    return NULL;
}

struct client *world_number(struct world *w, uint32_t number)
{
    return number >= 1 && number <= w->clients ? w->client[number - 1] : NULL;
}

static void on_event(void *arg, const struct sfu_evt *evt)
{
    struct shard_world *s = arg;
    struct world *w = s->world;
    struct client *c = evt->peer ? world_peer(w, evt->peer) : NULL;
    if (evt->kind == SFU_EVT_SPEAKING) {
        w->speaking_events++;
        w->last_speaking = *evt;
        return;
    }
    if (evt->kind == SFU_EVT_OVERLOAD) {
        return;
    }
    if (!c) {
        world_fail(w, "event %d for an unknown peer", (int)evt->kind);
        return;
    }
    switch (evt->kind) {
    case SFU_EVT_ANSWER:
        c->answer = evt->answer;
        c->answered = true;
        break;
    case SFU_EVT_CONNECTED:
        c->evt_connected = true;
        break;
    case SFU_EVT_LOST:
        c->evt_lost = true;
        break;
    case SFU_EVT_BACK:
        c->evt_lost = false;
        break;
    case SFU_EVT_REFUSED:
    case SFU_EVT_FAILED:
        c->failed = true;
        break;
    case SFU_EVT_SLOTS:
        memcpy(c->slot, evt->slots.slot, sizeof(c->slot));
        break;
    case SFU_EVT_SEND:
        c->sends_told++;
        if (c->sends_lost) {
            c->sends_lost--;
        } else {
            media_layers(c, evt->send);
        }
        break;
    case SFU_EVT_SPEAKING:
    case SFU_EVT_OVERLOAD:
        break;
    }
}

static bool on_shard(void *arg, unsigned to, const struct sfu_msg *msg)
{
    struct shard_world *s = arg;
    struct mailbox *box = &s->world->shard[to]->in[s->number];
    if (box->count == box->cap) {
        return false;
    }
    box->msg[(box->head + box->count++) % SIM_MAILBOX] = *msg;
    return true;
}

static void shard_new(struct world *w, unsigned number, uint32_t loudest)
{
    struct shard_world *s = mem_alloc(sizeof(*s));
    struct sfu_config config = {
        .shard = (uint16_t)number,
        .shards = (uint16_t)w->shards,
        .peers_max = PEERS_MAX,
        .packets_max = w->packets_max,
        .audio_loudest = loudest,
        .candidates = 1,
        .candidate[0] = {.addr = {.family = ADDR_V4, .port = 40000, .ip = {10, 0, 0, 1}},
                         .udp = true},
    };
    struct crypto_ops crypto = fake_crypto_ops();
    struct sfu_hooks hooks = {.arg = s, .event_h = on_event, .shard_h = on_shard};
    s->world = w;
    s->number = number;
    for (unsigned i = 0; i < SIM_SHARDS_MAX; i++) {
        s->in[i].cap = SIM_MAILBOX;
    }
    w->shard[number] = s;
    if (txbatch_init(&s->tx, on_flush, s)) {
        return;
    }
    s->sfu = sfu_new(&config, &crypto, &hooks, &s->tx, w->rng, w->now);
}

struct world *world_new_small(uint64_t seed, unsigned shards, uint32_t loudest, uint32_t packets)
{
    struct world *w = mem_alloc(sizeof(*w));
    w->seed = seed;
    w->now = 1000 * US_PER_S;
    w->shards = shards;
    w->packets_max = packets;
    rng_seed(&w->rng_state, seed);
    w->rng = rng_from_seeded(&w->rng_state);
    for (unsigned i = 0; i < shards; i++) {
        shard_new(w, i, loudest);
    }
    return w;
}

struct world *world_new(uint64_t seed, unsigned shards, uint32_t loudest)
{
    return world_new_small(seed, shards, loudest, PACKETS_MAX);
}

void world_free(struct world *w)
{
    for (unsigned i = 0; i < w->clients; i++) {
        if (w->client[i]) {
            client_free(w->client[i]);
            mem_free(w->client[i]);
        }
    }
    for (unsigned i = 0; i < w->shards; i++) {
        sfu_free(w->shard[i]->sfu);
        txbatch_fini(&w->shard[i]->tx);
        mem_free(w->shard[i]);
    }
    while (w->flights) {
        struct flight *f = heap_pop(w);
        mem_free(f->data);
        mem_free(f);
    }
    mem_free(w->heap);
    mem_free(w);
}

void world_stats(struct world *w, unsigned shard, struct sfu_stats *out)
{
    sfu_stats_read(w->shard[shard]->sfu, out);
}

/* ---- commands ---- */

void world_command(struct world *w, struct client *c, struct sfu_cmd *cmd)
{
    cmd->peer = c->id;
    sfu_command(w->shard[c->shard]->sfu, cmd, w->now);
}

void world_room(struct world *w, struct client *c, sfu_room_id room)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_ROOM, .room = room};
    c->room = room;
    c->moved_us = w->now;
    world_command(w, c, &cmd);
}

void world_ears(struct world *w, struct client *c, const struct sfu_ears *ears)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_EARS, .ears = *ears};
    c->ears = *ears;
    c->moved_us = w->now;
    world_command(w, c, &cmd);
}

void world_voice(struct world *w, struct client *c, sfu_room_id voice)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_VOICE, .room = voice};
    c->voice = voice;
    c->moved_us = w->now;
    world_command(w, c, &cmd);
}

bool world_reaches(const struct client *c, const struct client *p, uint8_t source)
{
    bool video = source == SOURCE_CAMERA || source == SOURCE_SCREEN;
    sfu_room_id room = p->room && source == SOURCE_MIC && p->voice ? p->voice : p->room;
    bool reached = room != 0 && room == c->room;
    for (unsigned i = 0; i < (video ? c->ears.eyes : c->ears.ears); i++) {
        reached = reached || (room && room == (video ? c->ears.eye[i] : c->ears.ear[i]));
    }
    return reached;
}

void world_publish(struct world *w, struct client *c, uint32_t publish)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_PUBLISH, .publish = publish};
    c->publish = publish;
    c->moved_us = w->now;
    world_command(w, c, &cmd);
}

struct client *world_join(struct world *w, sfu_room_id room, unsigned shard, uint32_t publish)
{
    if (w->clients == SIM_CLIENTS_MAX) {
        return NULL;
    }
    struct client *c = mem_alloc(sizeof(*c));
    c->world = w;
    c->number = w->clients + 1;
    c->shard = shard;
    c->id = (uint64_t)shard << 56 | (1000 + c->number);
    w->client[w->clients++] = c;
    client_init(c);
    if (w->numberless) {
        c->offer.audio_ext.id[RTPEXT_TRANSPORT_CC] = 0;
        c->offer.video_ext.id[RTPEXT_TRANSPORT_CC] = 0;
    }
    if (w->hearing) {
        ear_open(c);
    }
    if (w->modelled) {
        model_open(c);
    }
    struct sfu_cmd cmd = {.kind = SFU_CMD_OPEN, .token = c->number, .offer = c->offer};
    c->open = true;
    world_command(w, c, &cmd);
    world_room(w, c, room);
    world_publish(w, c, publish);
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        c->on[s] = (publish >> s & 1) != 0;
    }
    return c;
}

void world_leave(struct world *w, struct client *c)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_CLOSE};
    world_command(w, c, &cmd);
    c->open = false;
    c->moved_us = w->now;
    c->room = 0;
    c->voice = 0;
    c->publish = 0;
    c->wants = 0;
}

void world_view(struct world *w, struct client *c, const struct sfu_want *want, uint32_t count)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_VIEW};
    cmd.view.count = count;
    memcpy(cmd.view.want, want, count * sizeof(*want));
    for (uint32_t i = 0; i < count; i++) {
        c->want_us[want[i].slot] = w->now;
    }
    memmove(c->want, want, count * sizeof(*want));
    c->wants = count;
    world_command(w, c, &cmd);
}

void world_view_all(struct world *w, struct client *c, unsigned max, uint16_t height)
{
    struct sfu_want want[DESC_VIDEO_SLOTS_MAX];
    uint32_t n = 0;
    for (unsigned i = 0; i < w->clients && n < max && n < c->offer.video_slots; i++) {
        struct client *p = w->client[i];
        if (p && p->open && p != c && p->room == c->room) {
            want[n] = (struct sfu_want){.slot = (uint8_t)n,
                                        .source = SOURCE_CAMERA,
                                        .height_max = height,
                                        .publisher = p->id};
            n++;
        }
    }
    world_view(w, c, want, n);
}

/* ---- time ---- */

static void deliver(struct world *w)
{
    while (w->flights && w->heap[0]->at <= w->now) {
        struct flight *f = heap_pop(w);
        if (f->up) {
            world_inject(w, f->client->shard, &f->from, f->data, f->len);
        } else {
            client_input(f->client, f->data, f->len, w->now);
        }
        mem_free(f->data);
        mem_free(f);
    }
}

static void exchange(struct world *w)
{
    for (unsigned to = 0; to < w->shards; to++) {
        for (unsigned from = 0; from < w->shards; from++) {
            struct mailbox *box = &w->shard[to]->in[from];
            for (uint32_t n = box->count; n > 0; n--) {
                struct sfu_msg msg = box->msg[box->head];
                box->head = (box->head + 1) % SIM_MAILBOX;
                box->count--;
                sfu_shard_input(w->shard[to]->sfu, &msg, w->now);
            }
        }
    }
}

void world_run(struct world *w, mono_us duration)
{
    for (mono_us end = w->now + duration; w->now < end; w->now += STEP_US) {
        for (unsigned i = 0; i < w->clients; i++) {
            if (w->client[i] && w->client[i]->open) {
                client_tick(w->client[i], w->now);
            }
        }
        deliver(w);
        exchange(w);
        for (unsigned i = 0; i < w->shards; i++) {
            struct sfu *sfu = w->shard[i]->sfu;
            if (sfu_deadline(sfu) <= w->now) {
                sfu_timer(sfu, w->now);
            }
            sfu_flush(sfu, w->now);
        }
    }
}
