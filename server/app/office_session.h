/* Sessions and one-time links, for the files of the office that start them. */
#pragma once

#include "server/app/office_call.h"

/* Ends the session the request came with and starts one of this account: its cookie goes with the
 * answer. 0 or E_*. */
int office_session_start(struct office_call *call, const struct id *account);
/* What a page may know of an account: id, name, mail, admin. */
json_t *office_account_json(const json_t *row);
/* A secret that works once within ms. account and data may be NULL. 0 or E_*. */
int office_once(struct office_call *call, char out[ACCOUNT_TOKEN_TEXT + 1], const char *kind,
                const struct id *account, const char *data, int64_t ms);
/* The same as a mail with a link to /welcome. kind: "account" or "reset". */
int office_once_mail(struct office_call *call, const json_t *account, const char *kind, int64_t ms);
/* How the identity provider is called on the sign-in page; "" = there is none. */
const char *office_provider_name(const struct office_call *call);
