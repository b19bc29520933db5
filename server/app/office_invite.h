/*
 * Invitations of the office: the mail with the appointment for one person, for all who have none
 * yet, and again whenever what was said no longer holds. enrolled.told keeps which date a person
 * was told last; the upkeep brings it in line with the class: a new date, a class in the bin, one
 * taken back from there. So an update survives a kill and is never sent twice for one change.
 * Out of scope: the mail itself (server/app/invite.h), reminders (office_upkeep.c).
 */
#pragma once

#include "server/app/invite.h"
#include "server/app/office_class.h"

/* Queues one mail that asks somebody in, and writes down that he knows the date. 0, E_STATE
 * (mail.from is not set), E_IO ... */
int office_invite(struct office_call *call, const struct id *class_id, const json_t *class_row,
                  const struct office_person *person, enum invite_kind kind);
/* Takes the appointment of somebody who leaves the roster back, when there is one to come. */
void office_invite_back(struct office_call *call, const struct id *class_id,
                        const struct id *person);
/* How many people know another date than the class has now. */
int64_t office_invite_stale(struct office_call *call, const struct id *class_id);
/* Writes to some of them. True when there are more. */
bool office_invite_upkeep(struct office_call *call);
