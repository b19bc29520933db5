/*
 * STUN messages of ICE: RFC 8489 (STUN), RFC 8445 section 16.1 (ICE attributes), parse and build.
 * Invariants: nothing behind MESSAGE-INTEGRITY has any meaning except FINGERPRINT, which must be
 * the last attribute (8489 14.5, 14.7); of repeated attributes the first counts (8489 14); a
 * message with a wrong FINGERPRINT does not parse. Pointers in struct stun_msg are borrowed from
 * the parsed bytes.
 * Out of scope: transactions, who the USERNAME is (server/proto/ice.h), TURN, SHA-256 integrity.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"

enum {
    STUN_HEADER_LEN = 20,
    STUN_TXID_LEN = 12,
    STUN_MESSAGE_MAX = 1280, /* longer ones are refused: checks are about 100 bytes */
    STUN_UNKNOWN_MAX = 8,    /* comprehension-required attributes remembered for a 420 */
    STUN_USERNAME_MAX = 513, /* 8489 14.3: less than 509 bytes + ICE's colon form */
};

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };
enum { STUN_BINDING = 0x001 }; /* the only method we know */
enum stun_role { STUN_ROLE_NONE = 0, STUN_CONTROLLING, STUN_CONTROLLED };

/* Error codes we build and understand (8489 14.8, 8445 7.2.5.1). */
enum { STUN_BAD_REQUEST = 400, STUN_UNKNOWN_ATTRIBUTE = 420, STUN_ROLE_CONFLICT = 487 };

struct stun_msg {
    uint16_t method; /* 12 bits */
    uint8_t class;   /* enum stun_class */
    uint8_t role;    /* enum stun_role: ICE-CONTROLLING or ICE-CONTROLLED */
    uint8_t txid[STUN_TXID_LEN];
    const uint8_t *username; /* not terminated; NULL = absent */
    const uint8_t *realm;
    const uint8_t *nonce;
    const uint8_t *reason; /* text of ERROR-CODE */
    uint16_t username_len;
    uint16_t realm_len;
    uint16_t nonce_len;
    uint16_t reason_len;
    uint64_t tie_breaker; /* with role */
    uint32_t priority;
    uint16_t error_code;   /* 300 .. 699; 0 = absent */
    uint16_t integrity_at; /* offset of the MESSAGE-INTEGRITY attribute; 0 = absent */
    bool has_priority;
    bool use_candidate;
    bool has_fingerprint;  /* and it was right */
    uint8_t unknown_count; /* comprehension-required attributes before integrity */
    uint16_t unknown[STUN_UNKNOWN_MAX];
    struct addr mapped; /* XOR-MAPPED-ADDRESS; family ADDR_NONE = absent */
};

/* HMAC-SHA1 as in server/proto/crypto.h. */
typedef void (*stun_hmac_h)(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                            uint8_t out[20]);

/*
 * Parses len bytes. Returns 0; E_TRUNC (shorter than its length field says), E_TOOBIG, or E_BAD
 * (cookie, length, attribute bounds, wrong FINGERPRINT).
 */
int stun_parse(struct stun_msg *out, const uint8_t *data, size_t len);
/*
 * Checks MESSAGE-INTEGRITY of the bytes msg was parsed from. key: the short-term password.
 * Returns 0, E_NOTFOUND (no such attribute) or E_AUTH.
 */
int stun_check(const struct stun_msg *msg, const uint8_t *data, const void *key, size_t key_len,
               stun_hmac_h hmac);

/* A Binding request, as ICE agents send them. */
struct stun_request {
    uint8_t txid[STUN_TXID_LEN];
    const char *username; /* "theirs:ours", borrowed */
    size_t username_len;
    uint32_t priority;
    uint8_t role; /* enum stun_role */
    bool use_candidate;
    uint64_t tie_breaker;
};

/* Builders: a complete datagram with MESSAGE-INTEGRITY (when key is not NULL) and FINGERPRINT into
 * out. They return its length, or E_FULL. 128 bytes + the username are always enough. */
int stun_build_request(uint8_t *out, size_t cap, const struct stun_request *req, const void *key,
                       size_t key_len, stun_hmac_h hmac);
int stun_build_success(uint8_t *out, size_t cap, const uint8_t txid[STUN_TXID_LEN],
                       const struct addr *mapped, const void *key, size_t key_len,
                       stun_hmac_h hmac);
/* code: STUN_BAD_REQUEST, STUN_UNKNOWN_ATTRIBUTE (with the unknown attributes) or
 * STUN_ROLE_CONFLICT. */
int stun_build_error(uint8_t *out, size_t cap, const uint8_t txid[STUN_TXID_LEN], uint16_t code,
                     const uint16_t *unknown, size_t unknown_count, const void *key, size_t key_len,
                     stun_hmac_h hmac);
