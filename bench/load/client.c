#include "bench/load/client.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "bench/load/peer_sdp.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"

void client_fail(struct client *client, const char *why)
{
    struct client_world *world = client->world;
    if (!world->error) {
        (void)snprintf(world->error_text, sizeof(world->error_text), "%s: %s", client->name, why);
        world->error = world->error_text;
    }
    if (client->state != CLIENT_DEAD) {
        world->totals.dead++;
        world->totals.live -= client->state == CLIENT_LIVE;
    }
    bool known = client->state == CLIENT_DEAD;
    client->state = CLIENT_DEAD;
    if (!known && world->dead_h) {
        world->dead_h(client, why);
    }
}

static void random_text(struct client_world *world, char *out, size_t len)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < len; i++) {
        out[i] = alphabet[rng_below(&world->rng, sizeof(alphabet) - 1)];
    }
    out[len] = '\0';
}

int client_init(struct client *client, struct client_world *world, const char *link, uint32_t room,
                uint32_t number, const struct media_config *media)
{
    int size = 1 << 20;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof(local);
    *client = (struct client){.world = world,
                              .link = link,
                              .driver = &driver_amphi,
                              .twcc_id = {.id = {[RTPEXT_TRANSPORT_CC] = MEDIA_EXT_TWCC}},
                              .video_slots = CLIENT_VIDEO_SLOTS,
                              .room = room,
                              .again_at = MONO_NEVER,
                              .check_at = MONO_NEVER,
                              .dtls_at = MONO_NEVER,
                              .consent_at = MONO_NEVER,
                              .rr_at = MONO_NEVER};
    (void)snprintf(client->name, sizeof(client->name), "load %u", number);
    random_text(world, client->ufrag, sizeof(client->ufrag) - 1);
    random_text(world, client->pwd, sizeof(client->pwd) - 1);
    client->tie_breaker = rng_u64(&world->rng);
    client->publisher = media->video_bps || media->audio;
    client->media.config = *media;
    client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || bind(client->fd, (struct sockaddr *)&local, sizeof(local)) != 0 ||
        getsockname(client->fd, (struct sockaddr *)&local, &len) != 0) {
        return E_IO;
    }
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    client->port = ntohs(local.sin_port);
    return 0;
}

static struct link *new_link(const struct link_config *config, uint64_t seed)
{
    struct link *link = mem_alloc(sizeof(*link));
    if (link && link_init(link, config, seed) != 0) {
        mem_free(link);
        link = NULL;
    }
    return link;
}

int client_equip(struct client *client, const struct client_kit *kit)
{
    bool up = link_matters(&kit->up);
    bool down = link_matters(&kit->down);
    int on = 1;
    (void)setsockopt(client->fd, SOL_UDP, UDP_GRO, &on, sizeof(on)); /* where it is known */
    client->video_slots = kit->video_slots;
    client->rx = client_rx_new(CLIENT_AUDIO_SLOTS, kit->video_slots);
    client->up = up ? new_link(&kit->up, kit->seed * 2) : NULL;
    client->down = down ? new_link(&kit->down, kit->seed * 2 + 1) : NULL;
    client->publisher = kit->film != NULL;
    if (!client->rx || (up && !client->up) || (down && !client->down)) {
        return E_NOMEM;
    }
    if (kit->film) {
        client->film = mem_alloc(sizeof(*client->film));
        return client->film ? film_sender_init(client->film, kit->film, &kit->sender) : E_NOMEM;
    }
    return 0;
}

void client_start(struct client *client)
{
    client->state = CLIENT_CONNECTING;
    client->begun_us = clock_mono_us();
    client->driver->start_h(client);
}

static void start_h(struct client *client)
{
    client->ws = wsc_connect(client->world->ws, client);
    if (!client->ws) {
        client_fail(client, "no room for a WebSocket");
    }
}

static void send_json(struct client *client, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    if (text) {
        wsc_send(client->ws, text, strlen(text));
    }
    free(text);
    json_decref(message);
}

/* The compact offer of a page (signalling contract, section 2). Layers are told by their RID, so a
 * camera with several announces no SSRC. */
