/*
 * What each step of a packet's way costs, nanoseconds per packet, one JSON object: the pieces of
 * the hot path alone, with the data in the cache. Steps are run in rounds and the fastest round
 * counts, so that a busy machine shows in the spread and not in the figure.
 */
#include <stdio.h>
#include <string.h>

#include "bench/load/media.h"
#include "codec/base/pool.h"
#include "codec/base/rng.h"
#include "codec/media/vp8.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "codec/wire/twcc.h"
#include "server/crypto/crypto.h"
#include "server/crypto/dtls_client.h"
#include "server/proto/bwe.h"
#include "server/proto/nack.h"
#include "server/proto/rtx.h"
#include "server/proto/twcc_gen.h"

enum {
    ROUNDS = 20,
    TURNS = 20000,
    PACKET = 1200,
    SOUND = 120,
    FED = 17, /* packets a feedback speaks of: 175 a second, ten feedbacks */
    SHAKES = 20,
    DATAGRAM = 1500,
};

struct bench {
    uint8_t packet[PACKET + 64];
    uint8_t sealed[PACKET + 64];
    struct rtp_header header;
    struct desc_exts ids;
    const struct crypto_ops *crypto;
    struct srtp_seal *seal;
    struct srtp_open *open;
    struct twcc_gen twcc;
    struct nack nack;
    struct rtx rtx;
    struct pool chunks;
    struct twcc_gen receiver; /* the one whose feedback is judged */
    struct bwe bwe;
    mono_us now;
    uint16_t number;
    uint32_t rtcp_index;
    uint8_t feedback[256];
    uint64_t index;
    unsigned sum; /* keeps the compiler from leaving steps out */
};

static void step_classify(struct bench *b)
{
    b->sum += (unsigned)wire_classify(b->packet, PACKET);
}

static void step_parse(struct bench *b)
{
    b->sum += (unsigned)rtp_parse(&b->header, b->packet, PACKET) + b->header.seq;
}

static void step_extensions(struct bench *b)
{
    struct rtpext_set set;
    b->sum += (unsigned)rtpext_find(&set, &b->header, b->packet, &b->ids) +
              (unsigned)rtpext_transport_cc(&set, b->packet);
}

static void step_vp8(struct bench *b)
{
    struct vp8_header h;
    b->sum += (unsigned)vp8_parse(&h, b->packet + b->header.header_len, b->header.payload_len);
}

static void step_copy(struct bench *b)
{
    memcpy(b->sealed, b->packet, PACKET);
    b->sum += b->sealed[b->index++ % PACKET];
}

static void step_seal(struct bench *b)
{
    memcpy(b->sealed, b->packet, b->header.header_len);
    b->sum += (unsigned)b->crypto->seal_rtp(b->seal, b->sealed, b->header.header_len, 0,
                                            b->packet + b->header.header_len,
                                            PACKET - b->header.header_len, b->index++);
}

static void step_seal_sound(struct bench *b)
{
    memcpy(b->sealed, b->packet, b->header.header_len);
    b->sum += (unsigned)b->crypto->seal_rtp(b->seal, b->sealed, b->header.header_len, 0,
                                            b->packet + b->header.header_len,
                                            SOUND - b->header.header_len, b->index++);
}

/* With a rewritten start of the payload, as a copy behind a switch has it. */
static void step_seal_edited(struct bench *b)
{
    enum { PREFIX = 6 };
    size_t header = b->header.header_len;
    memcpy(b->sealed, b->packet, header + PREFIX);
    b->sum += (unsigned)b->crypto->seal_rtp(b->seal, b->sealed, header, PREFIX,
                                            b->packet + header + PREFIX, PACKET - header - PREFIX,
                                            b->index++);
}

/* What is remembered of a packet that was sent. */
static void step_sent(struct bench *b)
{
    const struct rtx_sent sent = {.source = 1, .seq_in = (int64_t)b->index};
    b->now += 8000;
    b->index++;
    rtx_note(&b->rtx, &b->chunks, (int64_t)b->index, &sent, 2 * US_PER_S, b->now);
}

