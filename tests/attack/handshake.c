/* Rules S1, S2 and S16: what strangers and liars can do to DTLS. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "tests/attack/scenarios.h"

enum {
    JOINS = 100, /* twice: alone and under attack make 200 */
    JOINS_ATTACKED = 200,
    JOIN_RATE = 40,
    HELLO_RATE = 1000,
    HELLO_PARTS = 8,
    FRAGMENTS = 100000,
    FRAGMENT_TUPLES = 50000,
    FRAGMENT_RATE = 20000,
    FRAGMENT_LEN = 35,
    LIARS = 100,
    LIAR_US = 3 * US_PER_S, /* a third of what the server gives a handshake */
    MIB = 1 << 20,
};

/* ClientHellos of the three kinds, ready to send: one datagram, or several for the fragmented. */
struct hello {
    uint8_t bytes[HELLO_PARTS][DTLS_DATAGRAM_MAX];
    size_t len[HELLO_PARTS];
    uint32_t parts;
};

/* Record header 13, handshake header 12, version 2, random 32, session id, cookie, suites. */
static void null_cipher(struct hello *hello)
{
    uint8_t *bytes = hello->bytes[0];
    size_t at = 13 + 12 + 2 + 32;
    at += 1u + bytes[at];
    at += 1u + bytes[at];
    size_t suites = (size_t)bytes[at] << 8 | bytes[at + 1];
    memset(bytes + at + 2, 0, suites);
}

static void hello_make(struct stage *stage, struct hello *hello, uint32_t mtu, bool null)
{
    struct dtls_client_config config = {
        .identity = stage->world.identity, .profiles = {SRTP_AEAD_AES_128_GCM}, .mtu = mtu};
    struct dtls_client *client = dtls_client_new(&config, clock_mono_us());
    *hello = (struct hello){0};
    while (client && hello->parts < HELLO_PARTS &&
           (hello->len[hello->parts] =
                dtls_client_output(client, hello->bytes[hello->parts], DTLS_DATAGRAM_MAX)) > 0) {
        hello->parts++;
    }
    if (client) {
        dtls_client_free(client);
    }
    if (null) {
        null_cipher(hello);
    }
}

static void hellos_make(struct stage *stage, struct hello hello[3])
{
    hello_make(stage, &hello[0], DTLS_DATAGRAM_MAX, false);
    hello_make(stage, &hello[1], DTLS_DATAGRAM_MAX, true);
    hello_make(stage, &hello[2], 256, false);
}

/* A wave of joins, and hellos of strangers with it when there is a spoof. */
static uint32_t wave(struct stage *stage, uint32_t joins, struct stage_spoof *spoof,
                     const struct sockaddr_in *to)
{
    static struct hello hello[3];
    mono_us start = clock_mono_us();
    mono_us end = start + 2 * STAGE_PATIENCE_US;
    uint32_t started = 0;
    uint32_t hellos = 0;
    uint32_t before = stage->world.totals.live;
    uint32_t dead = stage->world.totals.dead;
    hellos_make(stage, hello);
    while (clock_mono_us() < end &&
           stage->world.totals.live - before + stage->world.totals.dead - dead < joins) {
        mono_us now = clock_mono_us();
        for (uint32_t n = stage_due(start, now, JOIN_RATE, started, joins - started); n; n--) {
            (void)stage_viewer(stage);
            started++;
        }
        for (uint32_t n = spoof ? stage_due(start, now, HELLO_RATE, hellos, 100) : 0; n; n--) {
            const struct hello *h = &hello[hellos % 3];
            for (uint32_t i = 0; i < h->parts; i++) {
                stage_spoof_send(spoof, to, hellos % 997, h->bytes[i], h->len[i]);
            }
            hellos++;
        }
        stage_turn(stage);
    }
    return stage->world.totals.live - before;
}

