/* Rule S12: what viewers say about their reception, honestly or not. */
#include <stdio.h>
#include <string.h>

#include "bench/load/client_media.h"
#include "codec/sys/clock.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/twcc.h"
#include "tests/attack/scenarios.h"

enum {
    VIEWERS = 100,
    PLI_RATE = 50, /* per viewer and second */
    PLI_SECONDS = 8,
    WINDOW_US = 4 * US_PER_S,
    WINDOW_PLIS = 4,
    TIMES_MAX = 4096,
    LIE_SECONDS = 4,
};

/* When the publisher was asked for key frames. */
struct asked {
    mono_us at[TIMES_MAX];
    uint32_t count;
};

static void note_asked(struct client *client, const uint8_t *plain, size_t len)
{
    struct asked *asked = ((struct stage *)client->world)->arg;
    struct rd compound = rd_init(plain, len);
    struct rtcp_packet packet;
    while (client->publisher && rtcp_next(&compound, &packet) == 1) {
        if (packet.type == RTCP_PSFB && packet.count != PSFB_AFB && asked->count < TIMES_MAX) {
            asked->at[asked->count++] = clock_mono_us();
        }
    }
}

/* Most requests in any window, and the shortest distance. */
static uint32_t densest(const struct asked *asked, mono_us *nearest)
{
    uint32_t most = 0;
    *nearest = MONO_NEVER;
    for (uint32_t i = 0; i < asked->count; i++) {
        uint32_t n = 0;
        for (uint32_t k = i; k < asked->count && asked->at[k] < asked->at[i] + WINDOW_US; k++) {
            n++;
        }
        most = n > most ? n : most;
        if (i && asked->at[i] - asked->at[i - 1] < *nearest) {
            *nearest = asked->at[i] - asked->at[i - 1];
        }
    }
    return most;
}

static uint32_t video_slot(const struct client *client)
{
    return client->answer.ssrc_base + 2 * CLIENT_AUDIO_SLOTS;
}

static void send_pli(struct client *viewer)
{
    uint8_t bytes[64];
    struct wr w = wr_init(bytes, sizeof(bytes));
    rtcp_write_pli(&w, 1, video_slot(viewer));
    client_media_rtcp(viewer, bytes, wr_len(&w));
}

/* All viewers together, evenly in time. */
static uint32_t pli_flood(struct stage *stage)
{
    mono_us start = clock_mono_us();
    mono_us end = start + PLI_SECONDS * US_PER_S;
    uint32_t sent = 0;
    for (mono_us now = start; now < end; now = clock_mono_us()) {
        for (uint32_t n = stage_due(start, now, PLI_RATE * VIEWERS, sent, 500); n; n--) {
            send_pli(&stage->clients[1 + sent++ % VIEWERS]);
        }
        stage_turn(stage);
    }
    return sent;
}

/* No bandwidth at all, and nothing of thousands of packets arrived. */
static void lie(struct client *liar, uint32_t round)
{
    uint8_t bytes[400];
    uint32_t ssrc = video_slot(liar);
    struct wr w = wr_init(bytes, sizeof(bytes));
    struct twcc_arrival arrival = {.seq = round * 100 + 99, .at = clock_mono_us()};
    rtcp_write_remb(&w, 1, 0, &ssrc, 1);
    (void)twcc_build(&w, 1, ssrc, (uint8_t)round, round * 100, &arrival, 1);
    client_media_rtcp(liar, bytes, wr_len(&w));
}

/* The fewest of the publisher's packets first .. end-1 that one of the honest viewers has had. */
static uint32_t least_got(struct stage *stage, uint32_t first, uint32_t end)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 2; i <= VIEWERS; i++) {
        uint32_t got = stage_got(&stage->clients[i], first, end);
        least = got < least ? got : least;
    }
    return least;
}

static void liar(struct stage *stage)
{
    const struct client *publisher = &stage->clients[0];
    uint32_t first = publisher->media.counter;
    double before = stage_lost(stage);
    double lost = 0;
    uint32_t least = 0;
    for (uint32_t round = 0; round < LIE_SECONDS * 50; round++) {
        lie(&stage->clients[1], round);
        stage_run(stage, 20 * US_PER_MS);
    }
    uint32_t end = publisher->media.counter;
    uint32_t sent = end - first;
    stage_until(stage, (least = least_got(stage, first, end)) >= sent ||
                           least + (lost = stage_lost(stage) - before) >= sent);
    for (uint32_t i = 2; least + lost < sent && i <= VIEWERS; i++) {
        stage_tell_missing(&stage->clients[i], first, end);
    }
    uint32_t lied = stage_got(&stage->clients[1], first, end);
    stage_check(stage, least + lost >= sent,
                "S12 REMB 0 and false feedback by one viewer: each of the others got >= %u of %u "
                "packets sent, %.0f lost by the machine; the liar %u",
                least, sent, lost, lied);
    stage_check(stage, lied < sent, "S12 and the lie was heard: the liar got %u of %u", lied, sent);
    stage_check(stage, sent > LIE_SECONDS * 50, "S12 and the publisher sent on: %u packets in %d s",
                sent, LIE_SECONDS);
}

void attack_s12(struct stage *stage)
{
    static struct asked asked;
    mono_us nearest;
    struct client *publisher = stage_publisher(stage, 100000);
    bool good = stage_live(stage, publisher, STAGE_PATIENCE_US);
    const char *devices[1] = {publisher->device};
    for (uint32_t i = 0; i < VIEWERS; i++) {
        (void)stage_viewer(stage);
        stage_run(stage, 15 * US_PER_MS);
    }
    uint32_t live = stage_all_live(stage, STAGE_PATIENCE_US);
    stage_check(stage, good && live == VIEWERS + 1, "S12 %u of %d viewers are there", live - 1,
                VIEWERS);
    if (live != VIEWERS + 1) {
        return;
    }
    for (uint32_t i = 1; i <= VIEWERS; i++) {
        stage_seen(&stage->clients[i])->from = publisher->media.config.sender;
        client_view(&stage->clients[i], devices, 1);
    }
    stage_run(stage, WINDOW_US + US_PER_S);
    stage->arg = &asked;
    stage->more.rtcp_h = note_asked;
    double heard = stage_metric(stage, "amphi_keyframe_requests_total{direction=\"in\"}");
    uint32_t sent = pli_flood(stage);
    stage_settle(stage);
    heard = stage_metric(stage, "amphi_keyframe_requests_total{direction=\"in\"}") - heard;
    uint32_t most = densest(&asked, &nearest);
    stage_check(stage, most >= 1 && most <= WINDOW_PLIS && heard >= sent * 0.5,
                "S12 %d viewers x %d PLI/s for %d s: %u sent, %.0f heard, the publisher saw %u, at "
                "most %u in 4 s, read %.0f ms apart (limit 300 ms as sent: unit keyreq)",
                VIEWERS, PLI_RATE, PLI_SECONDS, sent, heard, asked.count, most,
                asked.count > 1 ? (double)nearest / 1000 : 0.0);
    liar(stage);
}
