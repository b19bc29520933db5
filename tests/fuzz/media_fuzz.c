/* Payload formats: first byte chooses the codec, second the marker; what is described can be
 * rewritten and then says the new numbers and nothing else new. */
#include <stdlib.h>
#include <string.h>

#include "codec/media/registry.h"
#include "codec/media/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(enum codec_id id, const struct pkt_desc *d, const uint8_t *payload, size_t len)
{
    static uint8_t copy[1 << 16];
    struct codec_edit edit = {.picture_id = 0x1234, .tl0picidx = 0x56, .fields = 3};
    size_t replaced;
    if (len > sizeof(copy) - CODEC_PREFIX_MAX) {
        return;
    }
    size_t n = codec_apply(id, &edit, d, payload, len, copy, &replaced);
    if (n > CODEC_PREFIX_MAX || replaced > len) {
        abort();
    }
    if (!d->picture_id_bits || d->picture_id_bits == 16) {
        return;
    }
    memcpy(copy + n, payload + replaced, len - replaced);
    struct pkt_desc back = {.marker = d->marker};
    if (codec_describe(id, copy, n + len - replaced, &back) != 0 || back.picture_id != 0x1234 ||
        (d->has_tl0 && back.tl0picidx != 0x56) || back.keyframe != d->keyframe ||
        back.temporal != d->temporal || back.spatial != d->spatial ||
        back.start_of_frame != d->start_of_frame) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    enum codec_id id = (enum codec_id)(data[0] % CODEC_COUNT);
    struct pkt_desc d = {.marker = data[1] & 1};
    if (codec_describe(id, data + 2, size - 2, &d) == 0) {
        rewrite(id, &d, data + 2, size - 2);
    }
    return 0;
}
