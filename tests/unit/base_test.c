#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/addr.h"
#include "codec/base/drop.h"
#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/base/packet.h"
#include "codec/base/pool.h"
#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/base/text.h"
#include "codec/base/twheel.h"

static void reader_sticks_at_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};
    struct rd r = rd_init(bytes, sizeof(bytes));
    assert_int_equal(rd_u16(&r), 0x0102);
    assert_int_equal(rd_u32(&r), 0x03040506);
    assert_int_equal(rd_u16(&r), 0);
    assert_true(r.bad);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_left(&r), 0);
}

static void writer_never_leaves_its_buffer(void **state)
{
    (void)state;
    uint8_t out[6];
    memset(out, 0xee, sizeof(out));
    struct wr w = wr_init(out, 5);
    wr_u32(&w, 0xa1b2c3d4);
    wr_u16(&w, 1);
    wr_u8(&w, 9);
    assert_true(w.bad);
    assert_int_equal(wr_len(&w), 4);
    assert_int_equal(out[4], 0xee);
    assert_int_equal(out[5], 0xee);
}

static void pool_ids_do_not_outlive_objects(void **state)
{
    (void)state;
    struct pool pool;
    pool_id a;
    pool_id b;
    assert_int_equal(pool_init(&pool, 24, 2), 0);
    char *p = pool_get(&pool, &a);
    assert_non_null(p);
    p[0] = 1;
    assert_non_null(pool_get(&pool, &b));
    assert_null(pool_get(&pool, NULL));
    pool_put(&pool, a);
    pool_put(&pool, a);
    assert_int_equal(pool.used, 1);
    assert_null(pool_at(&pool, a));
    pool_id again;
    char *q = pool_get(&pool, &again);
    assert_ptr_equal(p, q);
    assert_int_equal(q[0], 0);
    assert_true(again != a);
    assert_null(pool_at(&pool, 0));
    pool_fini(&pool);
}

static void objects_begin_with_a_line_of_the_cache(void **state)
{
    (void)state;
    struct pool pool[2];
    assert_int_equal(pool_init(&pool[0], 24, 3), 0);
    assert_int_equal(pool_init_wide(&pool[1], 24, 3), 0);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < 3; n++) {
            char *p = pool_get(&pool[i], NULL);
            assert_int_equal((uintptr_t)p % 64, 0);
            memset(p, 1, 64);
        }
        pool_fini(&pool[i]);
    }
}

static void map_agrees_with_a_plain_array(void **state)
{
    (void)state;
    enum { KEYS = 200, STEPS = 20000 };
    struct map map;
    uint64_t model[KEYS];
    bool have[KEYS] = {false};
    struct rng_seeded seeded;
    rng_seed(&seeded, 7);
    struct rng rng = rng_from_seeded(&seeded);
    assert_int_equal(map_init(&map, KEYS, 12345), 0);
    for (int i = 0; i < STEPS; i++) {
        uint32_t k = rng_below(&rng, KEYS);
        uint64_t value = rng_u64(&rng);
        if (rng_below(&rng, 2)) {
            assert_int_equal(map_set(&map, k * 977ULL, value), 0);
            model[k] = value;
            have[k] = true;
        } else {
            assert_int_equal(map_del(&map, k * 977ULL), have[k]);
            have[k] = false;
        }
        uint32_t probe = rng_below(&rng, KEYS);
        uint64_t got = 0;
        assert_int_equal(map_find(&map, probe * 977ULL, &got), have[probe]);
        assert_true(!have[probe] || got == model[probe]);
    }
    map_fini(&map);
}

static void map_refuses_more_than_it_promised(void **state)
{
    (void)state;
    struct map map;
    assert_int_equal(map_init(&map, 3, 1), 0);
    for (uint64_t k = 0; k < 3; k++) {
        assert_int_equal(map_set(&map, k, k), 0);
    }
    assert_int_equal(map_set(&map, 9, 9), E_FULL);
    assert_int_equal(map_set(&map, 2, 8), 0);
    map_fini(&map);
}

/* Every timer fires at the first millisecond at or after its deadline, never earlier. */
static void timers_fire_in_time(void **state)
{
    (void)state;
    enum { TIMERS = 300 };
    static struct twheel wheel;
    static struct twheel_node nodes[TIMERS];
    struct rng_seeded seeded;
    rng_seed(&seeded, 99);
    struct rng rng = rng_from_seeded(&seeded);
    mono_us now = 123456789;
    int fired = 0;
    memset(nodes, 0, sizeof(nodes));
    twheel_init(&wheel, now);
    for (int i = 0; i < TIMERS; i++) {
        unsigned bits = rng_below(&rng, 34);
        twheel_set(&wheel, &nodes[i], now + (mono_us)(rng_u64(&rng) & ((1ULL << bits) - 1)));
    }
    twheel_cancel(&wheel, &nodes[0]);
    while (fired < TIMERS - 1) {
        mono_us next = twheel_next(&wheel);
        assert_true(next != MONO_NEVER);
        now = next > now ? next : now;
        struct twheel_node *node;
        while ((node = twheel_pop(&wheel, now))) {
            assert_true(node->deadline <= now);
            assert_true(now - node->deadline <= TWHEEL_TICK_US || node->deadline <= 123456789);
            fired++;
        }
    }
    assert_true(twheel_next(&wheel) == MONO_NEVER);
}

/* Reference values of the SipHash paper, appendix A: key 00..0f, message 00..0e. */
static void siphash_matches_the_paper(void **state)
{
    (void)state;
    struct hash_key key = {.k0 = 0x0706050403020100ULL, .k1 = 0x0f0e0d0c0b0a0908ULL};
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof(message); i++) {
        message[i] = i;
    }
    assert_true(hash_bytes(&key, message, sizeof(message)) == 0xa129ca6149be45e5ULL);
}

