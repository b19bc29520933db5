#include "tests/attack/stage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/client_media.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/crypto/crypto.h"
#include "tests/attack/trail.h"

enum {
    EVENTS = 128,
    WS_US = 1000,
    TIMERS_US = 1000,
    STAGE_SOCKETS_MAX = 2048, /* WebSockets of a program's life */
};

/* One of each per program. */
static struct crypto_identity *identity;
static struct crypto *crypto;

static struct stage *stage_of(struct client *client)
{
    return (struct stage *)client->world;
}

struct stage_seen *stage_seen(struct client *client)
{
    struct stage *stage = stage_of(client);
    return &stage->seen[client - stage->clients];
}

uint32_t stage_got(struct client *client, uint32_t first, uint32_t end)
{
    const struct stage_seen *seen = stage_seen(client);
    uint32_t got = 0;
    for (uint32_t n = first; n != end; n++) {
        uint32_t at = n % (sizeof(seen->counter) * 8);
        got += seen->counter[at / 8] >> (at % 8) & 1;
    }
    return got;
}

void stage_tell_missing(struct client *client, uint32_t first, uint32_t end)
{
    enum { TOLD = 20 };
    const struct stage_seen *seen = stage_seen(client);
    uint32_t missing = 0;
    for (uint32_t n = first; n != end; n++) {
        if (stage_got(client, n, n + 1) || ++missing > TOLD) {
            continue;
        }
        (void)printf("client %u misses number %u of %u to %u\n",
                     (unsigned)(client - stage_of(client)->clients), n, first, end - 1);
        if (seen->trail) {
            trail_tell(seen->trail, n);
        }
    }
    if (missing) {
        (void)printf(
            "  %u missing, %u datagrams did not open, %u retransmissions, %u unstamped, %u "
            "twice\n",
            missing, seen->refused, seen->again, seen->unstamped, seen->twice);
        if (seen->trail) {
            trail_tell_odd(seen->trail, clock_mono_us());
        }
        stage_tell_kernel();
    }
}

static struct trail_packet trail_packet(const struct client *client, const uint8_t *data,
                                        const struct rtp_header *header)
{
    struct rtpext_set exts;
    uint32_t slot = (header->ssrc - client->answer.ssrc_base) / 2;
    int32_t number = rtpext_find(&exts, header, data, &client->twcc_id) == 0
                         ? rtpext_transport_cc(&exts, data)
                         : -1;
    return (struct trail_packet){.seq = header->seq,
                                 .transport = (uint16_t)number,
                                 .numbered = number >= 0,
                                 .slot = (uint8_t)(slot < UINT8_MAX ? slot : UINT8_MAX)};
}

static void on_wire(struct client *client, const uint8_t *data, size_t len)
{
    struct stage_seen *seen = stage_seen(client);
    enum wire_class class = wire_classify(data, len);
    seen->rtp += class == WIRE_RTP;
    seen->rtcp += class == WIRE_RTCP;
    seen->other += class != WIRE_RTP && class != WIRE_RTCP;
    if (class == WIRE_RTP) {
        seen->last_rtp = clock_mono_us();
    }
    if (stage_of(client)->more.wire_h) {
        stage_of(client)->more.wire_h(client, data, len);
    }
}

/* How packets of a sender that is watched come; NULL when none is. */
static struct trail *trail_of(struct stage_seen *seen)
{
    if (seen->from && !seen->trail) {
        seen->trail = trail_new();
    }
    return seen->trail;
}

/* Retransmissions travel on the odd SSRCs and are no second delivery. */
static bool no_first_copy(struct client *client, const uint8_t *plain,
                          const struct rtp_header *header, const struct trail_packet *packet,
                          struct media_stamp *stamp)
{
    struct stage_seen *seen = stage_seen(client);
    struct trail *trail = trail_of(seen);
    size_t len = (size_t)header->header_len + header->payload_len;
    bool again = (header->ssrc - client->answer.ssrc_base) % 2;
    bool stamped = media_stamp_read(plain, len, stamp);
    seen->again += again;
    seen->unstamped += !again && !stamped;
    if (trail) {
        trail_note(trail, packet);
        if (again || !stamped) {
            trail_odd(trail, again ? "again" : "without a stamp",
                      stamped ? (int)stamp->counter : -1, packet, clock_mono_us());
        }
    }
    return again || !stamped;
}

