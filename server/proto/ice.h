/*
 * ICE-lite agent of one peer (RFC 8445 sections 2.5, 6.1.1 and 7.3; consent RFC 7675), sans-IO.
 * It answers authenticated Binding requests, keeps the few paths they came by, and says which path
 * media may take now. It never sends a check of its own, so the peer's password is not needed.
 *
 *   STUN datagram -> ice_peek_ufrag -> (sfu: ufrag -> peer) -> ice_input -> response, changes
 *
 * Invariants: a request whose USERNAME or MESSAGE-INTEGRITY is wrong gets silence and moves nothing
 * (S4, S8); the selected path changes only on an authenticated check, or when authenticated media
 * comes by another checked one instead of it (S7); at most ICE_PATHS paths;
 * nothing may be sent on a path whose last valid check is ICE_CONSENT_US old or older.
 * Out of scope: full ICE, TURN, candidate gathering (server/io/hosts.h), which peer a ufrag names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/drop.h"
#include "codec/base/rng.h"
#include "codec/base/time.h"
#include "codec/wire/desc.h"
#include "server/proto/crypto.h"

enum {
    ICE_UFRAG_LEN = 8, /* [a-z0-9], 41 bits; equals sizeof(uint64_t): see ice_ufrag_key */
    ICE_PWD_LEN = 24,  /* [a-z0-9], 124 bits; RFC 8445 5.3 asks for 128 bits of pwd + ufrag */
    ICE_PATHS = 4,
    ICE_RESPONSE_MAX = 128,
    ICE_CONSENT_US = 30 * US_PER_S, /* RFC 7675 5.1 */
    ICE_SILENT_US = 8 * US_PER_S,   /* another path may take over from a silent one */
    /* The same host from a new port is a NAT rebinding. Firefox repeats a check 2.5 s after the one
     * whose answer went to the old port; the next comes only 4 to 6 s later. */
    ICE_REBIND_SILENT_US = 1 * US_PER_S,
    ICE_MOVED_US = 300 * US_PER_MS, /* media comes from the new port and none from the old one */
    ICE_UDP_ALIVE_US = 1500 * US_PER_MS, /* UDP heard of so lately is not left for TCP */
};

struct ice_creds {
    char ufrag[ICE_UFRAG_LEN + 1];
    char pwd[ICE_PWD_LEN + 1];
    char remote[DESC_UFRAG_MAX + 1]; /* the peer's ufrag */
};

struct ice_path {
    struct tuple tuple;
    mono_us checked;     /* last authenticated check */
    mono_us heard;       /* last authenticated packet of anything else, 0 = none */
    uint32_t generation; /* of the credentials it was made with */
};

struct ice {
    struct ice_creds creds;
    struct ice_creds old; /* before a restart; ufrag "" when there is none */
    struct ice_path path[ICE_PATHS];
    uint8_t paths;
    int8_t selected;     /* index in path, -1 none */
    bool lost;           /* ICE_LOST was reported and not yet undone */
    uint32_t generation; /* restarts so far */
    uint64_t checks;     /* authenticated requests */
};

/* What changed; bits. */
enum ice_change {
    ICE_NEW_PATH = 1,   /* `from` is now a path of this peer, which it was not before */
    ICE_SELECTED = 2,   /* the selected path is another one than before */
    ICE_LOST = 4,       /* consent ran out: nothing may be sent until ICE_BACK */
    ICE_BACK = 8,       /* consent is there again after ICE_LOST */
    ICE_OLD_GONE = 16,  /* the old credentials are forgotten: take `gone_ufrag` out of the demux */
    ICE_PATH_GONE = 32, /* a path was given up: take `gone` out of the demux */
};

struct ice_out {
    unsigned changes; /* enum ice_change */
    size_t len;       /* bytes of response to send back to `from`; 0 = silence */
    uint8_t response[ICE_RESPONSE_MAX];
    char gone_ufrag[ICE_UFRAG_LEN + 1]; /* ICE_OLD_GONE */
    struct tuple gone;                  /* ICE_PATH_GONE: at most one path per call */
    mono_us silent_us; /* ICE_SELECTED: how long nothing had come by the path before; else 0 */
};

/* Draws our credentials; no peer yet, so every request is refused until ice_set_remote. */
void ice_init(struct ice *ice, const struct rng *rng);
/* Names the peer's ufrag (1 .. DESC_UFRAG_MAX characters). 0 or E_BAD. */
int ice_set_remote(struct ice *ice, const char *ufrag);
/*
 * ICE restart (RFC 8445 9): draws new credentials for the peer's new ufrag. The old ones and the
 * old paths stay valid until the first check with the new ones (make before break). A restart on
 * top of a restart forgets the older credentials: their ufrag is written to gone (ICE_UFRAG_LEN + 1
 * bytes, "" when there were none). 0 or E_BAD (nothing changed).
 */
int ice_restart(struct ice *ice, const char *remote_ufrag, const struct rng *rng, char *gone);

/* Our ufrag named by the USERNAME of a STUN Binding request, unauthenticated: for the demux.
 * out takes ICE_UFRAG_LEN + 1 bytes. 0, E_BAD (malformed, no request) or E_NOTFOUND (not ours). */
int ice_peek_ufrag(const uint8_t *msg, size_t len, char *out);
/* The ufrag as a map key: its eight characters. */
uint64_t ice_ufrag_key(const char *ufrag);

/*
 * One STUN message of this peer that came by `from`. Fills out (always). DROP_NONE when it was an
 * authenticated request (out->len then says what to answer), else the reason. Of crypto only
 * hmac_sha1 is used.
 */
enum drop ice_input(struct ice *ice, const struct crypto_ops *crypto, const uint8_t *msg,
                    size_t len, const struct tuple *from, mono_us now, struct ice_out *out);
/* Consent bookkeeping; call at ice_deadline. Fills out->changes and out->gone. Call again while
 * changes has ICE_PATH_GONE. */
void ice_timer(struct ice *ice, mono_us now, struct ice_out *out);
mono_us ice_deadline(const struct ice *ice);
/* The transport of a path is gone (TCP closed). Fills out->changes and out->gone. */
void ice_forget(struct ice *ice, const struct tuple *tuple, mono_us now, struct ice_out *out);

/* The path media goes by, or NULL while none was checked. Borrowed until the next call. */
const struct tuple *ice_selected(const struct ice *ice);
/* True when something may be sent now: a selected path checked less than ICE_CONSENT_US ago. */
bool ice_can_send(const struct ice *ice, mono_us now);
/* The number of the path with this tuple, -1 = none with consent: DTLS and media are accepted from
 * the others. Good until the next call that changes paths. */
int ice_knows(const struct ice *ice, const struct tuple *tuple, mono_us now);
/* Authenticated media came by a path that is not selected. Fills out->changes and out->silent_us.
 */
void ice_heard_beside(struct ice *ice, int at, mono_us now, struct ice_out *out);

/* Authenticated media came by this path: true when it was the selected one, and all is said. */
static inline bool ice_heard(struct ice *ice, int at, mono_us now)
{
    ice->path[at].heard = now;
    return ice->selected == at;
}
