/* What was sent (rtx) and what is kept (history). */
#include "tests/unit/support.h"

#include "codec/base/err.h"
#include "server/proto/history.h"
#include "server/proto/rtx.h"

enum { MS = US_PER_MS, KEEP = 2 * US_PER_S, CAP = 64 };

static void note(struct rtx *rtx, struct pool *pool, int64_t out, int64_t in, uint64_t source,
                 mono_us now)
{
    struct rtx_sent sent = {
        .source = source,
        .seq_in = in,
        .timestamp_shift = (uint32_t)source * 10,
        .edit = {.picture_id = (uint16_t)in},
    };
    rtx_note(rtx, pool, out, &sent, KEEP, now);
}

static void sent_packets_are_found_by_their_output_number(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx_sent sent;
    int64_t full;
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), 64), 0);
    for (int64_t i = 0; i < 300; i++) {
        note(&rtx, &pool, 65500 + i, 900 + i, i < 150 ? 1 : 2, i * MS);
    }
    for (int64_t i = 0; i < 300; i++) {
        assert_int_equal(rtx_find(&rtx, (uint16_t)(65500 + i), 50 * MS, 500 * MS, &sent, &full), 0);
        assert_int_equal(sent.seq_in, 900 + i);
        assert_int_equal(sent.source, i < 150 ? 1 : 2);
        assert_int_equal(sent.timestamp_shift, sent.source * 10);
        assert_int_equal(sent.edit.picture_id, 900 + i);
        assert_int_equal(full, 65500 + i);
    }
    assert_int_equal(rtx_find(&rtx, (uint16_t)(65500 + 300), 0, US_PER_S, &sent, &full),
                     E_NOTFOUND);
    assert_int_equal(rtx_find(&rtx, (uint16_t)(65500 - 1), 0, US_PER_S, &sent, &full), E_NOTFOUND);
    rtx_clear(&rtx, &pool);
    assert_int_equal(pool.used, 0);
    pool_fini(&pool);
}

static void one_resend_per_round_trip(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx_sent sent;
    int64_t full;
    unsigned n = 0;
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), 4), 0);
    note(&rtx, &pool, 5, 5, 1, 0);
    for (mono_us now = 0; now < US_PER_S; now += MS) {
        n += rtx_find(&rtx, 5, 100 * MS, now, &sent, &full) == 0;
    }
    assert_in_range(n, 9, 10);
    /* The first request is heard whatever we take the round trip to be. */
    note(&rtx, &pool, 6, 6, 1, US_PER_S);
    assert_int_equal(rtx_peek(&rtx, 6, US_PER_S, &sent, &full), 0);
    assert_int_equal(rtx_find(&rtx, 6, 100 * MS, US_PER_S + MS, &sent, &full), 0);
    assert_int_equal(sent.seq_in, 6);
    assert_int_equal(rtx_find(&rtx, 6, 100 * MS, US_PER_S + 50 * MS, &sent, &full), E_AGAIN);
    assert_int_equal(rtx_find(&rtx, 6, 100 * MS, US_PER_S + 110 * MS, &sent, &full), 0);
    assert_int_equal(rtx_peek(&rtx, 7, US_PER_S, &sent, &full), E_NOTFOUND);
    rtx_clear(&rtx, &pool);
    pool_fini(&pool);
}

static void what_is_told_lost_goes_again_once(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx_sent sent;
    int64_t full;
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), 4), 0);
    note(&rtx, &pool, 5, 105, 1, 0);
    note(&rtx, &pool, 6, 106, 1, 0);
    assert_int_equal(rtx_missed(&rtx, 5, 0, 60 * MS, &sent, &full), 0);
    assert_int_equal(sent.seq_in, 105);
    /* The same news again; then that the second sending is lost as well. */
    assert_int_equal(rtx_missed(&rtx, 5, 0, 80 * MS, &sent, &full), E_AGAIN);
    assert_int_equal(rtx_missed(&rtx, 5, rtx_stamp(60 * MS), 140 * MS, &sent, &full), 0);
    /* Asked for meanwhile: only the later sending counts. */
    assert_int_equal(rtx_find(&rtx, 6, 50 * MS, 55 * MS, &sent, &full), 0);
    assert_int_equal(rtx_missed(&rtx, 6, 0, 60 * MS, &sent, &full), E_AGAIN);
    rtx_arrived(&rtx, 6, 120 * MS);
    assert_int_equal(rtx_missed(&rtx, 6, rtx_stamp(55 * MS), 130 * MS, &sent, &full), E_AGAIN);
    assert_int_equal(rtx_missed(&rtx, 7, 0, 130 * MS, &sent, &full), E_NOTFOUND);
    rtx_clear(&rtx, &pool);
    pool_fini(&pool);
}

static void holes_and_late_packets(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx_sent sent;
    int64_t full;
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), 8), 0);
    note(&rtx, &pool, 10, 110, 1, 0);
    note(&rtx, &pool, 15, 115, 1, 0);
    assert_int_equal(rtx_find(&rtx, 12, 0, MS, &sent, &full), E_NOTFOUND);
    note(&rtx, &pool, 12, 112, 1, MS);
    assert_int_equal(rtx_find(&rtx, 12, 0, 2 * MS, &sent, &full), 0);
    assert_int_equal(sent.seq_in, 112);
    rtx_clear(&rtx, &pool);
    pool_fini(&pool);
}

