/* What the requests about a class's evidence share (office_evidence.c, office_after.c). */
#pragma once

#include "server/app/attendance_report.h"
#include "server/app/history.h"
#include "server/app/office_call.h"

/* Who asks about which class. */
struct evidence {
    struct id class_id;
    struct id person; /* of the link; zero for an account */
    bool staff;
    struct history history;
    struct attendance_report report; /* of the session asked for; session NULL = none yet */
};

/*
 * Finds out who asks and folds the history of part 0; event_h as history_walk. 0; otherwise the
 * refusal is the answer. evidence_fini in every case.
 */
int evidence_open(struct office_call *call, struct evidence *e, bool staff, history_event_h event_h,
                  void *arg);
void evidence_fini(struct evidence *e);
/* Looks at a few classes in turn and seals what has been provisional long enough. */
void evidence_upkeep(struct office_call *call);
/* Counts the sheets of a class that are over and not sealed, and keeps the number in its row: -1
 * none, 0 not known (a session runs, or ran since). */
void evidence_count(struct office_call *call, const struct id *class_id, const struct sheet *sheet);
/* The number for a row of a list, looked up when it is not known and *budget allows. */
int64_t evidence_unsealed(struct office_call *call, const json_t *row, const char *state,
                          unsigned *budget);
/* Writes down who is to be sent his certificate once the sheet is sealed, before it is: a kill
 * behind the seal loses no letter. 0 or E_*. */
int evidence_due(struct office_call *call, const struct evidence *e);
/* Sends them (office_certificate.c). */
void evidence_write(struct office_call *call, const struct evidence *e);
/* Lets the disk catch up with the classroom, longer each time; tries count from 0. */
void evidence_pause(unsigned tries);
