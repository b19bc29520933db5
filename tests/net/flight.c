#include "tests/net/flight.h"

#include <stdlib.h>
#include <string.h>

static int is_before(const struct flight_packet *a, const struct flight_packet *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->entry < b->entry;
}

static int make_room(struct flight *f)
{
    if (f->len < f->cap)
        return 0;
    if (f->cap >= FLIGHT_PACKETS_MAX)
        return -1;
    size_t cap = f->cap ? f->cap * 2u : 256u;
    struct flight_packet **heap = realloc(f->heap, cap * sizeof(*heap));

    if (!heap)
        return -1;
    f->heap = heap;
    f->cap = cap;
    return 0;
}

int flight_add(struct flight *f, uint64_t due_us, uint8_t dir, uint32_t to, uint32_t generation,
               const void *data, size_t len)
{
    struct flight_packet *p = NULL;

    if (len <= FLIGHT_BYTES_MAX - f->bytes && make_room(f) == 0)
        p = malloc(sizeof(*p) + len);
    if (!p) {
        f->overflow_packets++;
        return -1;
    }
    p->due_us = due_us;
    p->entry = f->entries++;
    p->dir = dir;
    p->to = to;
    p->generation = generation;
    p->len = len;
    if (len)
        memcpy(p->data, data, len);
    f->bytes += len;

    size_t i = f->len++;

    while (i > 0 && is_before(p, f->heap[(i - 1) / 2])) {
        f->heap[i] = f->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    f->heap[i] = p;
    return 0;
}

uint64_t flight_deadline(const struct flight *f)
{
    return f->len ? f->heap[0]->due_us : UINT64_MAX;
}

struct flight_packet *flight_take(struct flight *f, uint64_t now_us)
{
    if (flight_deadline(f) > now_us || f->len == 0)
        return NULL;

    struct flight_packet *first = f->heap[0];
    struct flight_packet *last = f->heap[--f->len];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= f->len)
            break;
        if (child + 1 < f->len && is_before(f->heap[child + 1], f->heap[child]))
            child++;
        if (!is_before(f->heap[child], last))
            break;
        f->heap[i] = f->heap[child];
        i = child;
    }
    if (f->len)
        f->heap[i] = last;
    f->bytes -= first->len;
    return first;
}

void flight_fini(struct flight *f)
{
    while (f->len)
        free(f->heap[--f->len]);
    free(f->heap);
    *f = (struct flight){0};
}