static void late_packet_between_two_chunks(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx_sent sent;
    int64_t full;
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), 8), 0);
    for (int64_t i = 0; i < RTX_CHUNK_PACKETS; i++) {
        note(&rtx, &pool, i, 100 + i, 1, 0);
    }
    note(&rtx, &pool, RTX_CHUNK_PACKETS + 2, 102 + RTX_CHUNK_PACKETS, 1, 0);
    note(&rtx, &pool, RTX_CHUNK_PACKETS, 100 + RTX_CHUNK_PACKETS, 1, 0);
    assert_int_equal(rtx_find(&rtx, RTX_CHUNK_PACKETS, 0, MS, &sent, &full), 0);
    assert_int_equal(sent.seq_in, 100 + RTX_CHUNK_PACKETS);
    assert_int_equal(rtx_find(&rtx, RTX_CHUNK_PACKETS + 1, 0, MS, &sent, &full), E_NOTFOUND);
    rtx_clear(&rtx, &pool);
    pool_fini(&pool);
}

static void memory_follows_the_rate_and_a_full_pool_is_survived(void **state)
{
    (void)state;
    struct pool pool;
    struct rtx rtx = {0};
    struct rtx other = {0};
    assert_int_equal(pool_init(&pool, sizeof(struct rtx_chunk), RTX_CHUNKS_MAX), 0);
    for (int64_t i = 0; i < 2000; i++) { /* 100 a second for 20 s: 2 s are about four chunks */
        note(&rtx, &pool, i, i, 1, i * 10 * MS);
        assert_true(pool.used <= 6);
    }
    for (int64_t i = 0; i < 20000; i++) {
        note(&other, &pool, i, i, 1, 20 * US_PER_S);
        assert_true(pool.used <= RTX_CHUNKS_MAX);
    }
    rtx_clear(&rtx, &pool);
    rtx_clear(&other, &pool);
    assert_int_equal(pool.used, 0);
    pool_fini(&pool);
}

static struct pkt *packet(struct pkt_pool *pool, int64_t seq, mono_us now)
{
    struct pkt *pkt = pkt_new(pool);
    assert_non_null(pkt);
    pkt->desc.ext_seq = seq;
    pkt->arrival = now;
    return pkt;
}

static void keep(struct history *h, struct pkt_pool *pool, int64_t seq, mono_us now)
{
    struct pkt *pkt = packet(pool, seq, now);
    history_put(h, pkt);
    pkt_put(&pkt);
}

static void history_keeps_a_window_and_tells_duplicates(void **state)
{
    (void)state;
    struct pkt_pool pool;
    struct pkt *memory[CAP] = {0};
    struct history h;
    assert_int_equal(pkt_pool_init(&pool, 0, 2 * CAP, 0), 0);
    history_init(&h, memory, CAP);
    assert_int_equal(history_check(&h, 5), 0);
    for (int64_t i = 1000; i < 1200; i += 2) {
        assert_int_equal(history_check(&h, i), 0);
        keep(&h, &pool, i, i);
        assert_int_equal(history_check(&h, i), E_DUP);
        assert_true(pkt_pool_used(&pool) <= CAP);
    }
    assert_int_equal(history_get(&h, 1198)->desc.ext_seq, 1198);
    assert_null(history_get(&h, 1197));
    assert_null(history_get(&h, 1200));
    assert_null(history_get(&h, 1198 - CAP));
    assert_int_equal(history_check(&h, 1198 - CAP), E_RANGE);
    assert_int_equal(history_check(&h, 1197), 0);
    keep(&h, &pool, 1197, 1300);
    assert_int_equal(history_get(&h, 1197)->desc.ext_seq, 1197);
    history_fini(&h);
    assert_int_equal(pkt_pool_used(&pool), 0);
    pkt_pool_fini(&pool);
}

static void history_skips_what_is_not_wanted(void **state)
{
    (void)state;
    struct pkt_pool pool;
    struct pkt *memory[CAP] = {0};
    struct history h;
    assert_int_equal(pkt_pool_init(&pool, 0, CAP, 0), 0);
    history_init(&h, memory, CAP);
    history_skip(&h, 4);
    assert_int_equal(history_check(&h, 4), E_RANGE);
    keep(&h, &pool, 6, 0);
    history_skip(&h, 9);
    assert_int_equal(pkt_pool_used(&pool), 0);
    assert_int_equal(history_check(&h, 9), E_RANGE);
    assert_int_equal(history_check(&h, 10), 0);
    keep(&h, &pool, 10, 0);
    assert_non_null(history_get(&h, 10));
    history_fini(&h);
    pkt_pool_fini(&pool);
}

static void history_expires_by_age(void **state)
{
    (void)state;
    struct pkt_pool pool;
    struct pkt *memory[CAP] = {0};
    struct history h;
    assert_int_equal(pkt_pool_init(&pool, 0, CAP, 0), 0);
    history_init(&h, memory, CAP);
    for (int64_t i = 0; i < 20; i++) {
        keep(&h, &pool, i, i * 100);
    }
    history_expire(&h, 1000);
    assert_int_equal(pkt_pool_used(&pool), 10);
    assert_null(history_get(&h, 9));
    assert_non_null(history_get(&h, 10));
    history_expire(&h, 100000);
    assert_int_equal(pkt_pool_used(&pool), 0);
    assert_int_equal(history_check(&h, 19), E_RANGE);
    assert_int_equal(history_check(&h, 20), 0);
    history_fini(&h);
    pkt_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(sent_packets_are_found_by_their_output_number),
        UNIT(one_resend_per_round_trip),
        UNIT(what_is_told_lost_goes_again_once),
        UNIT(holes_and_late_packets),
        UNIT(late_packet_between_two_chunks),
        UNIT(memory_follows_the_rate_and_a_full_pool_is_survived),
        UNIT(history_keeps_a_window_and_tells_duplicates),
        UNIT(history_skips_what_is_not_wanted),
        UNIT(history_expires_by_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
