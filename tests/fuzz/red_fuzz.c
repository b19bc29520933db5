/* Redundant audio (RFC 2198): blocks lie inside the payload, one behind the other, and what they
 * say can be built again and read back the same. */
#include <stdlib.h>
#include <string.h>

#include "codec/media/red.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void again(const struct red_block *blocks, int count)
{
    static uint8_t out[1 << 17];
    struct red_block back[RED_BLOCKS_MAX];
    struct wr w = wr_init(out, sizeof(out));
    red_build(&w, blocks, (size_t)count);
    check(!w.bad && red_parse(back, out, wr_len(&w)) == count);
    for (int i = 0; i < count; i++) {
        check(back[i].pt == blocks[i].pt && back[i].ts_offset == blocks[i].ts_offset &&
              back[i].len == blocks[i].len &&
              (back[i].len == 0 || memcmp(back[i].data, blocks[i].data, back[i].len) == 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct red_block blocks[RED_BLOCKS_MAX];
    uint8_t pt;
    int count = red_parse(blocks, data, size);
    int at = red_strip(data, size, &pt);
    check((count < 0) == (at < 0));
    if (count < 0) {
        return 0;
    }
    const uint8_t *next = blocks[0].data;
    for (int i = 0; i < count; i++) {
        check(blocks[i].data == next && blocks[i].data >= data);
        next += blocks[i].len;
    }
    check(next == data + size && blocks[count - 1].pt == pt && blocks[count - 1].ts_offset == 0);
    check(blocks[count - 1].data == data + at);
    again(blocks, count);
    return 0;
}
