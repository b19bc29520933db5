/* Rules S8 to S11 and S38: forged, repeated, foreign and stale media. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp.h"
#include "tests/attack/scenarios.h"

enum {
    FORGED = 20000,
    BAD_RATE = 10000,
    BAD_PACKETS = 300000,
    BAD_COST_US = 15,
    KEEP = 2048, /* sealed packets remembered for replays */
    KEEP_LEN = 1500,
    SSRCS = 65536,
    CANARY_PACKETS = 1500,
    CANARY_SEED = 38,
    CANARY_RUN = 8,
    CANARY = 0xc5,
};

/* Sealed packets as they went out. */
struct kept {
    uint8_t bytes[KEEP][KEEP_LEN];
    size_t len[KEEP];
    uint32_t count;
    bool again; /* send each a second time at once */
};

static void keep(struct client *client, const uint8_t *sealed, size_t len)
{
    struct kept *kept = ((struct stage *)client->world)->arg;
    if (len <= KEEP_LEN) {
        memcpy(kept->bytes[kept->count % KEEP], sealed, len);
        kept->len[kept->count++ % KEEP] = len;
    }
    if (kept->again) {
        client_media_put(client, sealed, len);
    }
}

/* Two people of whom the second hears and sees the first, for a while. */
static bool pair(struct stage *stage, struct client **publisher, struct client **viewer)
{
    *publisher = stage_publisher(stage, 300000);
    *viewer = stage_viewer(stage);
    if (!stage_live(stage, *publisher, STAGE_PATIENCE_US) ||
        !stage_live(stage, *viewer, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "both join: %s", stage->world.error_text);
        return false;
    }
    const char *devices[1] = {(*publisher)->device};
    stage_seen(*viewer)->from = (*publisher)->media.config.sender;
    client_view(*viewer, devices, 1);
    stage_run(stage, 2 * US_PER_S);
    return true;
}

/* What one sends from here on. */
struct heard {
    uint32_t first, sent, got;
};

static struct heard heard_from(const struct client *sender)
{
    return (struct heard){.first = sender->media.counter};
}

/* What the other got of it: every packet sent until now is known by its number and waited for, as
 * long as the machine has not lost as many since it had lost `before`. */
static void heard_until(struct stage *stage, const struct client *sender, struct client *viewer,
                        double before, struct heard *heard)
{
    uint32_t end = sender->media.counter;
    heard->sent = end - heard->first;
    stage_until(stage, (heard->got = stage_got(viewer, heard->first, end)) >= heard->sent ||
                           heard->got + stage_lost(stage) - before >= heard->sent);
    if (heard->got < heard->sent) {
        stage_tell_missing(viewer, heard->first, end);
    }
}

/* ---- S8 ---- */

/* The class as a page would be told it, without what only counts time. */
static void keep_snapshot(struct client *client, const char *text, size_t len)
{
    json_t **kept = ((struct stage *)client->world)->arg;
    json_t *message = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(message, "t"));
    if (type && strcmp(type, "snapshot") == 0) {
        static const char *const counting[] = {"now", "clock", "heard", "resume"};
        for (size_t i = 0; i < sizeof(counting) / sizeof(counting[0]); i++) {
            (void)json_object_del(message, counting[i]);
        }
        json_decref(*kept);
        *kept = json_incref(message);
    }
    json_decref(message);
}

static json_t *class_state(struct stage *stage, struct client *client)
{
    static const char sync[] = "{\"t\":\"sync\",\"have\":0}";
    json_t *kept = NULL;
    mono_us end = clock_mono_us() + STAGE_PATIENCE_US;
    void *arg = stage->arg;
    stage->arg = &kept;
    stage->more.text_h = keep_snapshot;
    wsc_send(client->ws, sync, sizeof(sync) - 1);
    while (!kept && clock_mono_us() < end) {
        stage_turn(stage);
    }
    stage->more.text_h = NULL;
    stage->arg = arg;
    return kept;
}

struct counters {
    double forwarded, nacks, plis, tracks, connections;
};

static struct counters counters(const struct stage *stage)
{
    return (struct counters){
        .forwarded = stage_metric(stage, "amphi_forwarded_packets_total"),
        .nacks = stage_metric(stage, "amphi_nacks_total{direction=\"out\"}"),
        .plis = stage_metric(stage, "amphi_keyframe_requests_total{direction=\"out\"}"),
        .tracks = stage_metric(stage, "amphi_tracks"),
        .connections = stage_metric(stage, "amphi_media_connections_established"),
    };
}

