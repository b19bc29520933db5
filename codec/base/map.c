#include "codec/base/map.h"

#include <stddef.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum { MAP_MAX = 1 << 28 };

int map_init(struct map *map, uint32_t max, uint64_t seed)
{
    *map = (struct map){.seed = seed | 1, .max = max};
    if (max == 0 || max > MAP_MAX) {
        return E_RANGE;
    }
    uint32_t cap = 8;
    while (cap < 2 * max) {
        cap *= 2;
    }
    map->mask = cap - 1;
    map->slots = mem_alloc(sizeof(*map->slots) * cap);
    map->used = mem_alloc(cap);
    if (!map->slots || !map->used) {
        map_fini(map);
        return E_NOMEM;
    }
    return 0;
}

void map_fini(struct map *map)
{
    mem_free(map->slots);
    mem_free(map->used);
    *map = (struct map){0};
}

static uint32_t home_of(const struct map *map, uint64_t key)
{
    uint64_t x = (key ^ map->seed) * 0x9fb21c651e98df25ULL;
    x ^= x >> 32;
    x *= map->seed;
    return (uint32_t)(x >> 29) & map->mask;
}

/* The slot of key, or the free slot where it would go. */
static uint32_t slot_of(const struct map *map, uint64_t key)
{
    uint32_t i = home_of(map, key);
    while (map->used[i] && map->slots[i].key != key) {
        i = (i + 1) & map->mask;
    }
    return i;
}

int map_set(struct map *map, uint64_t key, uint64_t value)
{
    uint32_t i = slot_of(map, key);
    if (!map->used[i]) {
        if (map->count == map->max) {
            return E_FULL;
        }
        map->used[i] = 1;
        map->count++;
    }
    map->slots[i] = (struct map_slot){.key = key, .value = value};
    return 0;
}

bool map_find(const struct map *map, uint64_t key, uint64_t *value)
{
    uint32_t i = slot_of(map, key);
    if (!map->used[i]) {
        return false;
    }
    if (value) {
        *value = map->slots[i].value;
    }
    return true;
}

bool map_del(struct map *map, uint64_t key)
{
    uint32_t hole = slot_of(map, key);
    if (!map->used[hole]) {
        return false;
    }
    uint32_t i = hole;
    for (;;) {
        i = (i + 1) & map->mask;
        if (!map->used[i]) {
            break;
        }
        /* An entry may fill the hole unless its home lies cyclically behind the hole. */
        uint32_t home = home_of(map, map->slots[i].key);
        if (((i - home) & map->mask) >= ((i - hole) & map->mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->used[hole] = 0;
    map->count--;
    return true;
}
