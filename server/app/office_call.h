/*
 * One request as a handler of the office sees it, and what it may do. A handler runs on a thread of
 * the office, may block for a moment, and answers exactly once (a second answer replaces the first;
 * none is 500). Nobody outside server/app/office*.c includes this.
 */
#pragma once

#include <jansson.h>

#include "codec/base/time.h"
#include "server/app/paths.h"
#include "signaling/class/token.h"
#include "signaling/door/ipc.h"
#include "signaling/people/account.h"
#include "signaling/store/people.h"

struct core;
struct office;
struct office_call;

/* Who may use a route. */
enum office_who {
    OFFICE_ANYBODY,
    OFFICE_STAFF,  /* signed in: call->account */
    OFFICE_ADMIN,  /* signed in as administrator */
    OFFICE_LINK,   /* Authorization: Bearer <class link, guest or resume token>: call->claim */
    OFFICE_EITHER, /* LINK when the request has one, else STAFF (office_by_link) */
};

enum office_pace { OFFICE_DESK, OFFICE_SLOW, OFFICE_PACES };

struct office_route {
    uint8_t method;   /* enum ipc_method; IPC_GET answers HEAD too */
    const char *path; /* "/api/classes/" then "*" for one segment: office_part(call, 0) */
    enum office_who who;
    enum office_pace pace;
    void (*run_h)(struct office_call *call);
};

struct office_table {
    const struct office_route *routes;
    size_t count;
};

enum { OFFICE_PARTS_MAX = 4, OFFICE_URL_MAX = 256 };

struct office_account {
    struct id id;
    char mail[ACCOUNT_MAIL_MAX + 1];
    char name[ACCOUNT_NAME_MAX * 4 + 1];
    bool admin;
};

struct office_call {
    struct office *office;
    struct people *people; /* this thread's */
    const struct office_route *route;
    wall_ms now;
    const struct ipc_ask *ask; /* the request itself, headers included */
    char *path;                /* with NUL between its parts */
    const char *part[OFFICE_PARTS_MAX];
    json_t *body;                       /* of application/json, or NULL */
    char server[81];                    /* server.name */
    char base[OFFICE_URL_MAX];          /* https://class.example.org, for links in mails */
    struct office_account account;      /* STAFF, ADMIN */
    uint8_t session[PEOPLE_DIGEST_LEN]; /* of the cookie; STAFF, ADMIN */
    struct token_claim claim;           /* LINK */
    /* the answer */
    uint16_t status; /* 0 = none yet */
    const char *type;
    char cookie[160];
    char disposition[200];
    char retry[16];
    void *bytes; /* mem_free */
    size_t len;
};

/* ---- what was asked */

/* Segment i that stood for a "*". */
const char *office_part(const struct office_call *call, unsigned i);
/* Value of an argument of the query in out; "" when it is not there or does not fit. */
const char *office_query(const struct office_call *call, const char *name, char *out, size_t cap);
/* A text, number or flag of the JSON body; "" / fallback when it is missing or something else. */
const char *office_text(const struct office_call *call, const char *key);
int64_t office_number(const struct office_call *call, const char *key, int64_t fallback);
/* Part i as the id of a class this account may work on (its own, a colleague's who shares it, any
 * for an administrator). 0, or E_* and the refusal is already the answer. */
int office_class(struct office_call *call, unsigned i, struct id *class_id);
/* Part i as an id of a person. 0, or E_BAD and the answer is 404. */
int office_person(struct office_call *call, unsigned i, struct id *person);

/* Did a link say who asks (EITHER), not a session? */
bool office_by_link(const struct office_call *call);

/* ---- answers */

/* Takes body (NULL = out of memory). */
void office_json(struct office_call *call, uint16_t status, json_t *body);
/* {"error":word}: a word the page knows a sentence for. */
void office_refuse(struct office_call *call, uint16_t status, const char *word);
/* The same for an error of people.db. */
void office_failed(struct office_call *call, int err);
/* Takes bytes (mem_free). name: offered as a file of this name, or NULL. */
void office_bytes(struct office_call *call, const char *type, const char *name, void *bytes,
                  size_t len);

/* ---- what else handlers need */

/* Asks the live classroom as the control socket would (admin_json.h); takes request. The answer
 * with its "ok" (the caller's), or NULL when there was none in time. */
json_t *office_classroom(struct office_call *call, json_t *request);
/* Writes down who saw or changed what. object: an id or an address; detail: a few words. */
void office_audit(struct office_call *call, const char *action, const char *object,
                  const char *detail);
/* Digest of a secret text: what is kept instead of it. */
void office_digest(uint8_t out[PEOPLE_DIGEST_LEN], const char *text);
/* A fresh secret of 256 bits as text. */
void office_secret(char out[ACCOUNT_TOKEN_TEXT + 1]);
/* Takes one of the tries of whoever asks for this kind of thing; false = 429 is the answer. */
bool office_try(struct office_call *call, const char *what);
/* It was a good one: does not count. */
void office_try_good(struct office_call *call, const char *what);
/* The same for one account, wherever the tries come from; a place its owner has signed in from is
 * not counted, so nobody can lock him out (S24). */
bool office_try_account(struct office_call *call, const char *mail);
void office_try_account_good(struct office_call *call, const char *mail);
/* The row of the session cookie, NULL when there is none that counts. The caller's. */
json_t *office_session_row(struct office_call *call);
/* Signs claims for links; the key is the classroom's. 0 or E_*. */
int office_token_make(const struct office_call *call, char out[TOKEN_TEXT_MAX],
                      const struct token_claim *claim);
int office_token_read(const struct office_call *call, struct token_claim *claim, const char *text,
                      size_t len);
/* The same person each time this address is invited to this class. */
struct id office_person_of(const struct office_call *call, const struct id *class_id,
                           const char *mail);
const struct paths *office_paths(const struct office_call *call);
const struct config *office_config(const struct office_call *call);

/* The route of a request, or NULL; *known = another method of this path exists. */
const struct office_route *office_route_of(uint8_t method, const char *path, size_t len,
                                           bool *known);
/* Every half minute on the desk, and when somebody asks for it: changes that invited people are
 * told of, reminders, the bin, what has expired (office_upkeep.c). True when there is more to do
 * now. */
bool office_upkeep(struct office_call *call);
/* Has the desk look at what is due as soon as nobody waits. */
void office_look(struct office *office);
