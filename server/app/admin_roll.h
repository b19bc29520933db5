/*
 * Requests about attendance on the control socket (admin_json.h):
 *   {"cmd":"roll.correct","class","session","person","status":N+1 or 0,"text":reason,"by"}
 *   {"cmd":"roll.contest","class","session","person","text"}
 *   {"cmd":"roll.seal","class","session","text":digests,"by","seq":last event they cover}
 *   {"cmd":"roll.expect","class","person","role":N,"text":name,"number"}
 *   {"cmd":"ready.note","class","person","status":verdict,"text":figures}
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "signaling/class/classroom.h"

/* Is cmd one of these? */
bool admin_roll_kind(const char *cmd, enum admin_kind *kind);
/* Reads what belongs to it; kind and class are there already. Borrows from doc. 0 or E_BAD. */
int admin_roll_parse(struct admin_request *request, const json_t *doc, char *why, size_t cap);
