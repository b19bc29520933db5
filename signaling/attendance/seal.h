/*
 * The seal of a session: a digest of everything the sheet says, so that a later change of one byte
 * shows. It covers opaque ids and stays, not names: erasing a person leaves the seal whole
 * (design.md, idea 1).
 *
 *   "amphi-attendance-1" | class 16 | session u64 | opened i64 | closed i64 |
 *   planned i64 | planned length i64 | rules | rows in order
 *   of person id: person 16 | role u8 | computed u8 | status u8 | stays: in i64, out i64, room 16
 *
 * Anybody can compute it again: the key of the HMAC is public and all zero.
 * Out of scope: storing it (the journal), printing it.
 */
#pragma once

#include <stdint.h>

#include "signaling/attendance/rules.h"
#include "signaling/schema/token_ops.h"

enum { ATTENDANCE_SEAL_LEN = 32 };

/* 0, E_STATE (the session still runs), E_NOMEM. */
int attendance_seal(uint8_t out[ATTENDANCE_SEAL_LEN], const struct attendance_rules *rules,
                    const struct sheet *sheet, const struct sheet_session *session,
                    const struct token_ops *ops);