static json_t *offer_json(const struct client *client)
{
    char hex[65];
    uint8_t fingerprint[32];
    json_int_t mic = client->media.audio_ssrc;
    json_int_t camera = client->media.video_ssrc;
    if (client->film) {
        mic = client->film->stream[FILM_STREAM_SOUND].ssrc;
        camera = client->film->config.layers == 1
                     ? client->film->stream[FILM_STREAM_VIDEO + client->film->config.top].ssrc
                     : 0;
    }
    client_media_fingerprint(client, fingerprint);
    text_hex(hex, fingerprint, sizeof(fingerprint));
    return json_pack("{s:s,s:s,s:s,s:[i,i],s:{s:[i]},s:{s:[i,i]},s:{s:i,s:i,s:i},"
                     "s:{s:i,s:i,s:i,s:i},s:[I,I,i,i,i]}",
                     "u", client->ufrag, "p", client->pwd, "f", hex, "n", CLIENT_AUDIO_SLOTS,
                     (int)client->video_slots, "a", "opus", MEDIA_PT_OPUS, "v", "vp8", MEDIA_PT_VP8,
                     MEDIA_PT_VP8_RTX, "xa", "mid", MEDIA_EXT_MID, "level", MEDIA_EXT_LEVEL, "twcc",
                     MEDIA_EXT_TWCC, "xv", "mid", MEDIA_EXT_MID, "rid", MEDIA_EXT_RID, "rrid",
                     MEDIA_EXT_RRID, "twcc", MEDIA_EXT_TWCC, "s", mic, camera, 0, 0, 0);
}

static bool has_mic(const struct client *client)
{
    return client->film ? client->film->sound_on : client->media.config.audio;
}

static bool has_camera(const struct client *client)
{
    return client->film ? client->film->camera_on : client->media.config.video_bps > 0;
}

static void on_open(void *user)
{
    struct client *client = user;
    struct media_config config = client->media.config;
    client->hello_us = clock_mono_us();
    client->state = CLIENT_HELLO;
    media_source_init(&client->media, &config, client->hello_us);
    send_json(client, json_pack("{s:s,s:i,s:s,s:s}", "t", "hello", "v", 1, "link", client->link,
                                "lang", "en"));
    send_json(client, json_pack("{s:s,s:s,s:s,s:o}", "t", "media.offer", "id", "offer", "cause",
                                "load", "offer", offer_json(client)));
    send_json(client, json_pack("{s:s,s:s,s:s,s:b,s:b}", "t", "join", "id", "join", "name",
                                client->name, "mic", has_mic(client), "cam", has_camera(client)));
}

void client_again(struct client *client, const char *resume, json_int_t have, json_int_t epoch)
{
    if (client->state == CLIENT_DEAD || client->state == CLIENT_IDLE) {
        return;
    }
    client->world->totals.live -= client->state == CLIENT_LIVE;
    client_media_end(client);
    client->state = CLIENT_HELLO;
    client->hello_us = clock_mono_us();
    client->ready_sent = false;
    client->media_started = false;
    client->streams = 0;
    client->audio_index = client->video_index = 0;
    client->rtcp_index = 0;
    client->check_at = client->dtls_at = client->consent_at = client->rr_at = MONO_NEVER;
    send_json(client, json_pack("{s:s,s:i,s:s,s:I,s:I,s:s}", "t", "hello", "v", 1, "resume", resume,
                                "have", have, "epoch", epoch, "lang", "en"));
    send_json(client, json_pack("{s:s,s:s,s:s,s:o}", "t", "media.offer", "id", "again", "cause",
                                "epoch", "offer", offer_json(client)));
}

static int read_candidate(struct client *client, json_t *row)
{
    const char *ip = json_string_value(json_array_get(row, 1));
    const char *proto = json_string_value(json_array_get(row, 3));
    if (json_integer_value(json_array_get(row, 0)) != 4 || !ip || !proto ||
        strcmp(proto, "udp") != 0 || inet_pton(AF_INET, ip, &client->server.sin_addr) != 1) {
        return E_UNSUPPORTED;
    }
    client->server.sin_family = AF_INET;
    client->server.sin_port = htons((uint16_t)json_integer_value(json_array_get(row, 2)));
    if (client->world->via.sin_port) {
        client->server = client->world->via;
    }
    return 0;
}

static void begin(struct client *client)
{
    if (connect(client->fd, (struct sockaddr *)&client->server, sizeof(client->server)) != 0) {
        client_fail(client, "cannot reach the candidate");
        return;
    }
    client_media_begin(client, clock_mono_us());
}

void client_heard(struct client *client, const struct peer_heard *heard)
{
    unsigned kind = heard->section[PEER_SDP_PICTURE].there ? PEER_SDP_PICTURE : PEER_SDP_SOUND;
    client->answer = heard->answer;
    client->server = client->world->via.sin_port ? client->world->via : heard->candidate;
    client->by_type = true;
    client->pt.sound = heard->section[PEER_SDP_SOUND].pt;
    client->pt.picture = heard->section[PEER_SDP_PICTURE].pt;
    client->pt.rtx = heard->section[PEER_SDP_PICTURE].rtx;
    client->twcc_id.id[RTPEXT_TRANSPORT_CC] = heard->section[kind].twcc;
    begin(client);
}

