#include "bench/load/client_media.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp.h"
#include "codec/wire/stun.h"

enum {
    READ_BATCH = 16,
    RUN_BATCH = 4,
    RUN_MAX = 65536,
    DATAGRAM_MAX = 2048,
    CHECK_RETRY_US = 50000,
    CONSENT_US = 5 * US_PER_S, /* RFC 7675 5.1: about every five seconds */
    REPORT_US = US_PER_S,
    PRIORITY_HOST = 0x7e0000ff,
    SRTCP_GCM_TRAILER = 16 + 4, /* RFC 7714 9.2: tag and index */
};

void client_media_fingerprint(const struct client *client, uint8_t out[32])
{
    crypto_identity_fingerprint(client->world->identity, out);
    out[0] ^= client->wrong_print;
}

uint32_t client_media_ssrc(const struct client *client)
{
    return client->film ? client->film->stream[FILM_STREAM_SOUND].ssrc : client->media.audio_ssrc;
}

static void put_now(struct client *client, const void *data, size_t len)
{
    if (send(client->fd, data, len, MSG_DONTWAIT) == (ssize_t)len) {
        client->world->totals.sent_packets++;
        client->world->totals.sent_bytes += len;
        client->sent_packets++;
        client->sent_bytes += len;
    }
}

void client_media_put(struct client *client, const void *data, size_t len)
{
    if (!client->up || link_put(client->up, data, len, clock_mono_us())) {
        put_now(client, data, len);
    }
}

static void send_check(struct client *client, mono_us now)
{
    char username[DESC_UFRAG_MAX * 2 + 2];
    uint8_t out[256];
    int n = snprintf(username, sizeof(username), "%s:%s", client->answer.ufrag, client->ufrag);
    struct stun_request request = {
        .username = username,
        .username_len = (size_t)n,
        .priority = PRIORITY_HOST,
        .role = STUN_CONTROLLING,
        .use_candidate = true,
        .tie_breaker = client->tie_breaker,
    };
    rng_fill(&client->world->rng, request.txid, sizeof(request.txid));
    int len = stun_build_request(out, sizeof(out), &request, client->answer.pwd,
                                 strlen(client->answer.pwd), client->world->crypto->hmac_sha1);
    if (len > 0) {
        client_media_put(client, out, (size_t)len);
    }
    client->check_at = now + (client->state == CLIENT_ICE ? CHECK_RETRY_US : CONSENT_US);
}

void client_floor_start(struct client *client, uint16_t port, mono_us now)
{
    struct media_config config = client->media.config;
    uint8_t hello[5] = {client->publisher ? 'H' : 'R', (uint8_t)(client->room >> 8),
                        (uint8_t)client->room, client->unheard, 0};
    client->server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    media_source_init(&client->media, &config, now);
    if (connect(client->fd, (struct sockaddr *)&client->server, sizeof(client->server)) == 0) {
        client_media_put(client, hello, sizeof(hello));
        client->hello_us = now;
        client->rr_at = now + REPORT_US;
        client->state = CLIENT_LIVE;
        client->world->totals.live++;
    }
}

void client_media_begin(struct client *client, mono_us now)
{
    client->state = CLIENT_ICE;
    send_check(client, now);
}

static void dtls_flush(struct client *client, mono_us now)
{
    uint8_t out[DTLS_DATAGRAM_MAX];
    size_t len;
    while ((len = dtls_client_output(client->dtls, out, sizeof(out))) > 0) {
        client_media_put(client, out, len);
    }
    client->dtls_at = dtls_client_deadline(client->dtls, now);
}

void client_media_handshake(struct client *client, mono_us now)
{
    struct dtls_client_config config = {
        .identity = client->world->identity,
        .profiles = {SRTP_AEAD_AES_128_GCM,
                     client->driver->any_srtp ? SRTP_AES128_CM_SHA1_80 : SRTP_NONE},
        .mtu = DTLS_DATAGRAM_MAX,
    };
    memcpy(config.fingerprint, client->answer.fingerprint, sizeof(config.fingerprint));
    client->dtls = dtls_client_new(&config, now);
    client->state = CLIENT_DTLS;
    if (client->dtls) {
        dtls_flush(client, now);
    }
}

