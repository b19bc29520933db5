/* Events, fold, snapshot: one meaning, in bytes, for ever. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rng.h"
#include "signaling/journal/event.h"
#include "signaling/journal/fold.h"
#include "signaling/journal/rtext.h"
#include "signaling/journal/seal.h"
#include "signaling/journal/snapshot.h"
#include "signaling/journal/state.h"
#include "tests/unit/class_rig.h"
#include "tests/unit/golden.h"

/* The key of a person is its id twice: enough for a test. */
static const uint8_t *key_of(void *arg, const struct id *person)
{
    static uint8_t key[PERSON_KEY_LEN];
    const struct id *erased = arg;
    struct id words = erased ? seal_words_id(erased) : (struct id){{0}};
    if (erased && (id_equal(erased, person) || id_equal(&words, person))) {
        return NULL;
    }
    memcpy(key, person->b, ID_LEN);
    memcpy(key + ID_LEN, person->b, ID_LEN);
    return key;
}

static struct sealer sealer_for(const struct id *erased)
{
    static struct id keep;
    keep = erased ? *erased : (struct id){{0}};
    return (struct sealer){.ops = rig_token_ops(),
                           .key_h = key_of,
                           .arg = erased ? &keep : NULL,
                           .home = golden_id(200)};
}

static struct id id_of(uint8_t n)
{
    struct id id;
    memset(id.b, n, sizeof(id.b));
    return id;
}

/* ---- the golden journals: one of everything
 * ------------------------------------------------------ */

/* Writes a golden file: u32 length and bytes per event, then the plain state. Only when asked. */
static void golden_write(const struct golden_area *area)
{
    size_t count;
    const struct event *events = area->events_h(&count);
    struct sealer sealer = sealer_for(NULL);
    struct id class_id = golden_id(200);
    struct state *s = state_new(&class_id);
    FILE *f = fopen(area->path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i <= count; i++) {
        static uint8_t bytes[1 << 16];
        struct wr w = wr_init(bytes, sizeof(bytes));
        uint8_t *plain = NULL;
        size_t len;
        if (i < count) {
            struct event e = events[i];
            e.text = area->text_h(&e);
            assert_int_equal(event_encode(&w, &e, &sealer), 0);
            assert_int_equal(state_fold(s, &e), 0);
            event_fini(&e);
            len = wr_len(&w);
        } else {
            assert_int_equal(state_encode(s, NULL, &plain, &len), 0);
        }
        uint8_t head[4];
        put_u32(head, (uint32_t)len);
        assert_int_equal(fwrite(head, 1, 4, f), 4);
        assert_int_equal(fwrite(plain ? plain : bytes, 1, len, f), len);
        mem_free(plain);
    }
    assert_int_equal(fclose(f), 0);
    state_free(s);
}

static uint8_t golden[1 << 18];

/* AMPHI_WRITE_GOLDEN=part of a path writes that file anew. */
static struct rd golden_read(const struct golden_area *area)
{
    const char *write = getenv("AMPHI_WRITE_GOLDEN");
    if (write && strstr(area->path, write)) {
        golden_write(area);
    }
    FILE *f = fopen(area->path, "rb");
    assert_non_null(f);
    size_t len = fread(golden, 1, sizeof(golden), f);
    (void)fclose(f);
    return rd_init(golden, len);
}

static void assert_same(const struct state *a, const struct state *b)
{
    uint8_t *x = NULL;
    uint8_t *y = NULL;
    size_t x_len;
    size_t y_len;
    assert_int_equal(state_encode(a, NULL, &x, &x_len), 0);
    assert_int_equal(state_encode(b, NULL, &y, &y_len), 0);
    assert_int_equal(x_len, y_len);
    assert_memory_equal(x, y, x_len);
    mem_free(x);
    mem_free(y);
}

/* A stored state of the first format says nothing of the parts: what it does say is the same. */
static void assert_stored(const struct state *s, const uint8_t *bytes, size_t len)
{
    struct state *stored = NULL;
    uint8_t *now = NULL;
    size_t now_len;
    assert_non_null(bytes);
    assert_int_equal(state_decode(&stored, bytes, len, NULL), 0);
    if (bytes && bytes[0] > 1) {
        assert_same(s, stored);
    } else {
        assert_int_equal(state_encode(s, NULL, &now, &now_len), 0);
        assert_true(now_len > len);
        assert_memory_equal(now + 1, bytes + 1, len - 1);
        mem_free(now);
    }
    state_free(stored);
}

