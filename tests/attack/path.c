/* Rules S4 and S7: what checks and media from other addresses move. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "codec/sys/clock.h"
#include "codec/wire/stun.h"
#include "tests/attack/scenarios.h"

enum {
    BINDING_RATE = 50000,
    BINDING_SECONDS = 5,
    BINDING_SOURCES = 1000,
    CONSENT_US = 30 * US_PER_S,
    STOLEN = 1000,
    STOLEN_LEN = 1500,
};

/* The four kinds of checks without authority; their username names a peer that exists, or none. */
static size_t binding(struct stage *stage, const struct client *victim, uint32_t kind, uint8_t *out,
                      size_t cap)
{
    char username[80];
    bool known = kind % 2;
    (void)snprintf(username, sizeof(username), "%s:%s", known ? victim->answer.ufrag : "nobody",
                   known ? victim->ufrag : "none");
    struct stun_request request = {.username = username,
                                   .username_len = strlen(username),
                                   .priority = 0x7e0000ff,
                                   .role = STUN_CONTROLLING,
                                   .use_candidate = true,
                                   .tie_breaker = 1};
    rng_fill(&stage->world.rng, request.txid, sizeof(request.txid));
    const char *key = kind >= 2 ? "a password of nobody at all" : NULL;
    int len = stun_build_request(out, cap, &request, key, key ? strlen(key) : 0,
                                 stage->world.crypto->hmac_sha1);
    return len > 0 ? (size_t)len : 0;
}

