#include "codec/media/fields.h"

#include "codec/base/rw.h"

size_t fields_rewrite(const struct codec_edit *edit, const struct pkt_desc *desc,
                      const uint8_t *payload, size_t len, uint8_t *out, size_t *replaced)
{
    size_t id_at = desc->codec_bytes[FIELDS_PICTURE_ID_AT];
    size_t tl0_at = desc->codec_bytes[FIELDS_TL0_AT];
    bool write_id = id_at && edit->fields & CODEC_EDIT_PICTURE_ID;
    bool write_tl0 = tl0_at && edit->fields & CODEC_EDIT_TL0PICIDX;
    struct rd r = rd_init(payload, len);
    struct wr w = wr_init(out, CODEC_PREFIX_MAX);
    if (write_id) {
        wr_bytes(&w, rd_bytes(&r, id_at), r.bad ? 0 : id_at);
        rd_skip(&r, desc->picture_id_bits > 7 ? 2 : 1);
        wr_u16(&w, edit->picture_id | 0x8000u);
    }
    if (write_tl0) {
        size_t between = tl0_at - (write_id ? id_at + (desc->picture_id_bits > 7 ? 2 : 1) : 0);
        wr_bytes(&w, rd_bytes(&r, between), r.bad ? 0 : between);
        rd_skip(&r, 1);
        wr_u8(&w, edit->tl0picidx);
    }
    /* Offsets come from describe of these very bytes; should they not fit, nothing is changed. */
    *replaced = r.bad || w.bad ? 0 : len - rd_left(&r);
    return r.bad || w.bad ? 0 : wr_len(&w);
}
