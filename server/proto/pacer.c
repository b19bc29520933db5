#include "server/proto/pacer.h"

#include <stdbool.h>

/* True when all of item[0 .. n) can be lifted to `size`. */
static bool liftable(const struct pacer_item *item, uint32_t n, uint16_t size, uint16_t pad_max)
{
    for (uint32_t i = 0; i < n; i++) {
        if (size - item[i].len > (item[i].may_pad ? pad_max : 0)) {
            return false;
        }
    }
    return true;
}

uint32_t pacer_run(struct pacer_item *item, uint32_t n, uint16_t pad_max)
{
    uint16_t size = item[0].len;
    uint32_t count = 1;
    n = n < PACER_RUN_MAX ? n : PACER_RUN_MAX;
    while (count < n) {
        const struct pacer_item *next = &item[count];
        if (next->len > size) {
            if (!liftable(item, count, next->len, pad_max)) {
                break;
            }
            size = next->len;
        } else if (size - next->len > (next->may_pad ? pad_max : 0)) {
            count++; /* a clearly shorter one may only end the run */
            break;
        }
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t gap = (uint16_t)(size - item[i].len);
        item[i].padding = i + 1 < count ? gap : 0;
    }
    return count;
}