static bool same(const struct counters *a, const struct counters *b)
{
    return a->forwarded == b->forwarded && a->nacks == b->nacks && a->plis == b->plis &&
           a->tracks == b->tracks && a->connections == b->connections;
}

/* Random bytes in the shape of RTP or RTCP of the victim's real streams. */
static size_t noise(struct stage *stage, const struct client *victim, uint32_t i, uint8_t *out)
{
    size_t len = 12 + rng_below(&stage->world.rng, 1000);
    uint32_t ssrc = i % 2 ? victim->media.audio_ssrc : victim->media.video_ssrc;
    rng_fill(&stage->world.rng, out, len);
    out[0] = i % 3 ? 0x90 : 0x80;
    out[1] = i % 5 == 0 ? (uint8_t)(200 + i % 8) : i % 2 ? MEDIA_PT_OPUS : MEDIA_PT_VP8;
    uint8_t *at = out + (i % 5 == 0 ? 4 : 8);
    for (int k = 0; k < 4; k++) {
        at[k] = (uint8_t)(ssrc >> (24 - 8 * k));
    }
    return len;
}

static void s8_send(struct stage *stage, struct client *victim, const struct kept *kept,
                    struct stage_spoof *spoof)
{
    uint8_t bytes[1500];
    uint32_t stored = kept->count < KEEP ? kept->count : KEEP;
    for (uint32_t i = 0; i < FORGED; i++) {
        size_t len = noise(stage, victim, i, bytes);
        client_media_put(victim, bytes, len);
        stage_spoof_send(spoof, &victim->server, 9, bytes, len);
        if (stored) {
            client_media_put(victim, kept->bytes[i % stored], kept->len[i % stored]);
            stage_spoof_send(spoof, &victim->server, 9, kept->bytes[i % stored],
                             kept->len[i % stored]);
        }
        if (i % 100 == 0) {
            stage_room(stage);
        }
    }
}

void attack_s8(struct stage *stage)
{
    struct client *victim;
    struct client *viewer;
    struct stage_spoof spoof;
    struct kept *kept = mem_alloc(sizeof(*kept));
    stage->arg = kept;
    stage->more.sent_h = keep;
    if (!kept || stage_spoof_open(&spoof) != 0 || !pair(stage, &victim, &viewer)) {
        return;
    }
    victim->paused = true;
    stage_run(stage, US_PER_S / 2);
    stage_settle(stage);
    json_t *state = class_state(stage, viewer);
    struct counters before = counters(stage);
    double bad = stage_drops_like(stage, "srtp_");
    double unknown = stage_drops(stage, "unknown_tuple");
    uint32_t got = stage_seen(viewer)->rtp;
    s8_send(stage, victim, kept, &spoof);
    stage_settle(stage);
    struct counters after = counters(stage);
    bad = stage_drops_like(stage, "srtp_") - bad;
    unknown = stage_drops(stage, "unknown_tuple") - unknown;
    got = stage_seen(viewer)->rtp - got;
    stage_check(stage, got == 0 && after.forwarded == before.forwarded && bad >= FORGED,
                "S8 %u random and %u replayed packets on the victim's path: %.0f forwarded, %.0f "
                "refused",
                FORGED, FORGED, after.forwarded - before.forwarded, bad);
    stage_check(stage, unknown >= FORGED && stage_spoof_received(&spoof) == 0,
                "S8 the same from another address: %.0f dropped, 0 bytes back", unknown);
    json_t *now = class_state(stage, viewer);
    stage_check(
        stage, same(&before, &after) && state && json_equal(state, now),
        "S8 class state and counters unchanged: %.0f NACKs, %.0f key requests, %+.0f tracks",
        after.nacks - before.nacks, after.plis - before.plis, after.tracks - before.tracks);
    json_decref(state);
    json_decref(now);
    victim->paused = false;
    got = stage_seen(viewer)->packets;
    stage_until(stage, stage_seen(viewer)->packets > got + 50);
    stage_check(stage, stage_seen(viewer)->packets > got + 50,
                "S8 the victim is heard and seen again: %u packets",
                stage_seen(viewer)->packets - got);
    stage_spoof_close(&spoof);
    stage->more.sent_h = NULL;
    mem_free(kept);
}

/* ---- S9 ---- */

