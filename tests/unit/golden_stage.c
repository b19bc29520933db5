/* Golden journal of the webinar's stage. */
#include "tests/unit/golden.h"

#include <string.h>

#include "signaling/journal/stage.h"

static const struct event *stage_events(size_t *count)
{
    static struct event events[40];
    struct id host = golden_id(1);
    struct id speaker = golden_id(2);
    struct id guest = golden_id(3);
    struct id late = golden_id(4);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_WEBINAR},
        {.type = EVENT_CLASS_SET, .a = SETTING_SEATS, .n = 10, .person = host},
        {.type = EVENT_CLASS_SET, .a = SETTING_CHAT_TO, .n = STAGE_CHAT_STAFF, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_STAGE_PLACED, .person = host, .a = PLACE_STAGE},
        {.type = EVENT_PERSON_JOINED,
         .person = speaker,
         .device = golden_id(12),
         .a = 0x303,
         .n = 1},
        {.type = EVENT_STAGE_PLACED, .person = speaker, .a = PLACE_WINGS},
        {.type = EVENT_STAGE_HOLDING, .a = 1, .n = 1790000600000},
        {.type = EVENT_STAGE_PHASE, .person = host, .a = STAGE_DOORS},
        {.type = EVENT_PERSON_JOINED, .person = guest, .device = golden_id(13), .a = 0x404, .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = late, .device = golden_id(14), .a = 0x404, .n = 1},
        {.type = EVENT_STAGE_LIGHT, .person = late, .a = 1},
        {.type = EVENT_STAGE_FILL, .a = 1},
        {.type = EVENT_STAGE_PHASE, .person = host, .a = STAGE_STARTING, .n = 1790000003000},
        {.type = EVENT_STAGE_PHASE, .a = STAGE_AIR},
        {.type = EVENT_STAGE_PHASE, .person = host, .a = STAGE_QUESTIONS},
        {.type = EVENT_CHAT_POSTED, .person = guest, .other = golden_id(60)},
        {.type = EVENT_STAGE_INVITED, .person = guest, .n = 1790000030000, .other = host},
        {.type = EVENT_STAGE_INVITE_ENDED, .person = guest, .a = INVITE_ACCEPTED},
        {.type = EVENT_ROLE_CHANGED, .person = guest, .a = ROLE_SPEAKER},
        {.type = EVENT_STAGE_PLACED, .person = guest, .a = PLACE_WINGS, .b = ROLE_LISTENER + 1},
        {.type = EVENT_STAGE_CHECKED, .person = guest, .a = 15},
        {.type = EVENT_STAGE_PLACED,
         .person = guest,
         .a = PLACE_STAGE,
         .b = ROLE_LISTENER + 1,
         .n = 1790000300000,
         .other = host},
        {.type = EVENT_STAGE_INVITED, .person = late, .n = 1790000090000, .other = host},
        {.type = EVENT_STAGE_PLACED, .person = speaker, .a = PLACE_STAGE, .other = host},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *stage_text(const struct event *e)
{
    const char *text = e->type == EVENT_CLASS_CREATED   ? "Webinaire"
                       : e->type == EVENT_PERSON_JOINED ? "Zoé"
                       : e->type == EVENT_STAGE_HOLDING ? "Nous commençons bientôt"
                       : e->type == EVENT_CHAT_POSTED   ? "une question"
                                                        : NULL;
    return text ? rtext_new(text, strlen(text)) : NULL;
}

const struct golden_area golden_stage = {"tests/unit/data/journal-stage.bin", stage_events,
                                         stage_text};
