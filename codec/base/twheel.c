#include "codec/base/twheel.h"

#include <stddef.h>

static void list_init(struct twheel_node *head)
{
    head->next = head;
    head->prev = head;
}

static void list_append(struct twheel_node *head, struct twheel_node *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

void twheel_init(struct twheel *wheel, mono_us now)
{
    for (int level = 0; level < TWHEEL_LEVELS; level++) {
        wheel->busy[level] = 0;
        for (int slot = 0; slot < TWHEEL_SLOTS; slot++) {
            list_init(&wheel->slot[level][slot]);
        }
    }
    list_init(&wheel->due);
    wheel->tick = now / TWHEEL_TICK_US;
}

/* The first tick at which deadline has passed. */
static int64_t tick_of(mono_us deadline)
{
    return deadline / TWHEEL_TICK_US + (deadline % TWHEEL_TICK_US > 0);
}

static void place(struct twheel *wheel, struct twheel_node *node)
{
    int64_t tick = tick_of(node->deadline);
    int64_t ahead = tick - wheel->tick;
    int64_t reach = TWHEEL_SLOTS;
    int level = 0;

    node->armed = true;
    if (ahead <= 0) {
        node->level = TWHEEL_LEVELS;
        list_append(&wheel->due, node);
        return;
    }
    while (ahead >= reach && level < TWHEEL_LEVELS - 1) {
        reach *= TWHEEL_SLOTS;
        level++;
    }
    if (ahead >= reach) {
        tick = wheel->tick + reach - 1;
    }
    unsigned slot = (unsigned)(tick >> (6 * level)) % TWHEEL_SLOTS;
    node->level = (uint8_t)level;
    node->slot = (uint8_t)slot;
    list_append(&wheel->slot[level][slot], node);
    wheel->busy[level] |= 1ULL << slot;
}

void twheel_cancel(struct twheel *wheel, struct twheel_node *node)
{
    if (!node->armed) {
        return;
    }
    node->next->prev = node->prev;
    node->prev->next = node->next;
    node->next = NULL;
    node->prev = NULL;
    node->armed = false;
    if (node->level < TWHEEL_LEVELS) {
        struct twheel_node *head = &wheel->slot[node->level][node->slot];
        if (head->next == head) {
            wheel->busy[node->level] &= ~(1ULL << node->slot);
        }
    }
}

void twheel_set(struct twheel *wheel, struct twheel_node *node, mono_us deadline)
{
    twheel_cancel(wheel, node);
    node->deadline = deadline;
    if (deadline != MONO_NEVER) {
        place(wheel, node);
    }
}

/* Places again every node of one slot: nearer levels, or due. */
static void spill(struct twheel *wheel, int level, unsigned slot)
{
    struct twheel_node *head = &wheel->slot[level][slot];
    struct twheel_node *node = head->next;
    list_init(head);
    wheel->busy[level] &= ~(1ULL << slot);
    while (node != head) {
        struct twheel_node *next = node->next;
        place(wheel, node);
        node = next;
    }
}

/* Ticks from now to the next busy slot of a level, or 0 when the level is empty. */
static int64_t next_step(const struct twheel *wheel, int level)
{
    unsigned shift = 6U * (unsigned)level;
    unsigned at = (unsigned)(wheel->tick >> shift) % TWHEEL_SLOTS;
    uint64_t busy = wheel->busy[level];
    if (busy == 0) {
        return 0;
    }
    unsigned from = (at + 1) % TWHEEL_SLOTS;
    uint64_t turned = from ? busy >> from | busy << (TWHEEL_SLOTS - from) : busy;
    int64_t slots = __builtin_ctzll(turned) + 1;
    return (((wheel->tick >> shift) + slots) << shift) - wheel->tick;
}

static int64_t next_tick(const struct twheel *wheel)
{
    int64_t best = 0;
    for (int level = 0; level < TWHEEL_LEVELS; level++) {
        int64_t step = next_step(wheel, level);
        if (step && (!best || step < best)) {
            best = step;
        }
    }
    return best ? wheel->tick + best : INT64_MAX;
}

static void advance(struct twheel *wheel, int64_t target)
{
    while (wheel->tick < target) {
        int64_t next = next_tick(wheel);
        if (next > target) {
            wheel->tick = target;
            return;
        }
        wheel->tick = next;
        for (int level = TWHEEL_LEVELS - 1; level >= 0; level--) {
            unsigned shift = 6U * (unsigned)level;
            if ((wheel->tick & ((1LL << shift) - 1)) == 0) {
                spill(wheel, level, (unsigned)(wheel->tick >> shift) % TWHEEL_SLOTS);
            }
        }
    }
}

struct twheel_node *twheel_pop(struct twheel *wheel, mono_us now)
{
    advance(wheel, now / TWHEEL_TICK_US);
    struct twheel_node *node = wheel->due.next;
    if (node == &wheel->due) {
        return NULL;
    }
    twheel_cancel(wheel, node);
    return node;
}

mono_us twheel_next(const struct twheel *wheel)
{
    if (wheel->due.next != &wheel->due) {
        return wheel->tick * TWHEEL_TICK_US;
    }
    int64_t tick = next_tick(wheel);
    return tick == INT64_MAX ? MONO_NEVER : tick * TWHEEL_TICK_US;
}
