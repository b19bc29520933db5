/*
 * The words of mails an administrator has changed (data/templates/<name>.<fr|en>.txt), into a copy
 * and back. Out of scope: what stands in them.
 */
#pragma once

#include <stddef.h>

/* Every text of one folder into another, which is made when there is something to put into it.
 * 0 (also when there is no such folder), E_IO, E_FULL, E_NOMEM; then why says which file. */
int template_copy(const char *from, const char *to, char *why, size_t cap);
