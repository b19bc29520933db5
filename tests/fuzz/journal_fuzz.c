/* Any bytes as an event (first byte even) or a snapshot (odd): refused, or encodes again to the
 * same meaning. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/mem.h"
#include "signaling/journal/event.h"
#include "signaling/journal/fold.h"
#include "signaling/journal/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void try_event(const uint8_t *data, size_t size)
{
    struct event e;
    if (event_decode(&e, data, size, NULL)) {
        return;
    }
    uint8_t *bytes = mem_alloc(size + 512);
    struct wr w = wr_init(bytes, size + 512);
    check(event_encode(&w, &e, NULL) == 0);
    struct event again;
    check(event_decode(&again, bytes, wr_len(&w), NULL) == 0);
    check(again.type == e.type && again.seq == e.seq && again.n == e.n);
    static const struct id class_id = {{1}};
    struct state *s = state_new(&class_id);
    e.seq = 1;
    (void)state_fold(s, &e);
    state_free(s);
    event_fini(&again);
    event_fini(&e);
    mem_free(bytes);
}

static void try_snapshot(const uint8_t *data, size_t size)
{
    struct state *s = NULL;
    struct state *again = NULL;
    if (state_decode(&s, data, size, NULL)) {
        return;
    }
    uint8_t *one = NULL;
    uint8_t *two = NULL;
    size_t one_len;
    size_t two_len;
    check(state_encode(s, NULL, &one, &one_len) == 0);
    check(state_decode(&again, one, one_len, NULL) == 0);
    check(state_encode(again, NULL, &two, &two_len) == 0);
    check(one_len == two_len && memcmp(one, two, one_len) == 0);
    mem_free(one);
    mem_free(two);
    state_free(s);
    state_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0) {
        try_event(data + 1, size - 1);
    } else if (size > 0) {
        try_snapshot(data + 1, size - 1);
    }
    return 0;
}