/* The events of a file folded, which is what its last record says. Returns the state. */
static struct state *golden_replay(const struct golden_area *area)
{
    struct sealer sealer = sealer_for(NULL);
    struct id class_id = golden_id(200);
    struct state *s = state_new(&class_id);
    struct rd r = golden_read(area);
    size_t events = 0;
    for (;;) {
        uint32_t len = rd_u32(&r);
        const uint8_t *bytes = rd_bytes(&r, len);
        assert_non_null(bytes);
        if (rd_left(&r) == 0) {
            assert_stored(s, bytes, len);
            break;
        }
        struct event e;
        assert_int_equal(event_decode(&e, bytes, len, &sealer), 0);
        assert_int_equal(state_fold(s, &e), 0);
        event_fini(&e);
        events++;
    }
    size_t count;
    (void)area->events_h(&count);
    assert_int_equal(events, count);
    return s;
}

static void golden_journals_replay(void **state)
{
    (void)state;
    for (size_t i = 0; golden_area(i); i++) {
        state_free(golden_replay(golden_area(i)));
    }
    struct state *s = golden_replay(&golden_first);
    assert_string_equal(rtext_str(s->title), "Ma classe");
    assert_int_equal(s->seat_count, 2);
    assert_int_equal(s->chat_count, 2);
    state_free(s);
}

/* Every type of event is in a golden journal: a new one must add its line there. */
static void golden_journals_are_complete(void **state)
{
    (void)state;
    for (unsigned type = 1; type < 256; type++) {
        bool seen = !event_row(type) || type == EVENT_CLASS_ENDED;
        for (size_t i = 0; golden_area(i); i++) {
            size_t count;
            const struct event *events = golden_area(i)->events_h(&count);
            for (size_t n = 0; n < count; n++) {
                seen = seen || events[n].type == type;
            }
        }
        if (!seen) {
            fail_msg("event %u is not in a golden journal", type);
        }
    }
}

/* ---- bytes
 * -------------------------------------------------------------------------------------------- */

static void newer_journal_is_refused(void **state)
{
    (void)state;
    struct sealer sealer = sealer_for(NULL);
    struct rd r = golden_read(&golden_first);
    uint32_t len = rd_u32(&r);
    const uint8_t *bytes = rd_bytes(&r, len);
    uint8_t copy[512];
    struct event e;
    const uint8_t newer = (uint8_t)(event_row(EVENT_CLASS_CREATED)->version + 1);
    const struct {
        size_t at;
        uint8_t value;
        int err;
    } changes[] = {{0, EVENT_FORMAT + 1, E_VERSION},
                   {0, 0, E_CORRUPT},
                   {3, newer, E_VERSION},
                   {2, 250, E_VERSION},
                   {20, 0x80, E_VERSION}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        memcpy(copy, bytes, len);
        copy[changes[i].at] = changes[i].value;
        assert_int_equal(event_decode(&e, copy, len, &sealer), changes[i].err);
    }
    struct state *s = NULL;
    uint8_t snapshot[] = {SNAPSHOT_FORMAT + 1, 1, 2, 3};
    assert_int_equal(state_decode(&s, snapshot, sizeof(snapshot), &sealer), E_VERSION);
    assert_null(s);
}

static void damage(const struct golden_area *area)
{
    struct sealer sealer = sealer_for(NULL);
    struct rng_seeded seeded;
    rng_seed(&seeded, 3);
    struct rng rng = rng_from_seeded(&seeded);
    struct rd r = golden_read(area);
    while (rd_left(&r) > 0) {
        uint32_t len = rd_u32(&r);
        const uint8_t *bytes = rd_bytes(&r, len);
        bool last = rd_left(&r) == 0;
        for (unsigned i = 0; i < (last ? 3000 : 300); i++) {
            uint8_t *copy = mem_dup(bytes, len);
            size_t cut = i % 3 == 0 ? rng_below(&rng, len) : len;
            copy[rng_below(&rng, len)] ^= (uint8_t)(1 + rng_below(&rng, 255));
            struct event e;
            struct state *s = NULL;
            if (last && state_decode(&s, copy, cut, &sealer) == 0) {
                uint8_t *again = NULL;
                size_t again_len;
                assert_int_equal(state_encode(s, NULL, &again, &again_len), 0);
                mem_free(again);
                state_free(s);
            } else if (!last && event_decode(&e, copy, cut, &sealer) == 0) {
                struct id class_id = id_of(200);
                struct state *fresh = state_new(&class_id);
                e.seq = 1;
                (void)state_fold(fresh, &e);
                state_free(fresh);
                event_fini(&e);
            }
            mem_free(copy);
        }
    }
}

static void damaged_bytes_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; golden_area(i); i++) {
        damage(golden_area(i));
    }
}

