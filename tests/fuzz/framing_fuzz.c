/* Frames over a stream: however the bytes are cut into reads, the same frames come out, none is
 * longer than allowed, and every call makes progress. First byte: size of the reads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/io/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

struct sum {
    uint64_t hash;
    unsigned frames;
    int err;
};

static struct sum run(const uint8_t *data, size_t len, size_t piece)
{
    struct sum sum = {.hash = 14695981039346656037u};
    struct framing framing;
    framing_init(&framing);
    for (size_t at = 0; at < len && !sum.err; at += piece) {
        size_t end = len - at < piece ? len : at + piece;
        for (size_t done = at; done < end;) {
            size_t eaten = 0, frame_len = 0;
            const uint8_t *frame = NULL;
            int found = framing_next(&framing, data + done, end - done, &eaten, &frame, &frame_len);
            if (found < 0) {
                must(found == E_TOOBIG);
                sum.err = found;
                break;
            }
            must(eaten > 0 && eaten <= end - done);
            must(found == 1 || done + eaten == end);
            done += eaten;
            if (found) {
                must(frame_len > 0 && frame_len <= FRAMING_MAX);
                sum.frames++;
                for (size_t i = 0; i < frame_len; i++) {
                    sum.hash = (sum.hash ^ frame[i]) * 1099511628211u;
                }
            }
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1) {
        return 0;
    }
    struct sum cut = run(data + 1, len - 1, data[0] ? data[0] : 1);
    struct sum whole = run(data + 1, len - 1, len);
    must(cut.hash == whole.hash && cut.frames == whole.frames && cut.err == whole.err);
    return 0;
}
