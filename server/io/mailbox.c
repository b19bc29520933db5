#include "server/io/mailbox.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum {
    PRODUCERS_MAX = 256,
    CAPACITY_MAX = 65536,
    SIZE_MAX_BYTES = 65536,
    LINE = 64,
    RUN = 64, /* cells between two looks whether the ring may start at its first cell again */
};

/*
 * head and tail count messages and wrap with uint32_t. The producer owns head, the consumer owns
 * tail; each reads the other's only when its own copy says full or empty, so that a busy ring does
 * not bounce a cache line per message.
 * A ring that is empty may begin again at its first cell, so that one with little traffic stays in
 * the same few pages instead of touching all of its memory in rotation: message k lies in cell
 * k - origin. head and origin change together in one word. While the producer moves the origin,
 * everything before it has been taken, so the consumer meets the new one with its next message.
 */
struct ring {
    _Alignas(LINE) _Atomic uint64_t head; /* origin << 32 | count */
    uint32_t tail_seen;
    _Alignas(LINE) _Atomic uint32_t tail;
    uint32_t head_seen;
    uint32_t origin_seen;
    _Alignas(LINE) uint8_t *cells;
};

struct mailbox {
    _Alignas(LINE) _Atomic uint32_t rung; /* the descriptor is readable or about to be */
    _Atomic uint64_t refused;
    void *block; /* what mem_alloc gave */
    uint8_t *cells;
    int fd;
    uint32_t producers;
    uint32_t capacity;
    uint32_t next; /* producer whose turn it is */
    size_t size;
    struct ring ring[];
};

int mailbox_new(struct mailbox **out, uint32_t producers, uint32_t capacity, size_t size)
{
    *out = NULL;
    if (!producers || producers > PRODUCERS_MAX || capacity < 2 || capacity > CAPACITY_MAX ||
        (capacity & (capacity - 1)) || !size || size > SIZE_MAX_BYTES) {
        return E_RANGE;
    }
    size_t head = sizeof(struct mailbox) + producers * sizeof(struct ring);
    uint8_t *block = mem_alloc(head + LINE - 1);
    uint8_t *cells = mem_alloc((size_t)producers * capacity * size);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!block || !cells || fd < 0) {
        mem_free(block);
        mem_free(cells);
        if (fd >= 0) {
            close(fd);
        }
        return fd < 0 ? E_IO : E_NOMEM;
    }
    void *aligned = block + (-(uintptr_t)block & (LINE - 1));
    struct mailbox *mailbox = aligned;
    mailbox->block = block;
    mailbox->cells = cells;
    mailbox->fd = fd;
    mailbox->producers = producers;
    mailbox->capacity = capacity;
    mailbox->size = size;
    for (uint32_t i = 0; i < producers; i++) {
        mailbox->ring[i].cells = cells + (size_t)i * capacity * size;
    }
    *out = mailbox;
    return 0;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (mailbox) {
        close(mailbox->fd);
        mem_free(mailbox->cells);
        mem_free(mailbox->block);
    }
}

static uint8_t *cell_at(const struct mailbox *mailbox, const struct ring *ring, uint32_t at)
{
    return ring->cells + (size_t)(at & (mailbox->capacity - 1)) * mailbox->size;
}

bool mailbox_push(struct mailbox *mailbox, uint32_t producer, const void *msg)
{
    struct ring *ring = &mailbox->ring[producer];
    uint64_t word = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t head = (uint32_t)word;
    uint32_t origin = (uint32_t)(word >> 32);
    bool turn = (head - origin) % RUN == 0;
    if (turn || head - ring->tail_seen == mailbox->capacity) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head - ring->tail_seen == mailbox->capacity) {
            atomic_fetch_add_explicit(&mailbox->refused, 1, memory_order_relaxed);
            return false;
        }
        origin = ring->tail_seen == head ? head : origin;
    }
    memcpy(cell_at(mailbox, ring, head - origin), msg, mailbox->size);
    atomic_store_explicit(&ring->head, (uint64_t)origin << 32 | (uint32_t)(head + 1),
                          memory_order_release);
    return true;
}

/*
 * Both sides exchange `rung`, so one of two things holds: the consumer's exchange comes later and
 * it then sees what was pushed before this ring, or ours comes later, finds 0 and writes.
 */
void mailbox_ring(struct mailbox *mailbox)
{
    if (atomic_exchange_explicit(&mailbox->rung, 1, memory_order_acq_rel) == 0) {
        const uint64_t one = 1;
        ssize_t n = write(mailbox->fd, &one, sizeof(one));
        (void)n; /* cannot fail: the counter is at most 1 here */
    }
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

void mailbox_answer(struct mailbox *mailbox)
{
    uint64_t rings;
    ssize_t n = read(mailbox->fd, &rings, sizeof(rings));
    (void)n; /* nothing to read is fine: then nobody rang */
    atomic_exchange_explicit(&mailbox->rung, 0, memory_order_acq_rel);
}

static bool ring_pop(const struct mailbox *mailbox, struct ring *ring, void *msg)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == ring->head_seen) {
        uint64_t word = atomic_load_explicit(&ring->head, memory_order_acquire);
        ring->head_seen = (uint32_t)word;
        ring->origin_seen = (uint32_t)(word >> 32);
        if (tail == ring->head_seen) {
            return false;
        }
    }
    memcpy(msg, cell_at(mailbox, ring, tail - ring->origin_seen), mailbox->size);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

bool mailbox_pop(struct mailbox *mailbox, void *msg)
{
    for (uint32_t i = 0; i < mailbox->producers; i++) {
        struct ring *ring = &mailbox->ring[mailbox->next];
        mailbox->next = mailbox->next + 1 == mailbox->producers ? 0 : mailbox->next + 1;
        if (ring_pop(mailbox, ring, msg)) {
            return true;
        }
    }
    return false;
}

uint64_t mailbox_refused(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->refused, memory_order_relaxed);
}
