/* The estimator under any sequence of sendings, feedbacks, wishes, silences and path changes. */
#include <stdlib.h>

#include "codec/base/rw.h"
#include "server/proto/bwe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct bwe *b, mono_us now)
{
    uint32_t bps = bwe_estimate(b, now);
    if (bps && (bps < BWE_MIN_BPS || bps > AIMD_MAX_BPS)) {
        abort();
    }
    if (b->log.size > SENDLOG_MAX || b->log.count > b->log.size) {
        abort();
    }
}

static void feed(struct bwe *b, struct rd *r, uint16_t next, mono_us now)
{
    static struct twcc_status status[256];
    uint16_t count = (uint16_t)(1 + rd_u8(r));
    struct twcc_feedback fb = {
        .base_seq = (uint16_t)(next - rd_u8(r)),
        .count = count < 256 ? count : 255,
        .reference = rd_u24(r),
    };
    for (uint16_t i = 0; i < fb.count; i++) {
        uint8_t bits = rd_u8(r);
        status[i] = (struct twcc_status){
            .seq = (uint16_t)(fb.base_seq + i),
            .received = bits & 1,
            .delta = (int16_t)(bits & 2 ? (int16_t)rd_u16(r) : bits >> 2),
        };
    }
    bwe_input(b, &fb, status, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bwe b;
    struct rd r = rd_init(data, size);
    struct probe_cluster probe = {0};
    mono_us now = US_PER_S;
    uint16_t next = rd_u16(&r);
    bwe_init(&b, BWE_START_BPS, now);
    while (!r.bad && rd_left(&r) > 1) {
        uint8_t op = rd_u8(&r);
        switch (op & 7) {
        case 0:
            now += (mono_us)rd_u16(&r) * 100;
            break;
        case 1:
        case 2:
            for (unsigned i = 0; i <= op >> 3; i++) {
                bwe_sent(&b, next++, (uint16_t)(100 + (op & 0xf0) * 4), op & 8 ? probe.cluster : 0,
                         now);
            }
            break;
        case 3:
            bwe_want(&b, rd_u24(&r));
            bwe_probe(&b, &probe, now);
            break;
        case 4:
            bwe_timer(&b, now);
            break;
        case 5:
            op & 8 ? bwe_path(&b, now) : (void)(next = (uint16_t)(next + op));
            break;
        default:
            feed(&b, &r, next, now);
            break;
        }
        check(&b, now);
    }
    return 0;
}
