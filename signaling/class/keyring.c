#include "signaling/class/keyring.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/journal/seal.h"

void keyring_fini(struct keyring *ring)
{
    mem_free(ring->entries);
    *ring = (struct keyring){.entries = NULL};
}

struct key_entry *keyring_find(const struct keyring *ring, const struct id *person)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (id_equal(&ring->entries[i].person, person)) {
            return &ring->entries[i];
        }
    }
    return NULL;
}

static struct key_entry *append(struct keyring *ring, const struct id *person)
{
    if (ring->count == ring->cap) {
        size_t cap = ring->cap ? ring->cap * 2 : 16;
        struct key_entry *entries = mem_realloc(ring->entries, cap * sizeof(*entries));
        if (!entries) {
            return NULL;
        }
        ring->entries = entries;
        ring->cap = cap;
    }
    struct key_entry *e = &ring->entries[ring->count++];
    memset(e, 0, sizeof(*e));
    e->person = *person;
    return e;
}

struct key_entry *keyring_need(struct keyring *ring, const struct id *person, const struct rng *rng)
{
    struct key_entry *e = keyring_find(ring, person);
    if (!e) {
        e = append(ring, person);
        if (e) {
            rng_fill(rng, e->key, sizeof(e->key));
        }
    }
    return e;
}

int keyring_add(struct keyring *ring, const struct class_person_key *key)
{
    struct key_entry *e = keyring_find(ring, &key->person);
    e = e ? e : append(ring, &key->person);
    if (!e) {
        return E_NOMEM;
    }
    memcpy(e->key, key->key, sizeof(e->key));
    e->stored = true;
    return 0;
}

void keyring_forget(struct keyring *ring, const struct id *person)
{
    struct key_entry *e = keyring_find(ring, person);
    if (e) {
        *e = ring->entries[--ring->count];
        memset(&ring->entries[ring->count], 0, sizeof(*e));
    }
}

bool keyring_knows(const struct keyring *ring, const struct id *person)
{
    struct id words = seal_words_id(person);
    return keyring_find(ring, person) || keyring_find(ring, &words);
}
