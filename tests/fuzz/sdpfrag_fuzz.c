/* Fragments of trickle ICE: what is taken is bounded and plain, and what we answer can be read. */
#include <stdlib.h>
#include <string.h>

#include "codec/wire/sdpfrag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool plain(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return len < cap;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdpfrag frag;
    struct sdpfrag back;
    char out[4096];
    memset(&frag, 0, sizeof(frag));
    if (sdpfrag_parse(&frag, (const char *)data, size) != 0) {
        return 0;
    }
    if (size > SDPFRAG_MAX || !plain(frag.ufrag, sizeof(frag.ufrag)) ||
        !plain(frag.pwd, sizeof(frag.pwd)) || frag.candidates > size) {
        abort();
    }
    if (!frag.ufrag[0] || !frag.pwd[0]) {
        return 0; /* candidates alone */
    }
    struct desc_answer answer = {.candidates = 1};
    answer.candidate[0].addr = (struct addr){.family = ADDR_V4, .port = 9, .ip = {192, 0, 2, 1}};
    answer.candidate[0].udp = true;
    memcpy(answer.ufrag, frag.ufrag, sizeof(answer.ufrag));
    memcpy(answer.pwd, frag.pwd, sizeof(answer.pwd));
    int n = sdpfrag_write(out, sizeof(out), &answer, "0", "1");
    if (n < 0 || sdpfrag_parse(&back, out, (size_t)n) != 0 || strcmp(back.ufrag, frag.ufrag) != 0 ||
        strcmp(back.pwd, frag.pwd) != 0) {
        abort();
    }
    return 0;
}