static void on_answer(struct client *client, json_t *message)
{
    json_t *answer = json_object_get(message, "answer");
    const char *ufrag = json_string_value(json_object_get(answer, "u"));
    const char *pwd = json_string_value(json_object_get(answer, "p"));
    json_t *candidates = json_object_get(answer, "c");
    bool found = false;
    for (size_t i = 0; i < json_array_size(candidates) && !found; i++) {
        found = read_candidate(client, json_array_get(candidates, i)) == 0;
    }
    const char *print = json_string_value(json_object_get(answer, "f"));
    if (!ufrag || !pwd || !print || !found ||
        text_unhex(client->answer.fingerprint, 32, print, strlen(print)) != 0) {
        client_fail(client, "answer without credentials or IPv4 candidate");
        return;
    }
    (void)snprintf(client->answer.ufrag, sizeof(client->answer.ufrag), "%s", ufrag);
    (void)snprintf(client->answer.pwd, sizeof(client->answer.pwd), "%s", pwd);
    client->answer.ssrc_base = (uint32_t)json_integer_value(json_object_get(answer, "b"));
    begin(client);
}

/* What a snapshot says of ourselves. */
static void on_snapshot(struct client *client, json_t *you)
{
    const char *device = json_string_value(json_object_get(you, "device"));
    if (!device || client->device[0]) {
        return;
    }
    (void)snprintf(client->device, sizeof(client->device), "%s", device);
    const char *person = json_string_value(json_object_get(you, "person"));
    (void)snprintf(client->person, sizeof(client->person), "%s", person ? person : "");
    if (client->publisher) {
        send_json(client, json_pack("{s:s,s:s,s:s,s:b,s:b,s:b}", "t", "media.state", "id", "state",
                                    "mic", has_mic(client) ? "on" : "off", "cam",
                                    has_camera(client), "screen", 0, "sound", 0));
    }
    client_media_maybe_live(client);
}

static void on_error(struct client *client, json_t *message)
{
    char why[160];
    const char *id = json_string_value(json_object_get(message, "id"));
    const char *code = json_string_value(json_object_get(message, "code"));
    const char *text = json_string_value(json_object_get(message, "why"));
    client->world->totals.errors++;
    if (!id && client->state == CLIENT_LIVE && client->rx) { /* the view: it has no number */
        client->view_refused = true;
        client->world->totals.refused++;
        return;
    }
    if (id && strncmp(id, "ask", 3) == 0) { /* a command in the class: a refusal is an answer */
        client->world->totals.refused++;
        return;
    }
    (void)snprintf(why, sizeof(why), "server said %s to %s: %s", code ? code : "?",
                   id ? id : "a message", text ? text : "?");
    client_fail(client, why);
}

static void on_ack(struct client *client, json_t *message)
{
    const char *id = json_string_value(json_object_get(message, "id"));
    if (id && strncmp(id, "ask", 3) == 0) {
        unsigned long number = strtoul(id + 3, NULL, 10);
        mono_us *asked = &client->asked_at[number % CLIENT_ASKED];
        client->world->totals.acks++;
        spread_add(&client->world->totals.ack, clock_mono_us() - *asked);
    }
}

/* Only these matter, and of a class of hundreds only what is said of ourselves; a webinar's many
 * deltas are not even parsed. */
static const struct text_row {
    const char *type;
    const char *part; /* the value behind this is all that is read, NULL = the whole message */
    void (*handle_h)(struct client *client, json_t *message);
} text_rows[] = {
    {"\"media.answer\"", NULL, on_answer},
    {"\"snapshot\"", "\"you\":", on_snapshot},
    {"\"error\"", NULL, on_error},
    {"\"ack\"", NULL, on_ack},
};

static void text_handle(struct client *client, const struct text_row *row, const char *text,
                        size_t len)
{
    const char *at = row->part ? memmem(text, len, row->part, strlen(row->part)) : text;
    if (at) {
        at += row->part ? strlen(row->part) : 0;
        json_t *message = json_loadb(at, len - (size_t)(at - text), JSON_DISABLE_EOF_CHECK, NULL);
        if (message) {
            row->handle_h(client, message);
        }
        json_decref(message);
    }
}

