#include "codec/base/err.h"
#include "codec/media/registry.h"

static const char *const feedback[] = {"nack", "transport-cc", NULL};

/* RFC 7587: one payload is one Opus packet (RFC 6716 3), always a whole frame for us. */
static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    /* Code 3 packets have a frame count byte behind the table-of-contents byte (6716 3.2.5). */
    if (len == 0 || ((payload[0] & 3u) == 3 && (len < 2 || (payload[1] & 63u) == 0))) {
        return E_BAD;
    }
    out->start_of_frame = 1;
    out->end_of_frame = 1;
    out->keyframe = 1;
    out->independent = 1;
    return 0;
}

const struct codec_ops opus_ops = {
    .sdp = {.id = CODEC_OPUS,
            .video = false,
            .name = "opus",
            .clock_rate = 48000,
            .channels = 2,
            .fmtp = "minptime=10;useinbandfec=1;usedtx=1",
            .feedback = feedback},
    .describe = describe,
};
