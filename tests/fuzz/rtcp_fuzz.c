/* RTCP compounds: every parser on every packet; a NACK survives being written again. */
#include <stdlib.h>
#include <string.h>

#include "codec/wire/rtcp.h"
#include "codec/wire/rtp_seq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nack(const struct rtcp_packet *pkt)
{
    enum { LOST_MAX = 2000 };
    static uint16_t seqs[LOST_MAX];
    struct rtcp_nack_iter it;
    uint16_t seq;
    size_t count = 0;
    bool ascending = true; /* what the writer asks for */
    if (rtcp_nack_init(&it, pkt) != 0) {
        return;
    }
    while (rtcp_nack_next(&it, &seq)) {
        ascending &= !count || (count < LOST_MAX && rtp_seq_newer(seq, seqs[count - 1]));
        if (count < LOST_MAX) {
            seqs[count++] = seq;
        }
    }
    if (!ascending) {
        return;
    }
    static uint8_t out[LOST_MAX * 4 + 12];
    struct wr w = wr_init(out, sizeof(out));
    rtcp_write_nack(&w, 1, 2, seqs, count);
    struct rd r = rd_init(out, wr_len(&w));
    struct rtcp_packet back;
    if (w.bad || rtcp_next(&r, &back) != 1 || rtcp_nack_init(&it, &back) != 0) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (!rtcp_nack_next(&it, &seq) || seq != seqs[i]) {
            abort();
        }
    }
}

static void extended(const struct rtcp_packet *pkt)
{
    struct rd blocks;
    struct rtcp_xr_block block;
    uint32_t ssrc;
    uint64_t ntp;
    struct rtcp_dlrr dlrr;
    if (rtcp_xr_init(&blocks, &ssrc, pkt) != 0) {
        return;
    }
    while (rtcp_xr_next(&blocks, &block) > 0) {
        (void)rtcp_xr_rrtr(&ntp, &block);
        for (unsigned i = 0; rtcp_xr_dlrr_at(&dlrr, &block, i) == 0; i++) {
        }
    }
}

static void others(const struct rtcp_packet *pkt)
{
    struct rtcp_sr sr;
    struct rtcp_report report;
    struct rtcp_bye bye;
    struct rtcp_remb remb;
    uint32_t ssrc;
    uint8_t number;
    (void)rtcp_parse_sr(&sr, pkt);
    (void)rtcp_parse_rr(&ssrc, pkt);
    for (unsigned i = 0; i < 33; i++) {
        (void)rtcp_report_at(&report, pkt, i);
    }
    if (rtcp_parse_bye(&bye, pkt) == 0) {
        for (unsigned i = 0; i <= bye.count; i++) {
            (void)rtcp_bye_ssrc(&bye, i);
        }
    }
    (void)rtcp_parse_remb(&remb, pkt);
    for (unsigned i = 0; rtcp_fir_at(&ssrc, &number, pkt, i) == 0; i++) {
    }
    struct rd chunks = rd_init(pkt->body, pkt->len);
    struct rtcp_cname cname;
    while (pkt->type == RTCP_SDES && rtcp_sdes_next(&chunks, &cname) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init(data, size);
    struct rtcp_packet pkt;
    (void)rtcp_sender(data, size);
    while (rtcp_next(&r, &pkt) > 0) {
        others(&pkt);
        nack(&pkt);
        extended(&pkt);
    }
    return 0;
}
