/* VideoRoom of Janus 1.x over its WebSocket: session, handle, room; one publisher a room, whose
 * feed is 1, so that subscribers need not ask who is there. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/client.h"
#include "bench/load/client_media.h"
#include "bench/load/driver.h"
#include "bench/load/peer_sdp.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"

struct janus {
    json_int_t session, handle;
};

static void send_json(struct client *client, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    if (text) {
        wsc_send(client->ws, text, strlen(text));
    }
    free(text);
    json_decref(message);
}

/* body and jsep are taken; jsep may be NULL. */
static void ask(struct client *client, const char *transaction, json_t *body, json_t *jsep)
{
    struct janus *janus = client->driver_data;
    json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:o}", "janus", "message", "transaction", transaction,
                          "session_id", janus->session, "handle_id", janus->handle, "body", body);
    if (o && jsep) {
        (void)json_object_set_new(o, "jsep", jsep);
    }
    send_json(client, o);
}

static void start_h(struct client *client)
{
    client->driver_data =
        client->driver_data ? client->driver_data : mem_alloc(sizeof(struct janus));
    client->ws = client->driver_data ? wsc_connect(client->world->ws, client) : NULL;
    if (!client->ws) {
        client_fail(client, "no room for a WebSocket");
    }
}

static void on_open(void *user)
{
    struct client *client = user;
    client->hello_us = clock_mono_us();
    client->state = CLIENT_HELLO;
    send_json(client, json_pack("{s:s,s:s}", "janus", "create", "transaction", "create"));
}

static struct peer_sdp ours(const struct client *client)
{
    struct peer_sdp p = {
        .ufrag = client->ufrag, .pwd = client->pwd, .setup = "active", .sends = client->publisher};
    client_media_fingerprint(client, p.fingerprint);
    return p;
}

static void publish(struct client *client)
{
    char text[PEER_SDP_MAX];
    struct film_sender *film = client->film;
    struct peer_sdp p = ours(client);
    unsigned top = film->config.top;
    film->config.layers = film->config.layers ? 1 : 0;
    p.layers = film->config.layers;
    p.section[PEER_SDP_SOUND] = (struct peer_section){
        .there = true, .mid = "0", .pt = MEDIA_PT_OPUS, .twcc = MEDIA_EXT_TWCC};
    p.section[PEER_SDP_PICTURE] = (struct peer_section){.there = p.layers > 0,
                                                        .mid = "1",
                                                        .pt = MEDIA_PT_VP8,
                                                        .rtx = MEDIA_PT_VP8_RTX,
                                                        .twcc = MEDIA_EXT_TWCC};
    p.ssrc[PEER_SDP_SOUND] = film->stream[FILM_STREAM_SOUND].ssrc;
    p.ssrc[PEER_SDP_PICTURE] = film->stream[FILM_STREAM_VIDEO + top].ssrc;
    p.rtx_ssrc = film->stream[FILM_STREAM_RTX + top].ssrc;
    if (peer_sdp_write(text, sizeof(text), &p) < 0) {
        client_fail(client, "the offer cannot be written");
        return;
    }
    ask(client, "publish",
        json_pack("{s:s,s:s,s:i,s:i,s:s}", "request", "joinandconfigure", "ptype", "publisher",
                  "room", (int)client->room + 1, "id", 1, "display", client->name),
        json_pack("{s:s,s:s}", "type", "offer", "sdp", text));
}

static void attached(struct client *client)
{
    if (client->publisher) {
        ask(client, "room",
            json_pack("{s:s,s:i,s:i,s:s,s:s,s:b}", "request", "create", "room",
                      (int)client->room + 1, "publishers", 1, "audiocodec", "opus", "videocodec",
                      "vp8", "transport_wide_cc_ext", 1),
            NULL);
        return;
    }
    ask(client, "watch",
        json_pack("{s:s,s:s,s:i,s:[{s:i}]}", "request", "join", "ptype", "subscriber", "room",
                  (int)client->room + 1, "streams", "feed", 1),
        NULL);
}