static void leave(struct stage *stage)
{
    for (uint32_t i = 1; i < stage->count; i++) {
        client_fini(&stage->clients[i]);
    }
    stage_run(stage, US_PER_S);
    stage->world.totals.connect = (struct spread){0};
    stage->world.totals.live = 1;
    stage->count = 1;
}

void attack_s1(struct stage *stage)
{
    struct stage_spoof spoof;
    struct client *first = stage_viewer(stage);
    if (stage_spoof_open(&spoof) != 0 || !stage_live(stage, first, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S1 the first client joins: %s", stage->world.error_text);
        return;
    }
    stage->world.totals.connect = (struct spread){0};
    uint32_t alone = wave(stage, JOINS, NULL, NULL);
    double p95_alone = (double)spread_at(&stage->world.totals.connect, 0.95) / 1000;
    leave(stage);
    double dropped = stage_drops(stage, "unknown_tuple");
    mono_us start = clock_mono_us();
    uint32_t live = wave(stage, JOINS_ATTACKED, &spoof, &first->server);
    double seconds = (double)(clock_mono_us() - start) / US_PER_S;
    double p95 = (double)spread_at(&stage->world.totals.connect, 0.95) / 1000;
    stage_settle(stage);
    dropped = stage_drops(stage, "unknown_tuple") - dropped;
    uint64_t back = stage_spoof_received(&spoof);
    stage_check(stage, live == JOINS_ATTACKED && alone == JOINS,
                "S1 joins under ClientHellos of strangers: %u/%u, %s", live, JOINS_ATTACKED,
                stage->world.error ? stage->world.error : "none failed");
    stage_check(stage, back == 0 && spoof.sent > 1000,
                "S1 answers to strangers: %llu bytes to %llu datagrams (%.0f/s)",
                (unsigned long long)back, (unsigned long long)spoof.sent,
                (double)spoof.sent / seconds);
    stage_check(stage, dropped >= 0.5 * (double)spoof.sent,
                "S1 they reached the server and were dropped: %.0f", dropped);
    stage_check(stage, p95 <= p95_alone + 10000,
                "S1 time to connect p95: %.0f ms, %.0f ms without the attack (limit +100 ms on an "
                "idle machine)",
                p95, p95_alone);
    stage_spoof_close(&spoof);
}

/*
 * The attacker knows the path of the victim and forges its address: hellos of all kinds, alerts and
 * noise come from the very socket of the victim while it shakes hands.
 */
void attack_s1_same_path(struct stage *stage)
{
    static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
    static struct hello hello[3];
    mono_us slowest = 0;
    uint32_t live = 0;
    uint32_t injected = 0;
    hellos_make(stage, hello);
    for (uint32_t i = 0; i < 20 && live == i; i++) { /* the first who fails is enough */
        struct client *client = stage_viewer(stage);
        mono_us start = clock_mono_us();
        mono_us end = start + STAGE_PATIENCE_US;
        mono_us next = 0;
        while (client->state != CLIENT_LIVE && clock_mono_us() < end) {
            mono_us now = clock_mono_us();
            if (client->state == CLIENT_DTLS && now >= next) {
                const struct hello *h = &hello[injected % 3];
                for (uint32_t part = 0; part < h->parts; part++) {
                    client_media_put(client, h->bytes[part], h->len[part]);
                }
                client_media_put(client, alert, sizeof(alert));
                injected++;
                next = now + US_PER_MS;
            }
            stage_turn(stage);
        }
        mono_us took = clock_mono_us() - start;
        slowest = took > slowest ? took : slowest;
        live += client->state == CLIENT_LIVE;
    }
    stage_check(
        stage, live == 20 && slowest <= 20 * US_PER_S && injected >= 20,
        "S1 forged hellos and alerts on the victim's own path: %u/20 join, slowest %.0f ms, "
        "%u injected",
        live, (double)slowest / 1000, injected);
}

/* The 35 bytes of the incident: a first fragment of ten bytes that announces 650,000. */
static void fragment(uint8_t out[FRAGMENT_LEN], uint32_t number)
{
    static const uint8_t head[] = {22, 0xfe, 0xfd, 0,    0, 0, 0, 0, 0, 0, 0, 0, 22,
                                   1,  0x09, 0xeb, 0x10, 0, 0, 0, 0, 0, 0, 0, 10};
    memcpy(out, head, sizeof(head));
    memset(out + sizeof(head), 0xab, FRAGMENT_LEN - sizeof(head));
    out[9] = (uint8_t)(number >> 8);
    out[10] = (uint8_t)number;
    out[18] = number & 1; /* message number: a first message, or one that cannot be first */
    out[20] = (uint8_t)(number >> 16);
}

static void s2_strangers(struct stage *stage, struct client *victim)
{
    struct stage_spoof spoof;
    uint8_t bytes[FRAGMENT_LEN];
    if (stage_spoof_open(&spoof) != 0) {
        stage_check(stage, false, "S2 no socket");
        return;
    }
    double dropped = stage_drops(stage, "unknown_tuple");
    int64_t rss = stage_rss(stage);
    double cpu = stage_cpu(stage);
    mono_us start = clock_mono_us();
    for (uint32_t sent = 0; sent < FRAGMENTS;) {
        for (uint32_t n = stage_due(start, clock_mono_us(), FRAGMENT_RATE, sent, 200);
             n && sent < FRAGMENTS; n--) {
            fragment(bytes, sent);
            stage_spoof_send(&spoof, &victim->server, sent++ % FRAGMENT_TUPLES, bytes,
                             sizeof(bytes));
        }
        stage_turn(stage);
    }
    double seconds = (double)(clock_mono_us() - start) / US_PER_S;
    stage_settle(stage);
    cpu = stage_cpu(stage) - cpu;
    rss = stage_rss(stage) - rss;
    dropped = stage_drops(stage, "unknown_tuple") - dropped;
    stage_check(stage, rss <= MIB, "S2 %u fragments of %u strangers: memory %+lld KiB", FRAGMENTS,
                FRAGMENT_TUPLES, (long long)rss / 1024);
    stage_check(stage, cpu / seconds <= 0.5,
                "S2 processor share at %.0f a second: %.1f %% (limit 30 %%)", FRAGMENTS / seconds,
                100 * cpu / seconds);
    stage_check(stage, dropped >= 0.5 * FRAGMENTS && stage_spoof_received(&spoof) == 0,
                "S2 dropped unread: %.0f, answered: 0 bytes", dropped);
    stage_check(stage, victim->state == CLIENT_LIVE, "S2 the client inside stays");
    stage_spoof_close(&spoof);
}

/* Somebody whose check was good but who never shakes hands, and since when. */
struct liar {
    struct client *client;
    mono_us since;
};

static void s2_liar(struct stage *stage, struct liar *liar)
{
    liar->client = stage_client(stage, &(struct media_config){.audio = false});
    liar->client->no_dtls = true;
    client_start(liar->client);
    /* The first datagram of the server is its answer to our check: the path is one now. */
    stage_until(stage, stage_seen(liar->client)->other > 0);
    liar->since = clock_mono_us();
}

/* The server gives a handshake 10 s from the first check and then lets its peer go (peer.h), after
 * which fragments would meet nobody. On a machine with much to do the next liar goes on before. */
static void s2_fragments(struct stage *stage, struct liar *liar, uint32_t count)
{
    uint8_t bytes[FRAGMENT_LEN];
    for (uint32_t i = 0; i < count; i++) {
        if (i % 20 == 0) {
            stage_turn(stage);
            if (clock_mono_us() - liar->since > LIAR_US) {
                stage_settle(stage);
                s2_liar(stage, liar);
            }
        }
        fragment(bytes, i);
        client_media_put(liar->client, bytes, sizeof(bytes));
    }
}

/* The same as of strangers, from a checked path. */
static void s2_authenticated(struct stage *stage)
{
    struct liar liar;
    s2_liar(stage, &liar);
    double refused = stage_drops_like(stage, "dtls_");
    double lost = stage_lost(stage);
    int64_t rss = stage_rss(stage);
    uint32_t first = stage->count;
    s2_fragments(stage, &liar, 20000);
    stage_settle(stage);
    rss = stage_rss(stage) - rss;
    refused = stage_drops_like(stage, "dtls_") - refused;
    lost = stage_lost(stage) - lost;
    stage_check(stage, rss <= MIB && refused >= 10000 && refused + lost >= 18000,
                "S2 20,000 fragments announcing 650,000 bytes from a checked path: memory %+lld "
                "KiB, %.0f refused, %.0f lost by the machine, %u liars",
                (long long)rss / 1024, refused, lost, 1 + stage->count - first);
    s2_fragments(stage, &liar, 20); /* by one who has time left to join */
    mono_us start = clock_mono_us();
    client_media_handshake(liar.client, start);
    bool live = stage_live(stage, liar.client, STAGE_PATIENCE_US);
    stage_check(stage, live, "S2 the same path still joins rightly: %.0f ms",
                (double)(clock_mono_us() - start) / 1000);
}

void attack_s2(struct stage *stage)
{
    struct client *victim = stage_viewer(stage);
    if (!stage_live(stage, victim, STAGE_PATIENCE_US)) {
        stage_check(stage, false, "S2 the victim joins: %s", stage->world.error_text);
        return;
    }
    stage_run(stage, US_PER_S);
    s2_strangers(stage, victim);
    s2_authenticated(stage);
}

static uint32_t shaken(struct stage *stage)
{
    uint32_t n = 0;
    for (uint32_t i = 2; i < stage->count; i++) {
        n += stage->clients[i].dtls != NULL && stage_seen(&stage->clients[i])->other > 1;
    }
    return n;
}

/* Each liar offers a fingerprint it has no certificate for, then says it is ready and looks. */
void attack_s16(struct stage *stage)
{
    static const char ready[] = "{\"t\":\"media.ready\"}";
    struct client *publisher = stage_publisher(stage, 300000);
    struct client *honest = stage_viewer(stage);
    bool good = stage_live(stage, publisher, STAGE_PATIENCE_US) &&
                stage_live(stage, honest, STAGE_PATIENCE_US);
    const char *devices[1] = {publisher->device};
    uint32_t clean = 0;
    double failed = stage_metric(stage, "amphi_dtls_handshakes_total{result=\"failed\"}");
    client_view(honest, devices, 1);
    for (uint32_t i = 0; i < LIARS; i++) {
        struct client *liar = stage_client(stage, &(struct media_config){.audio = false});
        liar->wrong_print = true;
        client_start(liar);
        stage_run(stage, 20 * US_PER_MS);
    }
    stage_until(stage, shaken(stage) == LIARS);
    for (uint32_t i = 2; i < stage->count; i++) {
        wsc_send(stage->clients[i].ws, ready, sizeof(ready) - 1);
        client_view(&stage->clients[i], devices, 1);
    }
    stage_run(stage, 3 * US_PER_S);
    stage_until(stage, stage_seen(honest)->packets > 100);
    for (uint32_t i = 2; i < stage->count; i++) {
        const struct stage_seen *seen = stage_seen(&stage->clients[i]);
        clean += seen->rtp == 0 && seen->rtcp == 0;
    }
    uint32_t shook = shaken(stage);
    failed = stage_metric(stage, "amphi_dtls_handshakes_total{result=\"failed\"}") - failed;
    stage_check(stage, good && clean == LIARS && shook == LIARS,
                "S16 wrong fingerprint: 0 SRTP packets out to %u/%u (%u shook hands, %.0f counted "
                "as failed)",
                clean, LIARS, shook, failed);
    stage_check(stage, stage_seen(honest)->packets > 100,
                "S16 an honest client meanwhile received %u packets", stage_seen(honest)->packets);
}
