#include "codec/base/err.h"
#include "codec/media/registry.h"

static const char *const feedback[] = {"nack", "transport-cc", NULL};

/* RFC 7587: one payload is one Opus packet (RFC 6716 3), always a whole frame for us. What is in it
 * is not looked at: it may be encrypted from end to end. */
static int describe(const uint8_t *payload, size_t len, struct pkt_desc *out)
{
    (void)payload;
    if (len == 0) {
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
