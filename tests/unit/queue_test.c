/* Covers server/sfu/queue.c: which packets wait for which, and in what order they leave. */
#include "tests/unit/support.h"

#include <string.h>

#include "server/sfu/core.h"

enum { AUDIO_SLOTS = 3, SLOT_VOICE = 0, SLOT_PICTURE = AUDIO_SLOTS, PACKETS = 64 };

/* A shard with one subscriber of two voices and two pictures. */
struct bench {
    struct sfu sfu;
    struct peer peer;
    struct peer *active[1];
    struct layer layer;
    struct subscription sub[AUDIO_SLOTS + 2];
};

static struct bench *bench_new(void)
{
    struct bench *b = test_calloc(1, sizeof(*b));
    assert_int_equal(pool_init(&b->sfu.txq, sizeof(struct txq_chunk), 8), 0);
    assert_int_equal(pkt_pool_init(&b->sfu.packets, 0, PACKETS, 0), 0);
    b->sfu.active = b->active;
    b->sfu.gather_until = MONO_NEVER;
    b->peer.audio_slots = AUDIO_SLOTS;
    b->peer.slots = AUDIO_SLOTS + 2;
    for (uint8_t i = 0; i < b->peer.slots; i++) {
        b->sub[i] = (struct subscription){
            .peer = &b->peer, .layer = &b->layer, .slot = i, .video = i >= AUDIO_SLOTS};
        b->peer.slot[i] = &b->sub[i];
    }
    return b;
}

static void bench_free(struct bench *b)
{
    queue_forget(&b->sfu, &b->peer, DROP_RECEIVER_LEFT);
    assert_int_equal(pkt_pool_used(&b->sfu.packets), 0);
    pkt_pool_fini(&b->sfu.packets);
    pool_fini(&b->sfu.txq);
    test_free(b);
}

static void put(struct bench *b, unsigned slot, bool last)
{
    struct pkt *pkt = pkt_new(&b->sfu.packets);
    assert_non_null(pkt);
    pkt->len = 1000;
    pkt->arrival = 5000;
    pkt->desc.payload_len = 980;
    pkt->desc.marker = last;
    pkt->desc.ext_seq = ++b->layer.history.top;
    assert_int_equal(queue_packet(&b->sfu, &b->sub[slot], pkt, false), DROP_NONE);
    pkt_put(&pkt);
}

/* Slots in the order in which they leave, as digits. */
static void assert_order(struct bench *b, const char *order)
{
    char got[TXQ_CHUNK + 1] = "";
    const struct txq_chunk *chunk = b->peer.queue;
    queue_order(&b->peer, b->peer.queue);
    for (unsigned i = 0; i < chunk->count; i++) {
        got[i] = (char)('0' + chunk->entry[i].slot);
    }
    assert_string_equal(got, order);
}

static void a_voice_alone_is_due_at_once(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    put(b, SLOT_VOICE, false);
    assert_int_equal(b->sfu.due_count, 1);
    assert_true(b->sfu.gather_until == MONO_NEVER);
    bench_free(b);
}

static void the_beginning_of_a_picture_waits_for_its_end(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    put(b, SLOT_PICTURE, false);
    put(b, SLOT_PICTURE, false);
    assert_int_equal(b->sfu.due_count, 0);
    assert_int_equal(b->sfu.active_count, 1);
    assert_true(b->sfu.gather_until > 5000 && b->sfu.gather_until < 6000);
    put(b, SLOT_PICTURE, true);
    assert_int_equal(b->sfu.due_count, 1);
    bench_free(b);
}

static void a_voice_goes_with_a_picture_that_is_about_to(void **state)
{
    (void)state;
    for (int voice_first = 0; voice_first < 2; voice_first++) {
        struct bench *b = bench_new();
        put(b, voice_first ? SLOT_VOICE : SLOT_PICTURE, false);
        put(b, voice_first ? SLOT_PICTURE : SLOT_VOICE, false);
        assert_int_equal(b->sfu.due_count, 0);
        assert_true(b->sfu.gather_until < 6000); /* but it does not wait for long */
        put(b, SLOT_PICTURE, true);
        assert_int_equal(b->sfu.due_count, 1);
        queue_unlist(&b->sfu, &b->peer);
        assert_int_equal(b->sfu.due_count, 0);
        put(b, SLOT_VOICE, false); /* nothing gathers any more */
        assert_int_equal(b->sfu.due_count, 1);
        bench_free(b);
    }
}

static void what_must_leave_stays_due(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    put(b, SLOT_PICTURE, true);
    put(b, SLOT_PICTURE + 1, false);
    put(b, SLOT_VOICE, false);
    assert_int_equal(b->sfu.due_count, 1);
    bench_free(b);
}

static void each_voice_ends_the_run_of_a_picture(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    put(b, 0, false);
    put(b, 3, false);
    put(b, 3, true);
    put(b, 1, false);
    put(b, 2, false);
    put(b, 4, true);
    assert_order(b, "330412");
    put(b, 1, false); /* what stands in order stays there */
    put(b, 3, true);
    assert_order(b, "33041231");
    bench_free(b);
}

static void voices_or_pictures_alone_keep_their_order(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    put(b, 1, false);
    put(b, 0, false);
    put(b, 1, false);
    assert_order(b, "101");
    put(b, 4, true);
    put(b, 3, true);
    assert_order(b, "10143");
    bench_free(b);
}

static void on_a_slow_path_no_voice_is_put_behind_a_picture(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    b->peer.estimate_bps = 200000;
    put(b, 0, false);
    put(b, 3, false);
    put(b, 3, true);
    assert_order(b, "033");
    bench_free(b);
}

static void what_never_leaves_is_counted(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const uint64_t *drops = b->sfu.stats.drops;
    put(b, 0, false);
    put(b, 3, true);
    b->sub[3].generation++; /* its source was closed */
    b->sub[0].generation++;
    drain_now(&b->sfu, &b->peer, 6000);
    assert_true(!b->peer.queue);
    assert_int_equal(drops[DROP_REVOKED], 2);
    put(b, 4, true);
    drain_now(&b->sfu, &b->peer, 6000);
    assert_int_equal(drops[DROP_TOO_OLD], 1); /* nothing has begun there */
    put(b, 3, true);
    put(b, 4, true);
    queue_forget(&b->sfu, &b->peer, DROP_NO_CONSENT);
    assert_int_equal(drops[DROP_NO_CONSENT], 2);
    drain_put(&b->sfu, &b->peer, 0);
    assert_int_equal(drops[DROP_SEAL_FAILED], 1);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_voice_alone_is_due_at_once),
        UNIT(the_beginning_of_a_picture_waits_for_its_end),
        UNIT(a_voice_goes_with_a_picture_that_is_about_to),
        UNIT(what_must_leave_stays_due),
        UNIT(each_voice_ends_the_run_of_a_picture),
        UNIT(voices_or_pictures_alone_keep_their_order),
        UNIT(on_a_slow_path_no_voice_is_put_behind_a_picture),
        UNIT(what_never_leaves_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