void client_media_maybe_live(struct client *client)
{
    if (client->ready_sent && client->device[0] && client->state == CLIENT_JOINING) {
        client->state = CLIENT_LIVE;
        client->world->totals.live++;
    }
}

static void dtls_done(struct client *client, mono_us now)
{
    const struct crypto_ops *crypto = client->world->crypto;
    if (dtls_client_keys(client->dtls, &client->keys) != 0) {
        return;
    }
    client->seal = crypto->seal_new(crypto->arg, client->keys.profile, &client->keys.client);
    client->open = crypto->open_new(crypto->arg, client->keys.profile, &client->keys.server);
    client->state = CLIENT_JOINING;
    client->dtls_at = MONO_NEVER;
    client->rr_at = now + REPORT_US;
    client->check_at = now + CONSENT_US;
    client->connected_us = now - client->hello_us;
    spread_add(&client->world->totals.connect, client->connected_us);
    client->ready_sent = true;
    client->driver->ready_h(client);
}

static void on_dtls(struct client *client, const uint8_t *data, size_t len, mono_us now)
{
    if (!client->dtls) {
        return;
    }
    (void)dtls_client_input(client->dtls, data, len, now);
    dtls_flush(client, now);
    if (client->state == CLIENT_DTLS && dtls_client_state(client->dtls) == DTLS_DONE) {
        dtls_done(client, now);
    }
}

/* A server that is a full ICE agent checks us too (RFC 8445 7.3). */
static void answer_check(struct client *client, const struct stun_msg *msg, const uint8_t *data)
{
    uint8_t out[256];
    stun_hmac_h hmac = client->world->crypto->hmac_sha1;
    struct addr mapped = {.family = ADDR_V4, .port = ntohs(client->server.sin_port)};
    memcpy(mapped.ip, &client->server.sin_addr, 4);
    if (stun_check(msg, data, client->pwd, strlen(client->pwd), hmac) != 0) {
        return;
    }
    int len = stun_build_success(out, sizeof(out), msg->txid, &mapped, client->pwd,
                                 strlen(client->pwd), hmac);
    if (len > 0) {
        client_media_put(client, out, (size_t)len);
    }
}

static void on_stun(struct client *client, const uint8_t *data, size_t len, mono_us now)
{
    struct stun_msg msg;
    if (stun_parse(&msg, data, len) != 0) {
        return;
    }
    if (msg.class == STUN_REQUEST) {
        answer_check(client, &msg, data);
    }
    if (msg.class == STUN_SUCCESS && client->state == CLIENT_ICE && !client->no_dtls) {
        client_media_handshake(client, now);
    }
}

size_t client_media_seal(struct client *client, const uint8_t *packet, size_t len, uint64_t index,
                         uint8_t *out)
{
    struct rtp_header header;
    if (!client->seal || rtp_parse(&header, packet, len) != 0) {
        return 0;
    }
    memcpy(out, packet, header.header_len);
    return client->world->crypto->seal_rtp(client->seal, out, header.header_len, 0,
                                           packet + header.header_len, len - header.header_len,
                                           index);
}

static void send_rtp(void *arg, const uint8_t *packet, size_t len)
{
    struct client *client = arg;
    uint8_t out[DATAGRAM_MAX];
    struct rtp_header header;
    if (client->world->floor) {
        client_media_put(client, packet, len);
        return;
    }
    if (rtp_parse(&header, packet, len) != 0) {
        return;
    }
    bool video = header.ssrc == client->media.video_ssrc;
    uint64_t *index = video ? &client->video_index : &client->audio_index;
    if ((*index & 0xffff) > header.seq && *index > 0) {
        *index += 0x10000;
    }
    *index = (*index & ~0xffffULL) | header.seq;
    size_t sealed = client_media_seal(client, packet, len, *index, out);
    client_media_put(client, out, sealed);
    if (client->world->hooks.sent_h) {
        client->world->hooks.sent_h(client, out, sealed);
    }
}

/* A packet of the film: sealed with its own index. */
static void send_film(void *arg, const uint8_t *packet, size_t len, uint64_t index)
{
    struct client *client = arg;
    uint8_t out[DATAGRAM_MAX];
    size_t sealed = client_media_seal(client, packet, len, index, out);
    if (sealed) {
        client_media_put(client, out, sealed);
    }
}

