/* RTP header and extensions: parse, then write the found values anew and find them again. */
#include <stdlib.h>
#include <string.h>

#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct desc_exts ids = {.id = {0, 4, 10, 11, 1, 3, 2, 7, 5, 13, 12}};

static void write_again(const struct rtp_header *h, const struct rtpext_set *set,
                        const uint8_t *data)
{
    const struct rtpext_field *dd = &set->field[RTPEXT_DEPENDENCY_DESCRIPTOR];
    const struct rtpext_field *mid = &set->field[RTPEXT_MID];
    int32_t tcc = rtpext_transport_cc(set, data);
    int32_t ast = rtpext_abs_send_time(set, data);
    struct rtpext_values v = {.mid = (const char *)data + mid->at,
                              .mid_len = mid->len,
                              .transport_cc = (uint16_t)tcc,
                              .abs_send_time = (uint32_t)ast & 0xffffff,
                              .dd = data + dd->at,
                              .dd_len = dd->len};
    v.kinds = (mid->at ? 1u << RTPEXT_MID : 0) | (tcc >= 0 ? 1u << RTPEXT_TRANSPORT_CC : 0) |
              (ast >= 0 ? 1u << RTPEXT_ABS_SEND_TIME : 0) |
              (dd->at ? 1u << RTPEXT_DEPENDENCY_DESCRIPTOR : 0);
    uint8_t out[2048];
    struct wr w = wr_init(out, sizeof(out));
    uint32_t csrc[RTP_CSRC_MAX];
    for (unsigned i = 0; i < h->csrc_count; i++) {
        csrc[i] = rtp_csrc(h, data, i);
    }
    rtp_write(&w, h, csrc, true);
    if (rtpext_write(&w, &ids, &v, NULL) <= 0) {
        return; /* nothing to write */
    }
    rtp_write_padding(&w, h->padding);
    struct rtp_header back;
    struct rtpext_set found;
    if (rtp_parse(&back, out, wr_len(&w)) != 0 || rtpext_find(&found, &back, out, &ids) != 0 ||
        back.seq != h->seq || back.padding != h->padding || back.payload_len != 0 ||
        rtpext_transport_cc(&found, out) != tcc || rtpext_abs_send_time(&found, out) != ast ||
        found.field[RTPEXT_DEPENDENCY_DESCRIPTOR].len != dd->len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp_header h;
    struct rtpext_set set;
    bool peeked = rtp_peek(&h, data, size) == 0;
    if (peeked && (size_t)h.header_len + h.payload_len != size) {
        abort();
    }
    if (rtp_parse(&h, data, size) != 0) {
        return 0;
    }
    if (!peeked) {
        abort();
    }
    if ((size_t)h.header_len + h.payload_len + h.padding != size) {
        abort();
    }
    if (rtpext_find(&set, &h, data, &ids) == 0) {
        char text[RTPEXT_MID_MAX + 1];
        bool voice;
        (void)rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text));
        (void)rtpext_text(&set, data, RTPEXT_RID, text, sizeof(text));
        (void)rtpext_audio_level(&set, data, &voice);
        write_again(&h, &set, data);
    }
    return 0;
}
