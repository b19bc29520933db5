/* WHIP and WHEP: one POST with an SDP offer, one answer, one DELETE. client.link is
 * https://host/path#token; %d in it becomes the number of the person. */
#include <stdio.h>
#include <string.h>

#include "bench/load/client.h"
#include "bench/load/client_media.h"
#include "bench/load/driver.h"
#include "bench/load/peer_sdp.h"
#include "bench/load/web.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"

enum { LINK_MAX = 1024, TRIES = 8, AGAIN_US = US_PER_S };

/* What the driver keeps of a client. */
struct doors {
    char link[LINK_MAX]; /* split at the # */
    const char *token;
    unsigned tries;
    char session[LINK_MAX];
};

static void describe(const struct client *client, struct peer_sdp *p)
{
    *p = (struct peer_sdp){
        .ufrag = client->ufrag,
        .pwd = client->pwd,
        .setup = "actpass",
        .sends = client->publisher,
        .section = {{.there = true, .mid = "0", .pt = MEDIA_PT_OPUS, .twcc = MEDIA_EXT_TWCC},
                    {.there = true,
                     .mid = "1",
                     .pt = MEDIA_PT_VP8,
                     .rtx = MEDIA_PT_VP8_RTX,
                     .twcc = MEDIA_EXT_TWCC}},
    };
    client_media_fingerprint(client, p->fingerprint);
    if (client->film) {
        const struct film_sender *film = client->film;
        p->section[PEER_SDP_PICTURE].there = film->config.layers > 0;
        p->layers = film->config.layers;
        p->top = film->config.top;
        p->ssrc[PEER_SDP_SOUND] = film->stream[FILM_STREAM_SOUND].ssrc;
        if (p->layers == 1) {
            p->ssrc[PEER_SDP_PICTURE] = film->stream[FILM_STREAM_VIDEO + p->top].ssrc;
            p->rtx_ssrc = film->stream[FILM_STREAM_RTX + p->top].ssrc;
        }
    }
}

static void take_answer(struct client *client, const struct web_answer *answer)
{
    struct doors *doors = client->driver_data;
    struct peer_heard heard;
    char text[200];
    const char *why = "";
    (void)snprintf(doors->session, sizeof(doors->session), "%s", answer->location);
    if (peer_sdp_read(&heard, answer->body, answer->len, &why) != 0) {
        (void)snprintf(text, sizeof(text), "the door's answer cannot be used: %s", why);
        client_fail(client, text);
        return;
    }
    if (client->film && client->film->config.layers > 1 && !heard.simulcast) {
        client->film->config.layers = 1; /* this server takes one size */
    }
    client_heard(client, &heard);
}

static void done_h(void *user, const struct web_answer *answer)
{
    struct client *client = user;
    struct doors *doors = client->driver_data;
    char why[200];
    if (answer->status == 201) {
        take_answer(client, answer);
        return;
    }
    if ((answer->status == 409 || answer->status == 503) && doors->tries++ < TRIES) {
        client->state = CLIENT_CONNECTING; /* nothing to watch yet, or busy: both pass */
        client->again_at = clock_mono_us() + AGAIN_US;
        return;
    }
    if (!answer->status) {
        (void)snprintf(why, sizeof(why), "no answer from the door: %s", answer->why);
    } else {
        (void)snprintf(why, sizeof(why), "the door answered %d: %.*s", answer->status,
                       (int)strcspn(answer->body, "\r\n"), answer->body);
    }
    client_fail(client, why);
}

static bool split_link(struct client *client, struct doors *doors)
{
    const char *number = strstr(client->link, "%d");
    int n = number ? snprintf(doors->link, sizeof(doors->link), "%.*s%s%s",
                              (int)(number - client->link), client->link,
                              client->name + strlen("load "), number + 2)
                   : snprintf(doors->link, sizeof(doors->link), "%s", client->link);
    char *hash = strchr(doors->link, '#');
    doors->token = hash ? hash + 1 : "";
    if (hash) {
        *hash = '\0';
    }
    return n > 0 && (size_t)n < sizeof(doors->link);
}

static void start_h(struct client *client)
{
    char offer[PEER_SDP_MAX];
    struct peer_sdp p;
    struct doors *doors = client->driver_data ? client->driver_data : mem_alloc(sizeof(*doors));
    client->driver_data = doors;
    describe(client, &p);
    if (!doors || !split_link(client, doors) || peer_sdp_write(offer, sizeof(offer), &p) < 0) {
        client_fail(client, "the offer cannot be written");
        return;
    }
    struct web_request request = {
        .method = "POST",
        .url = doors->link,
        .token = doors->token,
        .type = "application/sdp",
        .body = offer,
        .done_h = done_h,
        .user = client,
    };
    client->hello_us = clock_mono_us();
    client->state = CLIENT_HELLO;
    if (web_ask(client->world->web, &request) != 0) {
        client_fail(client, "out of memory");
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
    struct doors *doors = client->driver_data;
    web_forget(client->world->web, client);
    if (doors && doors->session[0]) {
        struct web_request request = {
            .method = "DELETE", .url = doors->session, .token = doors->token};
        (void)web_ask(client->world->web, &request);
    }
}

const struct client_driver driver_doors = {
    .name = "whip",
    .any_srtp = true,
    .start_h = start_h,
    .ready_h = ready_h,
    .leave_h = leave_h,
};
