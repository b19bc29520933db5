/* Any text as a token: what is accepted is exactly what we would write (the signature is made easy,
 * so that the fuzzer gets behind it). */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sign(uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    (void)data;
    memset(mac, key[0] + (int)(len & 1), 32);
}

static int verify(const uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    uint8_t want[32];
    sign(want, key, data, len);
    return memcmp(want, mac, 32) == 0 ? 0 : E_AUTH;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[TOKEN_OPS_KEY_LEN];
    const struct token_ops ops = {.sign_h = sign, .verify_h = verify};
    struct token_claim claim;
    int err = token_read(&claim, (const char *)data, size, key, &ops, 1790000000000);
    if (err == 0 || err == E_EXPIRED) {
        char again[TOKEN_TEXT_MAX];
        if (token_make(again, &claim, key, &ops) || strlen(again) != size ||
            memcmp(again, data, size) != 0) {
            abort();
        }
    }
    return 0;
}
