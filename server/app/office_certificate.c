/* When a sheet is sealed, whoever was present is written where his certificate is. */
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/app/office_class.h"
#include "server/app/office_evidence.h"
#include "server/app/office_mail.h"
#include "server/app/office_when.h"

/* The personal link of the invitation, to the page after the class. */
static int after_link(struct office_call *call, const struct id *class_id,
                      const struct office_person *person, char out[OFFICE_LINK_MAX])
{
    char link[OFFICE_LINK_MAX];
    int err = office_person_link(call, class_id, person, link, sizeof(link));
    const char *token = strchr(link, '#');
    char id[ID_TEXT_MAX];
    if (err || !token) {
        return err ? err : E_BAD;
    }
    snprintf(out, OFFICE_LINK_MAX, "%s/after/%s%s", call->base, id_print(id, ID_CLASS, class_id),
             token);
    return 0;
}

static void write_to(struct office_call *call, const struct evidence *e, const json_t *class_row,
                     const struct office_person *person)
{
    char link[OFFICE_LINK_MAX];
    char when[OFFICE_WHEN_MAX];
    char id[ID_TEXT_MAX];
    char mail_id[80];
    if (after_link(call, &e->class_id, person, link)) {
        return;
    }
    id_print(id, ID_PERSON, &person->id);
    /* Of one session one mail, however often it is asked for. */
    snprintf(mail_id, sizeof(mail_id), "certificate-%.12s-%s-%llu",
             office_row_text(class_row, "id") + 2, id + 2,
             (unsigned long long)e->report.session->number);
    struct office_mail mail = {.letter = LETTER_CERTIFICATE,
                               .french = person->french,
                               .id = mail_id,
                               .to_name = person->name,
                               .to_mail = person->mail,
                               .title = rtext_str(e->history.sheet.title),
                               .start =
                                   office_when(when, e->report.session->opened, 0,
                                               office_row_text(class_row, "zone"), person->french),
                               .link = link};
    (void)office_mail(call, &mail);
}

void evidence_write(struct office_call *call, const struct evidence *e)
{
    const struct sheet_session *s = e->report.session;
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", &e->class_id);
    json_t *rows = class_row ? people_rows(call->people, PEOPLE_ENROLLED, "d", &e->class_id) : NULL;
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        struct office_person person;
        const struct attendee *who = NULL;
        if (office_person_read(&person, row, class_row)) {
            who = sheet_person(s, &person.id);
        }
        if (who &&
            attendance_row(&e->report.rules, s, who, e->report.now).status == ATTENDANCE_PRESENT) {
            write_to(call, e, class_row, &person);
        }
    }
    json_decref(rows);
    json_decref(class_row);
}
