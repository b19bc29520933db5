/* The ICE agent under any order of checks, forgeries, restarts, closures and time. A shadow keeps
 * what was authenticated when; nothing else may ever be selected or sent to (S4, S7, S8). */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/wire/stun.h"
#include "server/crypto/hmac.h"
#include "server/proto/ice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ADDRESSES = 8 };

struct shadow {
    struct ice ice;
    struct ice_creds known[2]; /* current, previous */
    struct rng_seeded seed;
    struct rng rng;
    struct crypto_ops ops;
    mono_us now;
    mono_us checked[ADDRESSES]; /* last authenticated check, -1 never */
    unsigned in_demux;
    bool demux[ADDRESSES];
    bool lost;
};

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                 uint8_t out[20])
{
    struct hmac_key prepared;
    hmac_key_set(&prepared, key, key_len);
    hmac_sign(&prepared, data, len, NULL, 0, out);
}

/* Four ports of one host, four other hosts; every other one over TCP. */
static struct tuple tuple_at(unsigned i)
{
    struct tuple t = {.proto = i & 1 ? ADDR_TCP : ADDR_UDP, .conn = i & 1 ? i : 0};
    t.remote = (struct addr){.family = ADDR_V4, .port = (uint16_t)(1000 + i)};
    t.remote.ip[3] = (uint8_t)(i < 4 ? 1 : i);
    t.local = (struct addr){.family = ADDR_V4, .port = 7000, .ip = {192, 0, 2, 1}};
    return t;
}

static unsigned index_of(const struct tuple *tuple)
{
    unsigned i = tuple->remote.port - 1000u;
    struct tuple t = tuple_at(i);
    must(i < ADDRESSES && tuple_equal(&t, tuple));
    return i;
}

static void follow(struct shadow *s, const struct ice_out *out, int from)
{
    if (out->changes & ICE_PATH_GONE) {
        unsigned i = index_of(&out->gone);
        must(s->demux[i]);
        s->demux[i] = false;
        s->in_demux--;
    }
    if (out->changes & ICE_NEW_PATH) {
        must(from >= 0 && !s->demux[from]);
        s->demux[from] = true;
        s->in_demux++;
    }
    must(!(out->changes & ICE_LOST) || !s->lost);
    must(!(out->changes & ICE_BACK) || s->lost);
    s->lost = out->changes & ICE_LOST ? true : out->changes & ICE_BACK ? false : s->lost;
}

static void check_invariants(const struct shadow *s)
{
    must(s->ice.paths <= ICE_PATHS && s->ice.paths == s->in_demux);
    const struct tuple *selected = ice_selected(&s->ice);
    must(selected || !ice_can_send(&s->ice, s->now));
    if (selected) {
        unsigned i = index_of(selected);
        bool fresh = s->checked[i] >= 0 && s->now - s->checked[i] < ICE_CONSENT_US;
        must(s->demux[i] && ice_can_send(&s->ice, s->now) == fresh);
        must(!s->lost);
    }
    for (unsigned i = 0; i < ADDRESSES; i++) {
        struct tuple t = tuple_at(i);
        if (ice_knows(&s->ice, &t, s->now) >= 0) {
            must(s->checked[i] >= 0 && s->now - s->checked[i] < ICE_CONSENT_US);
        }
    }
    must(s->ice.paths ? ice_deadline(&s->ice) < MONO_NEVER : ice_deadline(&s->ice) == MONO_NEVER);
}

static size_t build(const struct shadow *s, uint8_t out[512], uint8_t how)
{
    const struct ice_creds *creds = &s->known[how >> 7];
    char name[64];
    int n = snprintf(name, sizeof(name), "%s:%s", creds->ufrag, creds->remote);
    struct stun_request req = {
        .username = name,
        .username_len = (size_t)n,
        .role = how & 0x40 ? STUN_CONTROLLED : STUN_CONTROLLING,
        .use_candidate = how & 0x20,
    };
    int len = stun_build_request(out, 512, &req, creds->pwd, strlen(creds->pwd), hmac);
    must(len > 0);
    return (size_t)len;
}

