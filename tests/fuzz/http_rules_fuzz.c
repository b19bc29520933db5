/* Header values and paths: first byte chooses the rule, the rest is the text. */
#include <stdint.h>
#include <stdlib.h>

#include "signaling/door/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ranges(const char *text, size_t len)
{
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t size = 1000;
    if (rules_range(text, len, size, &first, &last) == RULES_RANGE_PART &&
        (first > last || last >= size)) {
        abort();
    }
}

static void lengths(const char *text, size_t len)
{
    uint64_t value = 0;
    if (rules_length(text, len, &value) == 0 && value > 9999999999ULL) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    struct addr addr;
    switch (data[0] % 7) {
    case 0:
        lengths(text, len);
        break;
    case 1:
        (void)rules_path_ok(text, len);
        break;
    case 2:
        (void)rules_forwarded(text, len, &addr);
        break;
    case 3:
        (void)rules_etag_in(text, len, "\"1-2\"");
        break;
    case 4:
        (void)rules_accepts(text, len, "gzip");
        break;
    case 5:
        ranges(text, len);
        break;
    default:
        (void)rules_origin_is(text, len, "https", "localhost:8443");
        break;
    }
    return 0;
}
