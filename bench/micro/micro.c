/*
 * What each step of a packet's way costs, nanoseconds per packet, one JSON object: the pieces of
 * the hot path alone, with the data in the cache. Steps are run in rounds and the fastest round
 * counts, so that a busy machine shows in the spread and not in the figure.
 */
#include <stdio.h>
#include <string.h>

#include "bench/load/media.h"
#include "codec/base/rng.h"
#include "codec/media/vp8.h"
#include "codec/sys/clock.h"
#include "codec/wire/class.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/crypto/crypto.h"
#include "server/proto/nack.h"
#include "server/proto/twcc_gen.h"

enum { ROUNDS = 20, TURNS = 20000, PACKET = 1200 };

struct bench {
    uint8_t packet[PACKET + 64];
    uint8_t sealed[PACKET + 64];
    struct rtp_header header;
    struct desc_exts ids;
    const struct crypto_ops *crypto;
    struct srtp_seal *seal;
    struct twcc_gen twcc;
    struct nack nack;
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

static void step_twcc(struct bench *b)
{
    b->index++;
    twcc_gen_input(&b->twcc, (uint16_t)b->index, 1, (mono_us)b->index * 100);
}

static void step_nack(struct bench *b)
{
    b->index++;
    nack_input(&b->nack, (int64_t)b->index, (mono_us)b->index * 100);
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
    } steps[] = {{"classify", step_classify},     {"rtp_parse", step_parse},
                 {"extensions", step_extensions}, {"vp8_parse", step_vp8},
                 {"copy_1200", step_copy},        {"seal_1200", step_seal},
                 {"twcc_input", step_twcc},       {"nack_input", step_nack}};
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
    twcc_gen_init(&b.twcc);
    nack_init(&b.nack, US_PER_S);
    (void)printf("{\"engine\":\"%s\"", crypto_seal_engine(crypto));
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        (void)printf(",\"%s_ns\":%.1f", steps[i].name, fastest_ns(&b, steps[i].step));
    }
    (void)printf(",\"sum\":%u}\n", b.sum & 1);
    b.crypto->seal_free(b.seal);
    crypto_free(crypto);
    crypto_identity_free(identity);
    return 0;
}