/* Key pictures, lost packets, sender reports: what a complete client answers. */
static void on_rtcp_packet(struct client *client, const struct rtcp_packet *packet, mono_us now)
{
    struct rtcp_fb fb;
    struct rtcp_sr sr;
    struct rtcp_nack_iter it;
    uint16_t seq;
    if (rtcp_parse_sr(&sr, packet) == 0) {
        client_rx_report(client, sr.ssrc, sr.ntp, now);
    }
    if (!client->film || rtcp_parse_fb(&fb, packet) != 0) {
        return;
    }
    if (packet->type == RTCP_PSFB && packet->count == PSFB_PLI) {
        film_sender_want_key(client->film, fb.media);
    } else if (packet->type == RTCP_PSFB && packet->count == PSFB_FIR) {
        uint32_t ssrc = 0;
        uint8_t number = 0;
        for (unsigned i = 0; rtcp_fir_at(&ssrc, &number, packet, i) == 0; i++) {
            film_sender_want_key(client->film, ssrc);
        }
    } else if (packet->type == RTCP_RTPFB && rtcp_nack_init(&it, packet) == 0) {
        while (rtcp_nack_next(&it, &seq)) {
            film_sender_resend(client->film, fb.media, seq, send_film, client);
        }
    }
}

/* One request for key frames, of whichever layers. */
static void key_asked(struct client *client, mono_us now)
{
    struct client_totals *t = &client->world->totals;
    mono_us gap = now - client->key_asked_us;
    if (client->key_asked_us && (t->key_gap_us == 0 || gap < t->key_gap_us)) {
        t->key_gap_us = gap;
    }
    client->key_asked_us = now;
    t->key_requests++;
}

/* A picture loss indication for our camera makes the next frame a key frame. */
static void on_rtcp(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    if (!client->open || client->world->crypto->open_rtcp(client->open, data, &len) != 0) {
        return;
    }
    if (client->world->hooks.rtcp_h) {
        client->world->hooks.rtcp_h(client, data, len);
    }
    struct rd compound = rd_init(data, len);
    struct rtcp_packet packet;
    bool asked = false;
    while (rtcp_next(&compound, &packet) == 1) {
        if (packet.type == RTCP_PSFB && (packet.count == PSFB_PLI || packet.count == PSFB_FIR)) {
            client->world->totals.plis++;
            asked = true;
            media_source_want_key(&client->media);
        }
        if (client->rx) {
            on_rtcp_packet(client, &packet, now);
        }
    }
    if (asked) {
        key_asked(client, now);
    }
}

static struct client_stream *stream_of(struct client *client, uint32_t ssrc)
{
    for (uint32_t i = 0; i < client->streams; i++) {
        if (client->stream[i].ssrc == ssrc) {
            return &client->stream[i];
        }
    }
    if (client->streams == CLIENT_SSRCS) {
        return NULL;
    }
    client->stream[client->streams] = (struct client_stream){.ssrc = ssrc};
    return &client->stream[client->streams++];
}

/* Gaps in the numbers of a slot are losses: slots are numbered without holes. */
static void count_sequence(struct client *client, const struct rtp_header *header)
{
    struct client_totals *totals = &client->world->totals;
    struct client_stream *stream = stream_of(client, header->ssrc);
    if (!stream) {
        return;
    }
    int16_t step = (int16_t)(header->seq - stream->seq);
    if (stream->started && step <= 0) {
        totals->duplicate += step == 0;
        totals->lost -= step < 0 && totals->lost > 0;
        return;
    }
    totals->lost += stream->started ? (uint64_t)(step - 1) : 0;
    stream->started = true;
    stream->seq = header->seq;
}

static void refuse(struct client *client, const uint8_t *data, size_t len, int why)
{
    if (client->world->hooks.refused_h) {
        client->world->hooks.refused_h(client, data, len, why);
    }
}

