/*
 * A file about attendance made by a process of its own: `amphi attendance ...` with the settings of
 * this server. The libraries of paper keep caches for as long as their process lives; this one
 * lives for one file.
 */
#pragma once

#include <stddef.h>

#include "server/app/paths.h"

struct office_call;

enum evidence_kind { EVIDENCE_CSV, EVIDENCE_SHEET, EVIDENCE_CERTIFICATE, EVIDENCE_CERTIFICATES };

struct evidence_wish {
    enum evidence_kind kind;
    const char *class_id;
    const char *person; /* CERTIFICATE */
    long long session;
    const char *lang; /* "fr" or "en" */
    const char *zone; /* "Europe/Paris"; letters, digits, / _ + - */
};

/* The bytes of the file (mem_free). 0, E_NOTFOUND (refused, e.g. no certificate), E_IO, E_NOMEM. */
int evidence_file(const struct office_call *call, const struct evidence_wish *wish, char **bytes,
                  size_t *len);
/* One certificate for each person present, <person>.pdf in a fresh folder; to be emptied by the
 * caller, also after a failure. 0, E_NOTFOUND, E_IO, E_NOMEM. */
int evidence_certificates(const struct office_call *call, const struct evidence_wish *wish,
                          char folder[PATHS_MAX]);
void evidence_certificates_end(const char *folder);
