/*
 * Map from a 64-bit key to a 64-bit value: open addressing, fixed capacity, keyed mixing so that
 * chosen keys cannot be aimed at one bucket. Deleting shifts back, so there are no tombstones.
 * Invariants: at most `max` entries; load factor <= 1/2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct map_slot {
    uint64_t key;
    uint64_t value;
};

struct map {
    struct map_slot *slots;
    uint8_t *used;
    uint64_t seed;
    uint32_t mask;
    uint32_t count;
    uint32_t max;
};

/* Room for max entries. seed should be random where strangers choose keys. 0, E_RANGE or E_NOMEM.
 */
int map_init(struct map *map, uint32_t max, uint64_t seed);
void map_fini(struct map *map);
/* Sets key to value, replacing. Returns 0 or E_FULL. */
int map_set(struct map *map, uint64_t key, uint64_t value);
/* True and *value (when not NULL) if key is there. */
bool map_find(const struct map *map, uint64_t key, uint64_t *value);
/* Removes key; true if it was there. */
bool map_del(struct map *map, uint64_t key);
