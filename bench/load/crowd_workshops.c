#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench/load/run_state.h"

/* Commands of the host a step: he clicks fast, but he is one person. */
enum { PLACES_A_STEP = 4, HEAD = 48 };

static_assert(offsetof(struct seat, client) == 0, "a client is found again as its seat");

static struct seat *seat_of(struct client *client)
{
    return (struct seat *)client;
}

uint32_t workshops_group(const struct load *load, const struct seat *seat)
{
    return load->rooms[seat->room].workshops == WORKSHOPS_OPEN ? seat->group : 0;
}

/* Our set, from the list of all sets of the class. */
static void read_sets(struct load *load, struct room *room, json_t *sets)
{
    json_t *set = json_array_get(sets, 0);
    json_t *rooms = json_object_get(set, "rooms");
    const char *id = json_string_value(json_object_get(set, "id"));
    const char *state = json_string_value(json_object_get(set, "state"));
    if (!id || !state || json_array_size(rooms) < load->config.shape.workshops) {
        return;
    }
    (void)snprintf(room->set, sizeof(room->set), "%s", id);
    for (uint32_t i = 0; i < load->config.shape.workshops; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(rooms, i), "id"));
        (void)snprintf(room->workshop[i], sizeof(room->workshop[i]), "%s", text ? text : "");
    }
    room->workshops = strcmp(state, "open") == 0 ? WORKSHOPS_OPEN : WORKSHOPS_DRAFT;
}

/* What the server tells the host. */
static void told_h(struct client *client, const char *text, size_t len)
{
    struct load *load = client->world->arg;
    if (!strstr(text, "\"workshops.set\"")) {
        return;
    }
    json_t *delta = json_loadb(text, len, 0, NULL);
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(delta, "events"), i, event)
    {
        const char *kind = json_string_value(json_object_get(event, "e"));
        if (kind && strcmp(kind, "workshops.set") == 0) {
            read_sets(load, &load->rooms[seat_of(client)->room],
                      json_object_get(event, "workshops"));
        }
    }
    json_decref(delta);
}

static void create(struct load *load, struct room *room, struct client *host)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < load->config.shape.workshops; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "Atelier %u", i + 1);
        (void)json_array_append_new(names, json_string(name));
    }
    host->told_h = told_h;
    room->workshops = WORKSHOPS_ASKED;
    client_command(host, json_pack("{s:s,s:s,s:o}", "t", "workshop.create", "title", "Ateliers",
                                   "names", names));
}

/* The host seats whoever has no table yet; true when everybody has one. */
static bool place_people(struct load *load, uint32_t index, struct client *host)
{
    const struct shape *shape = &load->config.shape;
    struct room *room = &load->rooms[index];
    uint32_t asked = 0;
    bool whole = true;
    for (uint32_t k = 1; k < shape->publishers; k++) {
        struct seat *seat = crowd_publisher(load, index, k);
        if (!seat || seat->group || seat->client.state == CLIENT_DEAD) {
            continue;
        }
        if (seat->client.state != CLIENT_LIVE || asked == PLACES_A_STEP) {
            whole = false;
            continue;
        }
        asked++;
        seat->group = 1 + (k - 1) % shape->workshops;
        client_command(host, json_pack("{s:s,s:s,s:s,s:s}", "t", "workshop.place", "set", room->set,
                                       "person", seat->client.person, "room",
                                       room->workshop[seat->group - 1]));
    }
    return whole;
}

static void open_doors(struct room *room, struct client *host)
{
    client_command(host,
                   json_pack("{s:s,s:s,s:s,s:s,s:i,s:i}", "t", "workshop.change", "set", room->set,
                             "mode", "move", "change", "free", "notice", 0, "closing", 0));
    client_command(host, json_pack("{s:s,s:s}", "t", "workshop.open", "set", room->set));
}

/* Whoever comes to a table is sent what is there: from then on he looks at its people. */
static void moved_h(struct client *client, const char *text, size_t len)
{
    struct seat *seat = seat_of(client);
    struct load *load = client->world->arg;
    bool there = memmem(text, len < HEAD ? len : HEAD, "\"snapshot\"", 10) ||
                 memmem(text, len, "\"room.set\"", 10);
    if (seat->going && there) {
        seat->group = seat->going;
        seat->going = 0;
        seat->version = 0;
        load->moves++;
    }
}

/* People change tables by themselves. */
static void move_people(struct load *load, uint32_t index)
{
    const struct shape *shape = &load->config.shape;
    struct room *room = &load->rooms[index];
    for (uint32_t n = crowd_due(&room->moves_due, shape->moves); n > 0; n--) {
        uint32_t k = 1 + rng_below(&load->rng, shape->publishers - 1);
        struct seat *seat = crowd_publisher(load, index, k);
        if (!seat || !seat->group || seat->going || seat->client.state != CLIENT_LIVE ||
            shape->workshops < 2) {
            continue;
        }
        seat->client.told_h = moved_h;
        seat->going =
            1 + (seat->group + rng_below(&load->rng, shape->workshops - 1)) % shape->workshops;
        client_command(&seat->client, json_pack("{s:s,s:s}", "t", "workshop.go", "room",
                                                room->workshop[seat->going - 1]));
    }
}

void workshops_run(struct load *load, uint32_t index)
{
    struct room *room = &load->rooms[index];
    struct seat *host = crowd_publisher(load, index, 0);
    if (!load->config.shape.workshops || !host || host->client.state != CLIENT_LIVE) {
        return;
    }
    if (room->workshops == WORKSHOPS_NONE) {
        create(load, room, &host->client);
    } else if (room->workshops >= WORKSHOPS_DRAFT) {
        bool whole = place_people(load, index, &host->client);
        if (whole && room->workshops == WORKSHOPS_DRAFT && !room->opening) {
            room->opening = true;
            open_doors(room, &host->client);
        }
        if (room->workshops == WORKSHOPS_OPEN && load->holding && load->sending) {
            move_people(load, index);
        }
    }
}