void attack_s9(struct stage *stage)
{
    struct client *victim;
    struct client *viewer;
    uint8_t bytes[200];
    if (!pair(stage, &victim, &viewer)) {
        return;
    }
    struct stage_rtp rtp = {.ssrc = victim->media.audio_ssrc, .seq = 60000, .mid = true, .len = 80};
    uint8_t plain[200];
    size_t len = stage_rtp(plain, sizeof(plain), &rtp);
    len = client_media_seal(victim, plain, len, rtp.seq, bytes);
    double bad = stage_drops(stage, "srtp_auth");
    double lost = stage_lost(stage);
    double cpu = stage_cpu(stage);
    struct heard heard = heard_from(victim);
    mono_us start = clock_mono_us();
    mono_us longest = 0;
    uint32_t sent = 0;
    while (sent < BAD_PACKETS) {
        mono_us now = clock_mono_us();
        for (uint32_t n = stage_due(start, now, BAD_RATE, sent, 200); n && sent < BAD_PACKETS;
             n--, sent++) {
            bytes[len - 1 - sent % 40] ^= (uint8_t)(1 + sent % 255);
            /* A little ahead of the stream: nothing but the tag can refuse it. */
            uint16_t seq = (uint16_t)(victim->media.audio_seq + 500 + sent % 256);
            bytes[2] = (uint8_t)(seq >> 8);
            bytes[3] = (uint8_t)seq;
            client_media_put(victim, bytes, len);
        }
        stage_turn(stage);
        mono_us silent = clock_mono_us() - stage_seen(viewer)->last_rtp;
        longest = silent > longest ? silent : longest;
    }
    double seconds = (double)(clock_mono_us() - start) / US_PER_S;
    cpu = stage_cpu(stage) - cpu;
    heard_until(stage, victim, viewer, lost, &heard);
    stage_settle(stage);
    bad = stage_drops(stage, "srtp_auth") - bad;
    lost = stage_lost(stage) - lost;
    /* 15 % of a core at 10 kpps are 15 us of processor time a packet, however long the run took. */
    double each_us = cpu * US_PER_S / BAD_PACKETS;
    stage_check(stage, bad + lost >= BAD_PACKETS && each_us <= BAD_COST_US,
                "S9 %u bad packets: %.1f us of processor time for each, media included (limit %d = "
                "15 %% of a core at %d a second), %.0f refused, %.0f lost by the machine",
                BAD_PACKETS, each_us, BAD_COST_US, BAD_RATE, bad, lost);
    stage_check(stage,
                victim->state == CLIENT_LIVE && viewer->state == CLIENT_LIVE &&
                    heard.sent > seconds * 30 && heard.got + lost >= heard.sent,
                "S9 the call lives: %u of %u packets of the victim arrived, longest pause %.0f ms",
                heard.got, heard.sent, (double)longest / 1000);
}

/* ---- S10 ---- */

void attack_s10(struct stage *stage)
{
    struct client *victim;
    struct client *viewer;
    struct kept *kept = mem_alloc(sizeof(*kept));
    stage->arg = kept;
    stage->more.sent_h = keep;
    if (!kept || !pair(stage, &victim, &viewer)) {
        return;
    }
    double refused = stage_drops(stage, "srtp_replay");
    uint32_t first = kept->count;
    uint32_t got = stage_seen(viewer)->packets;
    kept->again = true;
    stage_run(stage, 5 * US_PER_S);
    kept->again = false;
    uint32_t sent = kept->count - first;
    stage_settle(stage);
    uint32_t stored = kept->count < KEEP ? kept->count : KEEP;
    uint32_t late = 0;
    for (uint32_t i = 0; i < stored; i++, late++) {
        client_media_put(victim, kept->bytes[i], kept->len[i]);
        if (i % 100 == 0) {
            stage_room(stage);
        }
    }
    stage_settle(stage);
    refused = stage_drops(stage, "srtp_replay") - refused;
    got = stage_seen(viewer)->packets - got;
    stage_check(stage,
                stage_seen(viewer)->twice == 0 && got >= sent * 0.9 &&
                    refused >= 0.9 * (sent + late),
                "S10 %u packets sent twice at once, %u again later: %u delivered, %u delivered "
                "twice, %.0f refused",
                sent, late, got, stage_seen(viewer)->twice, refused);
    stage->more.sent_h = NULL;
    mem_free(kept);
}

/* ---- S11 ---- */

