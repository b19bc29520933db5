/*
 * The proof of content: decodes what a few clients receive with libvpx and libopus and reads
 * sender and time back from pixels and tones. On a thread of its own, so that decoding delays no
 * packet; what it cannot keep up with is skipped as whole seconds, never half judged.
 * Invariants: a picture is judged only when all its packets came; it must show the sender and the
 * place in the film that its stamp tells. A tone block is judged only when no packet of it was
 * missing and its sender did not change.
 * Out of scope: counting packets (client_rx.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROOF_CLIENTS = 8, PROOF_PAYLOAD_MAX = 1400 };

struct proof;

struct proof_packet {
    uint8_t slot;
    bool picture;
    bool marker;
    bool stamped;
    uint32_t sender, counter; /* of the stamp */
    int64_t seq;
    const uint8_t *payload; /* copied */
    size_t len;
};

struct proof_result {
    uint64_t pictures;         /* decoded and judged */
    uint64_t pictures_wrong;   /* showed another sender or time than stamped */
    uint64_t pictures_unread;  /* codes not readable */
    uint64_t pictures_failed;  /* whole, yet the decoder refused */
    uint64_t pictures_partial; /* packets missing */
    uint64_t blocks;           /* tone blocks read and right */
    uint64_t blocks_wrong;     /* another sender or place */
    uint64_t blocks_unread;
    uint64_t sound_failed; /* decoder refused */
    uint64_t skipped;      /* packets the thread had no time for */
    uint32_t senders;      /* different people seen or heard right */
};

/* NULL when out of memory. */
struct proof *proof_new(void);
/* Ends the thread after what it was given. */
void proof_free(struct proof *proof);
/* client < PROOF_CLIENTS. Never waits. */
void proof_put(struct proof *proof, unsigned client, const struct proof_packet *packet);
/* Waits until everything given is judged. */
void proof_settle(struct proof *proof);
void proof_read(struct proof *proof, struct proof_result *out);
