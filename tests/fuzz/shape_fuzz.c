/* Scenario files: whatever the text, every number taken lies inside the bounds of its key, and a
 * refusal has a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct shape s;
    char why[SHAPE_WHY_MAX] = "";
    shape_init(&s);
    if (shape_parse(&s, (const char *)data, len, why) != 0) {
        must(strncmp(why, "line ", 5) == 0 && memchr(why, '\0', sizeof(why)) != NULL);
    }
#define SHAPE_KEY(field, key, unit, type, fallback, low, high, help)                               \
    must((double)s.field <= (high) && !((double)s.field < (low)));
#include "bench/load/shape.def"
#undef SHAPE_KEY
    must(memchr(s.title_fr, '\0', sizeof(s.title_fr)) != NULL);
    why[0] = '\0';
    if (shape_check(&s, why) != 0) {
        must(why[0] != '\0');
    } else {
        must(s.speakers <= s.publishers && shape_people(&s) > 0 && shape_people(&s) <= 20000);
    }
    return 0;
}