static void input(struct shadow *s, const uint8_t *msg, size_t len, unsigned at, bool genuine)
{
    struct tuple from = tuple_at(at);
    struct ice_out out;
    uint64_t checks = s->ice.checks;
    enum drop drop = ice_input(&s->ice, &s->ops, msg, len, &from, s->now, &out);
    must(genuine || drop != DROP_NONE);
    must((drop == DROP_NONE) == (s->ice.checks == checks + 1));
    must(drop == DROP_NONE || (out.len == 0 && out.changes == 0));
    must(out.len <= len * 8 / 5); /* never an amplifier: S4 */
    if (out.len) {
        struct stun_msg answer;
        must(stun_parse(&answer, out.response, out.len) == 0);
        if (answer.class == STUN_SUCCESS) {
            s->checked[at] = s->now;
        }
    }
    if (out.changes & ICE_OLD_GONE) {
        must(!memcmp(out.gone_ufrag, s->known[1].ufrag, sizeof(out.gone_ufrag)));
    }
    follow(s, &out, (int)at);
}

static void step(struct shadow *s, struct rd *r)
{
    uint8_t op = rd_u8(r);
    uint8_t arg = rd_u8(r);
    uint8_t msg[512];
    struct ice_out out;
    char gone[ICE_UFRAG_LEN + 1];
    struct tuple t = tuple_at(arg % ADDRESSES);
    switch (op % 8) {
    case 0: /* a check */
        input(s, msg, build(s, msg, arg & 0xe0), arg % ADDRESSES, true);
        break;
    case 1: { /* a forged one: some bit before the end of the integrity */
        size_t len = build(s, msg, arg & 0xa0);
        uint16_t bit = rd_u16(r);
        size_t end = len - 8; /* FINGERPRINT goes */
        put_u16(msg + 2, (uint16_t)(end - STUN_HEADER_LEN));
        msg[bit / 8 % end] ^= (uint8_t)(1u << bit % 8);
        input(s, msg, end, arg % ADDRESSES, false);
        break;
    }
    case 2: { /* anything */
        size_t len = arg < rd_left(r) ? arg : rd_left(r);
        const uint8_t *raw = rd_bytes(r, len);
        input(s, raw, raw ? len : 0, 0, false);
        break;
    }
    case 3:
        s->now += (mono_us)arg * arg * 1000;
        break;
    case 4:
        if (ice_restart(&s->ice, arg & 1 ? "page" : "other", &s->rng, gone) == 0) {
            s->known[1] = s->known[0];
            s->known[0] = s->ice.creds;
        }
        break;
    case 5:
        do {
            ice_timer(&s->ice, s->now, &out);
            follow(s, &out, -1);
        } while (out.changes & ICE_PATH_GONE);
        must(ice_deadline(&s->ice) > s->now);
        break;
    case 7: { /* media, if it is taken from there */
        int at = ice_knows(&s->ice, &t, s->now);
        if (at >= 0 && !ice_heard(&s->ice, at, s->now)) {
            ice_heard_beside(&s->ice, at, s->now, &out);
            must(!(out.changes & ~(unsigned)ICE_SELECTED));
            follow(s, &out, -1);
        }
        break;
    }
    default:
        ice_forget(&s->ice, &t, s->now, &out);
        follow(s, &out, -1);
        must(!s->demux[arg % ADDRESSES]);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct shadow s = {.now = 1000 * (mono_us)US_PER_S, .ops = {.hmac_sha1 = hmac}};
    for (unsigned i = 0; i < ADDRESSES; i++) {
        s.checked[i] = -1;
    }
    rng_seed(&s.seed, 1);
    s.rng = rng_from_seeded(&s.seed);
    ice_init(&s.ice, &s.rng);
    must(ice_set_remote(&s.ice, "page") == 0);
    s.known[0] = s.known[1] = s.ice.creds;
    struct rd r = rd_init(data, len);
    while (rd_left(&r)) {
        step(&s, &r);
        check_invariants(&s);
    }
    return 0;
}
