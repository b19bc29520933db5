/*
 * The mail that invites one person into a class: words in the person's language, a personal link,
 * the appointment. The words can be changed: data/templates/invitation.fr.txt and .en.txt, first
 * line the subject, with {name} {title} {start} {length} {link} {server}.
 * Out of scope: whom to invite (cmd_invite.c), sending (server/mail).
 */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"
#include "server/app/paths.h"
#include "server/mail/spool.h"
#include "signaling/schema/id.h"

enum invite_kind { INVITE_NEW, INVITE_CANCEL, INVITE_KIND_COUNT };

struct invite {
    enum invite_kind kind;
    bool french;
    const struct config *config;
    struct id class_id;
    const char *title;
    wall_ms start; /* 0 = no appointment */
    wall_ms end;
    wall_ms now;
    const char *when; /* the start in words, a line of its own; NULL: in the zone of the process */
    const char *host; /* name in Message-ID and uid: of the public address */
};

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
