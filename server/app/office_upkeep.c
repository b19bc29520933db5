/* What the office does by itself: forgetting what has expired. */
#include "server/app/office_call.h"

enum { AUDIT_DAYS = 400, SESSION_DAYS = 14 };

void office_upkeep(struct office_call *call)
{
    const int64_t day = 86400000;
    (void)people_run(call->people, PEOPLE_SESSION_PRUNE, "ii", (int64_t)(call->now - day),
                     (int64_t)(call->now - SESSION_DAYS * day));
    (void)people_run(call->people, PEOPLE_ONCE_PRUNE, "i", (int64_t)call->now);
    (void)people_run(call->people, PEOPLE_AUDIT_PRUNE, "i",
                     (int64_t)(call->now - AUDIT_DAYS * day));
}