void attack_s4(struct stage *stage)
{
    static uint8_t check[64][256];
    size_t len[64];
    struct stage_spoof spoof;
    struct client *victim = stage_viewer(stage);
    if (stage_spoof_open(&spoof) != 0 || !stage_live(stage, victim, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S4 the victim joins: %s", stage->world.error_text);
        return;
    }
    for (uint32_t i = 0; i < 64; i++) {
        len[i] = binding(stage, victim, i % 4, check[i], sizeof(check[i]));
    }
    double dropped = stage_drops_like(stage, "stun_");
    double cpu = stage_cpu(stage);
    uint64_t out = 0;
    mono_us start = clock_mono_us();
    mono_us end = start + BINDING_SECONDS * US_PER_S;
    uint32_t sent = 0;
    for (mono_us now = start; now < end; now = clock_mono_us()) {
        for (uint32_t n = stage_due(start, now, BINDING_RATE, sent, 500); n; n--, sent++) {
            stage_spoof_send(&spoof, &victim->server, sent % BINDING_SOURCES, check[sent % 64],
                             len[sent % 64]);
            out += len[sent % 64];
        }
        stage_turn(stage);
    }
    stage_settle(stage);
    double seconds = (double)(clock_mono_us() - start) / US_PER_S;
    cpu = stage_cpu(stage) - cpu;
    dropped = stage_drops_like(stage, "stun_") - dropped;
    uint64_t back = stage_spoof_received(&spoof);
    stage_check(stage, back == 0 && dropped >= 10000,
                "S4 Binding flood without authority, %.0f a second from %u addresses: %llu bytes "
                "in, %llu bytes out, amplification %.2f (%.0f reached the server)",
                (double)sent / BINDING_SECONDS, BINDING_SOURCES, (unsigned long long)out,
                (unsigned long long)back, (double)back / (double)out, dropped);
    stage_check(stage, victim->state == CLIENT_LIVE,
                "S4 the client inside stays, processor share %.1f %%", 100 * cpu / seconds);
    struct client *late = stage_viewer(stage);
    stage_check(stage, stage_live(stage, late, STAGE_PATIENCE_US), "S4 and another one joins: %s",
                stage->world.error ? stage->world.error : "yes");
    stage_spoof_close(&spoof);
}

/* The victim's last packets, rightly sealed, that the thief sends from elsewhere. */
struct stolen {
    uint8_t bytes[STOLEN][STOLEN_LEN];
    size_t len[STOLEN];
    uint32_t count;
    bool withhold; /* seals but lets the thief send */
};

static void s7_takeover(struct stage *stage, struct client *publisher, struct client *viewer)
{
    static struct stolen stolen;
    struct stage_spoof spoof;
    if (stage_spoof_open(&spoof) != 0) {
        stage_check(stage, false, "S7 no socket");
        return;
    }
    publisher->paused = true;
    stage_settle(stage);
    for (uint32_t i = 0; i < STOLEN; i++) {
        uint8_t plain[300];
        struct stage_rtp rtp = {.ssrc = publisher->media.audio_ssrc,
                                .seq = publisher->media.audio_seq++,
                                .timestamp = publisher->media.audio_ts,
                                .mid = true,
                                .len = 80,
                                .stamp = {.sender = 77, .counter = i}};
        size_t len = stage_rtp(plain, sizeof(plain), &rtp);
        publisher->media.audio_ts += 960;
        stolen.len[i] = client_media_seal(publisher, plain, len, rtp.seq, stolen.bytes[i]);
        stolen.count += stolen.len[i] > 0;
    }
    double forwarded = stage_metric(stage, "amphi_forwarded_packets_total");
    double dropped = stage_drops(stage, "unknown_tuple");
    uint32_t got = stage_seen(viewer)->rtp;
    for (uint32_t i = 0; i < STOLEN; i++) {
        stage_spoof_send(&spoof, &publisher->server, 5, stolen.bytes[i], stolen.len[i]);
        if (i % 10 == 0) {
            stage_turn(stage);
        }
    }
    stage_settle(stage);
    forwarded = stage_metric(stage, "amphi_forwarded_packets_total") - forwarded;
    dropped = stage_drops(stage, "unknown_tuple") - dropped;
    got = stage_seen(viewer)->rtp - got;
    stage_check(stage, forwarded == 0 && got == 0 && dropped >= STOLEN * 0.9,
                "S7 %u rightly sealed packets from a new address: %.0f forwarded, %.0f dropped",
                stolen.count, forwarded, dropped);
    publisher->paused = false;
    got = stage_seen(viewer)->rtp;
    stage_until(stage, stage_seen(viewer)->rtp > got + 20);
    stage_check(stage, stage_seen(viewer)->rtp > got + 20 && stage_spoof_received(&spoof) == 0,
                "S7 the path did not move: 0 bytes to the new address, %u packets to the old",
                stage_seen(viewer)->rtp - got);
    stage_spoof_close(&spoof);
}

/* The viewer's signalling lives on, its checks stop: nothing more may be sent after 30 s. */
static void s7_consent(struct stage *stage, struct client *viewer)
{
    struct stage_seen *seen = stage_seen(viewer);
    mono_us last_check = viewer->check_at - 5 * US_PER_S;
    viewer->no_checks = true;
    while (clock_mono_us() < last_check + CONSENT_US + 4 * US_PER_S) {
        stage_turn(stage);
    }
    double after = (double)(seen->last_rtp - last_check) / US_PER_S;
    stage_check(stage, after <= 32 && after > 20,
                "S7 checks stop: last RTP %.1f s after the last check (limit 30 s)", after);
    uint32_t got = seen->rtp;
    viewer->no_checks = false;
    viewer->check_at = 0;
    stage_until(stage, seen->rtp > got + 20);
    stage_check(stage, seen->rtp > got + 20, "S7 checks again: media again, %u packets",
                seen->rtp - got);
}

void attack_s7(struct stage *stage)
{
    struct client *publisher = stage_publisher(stage, 200000);
    struct client *viewer = stage_viewer(stage);
    if (!stage_live(stage, publisher, STAGE_PATIENCE_US) ||
        !stage_live(stage, viewer, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S7 both join: %s", stage->world.error_text);
        return;
    }
    const char *devices[1] = {publisher->device};
    client_view(viewer, devices, 1);
    stage_run(stage, 2 * US_PER_S);
    s7_takeover(stage, publisher, viewer);
    s7_consent(stage, viewer);
}
