/*
 * The keys of a class's people, in memory. A key is drawn when somebody is first named, travels to
 * the storage in the same commit as the first text sealed under it, and is gone for good when it is
 * deleted.
 * Heap: one growing table, sorted by nothing; bounded by the people a class has ever known.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"
#include "signaling/journal/record.h"
#include "signaling/schema/id.h"

struct key_entry {
    struct id person;
    uint8_t key[PERSON_KEY_LEN];
    bool stored; /* durable: later commits need not carry it */
};

struct keyring {
    struct key_entry *entries;
    size_t count;
    size_t cap;
};

void keyring_fini(struct keyring *ring);
/* The entry of a person, or NULL. Borrowed until the next change. */
struct key_entry *keyring_find(const struct keyring *ring, const struct id *person);
/* The entry of a person, drawing a key when there is none; NULL = no memory. */
struct key_entry *keyring_need(struct keyring *ring, const struct id *person,
                               const struct rng *rng);
/* A key read from storage. 0 or E_NOMEM. */
int keyring_add(struct keyring *ring, const struct class_person_key *key);
/* Overwrites and removes a key; nothing when there is none. */
void keyring_forget(struct keyring *ring, const struct id *person);
/* Has the person at least one key, for his name or for his words? */
bool keyring_knows(const struct keyring *ring, const struct id *person);
