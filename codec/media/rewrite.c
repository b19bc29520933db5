#include "codec/media/rewrite.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/media/registry.h"
#include "codec/wire/rtp_seq.h"

enum { LEFT_OUT = -1, UNKNOWN = -2 };

static int32_t *place_of(struct codec_rewrite *rw, int64_t id)
{
    return &rw->place[(uint64_t)id % CODEC_REWRITE_PICTURES];
}

void codec_rewrite_init(struct codec_rewrite *rw)
{
    memset(rw, 0, sizeof(*rw));
}

void codec_rewrite_switch(struct codec_rewrite *rw)
{
    rw->has_source = false;
}

/* The first forwarded picture of a source follows the last one written. */
static void begin(struct codec_rewrite *rw, const struct pkt_desc *desc)
{
    /* One turn ahead of zero, so that nothing before it becomes negative. */
    int64_t id = desc->picture_id + ((int64_t)1 << 16);
    rw->has_source = true;
    rw->codec = desc->codec;
    rw->first = id;
    rw->newest = id;
    rw->left_out = 0;
    rw->shift = rw->started ? rw->out_newest + 1 - id : 0;
    rw->tl0_shift = rw->started ? (uint8_t)(rw->out_tl0 + 1 - desc->tl0picidx) : 0;
    *place_of(rw, id) = 0;
}

/* Moves on to picture id; those skipped (lost or late) keep their place. */
static void advance(struct codec_rewrite *rw, int64_t id)
{
    int64_t from = rw->newest + 1;
    if (id - from > CODEC_REWRITE_PICTURES) {
        from = id - CODEC_REWRITE_PICTURES;
    }
    for (int64_t i = from; i <= id; i++) {
        *place_of(rw, i) = rw->left_out;
    }
    rw->newest = id;
}

/* It was thought lost, but nothing behind it was written yet: those move up. */
static void close_late(struct codec_rewrite *rw, int64_t id)
{
    for (int64_t i = id + 1; i <= rw->newest; i++) {
        *place_of(rw, i) += *place_of(rw, i) != LEFT_OUT;
    }
    rw->left_out++;
}

void codec_rewrite_drop(struct codec_rewrite *rw, const struct pkt_desc *desc)
{
    if (!desc->picture_id_bits || !rw->has_source || rw->codec != desc->codec) {
        return;
    }
    int64_t id = rtp_unwrap(rw->newest, desc->picture_id, desc->picture_id_bits);
    const struct codec_ops *ops = registry_codec((enum codec_id)desc->codec);
    bool close = ops && ops->close_holes;
    if (id > rw->newest) {
        advance(rw, id);
        rw->left_out += close;
    } else if (id <= rw->newest - CODEC_REWRITE_PICTURES) {
        return;
    } else if (close && *place_of(rw, id) != LEFT_OUT &&
               id + rw->shift - *place_of(rw, id) > rw->out_newest) {
        close_late(rw, id);
    }
    *place_of(rw, id) = LEFT_OUT;
}

/* How many pictures before this one were left out; LEFT_OUT = itself. */
static int32_t left_before(const struct codec_rewrite *rw, const struct pkt_desc *desc, int64_t id)
{
    if (id > rw->newest - CODEC_REWRITE_PICTURES) {
        return rw->place[(uint64_t)id % CODEC_REWRITE_PICTURES];
    }
    const struct codec_ops *ops = registry_codec((enum codec_id)desc->codec);
    return ops && ops->close_holes ? UNKNOWN : 0; /* where no hole is closed none ever is */
}

int codec_rewrite_edit(struct codec_rewrite *rw, const struct pkt_desc *desc,
                       struct codec_edit *edit)
{
    memset(edit, 0, sizeof(*edit));
    if (!desc->picture_id_bits) {
        return 0;
    }
    if (!rw->has_source || rw->codec != desc->codec) {
        begin(rw, desc);
    }
    int64_t id = rtp_unwrap(rw->newest, desc->picture_id, desc->picture_id_bits);
    if (id > rw->newest) {
        advance(rw, id);
    }
    int32_t left = id < rw->first ? UNKNOWN : left_before(rw, desc, id);
    if (left < 0) {
        return left == LEFT_OUT ? E_NOTFOUND : E_RANGE;
    }
    int64_t out = id + rw->shift - left;
    uint8_t tl0 = (uint8_t)(desc->tl0picidx + rw->tl0_shift);
    edit->picture_id = (uint16_t)((uint64_t)out & (desc->picture_id_bits == 16 ? 0xffff : 0x7fff));
    edit->tl0picidx = tl0;
    /* What stays as it is need not be written; 7 bits always become 15. */
    if (edit->picture_id != desc->picture_id || desc->picture_id_bits == 7) {
        edit->fields |= CODEC_EDIT_PICTURE_ID;
    }
    if (desc->has_tl0 && tl0 != desc->tl0picidx) {
        edit->fields |= CODEC_EDIT_TL0PICIDX;
    }
    if (!rw->started || out >= rw->out_newest) {
        rw->out_newest = out;
        rw->out_tl0 = desc->has_tl0 ? tl0 : rw->out_tl0;
    }
    rw->started = true;
    return 0;
}
