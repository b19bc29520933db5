/* Golden journal of the tokens of the standard doors: made, withdrawn, expired, one of an earlier
 * release withdrawn, a camera whose name was erased. */
#include "tests/unit/golden.h"

#include <string.h>

static const struct event *passes_events(size_t *count)
{
    static struct event events[16];
    struct id host = golden_id(1);
    int64_t later = 1790000000000 + 86400000;
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_PASS_MADE,
         .other = golden_id(70),
         .person = golden_id(5),
         .a = 1,
         .n = later},
        {.type = EVENT_PASS_MADE, .other = golden_id(71), .person = golden_id(6), .n = later},
        {.type = EVENT_PASS_MADE,
         .other = golden_id(72),
         .person = golden_id(7),
         .a = 1,
         .n = later},
        {.type = EVENT_PASS_MADE,
         .other = golden_id(73),
         .person = golden_id(8),
         .n = 1789999881000},
        {.type = EVENT_PASS_WITHDRAWN,
         .other = golden_id(70),
         .person = golden_id(5),
         .a = 1,
         .n = later},
        {.type = EVENT_PASS_WITHDRAWN, .other = golden_id(74), .person = golden_id(9), .n = later},
        {.type = EVENT_PERSON_FORGOTTEN, .person = golden_id(7)},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *passes_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED   ? "Classe"
                       : e->type == EVENT_PERSON_JOINED ? "Zoé"
                       : e->type == EVENT_PASS_MADE     ? "Caméra du fond"
                                                        : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

const struct golden_area golden_passes = {"tests/unit/data/journal-passes.bin", passes_events,
                                          passes_text};
