/* What the office does by itself: reminders, the bin, forgetting what has expired. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/log.h"
#include "server/app/office_class.h"
#include "server/app/office_dates.h"
#include "server/app/office_evidence.h"
#include "server/app/office_invite.h"
#include "server/app/office_keep.h"
#include "server/app/office_when.h"

enum { SESSION_DAYS = 14, BIN_DAYS = 7, MINUTE = 60000 };

static const int64_t day = 86400000;

/* Bits of class.reminders, the nearest first. */
static const struct {
    int64_t bit;
    int64_t lead; /* before the start */
} reminders[] = {
    {1, 60LL * MINUTE},   {2, 120LL * MINUTE},       {4, 1440LL * MINUTE},
    {8, 2880LL * MINUTE}, {16, 7 * 1440LL * MINUTE},
};

enum { REMINDERS = sizeof(reminders) / sizeof(reminders[0]) };

/* The nearest reminder that is due, and all that are past with it: 0 = none. */
static int64_t due(int64_t wanted, int64_t start, int64_t now, int64_t *past, int64_t *due_at)
{
    int64_t first = 0;
    *past = 0;
    for (unsigned i = 0; i < REMINDERS; i++) {
        if ((wanted & reminders[i].bit) && now >= start - reminders[i].lead) {
            if (!first) {
                first = reminders[i].bit;
                *due_at = start - reminders[i].lead;
            }
            *past |= reminders[i].bit;
        }
    }
    return first;
}

static void remind_one(struct office_call *call, const struct id *class_id, const json_t *class_row,
                       const json_t *row)
{
    char link[OFFICE_LINK_MAX];
    struct office_person person;
    if (!office_person_read(&person, row, class_row) ||
        office_person_link(call, class_id, &person, link, sizeof(link))) {
        return;
    }
    office_class_mail(call, LETTER_REMINDER, "remind", class_row, &person, link);
}

/* Marked before it is queued would lose one at a kill; queued first, the same file is written
 * again under the same name. */
static void remind(struct office_call *call, const json_t *class_row)
{
    struct id id;
    int64_t past;
    int64_t due_at = 0;
    size_t i;
    json_t *row;
    const char *text = office_row_text(class_row, "id");
    int64_t bit = due(office_row_number(class_row, "reminders"),
                      office_row_number(class_row, "start"), call->now, &past, &due_at);
    if (!bit || id_parse(&id, ID_CLASS, text, strlen(text))) {
        return;
    }
    json_t *rows = people_rows(call->people, PEOPLE_ENROLLED, "d", &id);
    json_array_foreach(rows, i, row)
    {
        struct office_person person;
        int64_t invited = office_row_number(row, "invited");
        bool wanted = !strcmp(office_row_text(row, "place"), "in") && invited > 0 &&
                      strcmp(office_row_text(row, "answer"), "no") != 0 &&
                      !(office_row_number(row, "reminded") & bit);
        if (!wanted || !office_person_read(&person, row, class_row)) {
            continue;
        }
        if (invited < due_at) { /* invited later than that: the invitation was the reminder */
            remind_one(call, &id, class_row, row);
        }
        (void)people_run(call->people, PEOPLE_ENROLLED_REMINDED, "ddi", &id, &person.id, past);
    }
    json_decref(rows);
}

static void remind_all(struct office_call *call)
{
    size_t i;
    json_t *row;
    json_t *rows = people_rows(call->people, PEOPLE_CLASSES_TO_REMIND, "ii", (int64_t)call->now,
                               (int64_t)(call->now + 8 * day));
    json_array_foreach(rows, i, row)
    {
        remind(call, row);
    }
    json_decref(rows);
}

/* Once an hour for each class: somebody waits where nobody is to let him in. */
static void knock(struct office_call *call, const struct id *class_id, const json_t *row)
{
    char token[ID_TEXT_MAX];
    char mail_id[64];
    char link[OFFICE_URL_MAX + ID_TEXT_MAX + 16];
    uint8_t digest[PEOPLE_DIGEST_LEN];
    struct id owner;
    const char *text = office_row_text(row, "owner");
    office_digest(digest, id_print(token, ID_CLASS, class_id));
    json_t *told =
        people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, "knock", (int64_t)call->now);
    json_t *account = told || id_parse(&owner, ID_PERSON, text, strlen(text))
                          ? NULL
                          : people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &owner);
    if (account) {
        bool french = strcmp(office_row_text(row, "lang"), "en") != 0;
        snprintf(link, sizeof(link), "%s/home/class/%s", call->base, token);
        snprintf(mail_id, sizeof(mail_id), "knock-%s", token + 2);
        struct office_mail mail = {.letter = LETTER_KNOCK,
                                   .french = french,
                                   .id = mail_id,
                                   .to_name = office_row_text(account, "name"),
                                   .to_mail = office_row_text(account, "mail"),
                                   .title = office_row_text(row, "title"),
                                   .link = link,
                                   .text = french ? "Quelqu’un" : "Somebody"};
        if (!office_mail(call, &mail)) {
            (void)people_run(call->people, PEOPLE_ONCE_ADD, "htdti", digest, "knock", NULL, NULL,
                             (int64_t)(call->now + 60LL * MINUTE));
        }
    }
    json_decref(account);
    json_decref(told);
}

static void knock_all(struct office_call *call)
{
    size_t i;
    json_t *live;
    json_t *answer = office_classroom(call, json_pack("{s:s}", "cmd", "class.list"));
    json_array_foreach(json_object_get(answer, "classes"), i, live)
    {
        struct id id;
        const char *text = office_row_text(live, "id");
        bool alone =
            office_row_number(live, "waiting") > 0 && office_row_number(live, "present") == 0;
        if (alone && !id_parse(&id, ID_CLASS, text, strlen(text))) {
            json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", &id);
            if (office_row_number(row, "permanent") && !office_row_number(row, "binned")) {
                knock(call, &id, row);
            }
            json_decref(row);
        }
    }
    json_decref(answer);
}

static void empty_bin(struct office_call *call)
{
    size_t i;
    json_t *row;
    json_t *rows = people_rows(call->people, PEOPLE_CLASSES_TO_PURGE, "i",
                               (int64_t)(call->now - BIN_DAYS * day));
    json_array_foreach(rows, i, row)
    {
        struct id id;
        const char *text = office_row_text(row, "id");
        if (!id_parse(&id, ID_CLASS, text, strlen(text))) {
            keep_purge_class(call, &id, office_row_text(row, "title"));
        }
    }
    json_decref(rows);
}

bool office_upkeep(struct office_call *call)
{
    (void)people_run(call->people, PEOPLE_SESSION_PRUNE, "ii", (int64_t)(call->now - day),
                     (int64_t)(call->now - SESSION_DAYS * day));
    (void)people_run(call->people, PEOPLE_ONCE_PRUNE, "i", (int64_t)call->now);
    empty_bin(call);
    bool more = office_invite_upkeep(call);
    office_expect_all(call);
    office_dates_follow(call);
    remind_all(call);
    knock_all(call);
    evidence_upkeep(call);
    keep_upkeep(call);
    return more;
}
