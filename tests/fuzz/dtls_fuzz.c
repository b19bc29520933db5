/* The DTLS server under any datagrams between those of a real client: it never dies before its
 * time, never gives keys to a stranger, and its memory stays small (S1, S2, S16). */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "server/crypto/crypto.h"
#include "server/crypto/dtls_client.h"
#include "server/crypto/dtls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto_identity *identity, *client_identity;
static struct crypto *crypto;

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

static void start(void)
{
    const struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 1};
    must(crypto_identity_new(&identity) == 0 && crypto_identity_new(&client_identity) == 0);
    must(crypto_new(&crypto, identity, &config) == 0);
}

struct world {
    const struct crypto_ops *ops;
    struct dtls *server;
    struct dtls_client *client;
    mono_us now;
};

static void drain(struct world *w, bool deliver)
{
    uint8_t out[DTLS_DATAGRAM_MAX];
    size_t n;
    unsigned count = 0;
    while ((n = w->ops->dtls_output(w->server, out, sizeof(out))) > 0) {
        must(n <= DTLS_DATAGRAM_MAX && ++count < 64);
        if (deliver) {
            dtls_client_input(w->client, out, n, w->now);
        }
    }
}

/* The client's next datagram; how: 0 as it is, else one byte is changed. */
static void client_turn(struct world *w, uint8_t how, uint16_t where)
{
    uint8_t buf[1500];
    size_t n = dtls_client_output(w->client, buf, sizeof(buf));
    if (!n) {
        return;
    }
    buf[where % n] ^= how;
    w->ops->dtls_input(w->server, buf, n, w->now);
}

static void step(struct world *w, struct rd *r)
{
    uint8_t op = rd_u8(r);
    uint8_t arg = rd_u8(r);
    switch (op % 5) {
    case 0:
        client_turn(w, 0, 0);
        break;
    case 1:
        client_turn(w, arg, rd_u16(r));
        break;
    case 2: {
        size_t len = (size_t)arg * 4 < rd_left(r) ? (size_t)arg * 4 : rd_left(r);
        const uint8_t *raw = rd_bytes(r, len);
        w->ops->dtls_input(w->server, raw, raw ? len : 0, w->now);
        break;
    }
    case 3:
        w->now += (mono_us)arg * 10000;
        w->ops->dtls_timer(w->server, w->now);
        must(w->ops->dtls_deadline(w->server) > w->now);
        break;
    default:
        drain(w, arg & 1);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!crypto) {
        start();
    }
    uint8_t random[DTLS_RANDOM_LEN], fingerprint[32];
    enum srtp_profile profile;
    if (dtls_hello_read(data, len, random, &profile) == 0) {
        must(profile != SRTP_NONE);
    }
    if (len < 1) {
        return 0;
    }
    bool stranger = data[0] & 1;
    crypto_identity_fingerprint(stranger ? identity : client_identity, fingerprint);
    struct dtls_client_config config = {
        .identity = client_identity,
        .profiles = {SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM},
        .mtu = data[0] & 2 ? 300 : 1200,
    };
    crypto_identity_fingerprint(identity, config.fingerprint);
    long live = mem_live();
    struct world w = {.ops = crypto_ops(crypto), .now = 1};
    w.server = w.ops->dtls_new(w.ops->arg, fingerprint, w.now);
    w.client = dtls_client_new(&config, w.now);
    must(w.server && w.client);
    struct rd r = rd_init(data + 1, len - 1);
    mono_us begin = w.now;
    while (rd_left(&r)) {
        step(&w, &r);
        struct srtp_keys keys;
        enum dtls_state state = w.ops->dtls_state(w.server);
        must((w.ops->dtls_keys(w.server, &keys) == 0) == (state == DTLS_DONE));
        must(!stranger || state == DTLS_HANDSHAKE || state == DTLS_FAILED);
        must(stranger || state != DTLS_FAILED || w.now - begin >= 10 * US_PER_S);
        must(mem_live() - live < 16);
    }
    w.ops->dtls_free(w.server);
    dtls_client_free(w.client);
    must(mem_live() == live);
    return 0;
}
