#include "codec/media/registry.h"

#include <string.h>
#include <strings.h>

#include "codec/base/err.h"

static const struct codec_ops *const rows[CODEC_COUNT] = {
    [CODEC_OPUS] = &opus_ops, [CODEC_RED] = &red_ops,   [CODEC_VP8] = &vp8_ops,
    [CODEC_VP9] = &vp9_ops,   [CODEC_H264] = &h264_ops, [CODEC_AV1] = &av1_ops,
};

const struct codec_ops *registry_codec(enum codec_id id)
{
    return (unsigned)id < CODEC_COUNT ? rows[id] : NULL;
}

const struct codec_ops *registry_codec_named(const char *name, size_t len)
{
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const char *own = rows[id]->sdp.name;
        if (strlen(own) == len && strncasecmp(own, name, len) == 0) {
            return rows[id];
        }
    }
    return NULL;
}

const struct sdp_codec *registry_sdp_codec(enum codec_id id)
{
    const struct codec_ops *ops = registry_codec(id);
    return ops ? &ops->sdp : NULL;
}

void codec_blank(enum codec_id id, struct pkt_desc *desc)
{
    size_t from = offsetof(struct pkt_desc, start_of_frame);
    memset((uint8_t *)desc + from, 0, sizeof(*desc) - from);
    desc->codec = (uint8_t)id;
}

int codec_describe(enum codec_id id, const uint8_t *payload, size_t len, struct pkt_desc *desc)
{
    const struct codec_ops *ops = registry_codec(id);
    if (!ops) {
        return E_UNSUPPORTED;
    }
    codec_blank(id, desc);
    return ops->describe(payload, len, desc);
}

size_t codec_apply(enum codec_id id, const struct codec_edit *edit, const struct pkt_desc *desc,
                   const uint8_t *payload, size_t len, uint8_t *out, size_t *replaced)
{
    const struct codec_ops *ops = registry_codec(id);
    *replaced = 0;
    if (!ops || !ops->rewrite || !(edit->fields & (CODEC_EDIT_PICTURE_ID | CODEC_EDIT_TL0PICIDX))) {
        return 0;
    }
    return ops->rewrite(edit, desc, payload, len, out, replaced);
}
