/* Golden journal of the minutes of a session: lines noted, one taken out, one whose words are gone.
 */
#include "tests/unit/golden.h"

#include <string.h>

static const struct event *minutes_events(size_t *count)
{
    static struct event events[16];
    struct id host = golden_id(1);
    struct id anim = golden_id(2);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_ROUND_TABLE},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = anim, .device = golden_id(12), .a = 0x101, .n = 1},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE, .person = host},
        {.type = EVENT_MINUTE_NOTED, .person = host, .other = golden_id(60), .a = MINUTE_DECISION},
        {.type = EVENT_MINUTE_NOTED, .person = anim, .other = golden_id(61), .a = MINUTE_TASK},
        {.type = EVENT_MINUTE_NOTED, .person = host, .other = golden_id(62), .a = MINUTE_POINT},
        {.type = EVENT_MINUTE_STRUCK, .person = anim, .other = golden_id(62)},
        {.type = EVENT_WORDS_FORGOTTEN, .person = anim},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *minutes_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED   ? "Table ronde"
                       : e->type == EVENT_PERSON_JOINED ? "Zoé"
                       : e->type == EVENT_MINUTE_NOTED  ? "Relire la page 12"
                                                        : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

const struct golden_area golden_minutes = {"tests/unit/data/journal-minutes.bin", minutes_events,
                                           minutes_text};
