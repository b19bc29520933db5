/* What administrators see and do: accounts, the queue of mails, who saw what. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/random.h"
#include "server/app/office_session.h"
#include "server/app/office_tables.h"
#include "server/mail/spool.h"

enum { ACCOUNT_MS = 7 * 86400 * 1000 };

static void accounts_get(struct office_call *call)
{
    json_t *rows = people_rows(call->people, PEOPLE_ACCOUNTS, "");
    if (!rows) {
        office_failed(call, E_BUSY);
        return;
    }
    office_audit(call, "accounts.read", "", "");
    office_json(call, 200, json_pack("{s:o}", "accounts", rows));
}

/* The link is shown once to the administrator too: a server without mail must work. */
static void accounts_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    char text[ID_TEXT_MAX];
    const char *name = office_text(call, "name");
    struct rng rng = random_rng();
    struct id id = id_new(&rng);
    bool admin = json_is_true(json_object_get(call->body, "admin"));
    if (account_mail(mail, office_text(call, "mail")) || !account_name_ok(name)) {
        office_refuse(call, 422, mail[0] ? "name" : "mail");
        return;
    }
    int err = people_run(call->people, PEOPLE_ACCOUNT_ADD, "dttitti", &id, mail, name,
                         (int64_t)admin, NULL, NULL, (int64_t)call->now);
    err = err ? err : office_once(call, token, "account", &id, NULL, ACCOUNT_MS);
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, "account.added", mail, admin ? "admin" : "");
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &id);
    bool mailed = !office_once_mail(call, row, "account", ACCOUNT_MS);
    json_decref(row);
    office_json(call, 201,
                json_pack("{s:s, s:s, s:b}", "id", id_print(text, ID_PERSON, &id), "token", token,
                          "mailed", (int)mailed));
}

/* At least one administrator must be left who can sign in. */
static bool last_admin(struct office_call *call, const json_t *row, bool admin, bool disabled)
{
    bool is = json_integer_value(json_object_get(row, "admin")) != 0 &&
              json_integer_value(json_object_get(row, "disabled")) == 0;
    return is && (!admin || disabled) && people_number(call->people, PEOPLE_ADMINS, "") <= 1;
}

static bool flag(const struct office_call *call, const json_t *row, const char *key)
{
    const json_t *v = json_object_get(call->body, key);
    return v ? json_is_true(v) : json_integer_value(json_object_get(row, key)) != 0;
}

static void account_patch(struct office_call *call)
{
    struct id id;
    if (office_person(call, 0, &id)) {
        return;
    }
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &id);
    const char *name = office_text(call, "name");
    bool admin = flag(call, row, "admin");
    bool disabled = flag(call, row, "disabled");
    const char *kept = json_string_value(json_object_get(row, "name"));
    if (!row) {
        office_refuse(call, 404, "not_found");
    } else if (*name && !account_name_ok(name)) {
        office_refuse(call, 422, "name");
    } else if (last_admin(call, row, admin, disabled)) {
        office_refuse(call, 409, "last_admin");
    } else {
        int err = people_run(call->people, PEOPLE_ACCOUNT_SET, "dtii", &id, *name ? name : kept,
                             (int64_t)admin, (int64_t)disabled);
        if (!err && disabled) {
            err = people_run(call->people, PEOPLE_SESSION_END_ALL, "d", &id);
        }
        if (err) {
            office_failed(call, err);
        } else {
            office_audit(call, "account.changed", json_string_value(json_object_get(row, "mail")),
                         disabled ? "disabled"
                         : admin  ? "admin"
                                  : "");
            office_json(call, 200, json_object());
        }
    }
    json_decref(row);
}

/* Ends every session of an account and hands out a link to choose a new password. */
static void account_reset(struct office_call *call)
{
    char token[ACCOUNT_TOKEN_TEXT + 1];
    struct id id;
    if (office_person(call, 0, &id)) {
        return;
    }
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &id);
    int err = row ? people_run(call->people, PEOPLE_SESSION_END_ALL, "d", &id) : E_NOTFOUND;
    err = err ? err : office_once(call, token, "reset", &id, NULL, ACCOUNT_MS);
    if (!row) {
        office_refuse(call, 404, "not_found");
    } else if (err) {
        office_failed(call, err);
    } else {
        office_audit(call, "account.reset", json_string_value(json_object_get(row, "mail")), "");
        office_json(call, 200, json_pack("{s:s}", "token", token));
    }
    json_decref(row);
}

/* What an entry is about, in words: the title of its class. */
static void add_titles(struct office_call *call, const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        struct id id;
        const char *object = json_string_value(json_object_get(row, "object"));
        json_t *known = object && !id_parse(&id, ID_CLASS, object, strlen(object))
                            ? people_row(call->people, PEOPLE_CLASS_GET, "d", &id)
                            : NULL;
        if (known) {
            json_object_set(row, "title", json_object_get(known, "title"));
        }
        json_decref(known);
    }
}

static void audit_get(struct office_call *call)
{
    char before[24];
    char find[100];
    office_query(call, "before", before, sizeof(before));
    office_query(call, "find", find, sizeof(find));
    int64_t number = before[0] ? strtoll(before, NULL, 10) : INT64_MAX;
    json_t *rows = people_rows(call->people, PEOPLE_AUDIT_LIST, "it", number, find);
    if (!rows) {
        office_failed(call, E_BUSY);
        return;
    }
    add_titles(call, rows);
    office_audit(call, "audit.read", "", find);
    office_json(call, 200, json_pack("{s:o}", "entries", rows));
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/accounts", OFFICE_ADMIN, OFFICE_DESK, accounts_get},
    {IPC_POST, "/api/accounts", OFFICE_ADMIN, OFFICE_DESK, accounts_post},
    {IPC_PATCH, "/api/accounts/*", OFFICE_ADMIN, OFFICE_DESK, account_patch},
    {IPC_POST, "/api/accounts/*/reset", OFFICE_ADMIN, OFFICE_DESK, account_reset},
    {IPC_GET, "/api/audit", OFFICE_ADMIN, OFFICE_DESK, audit_get},
};

const struct office_table office_account_table = {routes, sizeof(routes) / sizeof(routes[0])};