/* Decrypts and reads the stamp back: content and delay, for sampled clients. */
static void check_content(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    struct client_totals *totals = &client->world->totals;
    struct rtp_header header;
    struct media_stamp stamp;
    int why = client->world->crypto->open_rtp(client->open, data, &len);
    if (why || (why = rtp_parse(&header, data, len)) != 0) {
        totals->decrypt_failed++;
        refuse(client, data, len, why);
        return;
    }
    totals->decrypted++;
    if (client->world->hooks.rtp_h) {
        client->world->hooks.rtp_h(client, data, len);
    }
    if (media_stamp_read(data, len - header.padding, &stamp)) {
        spread_add(&totals->delay, now - stamp.sent);
    } else {
        totals->stamps_bad++;
    }
}

static void on_rtp(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    if (client->rx && !client->world->floor) {
        client_rx_rtp(client, data, len, now);
        return;
    }
    struct client_totals *totals = &client->world->totals;
    struct rtp_header header;
    if ((!client->open && !client->world->floor) || rtp_peek(&header, data, len) != 0) {
        totals->errors++;
        refuse(client, data, len, client->open ? E_BAD : E_STATE);
        return;
    }
    totals->packets++;
    totals->bytes += len;
    if (!client->first_media) {
        client->first_media = true;
        totals->first_media++;
        spread_add(&totals->join, now - client->hello_us);
    }
    count_sequence(client, &header);
    if (client->rx) {
        twcc_gen_input(&client->rx->twcc, client->floor_number++, header.ssrc, now);
    }
    if (client->sampled) {
        check_content(client, data, len, now);
    }
}

static void on_datagram(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    if (client->world->hooks.wire_h) {
        client->world->hooks.wire_h(client, data, len);
    }
    switch (wire_classify(data, len)) {
    case WIRE_STUN:
        on_stun(client, data, len, now);
        break;
    case WIRE_DTLS:
        on_dtls(client, data, len, now);
        break;
    case WIRE_RTP:
        on_rtp(client, data, len, now);
        break;
    case WIRE_RTCP:
        on_rtcp(client, data, len, now);
        break;
    case WIRE_UNKNOWN:
    default:
        client->world->totals.errors++;
        break;
    }
}

static void on_wire(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    client->world->totals.datagrams++;
    if (!client->down || link_put(client->down, data, len, now)) {
        on_datagram(client, data, len, now);
    }
}

/* Size of the datagrams that came as one (UDP_GRO), 0 = it is one. */
static size_t segment_size(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        int size = 0;
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            return size > 0 ? (size_t)size : 0;
        }
    }
    return 0;
}

/* A run of datagrams sent as one is taken as one from the kernel. */
static void read_runs(struct client *client, mono_us now)
{
    static uint8_t bytes[RUN_BATCH][RUN_MAX];
    static _Alignas(struct cmsghdr) uint8_t control[RUN_BATCH][CMSG_SPACE(sizeof(int))];
    struct mmsghdr in[RUN_BATCH];
    struct iovec iov[RUN_BATCH];
    int n;
    do {
        memset(in, 0, sizeof(in));
        for (int i = 0; i < RUN_BATCH; i++) {
            iov[i] = (struct iovec){.iov_base = bytes[i], .iov_len = RUN_MAX};
            in[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
                                            .msg_iovlen = 1,
                                            .msg_control = control[i],
                                            .msg_controllen = sizeof(control[i])};
        }
        n = recvmmsg(client->fd, in, RUN_BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            size_t len = in[i].msg_len;
            size_t size = segment_size(&in[i].msg_hdr);
            size = size ? size : len;
            for (size_t at = 0; at < len; at += size) {
                on_wire(client, bytes[i] + at, len - at < size ? len - at : size, now);
            }
        }
    } while (n == RUN_BATCH);
}