static void on_rtp(struct client *client, const uint8_t *plain, size_t len)
{
    struct stage_seen *seen = stage_seen(client);
    struct rtp_header header;
    struct media_stamp stamp;
    if (stage_of(client)->more.rtp_h) {
        stage_of(client)->more.rtp_h(client, plain, len);
    }
    if (rtp_parse(&header, plain, len) != 0) {
        return;
    }
    struct trail_packet packet = trail_packet(client, plain, &header);
    if (no_first_copy(client, plain, &header, &packet, &stamp)) {
        return;
    }
    seen->forged += stamp.sender == STAGE_FORGER;
    if (seen->from && stamp.sender != seen->from) {
        seen->foreign++;
        return;
    }
    uint32_t at = stamp.counter % (sizeof(seen->counter) * 8);
    seen->packets++;
    seen->twice += seen->counter[at / 8] >> (at % 8) & 1;
    seen->counter[at / 8] |= (uint8_t)(1u << (at % 8));
    if (seen->trail) {
        trail_came(seen->trail, stamp.counter, &packet);
    }
}

static void on_refused(struct client *client, const uint8_t *data, size_t len, int why)
{
    struct stage_seen *seen = stage_seen(client);
    struct trail *trail = trail_of(seen);
    struct rtp_header header;
    seen->refused++;
    if (trail && rtp_peek(&header, data, len) == 0) {
        struct trail_packet packet = trail_packet(client, data, &header);
        trail_odd(trail, err_text(why), why, &packet, clock_mono_us());
    }
}

static void on_rtcp(struct client *client, const uint8_t *plain, size_t len)
{
    struct rd compound = rd_init(plain, len);
    struct rtcp_packet packet;
    while (rtcp_next(&compound, &packet) == 1) {
        stage_seen(client)->keyreqs +=
            packet.type == RTCP_PSFB && (packet.count == PSFB_PLI || packet.count == PSFB_FIR);
    }
    if (stage_of(client)->more.rtcp_h) {
        stage_of(client)->more.rtcp_h(client, plain, len);
    }
}

static void on_sent(struct client *client, const uint8_t *sealed, size_t len)
{
    if (stage_of(client)->more.sent_h) {
        stage_of(client)->more.sent_h(client, sealed, len);
    }
}

static void on_text(struct client *client, const char *text, size_t len)
{
    stage_seen(client)->texts++;
    if (stage_of(client)->more.text_h) {
        stage_of(client)->more.text_h(client, text, len);
    }
}

int stage_open(struct stage *stage, const struct stage_options *options)
{
    static struct rng_seeded seeded;
    struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 64, .ipsec_mb = true};
    struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
    *stage = (struct stage){.options = *options};
    stage_kernel_begin();
    (void)setrlimit(RLIMIT_NOFILE, &files);
    rng_seed(&seeded, (uint64_t)clock_mono_us());
    stage->epoll = epoll_create1(EPOLL_CLOEXEC);
    stage->clients = mem_alloc(sizeof(struct client) * STAGE_CLIENTS_MAX);
    stage->seen = mem_alloc(sizeof(struct stage_seen) * STAGE_CLIENTS_MAX);
    if (!stage->clients || !stage->seen || crypto_identity_new(&identity) != 0 ||
        crypto_new(&crypto, identity, &config) != 0) {
        return E_NOMEM;
    }
    stage->world.rng = rng_from_seeded(&seeded);
    stage->world.identity = identity;
    stage->world.crypto = crypto_ops(crypto);
    stage->world.hooks = (struct client_hooks){.wire_h = on_wire,
                                               .rtp_h = on_rtp,
                                               .refused_h = on_refused,
                                               .rtcp_h = on_rtcp,
                                               .sent_h = on_sent,
                                               .text_h = on_text};
    stage->world.ws =
        wsc_pool_new("127.0.0.1", options->port, STAGE_SOCKETS_MAX, &client_ws_handlers);
    return stage->world.ws ? 0 : E_NOMEM;
}

