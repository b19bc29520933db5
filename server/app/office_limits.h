/* What the server takes at most, as administrators set it while it runs; who could not enter. */
#pragma once

#include "server/app/office_call.h"
#include "signaling/class/classroom.h"

enum { OFFICE_REFUSALS_MAX = 32 };

/* People who found no seat, between two looks of the desk. */
struct office_refusals {
    struct {
        struct id class_id;
        enum class_full why;
        uint32_t count;
    } row[OFFICE_REFUSALS_MAX];
    uint32_t count;
};

void refusals_add(struct office_refusals *list, const struct id *class_id, enum class_full why);
/* Writes them down and tells the administrators, once an hour. */
void office_refusals(struct office_call *call, const struct office_refusals *list);
/* Hands the limits as they stand to the classroom and the mailer: at the start, after a change. */
void office_limits_apply(struct office_call *call);
