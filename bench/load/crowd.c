#include <stdio.h>

#include "bench/load/run_state.h"
#include "codec/sys/clock.h"

enum {
    STEP_US = 100 * US_PER_MS,
    AWAY_US = 2 * US_PER_S,
    COUNTDOWN_US = 4 * US_PER_S, /* of a webinar, and a little more */
    LEVEL_SPEAKS = 22,           /* -dBov */
    LEVEL_SILENT = 100,
};

struct seat *crowd_publisher(struct load *load, uint32_t room, uint32_t k)
{
    uint32_t at = room * load->config.shape.publishers + k;
    return at < load->seat_count ? &load->seats[at] : NULL;
}

static bool classroom(const struct load *load)
{
    return load->config.driver->classroom;
}

static bool has_camera(const struct seat *seat)
{
    return seat->role == LOAD_SENDER && seat->client.state == CLIENT_LIVE;
}

/* Everybody looks at the first cameras of the room that are not his own, from his neighbour on. */
static void look(struct load *load, struct seat *seat)
{
    const char *devices[RX_VIDEO];
    const struct shape *shape = &load->config.shape;
    uint32_t n = 0;
    for (uint32_t k = 0; k < shape->publishers && n < shape->tiles; k++) {
        struct seat *other =
            crowd_publisher(load, seat->room, (seat->number + 1 + k) % shape->publishers);
        if (other && other != seat && has_camera(other) &&
            workshops_group(load, other) == workshops_group(load, seat)) {
            devices[n++] = other->client.device;
        }
    }
    seat->version = load->rooms[seat->room].cameras;
    if (n || seat->client.views) {
        client_view(&seat->client, devices, n);
    }
}

static void look_around(struct load *load, uint32_t room)
{
    uint32_t cameras = 1;
    for (uint32_t k = 0; k < load->config.shape.publishers; k++) {
        struct seat *seat = crowd_publisher(load, room, k);
        if (seat && has_camera(seat)) { /* an order-dependent mix: any change shows */
            cameras = cameras * 31 + k + 1 + workshops_group(load, seat) * 1009;
        }
    }
    load->rooms[room].cameras = cameras;
}

static bool speaks(const struct load *load, const struct room *room, uint32_t k, uint32_t size)
{
    return (k + size - room->turn % size) % size < load->config.shape.speakers;
}

/* The microphones of a room follow the turn: open for who speaks; at a round table all stay open
 * and who does not speak is only silent. In workshops everyone has his turn at his own table. */
static void set_turn(struct load *load, uint32_t index)
{
    struct room *room = &load->rooms[index];
    bool table = load->config.shape.class_type == SHAPE_ROUND_TABLE;
    uint32_t size[LOAD_WORKSHOPS + 1] = {0};
    uint32_t rank[LOAD_WORKSHOPS + 1] = {0};
    for (uint32_t k = 0; k < load->config.shape.publishers; k++) {
        struct seat *seat = crowd_publisher(load, index, k);
        size[seat ? workshops_group(load, seat) : 0]++;
    }
    for (uint32_t k = 0; k < load->config.shape.publishers; k++) {
        struct seat *seat = crowd_publisher(load, index, k);
        uint32_t group = seat ? workshops_group(load, seat) : 0;
        bool now = speaks(load, room, rank[group]++, size[group]);
        if (!seat || !seat->client.film || seat->client.state != CLIENT_LIVE) {
            continue;
        }
        bool open = now || table;
        seat->client.film->level = now ? LEVEL_SPEAKS : LEVEL_SILENT;
        if (open != seat->client.film->sound_on && load->sending) {
            client_mic(&seat->client, open);
        }
    }
}

static struct seat *anybody(struct load *load, uint32_t room, bool viewer)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        struct seat *seat = &load->seats[rng_below(&load->rng, load->wanted ? load->wanted : 1)];
        if (seat->room == room && seat->client.state == CLIENT_LIVE &&
            (!viewer || seat->role == LOAD_VIEWER || seat->number > 0)) {
            return seat;
        }
    }
    return NULL;
}

uint32_t crowd_due(double *rest, uint32_t per_minute)
{
    *rest += (double)per_minute * STEP_US / (60.0 * US_PER_S);
    uint32_t n = (uint32_t)*rest;
    *rest -= n;
    return n;
}

