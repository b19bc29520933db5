/* Classes as the office keeps them, for its files: plans, people of a roster, places. */
#pragma once

#include "server/app/office_mail.h"

struct office_person {
    struct id id;
    char mail[ACCOUNT_MAIL_MAX + 1];
    char name[ACCOUNT_NAME_MAX * 4 + 1];
    enum role role;
    bool french;
    bool waiting; /* for a place: may look, not enter */
};

/* The row of a class that is not in the bin, or NULL and 404 is the answer. The caller's. */
json_t *office_class_row(struct office_call *call, const struct id *class_id);
/* A text, number of a row; "" and 0 when missing. */
const char *office_row_text(const json_t *row, const char *key);
int64_t office_row_number(const json_t *row, const char *key);
/* The person of a row of PEOPLE_ENROLLED. False when it is damaged. */
bool office_person_read(struct office_person *out, const json_t *row, const json_t *class_row);
/* "https://.../i/c_...#token": the personal link of somebody enrolled. 0 or E_*. */
int office_person_link(struct office_call *call, const struct id *class_id,
                       const struct office_person *person, char *out, size_t cap);
/* Queues a letter about the class to one of its people; word begins its id, of which one waits. */
void office_class_mail(struct office_call *call, enum office_letter letter, const char *word,
                       const json_t *class_row, const struct office_person *person,
                       const char *link);
/* Tells the class of people on its roster it does not know yet. True when there were some. */
bool office_expect(struct office_call *call, const struct id *class_id);
/* The same for every class that is near. */
void office_expect_all(struct office_call *call);
/* Gives free places to those who wait longest and writes to them. */
void office_fill_places(struct office_call *call, const struct id *class_id);
/* Makes a class of the live server known here too; account = who owns it from now on. */
int office_adopt(struct office_call *call, const json_t *live);

enum { OFFICE_LINK_MAX = OFFICE_URL_MAX + ID_TEXT_MAX + TOKEN_TEXT_MAX + 8 };
