#include "bench/load/client.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "codec/base/err.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"

static void fail(struct client *client, const char *why)
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
    client->state = CLIENT_DEAD;
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
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(local);
    *client = (struct client){.world = world,
                              .link = link,
                              .room = room,
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

void client_start(struct client *client)
{
    client->state = CLIENT_CONNECTING;
    client->ws = wsc_connect(client->world->ws, client);
    if (!client->ws) {
        fail(client, "no room for a WebSocket");
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

/* The compact offer of a page with 5 audio and 16 video slots (signalling contract, section 2). */
static json_t *offer_json(const struct client *client)
{
    char hex[65];
    uint8_t fingerprint[32];
    client_media_fingerprint(client, fingerprint);
    text_hex(hex, fingerprint, sizeof(fingerprint));
    return json_pack("{s:s,s:s,s:s,s:[i,i],s:{s:[i]},s:{s:[i,i]},s:{s:i,s:i,s:i},"
                     "s:{s:i,s:i},s:[I,I,i,i,i]}",
                     "u", client->ufrag, "p", client->pwd, "f", hex, "n", CLIENT_AUDIO_SLOTS,
                     CLIENT_VIDEO_SLOTS, "a", "opus", MEDIA_PT_OPUS, "v", "vp8", MEDIA_PT_VP8,
                     MEDIA_PT_VP8_RTX, "xa", "mid", MEDIA_EXT_MID, "level", MEDIA_EXT_LEVEL, "twcc",
                     MEDIA_EXT_TWCC, "xv", "mid", MEDIA_EXT_MID, "twcc", MEDIA_EXT_TWCC, "s",
                     (json_int_t)client->media.audio_ssrc, (json_int_t)client->media.video_ssrc, 0,
                     0, 0);
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
                                client->name, "mic", client->media.config.audio, "cam",
                                client->media.config.video_bps > 0));
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
    return 0;
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
        fail(client, "answer without credentials or IPv4 candidate");
        return;
    }
    (void)snprintf(client->answer.ufrag, sizeof(client->answer.ufrag), "%s", ufrag);
    (void)snprintf(client->answer.pwd, sizeof(client->answer.pwd), "%s", pwd);
    client->answer.ssrc_base = (uint32_t)json_integer_value(json_object_get(answer, "b"));
    if (connect(client->fd, (struct sockaddr *)&client->server, sizeof(client->server)) != 0) {
        fail(client, "cannot reach the candidate");
        return;
    }
    client_media_begin(client, clock_mono_us());
}

static void on_snapshot(struct client *client, json_t *message)
{
    const char *device =
        json_string_value(json_object_get(json_object_get(message, "you"), "device"));
    if (!device || client->device[0]) {
        return;
    }
    (void)snprintf(client->device, sizeof(client->device), "%s", device);
    if (client->publisher) {
        send_json(client, json_pack("{s:s,s:s,s:s,s:b,s:b,s:b}", "t", "media.state", "id", "state",
                                    "mic", client->media.config.audio ? "on" : "off", "cam",
                                    client->media.config.video_bps > 0, "screen", 0, "sound", 0));
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
    (void)snprintf(why, sizeof(why), "server said %s to %s: %s", code ? code : "?",
                   id ? id : "a message", text ? text : "?");
    fail(client, why);
}

/* Only these matter; a webinar's many deltas are not even parsed. */
static void on_text(void *user, const char *text, size_t len)
{
    static const struct {
        const char *type;
        void (*handle_h)(struct client *client, json_t *message);
    } rows[] = {
        {"\"media.answer\"", on_answer},
        {"\"snapshot\"", on_snapshot},
        {"\"error\"", on_error},
    };
    struct client *client = user;
    char head[48] = "";
    if (client->world->hooks.text_h) {
        client->world->hooks.text_h(client, text, len);
    }
    memcpy(head, text, len < sizeof(head) - 1 ? len : sizeof(head) - 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strstr(head, rows[i].type)) {
            json_t *message = json_loadb(text, len, 0, NULL);
            if (message) {
                rows[i].handle_h(client, message);
            }
            json_decref(message);
            return;
        }
    }
}

static void on_closed(void *user, const char *why)
{
    struct client *client = user;
    if (client->state != CLIENT_IDLE) {
        fail(client, why);
    }
}

const struct wsc_handlers client_ws_handlers = {
    .open_h = on_open,
    .text_h = on_text,
    .closed_h = on_closed,
};

void client_ready(struct client *client)
{
    send_json(client, json_pack("{s:s}", "t", "media.ready"));
}

void client_view(struct client *client, const char *const *devices, uint32_t count)
{
    json_t *want = json_array();
    for (uint32_t i = 0; i < count && i < CLIENT_VIDEO_SLOTS; i++) {
        (void)json_array_append_new(want, json_pack("[i,s,s,i]", (int)i, devices[i], "cam", 720));
    }
    client->views = count;
    send_json(client, json_pack("{s:s,s:o}", "t", "view", "want", want));
}

void client_fini(struct client *client)
{
    if (client->ws && client->state != CLIENT_DEAD) {
        send_json(client, json_pack("{s:s,s:s}", "t", "leave", "id", "leave"));
        wsc_close(client->ws);
    }
    client->state = CLIENT_IDLE;
    client_media_end(client);
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    client->fd = -1;
}