static void step_bwe_sent(struct bench *b)
{
    b->now += 5700;
    bwe_sent(&b->bwe, b->number++, PACKET, 0, b->now);
}

/* A feedback as it comes from the wire: sealed here, opened there (both are counted). */
static void step_rtcp(struct bench *b)
{
    size_t len = 80;
    memcpy(b->sealed, b->feedback, len);
    len = b->crypto->seal_rtcp(b->seal, b->sealed, len, b->rtcp_index++ & 0x7fffffff);
    b->sum += (unsigned)b->crypto->open_rtcp(b->open, b->sealed, &len);
}

/* FED packets leave, arrive 20 ms later, are reported and judged. */
static void step_judge(struct bench *b)
{
    struct twcc_feedback fb;
    struct twcc_status status[64];
    struct rtcp_packet p;
    for (unsigned i = 0; i < FED; i++) {
        b->now += 5700;
        bwe_sent(&b->bwe, b->number, PACKET, 0, b->now);
        twcc_gen_input(&b->receiver, b->number++, 1, b->now + 20000);
    }
    struct wr w = wr_init(b->feedback, sizeof(b->feedback));
    (void)twcc_gen_write(&b->receiver, &w, 1, b->now + 20000);
    struct rd r = rd_init(b->feedback, wr_len(&w));
    if (rtcp_next(&r, &p) == 1 && twcc_parse(&fb, status, 64, &p) == 0) {
        bwe_input(&b->bwe, &fb, status, b->now + 40000);
    }
    b->sum += bwe_estimate(&b->bwe, b->now + 40000);
}

/* The same without judging. */
static void step_told(struct bench *b)
{
    for (unsigned i = 0; i < FED; i++) {
        b->now += 5700;
        bwe_sent(&b->bwe, b->number, PACKET, 0, b->now);
        twcc_gen_input(&b->receiver, b->number++, 1, b->now + 20000);
    }
    struct wr w = wr_init(b->feedback, sizeof(b->feedback));
    b->sum += twcc_gen_write(&b->receiver, &w, 1, b->now + 20000);
}

static void step_twcc(struct bench *b)
{
    b->index++;
    twcc_gen_input(&b->twcc, (uint16_t)b->index, 1, (mono_us)b->index * 100);
}

static void step_nack(struct bench *b)
{
    b->index++;
    nack_input(&b->nack, (int64_t)b->index, false, (mono_us)b->index * 100);
}

/* What reaches the server from the client, and back; the time the server took. */
static mono_us shake_once(const struct crypto_ops *crypto, struct dtls *server,
                          struct dtls_client *client)
{
    uint8_t data[DATAGRAM];
    size_t len;
    mono_us took = 0;
    while ((len = dtls_client_output(client, data, sizeof(data))) > 0) {
        mono_us start = clock_mono_us();
        (void)crypto->dtls_input(server, data, len, start);
        took += clock_mono_us() - start;
    }
    while ((len = crypto->dtls_output(server, data, sizeof(data))) > 0) {
        (void)dtls_client_input(client, data, len, clock_mono_us());
    }
    return took;
}

/* Our side of a handshake, to the keys of both directions: fastest of all, nanoseconds. */
static double handshake_ns(const struct crypto_ops *crypto, const struct crypto_identity *identity)
{
    struct dtls_client_config config = {
        .identity = identity, .profiles = {SRTP_AEAD_AES_128_GCM}, .mtu = 1200};
    double best = 1e12;
    crypto_identity_fingerprint(identity, config.fingerprint); /* one certificate for both */
    for (int i = 0; i < ROUNDS * SHAKES; i++) {
        struct srtp_keys keys;
        mono_us start = clock_mono_us();
        struct dtls *server = crypto->dtls_new(crypto->arg, config.fingerprint, start);
        struct dtls_client *client = dtls_client_new(&config, start);
        mono_us took = 0;
        for (int turn = 0; turn < 3 && server && client; turn++) {
            took += shake_once(crypto, server, client);
        }
        start = clock_mono_us();
        if (server && crypto->dtls_keys(server, &keys) == 0) {
            struct srtp_open *open = crypto->open_new(crypto->arg, keys.profile, &keys.client);
            struct srtp_seal *seal = crypto->seal_new(crypto->arg, keys.profile, &keys.server);
            took += clock_mono_us() - start;
            best = (double)took * 1000 < best ? (double)took * 1000 : best;
            crypto->open_free(open);
            crypto->seal_free(seal);
        }
        crypto->dtls_free(server);
        dtls_client_free(client);
    }
    return best;
}