static void talk(struct load *load, uint32_t index)
{
    struct room *room = &load->rooms[index];
    const struct shape *shape = &load->config.shape;
    for (uint32_t n = crowd_due(&room->chat_due, shape->chat); n > 0; n--) {
        struct seat *seat = anybody(load, index, false);
        if (seat) {
            client_chat(&seat->client, "Est-ce que tout le monde entend bien ? 👋");
        }
    }
    for (uint32_t n = crowd_due(&room->hands_due, shape->hands); n > 0; n--) {
        struct seat *seat = anybody(load, index, false);
        if (seat) {
            client_hand(&seat->client, !seat->client.hand_up);
        }
    }
}

static void come_and_go(struct load *load, uint32_t index, mono_us now)
{
    for (uint32_t n = crowd_due(&load->rooms[index].churn_due, load->config.shape.churn); n > 0;
         n--) {
        struct seat *seat = anybody(load, index, true);
        if (seat) {
            seat_leave(load, seat);
            seat->back_at = now + AWAY_US;
        }
    }
}

/* A webinar: the host opens the doors, brings the speakers on the stage and goes on air. */
static void open_stage(struct load *load, uint32_t index)
{
    struct seat *host = crowd_publisher(load, index, 0);
    struct room *room = &load->rooms[index];
    if (load->config.shape.class_type != SHAPE_WEBINAR || !host || !host->started ||
        host->client.state != CLIENT_LIVE) {
        return;
    }
    for (uint32_t k = 0; k < load->config.shape.publishers; k++) {
        struct seat *seat = crowd_publisher(load, index, k);
        if (seat && seat->started && seat->client.state == CLIENT_LIVE && !seat->on_stage) {
            seat->on_stage = true;
            client_place(&host->client, seat->client.person);
        }
    }
    if (!room->open_at) {
        room->open_at = clock_mono_us();
        client_phase(&host->client, "doors");
        client_phase(&host->client, "starting");
    }
}

/* At other doors there is something to watch once all publishers are there. */
static bool publishers_in(const struct load *load)
{
    uint32_t publishers = load->config.shape.rooms * load->config.shape.publishers;
    for (uint32_t i = 0; i < publishers && i < load->seat_count; i++) {
        enum client_state state = load->seats[i].client.state;
        if (state != CLIENT_LIVE && state != CLIENT_DEAD) {
            return false;
        }
    }
    return true;
}

bool crowd_admits(const struct load *load, mono_us now)
{
    if (!classroom(load)) {
        return publishers_in(load);
    }
    for (uint32_t i = 0; i < load->config.shape.rooms; i++) {
        mono_us open_at = load->rooms[i].open_at;
        if (load->config.shape.class_type == SHAPE_WEBINAR && load->config.shape.publishers &&
            (!open_at || now - open_at < COUNTDOWN_US)) {
            return false;
        }
    }
    return true;
}

bool crowd_ready(const struct load *load)
{
    const struct shape *shape = &load->config.shape;
    for (uint32_t i = 0; shape->workshops && (i + 1) * shape->publishers <= load->wanted; i++) {
        if (i < shape->rooms && load->rooms[i].workshops != WORKSHOPS_OPEN &&
            load->seats[i * shape->publishers].client.state == CLIENT_LIVE) {
            return false;
        }
    }
    return true;
}

void crowd_run(struct load *load, mono_us now)
{
    if (now < load->crowd_at) {
        return;
    }
    load->crowd_at = now + STEP_US;
    for (uint32_t i = 0; i < load->config.shape.rooms; i++) {
        struct room *room = &load->rooms[i];
        if (classroom(load)) {
            open_stage(load, i);
            workshops_run(load, i);
            look_around(load, i);
        }
        if (now >= room->turn_at) {
            room->turn += room->turn_at ? load->config.shape.speakers : 0;
            room->turn_at = now + load->config.shape.turn_s * US_PER_S;
        }
        set_turn(load, i);
        if (load->sending) {
            talk(load, i);
            if (load->holding) {
                come_and_go(load, i, now);
            }
        }
    }
    for (uint32_t i = 0; i < load->wanted; i++) {
        struct seat *seat = &load->seats[i];
        if (seat->client.view_refused) {
            seat->client.view_refused = false;
            seat->version = 0;
        }
        if (classroom(load) && seat->client.state == CLIENT_LIVE &&
            seat->version != load->rooms[seat->room].cameras) {
            look(load, seat);
        }
        if (seat->back_at && now >= seat->back_at) {
            seat_start(load, seat);
        }
        load->watched_s +=
            seat->client.state == CLIENT_LIVE ? (double)seat->client.views * STEP_US / US_PER_S : 0;
    }
}
