/* Golden journal of a class that was prepared, renamed, thrown away and taken back. */
#include "tests/unit/golden.h"

#include <string.h>

static const struct event *office_events(size_t *count)
{
    static struct event events[16];
    struct id host = golden_id(1);
    struct id guest = golden_id(2);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_CLASS_SET, .a = SETTING_WAITING, .n = 2, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = guest, .device = golden_id(12), .n = 1},
        {.type = EVENT_CHAT_POSTED, .person = guest, .other = golden_id(30)},
        {.type = EVENT_CLASS_RENAMED},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_CLOSED},
        {.type = EVENT_CLASS_BINNED, .a = 1},
        {.type = EVENT_CLASS_BINNED, .a = 0},
        {.type = EVENT_CLASS_BINNED, .a = 1},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *office_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED   ? "Une classe"
                       : e->type == EVENT_CLASS_RENAMED ? "Une autre classe"
                       : e->type == EVENT_PERSON_JOINED ? "Zoé"
                       : e->type == EVENT_CHAT_POSTED   ? "bonjour"
                                                        : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

/* A class whose words have been kept long enough. */
static const struct event *keep_events(size_t *count)
{
    static struct event events[16];
    struct id host = golden_id(1);
    struct id guest = golden_id(2);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_READY_NOTED, .person = guest, .a = 1},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = guest, .device = golden_id(12), .n = 1},
        {.type = EVENT_CHAT_POSTED, .person = guest, .other = golden_id(30)},
        {.type = EVENT_CHAT_POSTED, .person = host, .other = golden_id(31)},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_CLOSED},
        {.type = EVENT_WORDS_FORGOTTEN, .person = guest},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *keep_text(const struct event *e)
{
    return e->type == EVENT_READY_NOTED ? rtext_new("{}", 2) : office_text(e);
}

const struct golden_area golden_keep = {"tests/unit/data/journal-keep.bin", keep_events, keep_text};

const struct golden_area golden_office = {"tests/unit/data/journal-office.bin", office_events,
                                          office_text};
