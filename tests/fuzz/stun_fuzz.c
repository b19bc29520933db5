/* STUN: parse anything; what parses and is a Binding request survives being built again. */
#include <stdlib.h>
#include <string.h>

#include "codec/wire/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not a real HMAC: the code path matters here, its key does not. */
static void fake_hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                      uint8_t out[20])
{
    memset(out, (int)key_len, 20);
    for (size_t i = 0; i < len; i++) {
        out[i % 20] = (uint8_t)(out[i % 20] * 31 + data[i] + key[i % key_len]);
    }
}

static void build_again(const struct stun_msg *m)
{
    struct stun_request req = {.username = (const char *)m->username,
                               .username_len = m->username_len,
                               .priority = m->priority,
                               .role = m->role,
                               .use_candidate = m->use_candidate,
                               .tie_breaker = m->tie_breaker};
    memcpy(req.txid, m->txid, STUN_TXID_LEN);
    uint8_t out[STUN_MESSAGE_MAX];
    struct stun_msg back;
    int n = stun_build_request(out, sizeof(out), &req, "key", 3, fake_hmac);
    if (n < 0 || stun_parse(&back, out, (size_t)n) != 0 ||
        stun_check(&back, out, "key", 3, fake_hmac) != 0 || back.priority != m->priority ||
        back.role != m->role || back.use_candidate != m->use_candidate ||
        back.username_len != m->username_len ||
        memcmp(back.username, m->username, m->username_len) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_msg m;
    if (stun_parse(&m, data, size) != 0) {
        return 0;
    }
    (void)stun_check(&m, data, "key", 3, fake_hmac);
    if (m.method == STUN_BINDING && m.class == STUN_REQUEST && m.username) {
        build_again(&m);
    }
    if (m.mapped.family) {
        uint8_t out[200];
        struct stun_msg back;
        int n = stun_build_success(out, sizeof(out), m.txid, &m.mapped, "key", 3, fake_hmac);
        if (n < 0 || stun_parse(&back, out, (size_t)n) != 0 ||
            !addr_equal(&back.mapped, &m.mapped)) {
            abort();
        }
    }
    return 0;
}
