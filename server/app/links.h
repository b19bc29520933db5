/*
 * Links into a class as people see them: https://host/c/<class>#<token>. The token stands in the
 * fragment, which browsers do not send, so it reaches no log.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/app/config.h"

/* A request for a link (admin_json.h); NULL when a text is no UTF-8. */
json_t *links_request(const char *class_id, const char *role, long long ttl_s, bool single);
/* The link of an answer {"class","link"}; the port is the running server's where it is known. */
void links_url(const struct config *config, const json_t *answer, char *out, size_t cap);
/* The port of the page: what the running server wrote, else what the settings say. */
uint16_t links_port(const struct config *config);
/* The same for the admin listener; 0 = none. */
uint16_t links_admin_port(const struct config *config);
