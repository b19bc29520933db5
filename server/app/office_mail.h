/*
 * Mails of the office other than invitations (server/app/invite.h): words of a template in the
 * person's language, put into the spool. The words can be changed:
 * data/templates/<name>.<fr|en>.txt with {name} {title} {start} {link} {server} {text}; first line
 * the subject. Out of scope: sending (server/mail), whom to write to.
 */
#pragma once

#include "server/app/office_call.h"
#include "server/mail/message.h"

enum office_letter {
    LETTER_ACCOUNT,     /* an account waits for you: choose a password */
    LETTER_RESET,       /* choose a new password */
    LETTER_MINE,        /* your classes */
    LETTER_REMINDER,    /* a class comes near */
    LETTER_WAITING,     /* registered, on the waiting list */
    LETTER_CERTIFICATE, /* a sheet is sealed: your certificate */
    LETTER_KNOCK,       /* somebody waits at the door of a permanent class */
    LETTER_FULL,        /* to administrators: {text} people found no seat */
    LETTER_COUNT
};

struct office_mail {
    enum office_letter letter;
    bool french;
    const char *id; /* letters, digits, '-': one waiting mail per id */
    const char *to_name;
    const char *to_mail;
    const char *title;
    const char *start;
    const char *link;
    const char *text;
    const struct mail_file *file; /* goes with it; NULL = none */
};

/* Queues it. 0, E_STATE (mail.from is not set), E_IO, E_NOMEM. */
int office_mail(struct office_call *call, const struct office_mail *mail);
/* Mails of which the id names this person ("p_..."), as [{"folder","name","to"}]; the caller's. */
json_t *office_mails_of(struct office_call *call, const char *person);
/* Deletes them, sent or not. */
void office_mails_forget(struct office_call *call, const char *person);
/* The name of this server in Message-ID and appointments: of its public address. */
void office_host(const struct office_call *call, char *out, size_t cap);
/* Name of a letter ("reminder") and the words this program ships. */
const char *office_letter_name(enum office_letter letter);
const char *office_letter_words(enum office_letter letter, bool french);
