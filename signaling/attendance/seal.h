/*
 * The seal of a session: a digest of everything the sheet says, so that a later change of one byte
 * shows. It covers opaque ids and stays, not names: erasing a person leaves the seal whole
 * (design.md, idea 1).
 *
 *   "amphi-attendance-2" | class 16 | session u64 | opened i64 | closed i64 |
 *   planned i64 | planned length i64 | rules | rows in order
 *   of person id: person 16 | role u8 | computed u8 | status u8 | expected u8 |
 *   checks asked, passed, corrections u32 | count u32 | stays: in i64, out i64, room 16
 *
 * Anybody can compute it again: the key of the HMAC is public and all zero.
 * The journal itself is under a second digest, a chain over the bytes of every event from the
 * first: digest = HMAC(digest of those before, bytes). Texts of people stand in it as they are
 * stored, sealed under their keys, so that erasing a person leaves this one whole too.
 * Out of scope: storing it (the journal), printing it.
 */
#pragma once

#include <stdint.h>

#include "signaling/attendance/rules.h"
#include "signaling/schema/token_ops.h"

enum { ATTENDANCE_SEAL_LEN = 32, ATTENDANCE_SEAL_TEXT = 4 * ATTENDANCE_SEAL_LEN + 2 };

/* All events of a journal so far, as one digest; starts as zero. */
struct attendance_chain {
    uint8_t digest[ATTENDANCE_SEAL_LEN];
    uint64_t count;
};

/* The bytes of the next event, as stored. 0 or E_NOMEM. */
int chain_add(struct attendance_chain *chain, const void *event, size_t len,
              const struct token_ops *ops);
/* Was the journal at this point what the seal says? */
bool seal_is_of_chain(const char *seal, const struct attendance_chain *chain);
/* Does the sheet of a sealed session say today what it said when it was sealed? */
bool seal_is_of_sheet(const struct sheet *sheet, const struct sheet_session *session,
                      const struct token_ops *ops);
/* Both digests as ROLL_SEALED carries them: "sheet:journal". Errors of attendance_seal. */
int seal_text(char out[ATTENDANCE_SEAL_TEXT], const struct attendance_chain *chain,
              const struct sheet *sheet, const struct sheet_session *session,
              const struct token_ops *ops);

/* 0, E_STATE (the session still runs), E_NOMEM. */
int attendance_seal(uint8_t out[ATTENDANCE_SEAL_LEN], const struct attendance_rules *rules,
                    const struct sheet *sheet, const struct sheet_session *session,
                    const struct token_ops *ops);