static void erasing_the_key_erases_the_person(void **state)
{
    (void)state;
    struct id part = id_of(3);
    struct sealer whole = sealer_for(NULL);
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    size_t count;
    const struct event *events = golden_first.events_h(&count);
    uint8_t bytes[2048];
    for (size_t i = 0; i < count; i++) {
        struct event e = events[i];
        e.text = golden_first.text_h(&e);
        struct wr w = wr_init(bytes, sizeof(bytes));
        assert_int_equal(event_encode(&w, &e, &whole), 0);
        /* Nothing personal stands in the journal as it is. */
        static const char *const secrets[] = {"Paul", "Ali", "bonjour"};
        for (size_t n = 0; n < 3; n++) {
            assert_null(memmem(bytes, wr_len(&w), secrets[n], strlen(secrets[n])));
        }
        event_fini(&e);
        struct sealer erased = sealer_for(&part);
        assert_int_equal(event_decode(&e, bytes, wr_len(&w), &erased), 0);
        assert_int_equal(state_fold(s, &e), 0);
        event_fini(&e);
    }
    assert_string_equal(rtext_str(state_person(s, &part)->name), "");
    struct id host = id_of(1);
    assert_string_equal(rtext_str(state_person(s, &host)->name), "Hélène");
    assert_string_equal(rtext_str(state_chat(s, 0)->text), "");
    assert_int_equal(s->seq, count);
    state_free(s);
}

/* What is written is under a key of its own: it goes, in the journal and in snapshots made before,
 * and the name stays. */
static void words_go_and_names_stay(void **state)
{
    (void)state;
    struct id guest = id_of(2);
    struct id words = seal_words_id(&guest);
    struct id back = seal_words_owner(&words);
    struct id class_id = id_of(200);
    struct sealer whole = sealer_for(NULL);
    struct state *s = state_new(&class_id);
    uint8_t bytes[2048];
    uint8_t *snapshot = NULL;
    size_t snapshot_len = 0;
    size_t count;
    const struct event *events = golden_keep.events_h(&count);
    assert_true(id_equal(&back, &guest));
    assert_false(id_equal(&words, &guest));
    for (size_t i = 0; i < count; i++) {
        struct event e = events[i];
        if (e.type == EVENT_WORDS_FORGOTTEN) {
            assert_int_equal(state_encode(s, &whole, &snapshot, &snapshot_len), 0);
        }
        e.text = golden_keep.text_h(&e);
        struct wr w = wr_init(bytes, sizeof(bytes));
        assert_int_equal(event_encode(&w, &e, &whole), 0);
        event_fini(&e);
        struct sealer unsaid = sealer_for(&words);
        assert_int_equal(event_decode(&e, bytes, wr_len(&w), &unsaid), 0);
        bool his = id_equal(&e.person, &guest);
        if (his && (e.type == EVENT_CHAT_POSTED || e.type == EVENT_READY_NOTED)) {
            assert_null(e.text);
        } else if (e.type == EVENT_PERSON_JOINED || e.type == EVENT_CHAT_POSTED) {
            assert_non_null(e.text);
        }
        event_fini(&e);
        assert_int_equal(event_decode(&e, bytes, wr_len(&w), &whole), 0);
        assert_int_equal(state_fold(s, &e), 0);
        event_fini(&e);
    }
    assert_string_equal(rtext_str(state_person(s, &guest)->name), "Zoé");
    assert_string_equal(rtext_str(state_chat(s, 0)->text), "");
    assert_string_equal(rtext_str(state_chat(s, 0)->name), "Zoé");
    assert_string_equal(rtext_str(state_chat(s, 1)->text), "bonjour");
    state_free(s);
    struct sealer unsaid = sealer_for(&words);
    assert_int_equal(state_decode(&s, snapshot, snapshot_len, &unsaid), 0);
    assert_string_equal(rtext_str(state_chat(s, 0)->text), "");
    assert_string_equal(rtext_str(state_chat(s, 0)->name), "Zoé");
    assert_string_equal(rtext_str(state_chat(s, 1)->text), "bonjour");
    state_free(s);
    mem_free(snapshot);
}

static void snapshot_keeps_no_plain_name(void **state)
{
    (void)state;
    struct sealer sealer = sealer_for(NULL);
    struct rd r = golden_read(&golden_first);
    uint32_t len = 0;
    const uint8_t *bytes = NULL;
    while (rd_left(&r) > 0) {
        len = rd_u32(&r);
        bytes = rd_bytes(&r, len);
    }
    struct state *s = NULL;
    assert_int_equal(state_decode(&s, bytes, len, NULL), 0);
    uint8_t *sealed = NULL;
    size_t sealed_len;
    assert_int_equal(state_encode(s, &sealer, &sealed, &sealed_len), 0);
    assert_null(memmem(sealed, sealed_len, "Paul", 4));
    assert_null(memmem(sealed, sealed_len, "bonjour", 7));
    assert_null(memmem(sealed, sealed_len, "Ma classe", 9));
    struct state *again = NULL;
    assert_int_equal(state_decode(&again, sealed, sealed_len, &sealer), 0);
    assert_same(s, again);
    mem_free(sealed);
    state_free(s);
    state_free(again);
}

