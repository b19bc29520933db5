/* The tables of requests, one per area of the office; listed in office_routes.c. */
#pragma once

#include "server/app/office_call.h"

extern const struct office_table office_sign_table;     /* office_sign.c */
extern const struct office_table office_account_table;  /* office_account.c */
extern const struct office_table office_class_table;    /* office_class.c */
extern const struct office_table office_dates_table;    /* office_dates.c */
extern const struct office_table office_groups_table;   /* office_groups.c */
extern const struct office_table office_minutes_table;  /* office_minutes.c */
extern const struct office_table office_roster_table;   /* office_roster.c */
extern const struct office_table office_invite_table;   /* office_invite.c */
extern const struct office_table office_after_table;    /* office_after.c */
extern const struct office_table office_evidence_table; /* office_evidence.c */
extern const struct office_table office_public_table;   /* office_public.c */
extern const struct office_table office_mails_table;    /* office_mails.c */
extern const struct office_table office_oidc_table;     /* office_oidc.c */
extern const struct office_table office_keep_table;     /* office_keep.c */
extern const struct office_table office_limits_table;   /* office_limits.c */
extern const struct office_table office_letters_table;  /* office_letters.c */
