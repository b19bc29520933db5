/* Dependency descriptors, several after one another as in a stream: length byte, descriptor. */
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/av1_dd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct av1_dd_structure s;
    memset(&s, 0, sizeof(s));
    struct rd r = rd_init(data, size);
    while (rd_left(&r)) {
        size_t len = rd_u8(&r);
        const uint8_t *dd = rd_bytes(&r, len);
        struct av1_dd out;
        struct pkt_desc d = {0};
        if (!dd) {
            break;
        }
        if (av1_dd_parse(&out, &s, dd, len) != 0) {
            continue;
        }
        av1_dd_describe(&d, &out, &s);
        if (d.spatial >= AV1_DD_SPATIAL_MAX || d.temporal >= AV1_DD_TEMPORAL_MAX ||
            out.deps.fdiffs > AV1_DD_FDIFFS_MAX || !s.valid) {
            abort();
        }
        uint8_t copy[255];
        memcpy(copy, dd, len);
        av1_dd_renumber(copy, len, 0xbeef);
        struct av1_dd back;
        if (av1_dd_parse(&back, &s, copy, len) != 0 || back.frame_number != 0xbeef ||
            back.template_id != out.template_id) {
            abort();
        }
        uint8_t told[300];
        uint32_t mask = av1_dd_targets(&d, 5);
        size_t told_len = d.targets ? av1_dd_retarget(told, sizeof(told), dd, len, &d, mask) : 0;
        if (told_len &&
            (av1_dd_parse(&back, &s, told, told_len) != 0 || !back.has_mask ||
             back.active_targets != mask || memcmp(&back.deps, &out.deps, sizeof(out.deps)) != 0)) {
            abort();
        }
    }
    return 0;
}
