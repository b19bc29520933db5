/* Golden journal of attendance: presence checks, words of staff, the seal. */
#include "tests/unit/golden.h"

#include <string.h>

static const struct event *roll_events(size_t *count)
{
    static struct event events[40];
    struct id host = golden_id(1);
    struct id part = golden_id(2);
    struct id other = golden_id(3);
    struct id absent = golden_id(4);
    struct id check = golden_id(70);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_CLASS_SET, .a = SETTING_ROLL_AUTO, .n = 1},
        {.type = EVENT_ROLL_EXPECTED, .person = absent, .a = ROLE_PARTICIPANT},
        {.type = EVENT_ROLL_IDENTIFIED, .person = absent},
        {.type = EVENT_READY_NOTED, .person = part, .a = 1},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE, .person = host},
        {.type = EVENT_CHECK_PLANNED, .n = 1790000900000},
        {.type = EVENT_PERSON_JOINED, .person = part, .device = golden_id(12), .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = other, .device = golden_id(13), .n = 1},
        {.type = EVENT_CHECK_ASKED,
         .other = golden_id(71),
         .person = host,
         .a = 1,
         .n = 1790000180000},
        {.type = EVENT_CHECK_ANSWERED, .person = part, .other = golden_id(71)},
        {.type = EVENT_CHECK_ANSWERED, .person = other, .other = golden_id(71), .a = 1},
        {.type = EVENT_CHECK_CLOSED, .other = golden_id(71)},
        {.type = EVENT_ROLL_CORRECTED, .person = part, .other = host, .a = 3, .n = 8},
        {.type = EVENT_ROLL_CONTESTED, .person = other, .n = 8},
        {.type = EVENT_ROLL_SEALED, .person = host, .n = 8},
        {.type = EVENT_CHECK_ASKED, .other = check, .a = 1, .n = 1790000380000},
        {.type = EVENT_CHECK_ANSWERED, .person = part, .other = check},
        {.type = EVENT_CHECK_ASKED, .other = check, .a = 2, .n = 1790000560000},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *roll_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED     ? "Classe"
                       : e->type == EVENT_PERSON_JOINED   ? "Zoé"
                       : e->type == EVENT_ROLL_EXPECTED   ? "Amélie"
                       : e->type == EVENT_ROLL_IDENTIFIED ? "24A0170123"
                       : e->type == EVENT_READY_NOTED     ? "{\"mic\":true}"
                       : e->type == EVENT_ROLL_CORRECTED  ? "panne de son réseau"
                       : e->type == EVENT_ROLL_CONTESTED  ? "j'étais là"
                       : e->type == EVENT_ROLL_SEALED     ? "00ff:ff00"
                                                          : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

const struct golden_area golden_roll = {"tests/unit/data/journal-roll.bin", roll_events, roll_text};
