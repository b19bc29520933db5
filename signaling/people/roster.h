/*
 * A roster as schools have it: a text table with one person a row, from a spreadsheet or a
 * register. Nothing is taken over here: rows and what is wrong with each come out, and whoever
 * called decides, all or nothing.
 *
 *   Nom;Courriel;Rôle;Groupe;Matricule
 *   Claire Fontaine;claire@example.org;animateur;A;2026-0417
 *
 * The last column is the number of this person in a training register.
 * Understands: UTF-8 with or without mark; separators ; , | and tab (the one most used in the first
 * line); quoted cells (RFC 4180), also with line breaks; heads in French or English in any order,
 * or no heads and the order above; CR LF, LF or CR; empty rows.
 * Invariants: time and memory linear in the text; a mail address is kept in lower case; a cell that
 * a spreadsheet would take for a formula loses its leading sign only in what is shown, never here:
 * it is an error of its row.
 * Out of scope: who these people become (server/app/cmd_invite.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/schema/roles.h"

enum {
    ROSTER_ROWS_MAX = 5000,
    ROSTER_BYTES_MAX = 4 << 20,
    ROSTER_NAME_MAX = 80 * 4 + 1,
    ROSTER_MAIL_MAX = 254 + 1,
    ROSTER_GROUP_MAX = 40 * 4 + 1,
    ROSTER_NUMBER_CHARS = 64,
    ROSTER_NUMBER_MAX = ROSTER_NUMBER_CHARS * 4 + 1,
};

/* What can be wrong with a row; texts for people in roster_problem. */
enum roster_problem {
    ROSTER_FINE = 0,
    ROSTER_NO_NAME,
    ROSTER_NAME_LONG,
    ROSTER_NO_MAIL,
    ROSTER_BAD_MAIL,
    ROSTER_TWICE, /* the same address stands above */
    ROSTER_BAD_ROLE,
    ROSTER_GROUP_LONG,
    ROSTER_FORMULA,
    ROSTER_CONTROL, /* a control character */
    ROSTER_NUMBER_LONG,
    ROSTER_NUMBER_ODD,   /* begins with neither letter nor digit */
    ROSTER_NUMBER_TWICE, /* the same number stands above, of somebody else */
    ROSTER_NUMBER_TAKEN, /* or of somebody who is on the roster already; set by the caller */
    ROSTER_SEPARATOR,    /* the whole row is one cell */
    ROSTER_PROBLEM_COUNT,
};

struct roster_row {
    uint32_t line;   /* of the text, from 1 */
    uint8_t problem; /* enum roster_problem */
    uint8_t role;    /* enum role */
    uint32_t twice;  /* ROSTER_TWICE, ROSTER_NUMBER_TWICE: line of the first */
    char name[ROSTER_NAME_MAX];
    char mail[ROSTER_MAIL_MAX];
    char group[ROSTER_GROUP_MAX];
    char number[ROSTER_NUMBER_MAX]; /* in a training register; "" = none */
};

struct roster {
    struct roster_row *rows;
    uint32_t count;
    uint32_t cap;
    uint32_t bad; /* rows with a problem */
    char separator;
    bool heads;
};

/* Reads text. 0; E_BAD (no UTF-8, or a quote that never ends), E_TOOBIG (bytes), E_LIMIT (rows),
 * E_NOTFOUND (no row at all), E_NOMEM; *line = where, when that is known. roster_fini in each case.
 */
int roster_read(struct roster *roster, const char *text, size_t len, uint32_t *line);
void roster_fini(struct roster *roster);
/* Is this a number of a register: ROSTER_FINE, or what is wrong with it. "" is fine. */
unsigned roster_number(const char *number);
/* One line for people. */
const char *roster_problem(unsigned problem, bool french);
