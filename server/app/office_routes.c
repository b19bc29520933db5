/* Which requests the office answers: one table per area, one row per request. */
#include <string.h>

#include "server/app/office_tables.h"

static const struct office_table *const office_tables[] = {
    &office_sign_table,   &office_account_table,  &office_class_table,  &office_roster_table,
    &office_after_table,  &office_evidence_table, &office_public_table, &office_mails_table,
    &office_oidc_table,   &office_keep_table,     &office_limits_table, &office_letters_table,
    &office_invite_table, &office_dates_table,    &office_groups_table, &office_minutes_table,
};
enum { TABLES = sizeof(office_tables) / sizeof(office_tables[0]) };

/* A star stands for one segment that is not empty. */
static bool matches(const char *route, const char *path, size_t len)
{
    const char *end = path + len;
    while (*route) {
        if (*route == '*') {
            const char *start = path;
            while (path < end && *path != '/') {
                path++;
            }
            if (path == start) {
                return false;
            }
            route++;
        } else if (path == end || *path++ != *route++) {
            return false;
        }
    }
    return path == end;
}

const struct office_route *office_route_of(uint8_t method, const char *path, size_t len,
                                           bool *known)
{
    uint8_t want = method == IPC_HEAD ? (uint8_t)IPC_GET : method;
    *known = false;
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t i = 0; i < office_tables[t]->count; i++) {
            const struct office_route *r = &office_tables[t]->routes[i];
            if (matches(r->path, path, len)) {
                *known = true;
                if (r->method == want) {
                    return r;
                }
            }
        }
    }
    return NULL;
}