static void on_text(void *user, const char *text, size_t len)
{
    struct client *client = user;
    char head[48] = "";
    client->world->totals.messages++;
    client->world->totals.message_bytes += len;
    if (client->world->hooks.text_h) {
        client->world->hooks.text_h(client, text, len);
    }
    if (client->told_h) {
        client->told_h(client, text, len);
    }
    memcpy(head, text, len < sizeof(head) - 1 ? len : sizeof(head) - 1);
    for (size_t i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        if (strstr(head, text_rows[i].type)) {
            text_handle(client, &text_rows[i], text, len);
            return;
        }
    }
}

static void on_closed(void *user, const char *why)
{
    struct client *client = user;
    if (client->state != CLIENT_IDLE) {
        client_fail(client, why);
    }
}

const struct wsc_handlers client_ws_handlers = {
    .open_h = on_open,
    .text_h = on_text,
    .closed_h = on_closed,
};

static void ready_h(struct client *client)
{
    send_json(client, json_pack("{s:s}", "t", "media.ready"));
    client_media_maybe_live(client);
}

/* Pixels a tile has on a laptop when this many share its screen. */
static int tile_height(uint32_t count)
{
    return count <= 2 ? 720 : count <= 6 ? 360 : 180;
}

void client_view(struct client *client, const char *const *devices, uint32_t count)
{
    json_t *want = json_array();
    for (uint32_t i = 0; i < count && i < client->video_slots; i++) {
        (void)json_array_append_new(
            want, json_pack("[i,s,s,i]", (int)i, devices[i], "cam", tile_height(count)));
    }
    client->views = count;
    if (client->rx) {
        client_rx_view(client, count, clock_mono_us());
    }
    send_json(client, json_pack("{s:s,s:o}", "t", "view", "want", want));
}

void client_command(struct client *client, json_t *command)
{
    char id[16];
    if (client->state != CLIENT_LIVE || !client->driver->classroom) {
        json_decref(command);
        return;
    }
    (void)snprintf(id, sizeof(id), "ask%u", client->asked);
    client->asked_at[client->asked++ % CLIENT_ASKED] = clock_mono_us();
    (void)json_object_set_new(command, "id", json_string(id));
    send_json(client, command);
}

void client_mic(struct client *client, bool on)
{
    if (client->film) {
        client->film->sound_on = on;
        client_command(client, json_pack("{s:s,s:s,s:b,s:b,s:b}", "t", "media.state", "mic",
                                         on ? "on" : "off", "cam", has_camera(client), "screen", 0,
                                         "sound", 0));
    }
}

void client_hand(struct client *client, bool up)
{
    client->hand_up = up;
    client_command(client, up ? json_pack("{s:s,s:s}", "t", "hand.raise", "kind", "speak")
                              : json_pack("{s:s}", "t", "hand.lower"));
}

void client_chat(struct client *client, const char *text)
{
    client_command(client, json_pack("{s:s,s:s}", "t", "chat.send", "text", text));
}

void client_phase(struct client *client, const char *phase)
{
    client_command(client, json_pack("{s:s,s:s}", "t", "stage.phase", "phase", phase));
}

void client_place(struct client *client, const char *person)
{
    client_command(
        client, json_pack("{s:s,s:s,s:s}", "t", "stage.place", "person", person, "place", "stage"));
}

static void unequip(struct client *client)
{
    client_rx_free(client->rx);
    if (client->film) {
        film_sender_fini(client->film);
    }
    if (client->up) {
        link_fini(client->up);
    }
    if (client->down) {
        link_fini(client->down);
    }
    mem_free(client->film);
    mem_free(client->up);
    mem_free(client->down);
    client->rx = NULL;
    client->film = NULL;
    client->up = client->down = NULL;
}

static void leave_h(struct client *client)
{
    if (client->ws && client->state != CLIENT_DEAD) {
        send_json(client, json_pack("{s:s,s:s}", "t", "leave", "id", "leave"));
        wsc_close(client->ws);
    }
}

const struct client_driver driver_amphi = {
    .name = "amphi",
    .ws = &client_ws_handlers,
    .ws_path = "/ws",
    .ws_protocol = "amphi.1",
    .classroom = true,
    .start_h = start_h,
    .ready_h = ready_h,
    .leave_h = leave_h,
};

void client_fini(struct client *client)
{
    if (client->driver) {
        client->driver->leave_h(client);
    }
    mem_free(client->driver_data);
    client->driver_data = NULL;
    client->state = CLIENT_IDLE;
    client_media_end(client);
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    client->fd = -1;
    unequip(client);
}