void client_read(struct client *client, mono_us now)
{
    static uint8_t bytes[READ_BATCH][DATAGRAM_MAX];
    struct mmsghdr in[READ_BATCH];
    struct iovec iov[READ_BATCH];
    int n;
    if (client->rx) {
        read_runs(client, now);
        return;
    }
    do {
        memset(in, 0, sizeof(in));
        for (int i = 0; i < READ_BATCH; i++) {
            iov[i] = (struct iovec){.iov_base = bytes[i], .iov_len = DATAGRAM_MAX};
            in[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        n = recvmmsg(client->fd, in, READ_BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            on_wire(client, bytes[i], in[i].msg_len, now);
        }
    } while (n == READ_BATCH);
}

void client_media_rtcp(struct client *client, const uint8_t *plain, size_t len)
{
    uint8_t out[DATAGRAM_MAX];
    if ((!client->seal && !client->world->floor) || len > sizeof(out) - SRTCP_TRAILER_MAX) {
        return;
    }
    memcpy(out, plain, len);
    if (client->world->floor) { /* of the size it would have */
        memset(out + len, 0, SRTCP_GCM_TRAILER);
        client_media_put(client, out, len + SRTCP_GCM_TRAILER);
        return;
    }
    client_media_put(
        client, out,
        client->world->crypto->seal_rtcp(client->seal, out, len, client->rtcp_index++));
}

/* What the slots received; an empty report still keeps the server's view of us fresh (RFC 3550
 * 6.4.2). */
static void send_report(struct client *client, mono_us now)
{
    uint8_t out[900];
    struct rtcp_report blocks[RX_SLOTS];
    struct wr w = wr_init(out, sizeof(out));
    unsigned n = client->rx ? client_rx_blocks(client, now, blocks, RX_SLOTS) : 0;
    rtcp_write_rr(&w, client_media_ssrc(client), blocks, n);
    if (!w.bad) {
        client_media_rtcp(client, out, wr_len(&w));
    }
    client->rr_at = now + REPORT_US;
}

/* What waited in the model of the network. */
static void run_links(struct client *client, mono_us now)
{
    uint8_t bytes[DATAGRAM_MAX];
    size_t len;
    while (client->up && (len = link_get(client->up, bytes, sizeof(bytes), now)) > 0) {
        put_now(client, bytes, len);
    }
    while (client->down && (len = link_get(client->down, bytes, sizeof(bytes), now)) > 0) {
        on_datagram(client, bytes, len, now);
    }
}

void client_run(struct client *client, mono_us now)
{
    if (client->up || client->down) {
        run_links(client, now);
    }
    if (client->state == CLIENT_IDLE || client->state == CLIENT_DEAD) {
        return;
    }
    if (client->again_at <= now) {
        client->again_at = MONO_NEVER;
        client_start(client);
    }
    if (client->check_at <= now && !client->no_checks) {
        send_check(client, now);
    }
    if (client->dtls_at <= now && client->state == CLIENT_DTLS) {
        dtls_client_timer(client->dtls, now);
        dtls_flush(client, now);
    }
    if (client->rr_at <= now) {
        send_report(client, now);
    }
    if (client->rx && now >= client->rx_at) {
        client->rx_at = client_rx_timer(client, now);
    }
    if (client->state != CLIENT_LIVE || !client->publisher) {
        return;
    }
    if (client->film) {
        if (client->film->video_at == MONO_NEVER) {
            film_sender_start(client->film, now);
        }
        film_sender_run(client->film, now, send_film, client);
        return;
    }
    if (client->paused) { /* what was due meanwhile is not made up for */
        client->media_started = false;
        return;
    }
    if (!client->media_started) {
        client->media_started = true;
        media_source_begin(&client->media, now);
    }
    media_source_run(&client->media, now, send_rtp, client);
}

mono_us client_due(const struct client *client)
{
    if (client->state != CLIENT_LIVE || client->up || client->down) {
        return 0;
    }
    mono_us due = mono_min(client->check_at, client->rr_at);
    due = client->rx ? mono_min(due, client->rx_at) : due;
    if (client->film) {
        due = mono_min(due, client->film->video_at == MONO_NEVER
                                ? 0
                                : mono_min(client->film->video_at, client->film->sound_at));
    }
    return client->publisher && !client->film ? 0 : due;
}

void client_media_end(struct client *client)
{
    const struct crypto_ops *crypto = client->world->crypto;
    if (client->seal) {
        crypto->seal_free(client->seal);
    }
    if (client->open) {
        crypto->open_free(client->open);
    }
    if (client->dtls) {
        dtls_client_free(client->dtls);
    }
    client->seal = NULL;
    client->open = NULL;
    client->dtls = NULL;
}
