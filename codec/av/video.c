#include "codec/av/video.h"

#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

#include "codec/base/mem.h"

enum { QUANTIZER_BEST = 20, QUANTIZER_WORST = 63, SPEED = -10 };

struct video_encoder {
    vpx_codec_ctx_t codec;
    vpx_image_t *image;
    vpx_codec_pts_t pts;
    uint8_t *active;
};

struct video_decoder {
    vpx_codec_ctx_t codec;
};

static bool encoder_setup(struct video_encoder *e, int width, int height, uint32_t bps,
                          uint32_t fps)
{
    vpx_codec_enc_cfg_t config;
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) {
        return false;
    }
    config.g_w = (unsigned)width;
    config.g_h = (unsigned)height;
    config.g_timebase = (struct vpx_rational){1, (int)fps};
    config.g_threads = 1;
    config.g_lag_in_frames = 0;
    config.g_pass = VPX_RC_ONE_PASS;
    config.rc_end_usage = VPX_CBR;
    config.rc_target_bitrate = bps / 1000;
    config.rc_min_quantizer = QUANTIZER_BEST;
    config.rc_max_quantizer = QUANTIZER_WORST;
    config.rc_dropframe_thresh = 0;
    config.rc_resize_allowed = 0;
    config.kf_mode = VPX_KF_DISABLED;
    if (vpx_codec_enc_init(&e->codec, vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) {
        return false;
    }
    return vpx_codec_control(&e->codec, VP8E_SET_CPUUSED, SPEED) == VPX_CODEC_OK &&
           vpx_codec_control(&e->codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION) ==
               VPX_CODEC_OK;
}

struct video_encoder *video_encoder_new(int width, int height, uint32_t bps, uint32_t fps)
{
    struct video_encoder *e = mem_alloc(sizeof(*e));
    if (!e) {
        return NULL;
    }
    e->image = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, (unsigned)width, (unsigned)height, 16);
    e->active = mem_alloc((size_t)(width + 15) / 16 * ((size_t)(height + 15) / 16));
    if (!e->image || !e->active || !encoder_setup(e, width, height, bps, fps)) {
        video_encoder_free(e);
        return NULL;
    }
    return e;
}

void video_encoder_free(struct video_encoder *e)
{
    if (!e) {
        return;
    }
    if (e->codec.iface) {
        (void)vpx_codec_destroy(&e->codec);
    }
    if (e->image) {
        vpx_img_free(e->image);
    }
    mem_free(e->active);
    mem_free(e);
}

static struct pattern_image image_of(const vpx_image_t *in)
{
    struct pattern_image out = {.width = (int)in->d_w, .height = (int)in->d_h};
    for (int i = 0; i < 3; i++) {
        out.plane[i] = in->planes[i];
        out.stride[i] = in->stride[i];
    }
    return out;
}

struct pattern_image video_encoder_image(struct video_encoder *e)
{
    return image_of(e->image);
}

/* The blocks that moving pictures may change; NULL = all (a key picture). */
static bool set_active(struct video_encoder *e, bool key)
{
    unsigned cols = (e->image->d_w + 15) / 16;
    unsigned rows = (e->image->d_h + 15) / 16;
    int cell = (int)e->image->d_w / PATTERN_CELLS;
    vpx_active_map_t map = {.active_map = e->active, .rows = rows, .cols = cols};
    for (unsigned y = 0; y < rows; y++) {
        bool moves = key || pattern_moves((int)y * 16 / cell);
        memset(e->active + y * cols, moves, cols);
    }
    return vpx_codec_control(&e->codec, VP8E_SET_ACTIVEMAP, &map) == VPX_CODEC_OK;
}

const uint8_t *video_encode(struct video_encoder *e, bool key, size_t *len)
{
    /* Only the key picture is remembered, as every reference there is. */
    vpx_enc_frame_flags_t flags =
        VP8_EFLAG_NO_UPD_ENTROPY |
        (key ? VPX_EFLAG_FORCE_KF
             : VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF);
    vpx_codec_iter_t iter = NULL;
    const vpx_codec_cx_pkt_t *packet;
    if (!set_active(e, key) || vpx_codec_encode(&e->codec, e->image, e->pts++, 1, flags,
                                                VPX_DL_REALTIME) != VPX_CODEC_OK) {
        return NULL;
    }
    while ((packet = vpx_codec_get_cx_data(&e->codec, &iter)) != NULL) {
        if (packet->kind == VPX_CODEC_CX_FRAME_PKT) {
            *len = packet->data.frame.sz;
            return packet->data.frame.buf;
        }
    }
    return NULL;
}

struct video_decoder *video_decoder_new(void)
{
    struct video_decoder *d = mem_alloc(sizeof(*d));
    vpx_codec_dec_cfg_t config = {.threads = 1};
    if (d && vpx_codec_dec_init(&d->codec, vpx_codec_vp8_dx(), &config, 0) != VPX_CODEC_OK) {
        mem_free(d);
        d = NULL;
    }
    return d;
}

void video_decoder_free(struct video_decoder *d)
{
    if (d) {
        (void)vpx_codec_destroy(&d->codec);
        mem_free(d);
    }
}

bool video_decode(struct video_decoder *d, const uint8_t *data, size_t len,
                  struct pattern_image *out)
{
    vpx_codec_iter_t iter = NULL;
    if (vpx_codec_decode(&d->codec, data, (unsigned)len, NULL, 0) != VPX_CODEC_OK) {
        return false;
    }
    const vpx_image_t *image = vpx_codec_get_frame(&d->codec, &iter);
    if (!image) {
        return false;
    }
    *out = image_of(image);
    return true;
}