static void addresses_read_as_they_print(void **state)
{
    (void)state;
    static const char *const same[] = {"1.2.3.4",
                                       "::",
                                       "::1",
                                       "2001:db8::1",
                                       "fe80::1:2:3:4",
                                       "1:2:3:4:5:6:7:8",
                                       "2001:db8:0:1:1:1:1:1"};
    static const char *const bad[] = {"",         "1.2.3",    "1.2.3.256",   "1.2.3.4.5",
                                      ":::",      "1::2::3",  "12345::",     "1:2:3",
                                      "g::1",     "1.2.3.4 ", "01234.1.1.1", "1:2:3:4:5:6:7:8:9",
                                      "::1%eth0", "1:"};
    char text[ADDR_TEXT_MAX];
    struct addr a;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_int_equal(addr_parse(&a, same[i]), 0);
        assert_string_equal(addr_print(&a, text), same[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(addr_parse(&a, bad[i]), E_BAD);
    }
    assert_int_equal(addr_parse(&a, "::ffff:10.0.0.7"), 0);
    assert_string_equal(addr_print(&a, text), "10.0.0.7");
    a.port = 99;
    assert_string_equal(addr_print(&a, text), "10.0.0.7:99");
}

static void texts_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[33];
    uint8_t back[33];
    char text[80];
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        memset(bytes, (int)(0xa7 + len), len);
        int n = text_base64url(text, sizeof(text), bytes, len);
        assert_int_equal(n, (int)strlen(text));
        assert_int_equal(text_unbase64url(back, sizeof(back), text, (size_t)n), (int)len);
        assert_memory_equal(bytes, back, len);
        text_hex(text, bytes, len);
        assert_int_equal(text_unhex(back, len, text, 2 * len), 0);
        assert_memory_equal(bytes, back, len);
    }
    assert_int_equal(text_unbase64url(back, sizeof(back), "AB", 2), E_BAD);
    assert_int_equal(text_unbase64url(back, sizeof(back), "A", 1), E_BAD);
    assert_int_equal(text_unbase64url(back, sizeof(back), "A+AA", 4), E_BAD);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",         "\xc0\x80",     "\xc1\xbf",
                                      "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xf8",         "\xe2\x82",     "a\xff"};
    assert_true(text_utf8_ok("d\xc3\xa9j\xc3\xa0 \xf0\x9f\x8e\x93", 11));
    assert_int_equal(text_utf8_count("d\xc3\xa9j\xc3\xa0 \xf0\x9f\x8e\x93", 11), 6);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(text_utf8_ok(bad[i], strlen(bad[i])));
    }
}

/* Every reason of drop.def has a name and a sentence; a number outside has a text too. */
static void every_drop_and_error_has_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DROP_COUNT; i++) {
        assert_int_equal(strncmp(drop_name((enum drop)i), "DROP_", 5), 0);
        assert_true(strlen(drop_help((enum drop)i)) > 8);
    }
    assert_string_equal(drop_name(DROP_SRTP_AUTH), "DROP_SRTP_AUTH");
    assert_non_null(drop_help((enum drop)DROP_COUNT));
    assert_string_equal(err_name(E_REPLAY), "E_REPLAY");
    assert_string_equal(err_text(-999), "unknown error");
}

static int released;

static void on_release(void *arg, struct pkt *origin)
{
    (void)arg;
    released++;
    pkt_put(&origin);
}

static void borrowed_packets_return_to_their_shard(void **state)
{
    (void)state;
    struct pkt_pool home;
    struct pkt_pool away;
    assert_int_equal(pkt_pool_init(&home, 0, 2, 0), 0);
    assert_int_equal(pkt_pool_init(&away, 1, 1, 4), 0);
    away.release_h = on_release;
    released = 0;
    struct pkt *p = pkt_new(&home);
    assert_non_null(p);
    memcpy(p->data, "hello", 5);
    p->len = 5;
    struct pkt *copy = pkt_borrow(&away, pkt_get(p));
    struct pkt *second = pkt_get(copy);
    pkt_put(&p);
    assert_null(p);
    pkt_put(&copy);
    assert_int_equal(released, 0);
    assert_memory_equal(second->data, "hello", 5);
    pkt_put(&second);
    assert_int_equal(released, 1);
    assert_int_equal(pkt_pool_used(&home), 0);
    assert_int_equal(pkt_pool_used(&away), 0);
    pkt_pool_fini(&home);
    pkt_pool_fini(&away);
}

static int pools_scene(void *arg)
{
    (void)arg;
    struct pkt_pool pool;
    struct map map;
    int err = pkt_pool_init(&pool, 0, 4, 4);
    if (err) {
        return err;
    }
    err = map_init(&map, 10, 1);
    if (!err) {
        map_fini(&map);
    }
    pkt_pool_fini(&pool);
    return err;
}

static void pools_survive_failing_allocations(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(pools_scene, NULL) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(reader_sticks_at_the_end),
        UNIT(writer_never_leaves_its_buffer),
        UNIT(pool_ids_do_not_outlive_objects),
        UNIT(objects_begin_with_a_line_of_the_cache),
        UNIT(map_agrees_with_a_plain_array),
        UNIT(map_refuses_more_than_it_promised),
        UNIT(timers_fire_in_time),
        UNIT(siphash_matches_the_paper),
        UNIT(addresses_read_as_they_print),
        UNIT(texts_round_trip),
        UNIT(utf8_is_strict),
        UNIT(every_drop_and_error_has_a_text),
        UNIT(borrowed_packets_return_to_their_shard),
        UNIT(pools_survive_failing_allocations),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