static void what_does_not_follow_is_refused(void **state)
{
    (void)state;
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    struct event e = {.type = EVENT_HAND_RAISED, .person = id_of(1), .seq = 1};
    assert_int_equal(state_fold(s, &e), E_CORRUPT);
    assert_int_equal(s->seq, 0);
    e = (struct event){.type = EVENT_CLASS_CREATED, .seq = 2};
    assert_int_equal(state_fold(s, &e), E_CORRUPT);
    e.seq = 1;
    assert_int_equal(state_fold(s, &e), 0);
    assert_int_equal(state_fold(s, &e), E_CORRUPT);
    state_free(s);
}

/* ---- many people
 * ---------------------------------------------------------------------------------------- */

static struct id person_number(unsigned n)
{
    struct id id = id_of(0x55);
    put_u32(id.b, n);
    return id;
}

/* Guests come and go for a year: the class forgets the longest absent, never a banned one. */
static void known_people_are_bounded(void **state)
{
    (void)state;
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    uint64_t seq = 0;
    for (unsigned i = 1; i <= STATE_PERSONS_MAX + 500; i++) {
        struct event join = {.type = EVENT_PERSON_JOINED,
                             .seq = ++seq,
                             .person = person_number(i),
                             .device = person_number(i),
                             .n = 1};
        assert_int_equal(state_fold(s, &join), 0);
        struct event leave = {.type = EVENT_PERSON_LEFT,
                              .seq = ++seq,
                              .person = person_number(i),
                              .a = LEAVE_REMOVED,
                              .b = i == 1};
        assert_int_equal(state_fold(s, &leave), 0);
    }
    assert_int_equal(s->person_count, STATE_PERSONS_MAX);
    struct id banned = person_number(1);
    struct id second = person_number(2);
    assert_true(state_person(s, &banned)->banned);
    assert_null(state_person(s, &second));
    state_free(s);
}

static int fold_all(void *arg)
{
    const struct golden_area *area = arg;
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    struct state *copy = NULL;
    int err = s ? 0 : E_NOMEM;
    size_t count;
    const struct event *events = area->events_h(&count);
    for (size_t i = 0; i < count && !err; i++) {
        struct event e = events[i];
        e.text = area->text_h(&e);
        uint64_t before = s->seq;
        err = state_fold(s, &e);
        assert_int_equal(s->seq, before + (err == 0));
        event_fini(&e);
    }
    uint8_t *bytes = NULL;
    size_t len = 0;
    err = err ? err : state_encode(s, NULL, &bytes, &len);
    err = err ? err : state_decode(&copy, bytes, len, NULL);
    mem_free(bytes);
    state_free(copy);
    state_free(s);
    return err;
}

static void no_memory_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; golden_area(i); i++) {
        struct golden_area area = *golden_area(i);
        assert_true(support_oom_sweep(fold_all, &area) > 20);
    }
}

/* What was reserved folds without a single allocation: a committed event cannot fail. */
static void reserved_folds_cannot_fail(void **state)
{
    (void)state;
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    for (unsigned i = 1; i <= 64; i++) {
        assert_int_equal(state_reserve(s, 1, 1), 0);
        struct event join = {.type = EVENT_PERSON_JOINED,
                             .seq = s->seq + 1,
                             .person = person_number(i),
                             .device = person_number(i),
                             .n = 1};
        struct event used = {
            .type = EVENT_LINK_USED, .seq = s->seq + 2, .other = person_number(i), .n = 9};
        mem_fail_at(1);
        assert_int_equal(state_fold(s, &join), 0);
        assert_int_equal(state_fold(s, &used), 0);
        assert_false(mem_fail_fired());
        mem_fail_at(0);
    }
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(golden_journals_replay),
        UNIT(golden_journals_are_complete),
        UNIT(newer_journal_is_refused),
        UNIT(damaged_bytes_do_no_harm),
        UNIT(erasing_the_key_erases_the_person),
        UNIT(words_go_and_names_stay),
        UNIT(snapshot_keeps_no_plain_name),
        UNIT(what_does_not_follow_is_refused),
        UNIT(known_people_are_bounded),
        UNIT(no_memory_no_harm),
        UNIT(reserved_folds_cannot_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
