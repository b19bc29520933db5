/* Keys and signatures of an identity provider: nobody but the holder of the key signs, and no key,
 * however strange, does harm. The first byte says which kind, two more where to cut. */
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/crypto/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, POINT = 64 };

static size_t cut(uint8_t share, size_t of)
{
    return of * share / 255;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char said[] = "header.claims";
    int err = E_BAD;
    if (size < HEAD) {
        return 0;
    }
    const uint8_t *bytes = data + HEAD;
    size_t len = size - HEAD;
    if (data[0] & 1) {
        size_t n = cut(data[1], len);
        size_t e = cut(data[2], len - n);
        struct jwk_rsa key = {.n = bytes, .n_len = n, .e = bytes + n, .e_len = e};
        err = jwk_verify_rs256(&key, said, sizeof(said) - 1, bytes + n + e, len - n - e);
    } else if (len >= POINT) {
        err = jwk_verify_es256(bytes, bytes + POINT / 2, said, sizeof(said) - 1, bytes + POINT,
                               len - POINT);
    }
    if (err == 0 || (err != E_BAD && err != E_AUTH)) {
        abort();
    }
    return 0;
}
