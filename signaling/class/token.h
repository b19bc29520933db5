/*
 * Signed tokens: links, guest identities, resume tokens. One algorithm (HMAC-SHA-256), one layout
 * per kind, nothing negotiated (reliability S25):
 *
 *   version 1 | kind 1 | fields of the kind, in the order below | HMAC of all before, 32
 *   class 16, person 16, device 16, jti 16, role 1, generation 4, expires 8 (wall ms),
 *   name 1 + length
 *
 * as base64url without padding, in its one canonical spelling. Everything is signed; an unknown
 * version or kind, a missing or a surplus byte is refused like a bad signature.
 * Out of scope: whether the person may enter (enter.c), keys (the caller's).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/schema/id.h"
#include "signaling/schema/roles.h"
#include "signaling/schema/token_ops.h"

enum token_kind {
    TOKEN_LINK = 1,    /* reusable: class, role, expires */
    TOKEN_LINK_PERSON, /* the same for one person: class, person, role, expires */
    TOKEN_LINK_ONCE, /* burnt at the first hello: class, person (may be zero), jti, role, expires */
    TOKEN_GUEST,     /* this browser again: class, person */
    TOKEN_RESUME,    /* this page again: class, person, device, generation */
    TOKEN_WHIP,      /* bearer token of one publisher: class, person, role, expires, name */
    TOKEN_WHEP,      /* bearer token of any number of viewers: class, expires */
    TOKEN_INVITATION, /* opens an invitation, not the class: class, person, expires */
    TOKEN_KIND_COUNT
};

enum {
    TOKEN_TEXT_MAX = 320,
    TOKEN_NAME_MAX = 100,
    TOKEN_LEEWAY_MS = 60000,
    TOKEN_ONCE_MS_MAX = 600000
};

struct token_claim {
    enum token_kind kind;
    struct id class_id;
    struct id person;
    struct id device;
    struct id jti;
    enum role role;
    uint32_t generation;
    wall_ms expires_at;
    char name[TOKEN_NAME_MAX + 1]; /* UTF-8 */
};

/* Writes the signed text with NUL. 0, E_FULL, E_BAD (kind). */
int token_make(char out[TOKEN_TEXT_MAX], const struct token_claim *claim,
               const uint8_t key[TOKEN_OPS_KEY_LEN], const struct token_ops *ops);
/* What a token is called where it must not be readable itself: in lists, in the journal. */
struct id token_id(const char *text, size_t len, const uint8_t key[TOKEN_OPS_KEY_LEN],
                   const struct token_ops *ops);
/* 0 and *out; E_AUTH for whatever is not ours; E_EXPIRED (with the leeway) for what was. */
int token_read(struct token_claim *out, const char *text, size_t len,
               const uint8_t key[TOKEN_OPS_KEY_LEN], const struct token_ops *ops, wall_ms now);