static void forge(struct client *thief, uint32_t ssrc, uint16_t seq, bool mid)
{
    uint8_t plain[200];
    uint8_t out[240];
    struct stage_rtp rtp = {.ssrc = ssrc,
                            .seq = seq,
                            .timestamp = seq * 960u,
                            .mid = mid,
                            .len = 80,
                            .stamp = {.sender = STAGE_FORGER, .counter = seq}};
    size_t len = stage_rtp(plain, sizeof(plain), &rtp);
    client_media_put(thief, out, client_media_seal(thief, plain, len, seq, out));
}

/* Somebody else each time: what is kept of one client's SSRCs grows each time, what the server
 * needs for other reasons at the same moment does not. The least of the growths is judged. */
static void s11_flood(struct stage *stage, uint32_t round, int64_t *least)
{
    struct client *thief = stage_publisher(stage, 0);
    if (!stage_live(stage, thief, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S11 the thief joins: %s", stage->world.error_text);
        return;
    }
    stage_run(stage, 2 * US_PER_S);
    double tracks = stage_metric(stage, "amphi_tracks");
    double refused = stage_drops_like(stage, "ssrc_");
    double lost = stage_lost(stage);
    int64_t grown = stage_rss(stage);
    for (uint32_t i = 0; i < SSRCS; i++) {
        forge(thief, 5000 + round + i * 7, 5, i % 2);
        if (i % 500 == 0) {
            stage_room(stage);
        }
    }
    stage_settle(stage);
    grown = stage_rss(stage) - grown;
    tracks = stage_metric(stage, "amphi_tracks") - tracks;
    refused = stage_drops_like(stage, "ssrc_") - refused;
    lost = stage_lost(stage) - lost;
    *least = grown < *least ? grown : *least;
    stage_check(stage, refused + lost >= SSRCS && tracks <= 0,
                "S11 %u SSRCs of one client: memory %+lld KiB, %+.0f tracks, %.0f refused, %.0f "
                "lost by the machine",
                SSRCS, (long long)grown / 1024, tracks, refused, lost);
    client_fini(thief);
}

void attack_s11(struct stage *stage)
{
    struct client *victim;
    struct client *viewer;
    if (!pair(stage, &victim, &viewer)) {
        return;
    }
    struct client *thief = stage_publisher(stage, 0);
    if (!stage_live(stage, thief, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S11 the thief joins: %s", stage->world.error_text);
        return;
    }
    stage_run(stage, US_PER_S);
    int64_t least = INT64_MAX;
    double refused = stage_drops_like(stage, "ssrc_");
    double lost = stage_lost(stage);
    struct heard heard = heard_from(victim);
    for (uint16_t i = 0; i < 1000; i++) {
        forge(thief, i % 2 ? victim->media.audio_ssrc : victim->media.video_ssrc,
              (uint16_t)(victim->media.audio_seq + i), i % 4 >= 2);
        if (i % 10 == 0) {
            stage_run(stage, 20 * US_PER_MS);
        }
    }
    stage_settle(stage);
    refused = stage_drops_like(stage, "ssrc_") - refused;
    const struct stage_seen *seen = stage_seen(viewer);
    stage_check(stage, seen->forged == 0 && refused + stage_lost(stage) - lost >= 1000,
                "S11 1,000 packets with the SSRCs of another: %u forwarded, %.0f refused",
                seen->forged, refused);
    for (uint32_t round = 0; round < 3; round++) {
        s11_flood(stage, round, &least);
    }
    heard_until(stage, victim, viewer, lost, &heard);
    lost = stage_lost(stage) - lost;
    stage_check(stage, least <= 65536,
                "S11 kept of a client's %u SSRCs: at most %lld KiB (limit 64)", SSRCS,
                (long long)least / 1024);
    stage_check(
        stage,
        heard.sent > 100 && heard.got + lost >= heard.sent && seen->twice == 0 && seen->forged == 0,
        "S11 the other is untouched: %u of its %u packets delivered", heard.got, heard.sent);
}

/* ---- S38 ---- */

/* What a viewer found in what it was sent. */
struct canary {
    uint32_t shorts, longs, wrong, stale, surplus, others;
    size_t len[CANARY_PACKETS];
};

static bool holds_canary(const uint8_t *bytes, size_t len)
{
    uint32_t run = 0;
    for (size_t i = 0; i < len; i++) {
        run = bytes[i] == CANARY ? run + 1 : 0;
        if (run == CANARY_RUN) {
            return true;
        }
    }
    return false;
}

/* Bytes behind the end that a STUN message or DTLS records give themselves. */
static bool has_surplus(const uint8_t *data, size_t len)
{
    size_t at = 0;
    if (wire_classify(data, len) == WIRE_STUN) {
        return len < 20 || len != 20 + ((size_t)data[2] << 8 | data[3]);
    }
    while (wire_classify(data, len) == WIRE_DTLS && at + 13 <= len) {
        at += 13 + ((size_t)data[at + 11] << 8 | data[at + 12]);
    }
    return at && at != len;
}

/* Answers to checks and handshakes are readable as they are. */
static void canary_wire(struct client *client, const uint8_t *data, size_t len)
{
    struct canary *canary = ((struct stage *)client->world)->arg;
    enum wire_class class = wire_classify(data, len);
    canary->stale += holds_canary(data, len);
    canary->surplus += has_surplus(data, len);
    canary->others += class == WIRE_STUN || class == WIRE_DTLS;
}

static void canary_rtcp(struct client *client, const uint8_t *plain, size_t len)
{
    struct canary *canary = ((struct stage *)client->world)->arg;
    canary->stale += holds_canary(plain, len);
    canary->surplus += rtcp_check(plain, len) != 0;
    canary->others++;
}

/* Only a long packet may hold it, and each is as long as it was sent. */
static void canary_rtp(struct client *client, const uint8_t *plain, size_t len)
{
    struct canary *canary = ((struct stage *)client->world)->arg;
    struct rtp_header header;
    struct media_stamp stamp;
    if (rtp_parse(&header, plain, len) != 0 || !media_stamp_read(plain, len, &stamp) ||
        stamp.sender != CANARY_SEED || stamp.counter >= CANARY_PACKETS) {
        return;
    }
    bool is_long = stamp.counter % 2;
    canary->longs += is_long;
    canary->shorts += !is_long;
    canary->wrong += len - header.header_len - header.padding != canary->len[stamp.counter];
    canary->stale += !is_long && holds_canary(plain, len);
}

void attack_s38(struct stage *stage)
{
    static struct canary canary;
    struct client *publisher;
    struct client *viewer;
    uint8_t plain[1500];
    uint8_t out[1500];
    if (!pair(stage, &publisher, &viewer)) {
        return;
    }
    publisher->paused = true;
    stage->arg = &canary;
    stage->more.rtp_h = canary_rtp;
    stage->more.wire_h = canary_wire;
    stage->more.rtcp_h = canary_rtcp;
    for (uint32_t i = 0; i < CANARY_PACKETS; i++) {
        bool is_long = i % 2;
        struct stage_rtp rtp = {.ssrc = publisher->media.audio_ssrc,
                                .seq = publisher->media.audio_seq++,
                                .timestamp = publisher->media.audio_ts,
                                .mid = true,
                                .fill = is_long ? CANARY : 0,
                                .stamp = {.sender = CANARY_SEED, .counter = i}};
        rtp.len = is_long ? 800 + rng_below(&stage->world.rng, 300)
                          : MEDIA_STAMP_LEN + 1 + rng_below(&stage->world.rng, 100);
        canary.len[i] = rtp.len;
        publisher->media.audio_ts += 960;
        size_t len = stage_rtp(plain, sizeof(plain), &rtp);
        client_media_put(publisher, out, client_media_seal(publisher, plain, len, rtp.seq, out));
        if (i % 50 == 0) { /* somebody new: checks, handshake, reports from the same buffers */
            (void)stage_viewer(stage);
        }
        if (i % 10 == 0) {
            stage_run(stage, 20 * US_PER_MS);
        }
    }
    stage_settle(stage);
    stage->more = (struct client_hooks){0};
    stage_check(stage, canary.stale == 0 && canary.shorts > CANARY_PACKETS / 4,
                "S38 canary of earlier packets in %u short ones, in checks, handshakes and reports "
                "of %u clients: found %u times",
                canary.shorts, stage->count, canary.stale);
    stage_check(stage, canary.wrong == 0 && canary.longs > CANARY_PACKETS / 4,
                "S38 every packet as long as it was sent: %u of %u are not", canary.wrong,
                canary.shorts + canary.longs);
    stage_check(stage, canary.surplus == 0 && canary.others > 100,
                "S38 checks, handshakes and reports with bytes behind their end: %u of %u",
                canary.surplus, canary.others);
}