static void on_success(struct client *client, const char *transaction, const json_t *message)
{
    struct janus *janus = client->driver_data;
    json_int_t id = json_integer_value(json_object_get(json_object_get(message, "data"), "id"));
    if (strcmp(transaction, "create") == 0) {
        janus->session = id;
        send_json(client, json_pack("{s:s,s:s,s:I,s:s}", "janus", "attach", "transaction", "attach",
                                    "session_id", id, "plugin", "janus.plugin.videoroom"));
    } else if (strcmp(transaction, "attach") == 0) {
        janus->handle = id;
        attached(client);
    } else if (strcmp(transaction, "room") == 0) { /* made, or there already */
        publish(client);
    }
}

static void answer_offer(struct client *client, const struct peer_heard *heard)
{
    char text[PEER_SDP_MAX];
    struct peer_sdp p = ours(client);
    memcpy(p.section, heard->section, sizeof(p.section));
    p.picture_first = heard->picture_first;
    if (peer_sdp_write(text, sizeof(text), &p) < 0) {
        client_fail(client, "the answer cannot be written");
        return;
    }
    ask(client, "start", json_pack("{s:s}", "request", "start"),
        json_pack("{s:s,s:s}", "type", "answer", "sdp", text));
}

/* What the plug-in says: its description, or why not. */
static void on_event(struct client *client, const json_t *message)
{
    struct peer_heard heard;
    const char *why = "";
    char text[200];
    const json_t *jsep = json_object_get(message, "jsep");
    const char *sdp = json_string_value(json_object_get(jsep, "sdp"));
    const json_t *data = json_object_get(json_object_get(message, "plugindata"), "data");
    const char *error = json_string_value(json_object_get(data, "error"));
    if (error) {
        (void)snprintf(text, sizeof(text), "Janus said: %s", error);
        client_fail(client, text);
        return;
    }
    if (!sdp || client->state != CLIENT_HELLO) {
        return;
    }
    if (peer_sdp_read(&heard, sdp, strlen(sdp), &why) != 0) {
        (void)snprintf(text, sizeof(text), "Janus' description cannot be used: %s", why);
        client_fail(client, text);
        return;
    }
    if (!client->publisher) {
        answer_offer(client, &heard);
    }
    client_heard(client, &heard);
}

static void on_text(void *user, const char *text, size_t len)
{
    struct client *client = user;
    json_t *message = json_loadb(text, len, 0, NULL);
    const char *kind = json_string_value(json_object_get(message, "janus"));
    const char *transaction = json_string_value(json_object_get(message, "transaction"));
    client->world->totals.messages++;
    client->world->totals.message_bytes += len;
    if (kind && transaction && strcmp(kind, "success") == 0) {
        on_success(client, transaction, message);
    } else if (kind && strcmp(kind, "event") == 0) {
        on_event(client, message);
    } else if (kind && strcmp(kind, "error") == 0) {
        client_fail(client, "Janus refused a request");
    }
    json_decref(message);
}

static void on_closed(void *user, const char *why)
{
    struct client *client = user;
    if (client->state != CLIENT_IDLE) {
        client_fail(client, why);
    }
}

static void ready_h(struct client *client)
{
    (void)snprintf(client->device, sizeof(client->device), "%s", client->name);
    if (!client->publisher && client->rx) {
        client->views = 1;
        client_rx_view(client, 1, clock_mono_us());
    }
    client_media_maybe_live(client);
}

static void leave_h(struct client *client)
{
    const struct janus *janus = client->driver_data;
    if (client->ws && janus && client->state != CLIENT_DEAD) {
        send_json(client, json_pack("{s:s,s:s,s:I}", "janus", "destroy", "transaction", "leave",
                                    "session_id", janus->session));
        wsc_close(client->ws);
    }
}

static const struct wsc_handlers handlers = {
    .open_h = on_open,
    .text_h = on_text,
    .closed_h = on_closed,
};

const struct client_driver driver_janus = {
    .name = "janus",
    .ws = &handlers,
    .ws_path = "/",
    .ws_protocol = "janus-protocol",
    .any_srtp = true,
    .start_h = start_h,
    .ready_h = ready_h,
    .leave_h = leave_h,
};