static double fastest_ns(struct bench *b, void (*step)(struct bench *b))
{
    double best = 1e12;
    for (int r = 0; r < ROUNDS; r++) {
        mono_us start = clock_mono_us();
        for (int i = 0; i < TURNS; i++) {
            step(b);
        }
        double ns = (double)(clock_mono_us() - start) * 1000 / TURNS;
        best = ns < best ? ns : best;
    }
    return best;
}

/* A packet as a camera sends it, from the trace of the benchmark. */
static void keep(void *arg, const uint8_t *packet, size_t len)
{
    struct bench *b = arg;
    memcpy(b->packet, packet, len < PACKET ? len : PACKET);
}

int main(void)
{
    static struct bench b;
    static const struct {
        const char *name;
        void (*step)(struct bench *b);
    } steps[] = {{"classify", step_classify},       {"rtp_parse", step_parse},
                 {"extensions", step_extensions},   {"vp8_parse", step_vp8},
                 {"copy_1200", step_copy},          {"seal_1200", step_seal},
                 {"seal_edited", step_seal_edited}, {"seal_120", step_seal_sound},
                 {"twcc_input", step_twcc},         {"nack_input", step_nack},
                 {"rtx_note", step_sent},           {"bwe_sent", step_bwe_sent},
                 {"rtcp_seal_open", step_rtcp},     {"told", step_told},
                 {"told_and_judged", step_judge}};
    struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 4, .ipsec_mb = true};
    struct crypto_identity *identity = NULL;
    struct crypto *crypto = NULL;
    struct media_source source;
    struct srtp_key key = {.key = {1}, .salt = {2}};
    media_source_init(&source, &(struct media_config){.video_bps = 2000000, .fps = 25, .seed = 1},
                      0);
    media_source_run(&source, 200000, keep, &b);
    b.ids.id[RTPEXT_MID] = MEDIA_EXT_MID;
    b.ids.id[RTPEXT_TRANSPORT_CC] = MEDIA_EXT_TWCC;
    if (rtp_parse(&b.header, b.packet, PACKET) != 0 || crypto_identity_new(&identity) != 0 ||
        crypto_new(&crypto, identity, &config) != 0) {
        return 1;
    }
    b.crypto = crypto_ops(crypto);
    b.seal = b.crypto->seal_new(b.crypto->arg, SRTP_AEAD_AES_128_GCM, &key);
    b.open = b.crypto->open_new(b.crypto->arg, SRTP_AEAD_AES_128_GCM, &key);
    b.feedback[0] = 0x80; /* RTCP of sender 0 */
    twcc_gen_init(&b.twcc);
    twcc_gen_init(&b.receiver);
    bwe_init(&b.bwe, BWE_START_BPS, 0);
    if (!b.seal || !b.open || pool_init(&b.chunks, sizeof(struct rtx_chunk), 64) != 0) {
        return 1;
    }
    nack_init(&b.nack, US_PER_S);
    (void)printf("{\"engine\":\"%s\"", crypto_seal_engine(crypto));
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        (void)printf(",\"%s_ns\":%.1f", steps[i].name, fastest_ns(&b, steps[i].step));
    }
    (void)printf(",\"handshake_ns\":%.0f", handshake_ns(b.crypto, identity));
    (void)printf(",\"sum\":%u}\n", b.sum & 1);
    b.crypto->seal_free(b.seal);
    b.crypto->open_free(b.open);
    pool_fini(&b.chunks);
    crypto_free(crypto);
    crypto_identity_free(identity);
    return 0;
}
