/*
 * What passes between the classroom and its storage: opaque records to append, and the image of a
 * class to load. The storage knows ids, numbers and bytes; only signaling/journal knows what the
 * bytes mean.
 * Invariants: the events of one class carry consecutive seq from 1; the records of one commit
 * become durable together or not at all; a storage that finds a gap in seq refuses the commit.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "signaling/schema/id.h"

enum { PERSON_KEY_LEN = 32 };

enum record_kind {
    RECORD_EVENT = 1,  /* seq, data: one encoded event */
    RECORD_SNAPSHOT,   /* seq, data: whole state after event seq */
    RECORD_PERSON_KEY, /* person, data: the key its names and texts are sealed under */
    RECORD_FORGET,     /* person: delete the key, which erases the person */
};

struct class_record {
    enum record_kind kind;
    struct id class_id;
    struct id person; /* PERSON_KEY and FORGET */
    uint64_t seq;     /* EVENT and SNAPSHOT */
    const uint8_t *data;
    size_t len;
};

struct class_blob {
    uint64_t seq;
    const uint8_t *data;
    size_t len;
};

struct class_person_key {
    struct id person;
    uint8_t key[PERSON_KEY_LEN];
};

/* Everything needed to fold one class again: the newest snapshot (data NULL = none) and the events
 * behind it in order of seq. All borrowed until the callback returns. */
struct class_image {
    struct id class_id;
    struct class_blob snapshot;
    const struct class_blob *events;
    size_t event_count;
    const struct class_person_key *keys;
    size_t key_count;
};
