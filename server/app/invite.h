/*
 * The mail that invites one person into a class: words in the person's language, a personal link,
 * the appointment. The words can be changed: data/templates/<word>.fr.txt and .en.txt (the
 * words stand beside the kinds), first line the subject, with {name} {title} {start} {link}
 * {server}.
 * Out of scope: whom to invite (cmd_invite.c), sending (server/mail).
 */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"
#include "server/app/paths.h"
#include "server/mail/spool.h"
#include "signaling/schema/id.h"

enum invite_kind {
    INVITE_NEW,    /* invitation */
    INVITE_PLACE,  /* place: registered, or a place came free */
    INVITE_MOVED,  /* moved: another date */
    INVITE_DATES,  /* dates: other dates of a class of several */
    INVITE_CANCEL, /* cancellation */
    INVITE_KIND_COUNT
};

enum { INVITE_UID_MAX = 2 * ID_TEXT_MAX + 300 };

struct invite {
    enum invite_kind kind;
    bool french;
    const struct config *config;
    struct id class_id;
    const char *title;
    wall_ms start; /* 0 = no appointment */
    wall_ms end;
    wall_ms now;
    const char *when; /* the start in words, a line of its own (office_when); "" = none */
    const struct ics_series *series; /* a class of several dates; NULL = one */
    const char *host;                /* name in Message-ID and uid: of the public address */
};

/* The name of the appointment of one person in all calendars, whichever way it got there. */
void invite_uid(char out[INVITE_UID_MAX], const struct id *class_id, const struct id *person,
                const char *host);

struct invited {
    struct id person;
    const char *name;
    const char *mail;
    const char *link;
};

/* The words this program ships, and where those of the administrator lie below the data folder. */
const char *invite_words(enum invite_kind kind, bool french);
const char *invite_file(enum invite_kind kind, bool french);
/* Puts the mail for one person into the spool. 0, E_NOMEM, E_BAD (mail.from), E_IO, E_FULL. */
int invite_put(struct spool *spool, const struct invite *invite, const struct paths *paths,
               const struct invited *who);