void stage_close(struct stage *stage)
{
    for (uint32_t i = 0; i < stage->count; i++) {
        client_fini(&stage->clients[i]);
    }
    stage_run(stage, US_PER_S / 5);
    if (stage->world.ws) {
        wsc_pool_free(stage->world.ws);
    }
    if (crypto) {
        crypto_free(crypto);
        crypto_identity_free(identity);
    }
    for (uint32_t i = 0; stage->seen && i < stage->count; i++) {
        trail_free(stage->seen[i].trail);
    }
    mem_free(stage->clients);
    mem_free(stage->seen);
    (void)close(stage->epoll);
}

struct client *stage_client(struct stage *stage, const struct media_config *media)
{
    struct media_config config = *media;
    if (stage->count == STAGE_CLIENTS_MAX) {
        (void)fprintf(stderr, "attack: more than %d clients\n", STAGE_CLIENTS_MAX);
        exit(70);
    }
    uint32_t number = stage->count++;
    struct client *client = &stage->clients[number];
    config.sender = number + 1;
    config.seed = 1000 + number;
    config.fps = 25;
    config.level = 30;
    if (client_init(client, &stage->world, stage->options.link, 0, number, &config) != 0) {
        perror("attack: no socket");
        exit(71);
    }
    client->sampled = true;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    (void)epoll_ctl(stage->epoll, EPOLL_CTL_ADD, client->fd, &event);
    return client;
}

struct client *stage_publisher(struct stage *stage, uint32_t video_bps)
{
    struct client *client =
        stage_client(stage, &(struct media_config){.audio = true, .video_bps = video_bps});
    client_start(client);
    return client;
}

struct client *stage_viewer(struct stage *stage)
{
    struct client *client = stage_client(stage, &(struct media_config){.audio = false});
    client_start(client);
    return client;
}

void stage_turn(struct stage *stage)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(stage->epoll, events, EVENTS, 1);
    mono_us now = clock_mono_us();
    for (int i = 0; i < n; i++) {
        client_read(events[i].data.ptr, now);
    }
    if (stage->world.ws && now >= stage->ws_at) {
        wsc_pool_run(stage->world.ws);
        stage->ws_at = now + WS_US;
    }
    if (now >= stage->timers_at) {
        for (uint32_t i = 0; i < stage->count; i++) {
            client_run(&stage->clients[i], now);
        }
        stage->timers_at = now + TIMERS_US;
    }
}

void stage_run(struct stage *stage, mono_us us)
{
    mono_us end = clock_mono_us() + us;
    while (clock_mono_us() < end) {
        stage_turn(stage);
    }
}

bool stage_live(struct stage *stage, const struct client *client, mono_us us)
{
    mono_us end = clock_mono_us() + us;
    while (clock_mono_us() < end && client->state != CLIENT_LIVE && client->state != CLIENT_DEAD) {
        stage_turn(stage);
    }
    return client->state == CLIENT_LIVE;
}

uint32_t stage_all_live(struct stage *stage, mono_us us)
{
    mono_us end = clock_mono_us() + us;
    uint32_t live;
    uint32_t waiting;
    do {
        stage_turn(stage);
        live = 0;
        waiting = 0;
        for (uint32_t i = 0; i < stage->count; i++) {
            enum client_state state = stage->clients[i].state;
            live += state == CLIENT_LIVE;
            waiting += state != CLIENT_LIVE && state != CLIENT_DEAD && state != CLIENT_IDLE;
        }
    } while (waiting && clock_mono_us() < end);
    return live;
}

bool stage_order(struct stage *stage, char *line, size_t cap)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    while (poll(&in, 1, 0) == 0) {
        stage_turn(stage);
    }
    return fgets(line, (int)cap, stdin) != NULL;
}
