/* Golden journal of a class of several dates, with its title and words sealed (version 2). */
#include "tests/unit/golden.h"

#include <string.h>

static const struct event *dates_events(size_t *count)
{
    static struct event events[24];
    struct id host = golden_id(1);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_DATE_ADDED, .n = 1790000600000, .a = 90},
        {.type = EVENT_DATES_CLEARED},
        {.type = EVENT_DATE_ADDED, .n = 1790000600000, .a = 90},
        {.type = EVENT_DATE_ADDED, .n = 1790605400000},
        {.type = EVENT_CLASS_SET, .a = SETTING_START, .n = 1790000600000},
        {.type = EVENT_CLASS_SET, .a = SETTING_DURATION, .n = 90},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_SCHEDULED},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE, .person = host},
        {.type = EVENT_WS_CREATED, .other = golden_id(60), .person = host},
        {.type = EVENT_WS_ROOM_ADDED, .other = golden_id(60), .device = golden_id(61)},
        {.type = EVENT_WS_ROOM_CHANGED, .device = golden_id(61), .a = WS_ROOM_TASK},
        {.type = EVENT_ROOM_OPENED, .other = golden_id(61), .a = 1},
        {.type = EVENT_ROOM_CLOSED, .a = 1},
        {.type = EVENT_CLASS_RENAMED},
        {.type = EVENT_PERSON_LEFT, .person = host},
        {.type = EVENT_EMPTY_SET, .n = 1790000660000},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *dates_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED     ? "Anglais, le mardi"
                       : e->type == EVENT_CLASS_RENAMED   ? "Anglais, le jeudi"
                       : e->type == EVENT_PERSON_JOINED   ? "Zoé"
                       : e->type == EVENT_WS_CREATED      ? "Ateliers"
                       : e->type == EVENT_WS_ROOM_CHANGED ? "Lire la page 12"
                       : e->type == EVENT_WS_ROOM_ADDED || e->type == EVENT_ROOM_OPENED ? "Table 1"
                                                                                        : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

const struct golden_area golden_dates = {"tests/unit/data/journal-dates.bin", dates_events,
                                         dates_text};
