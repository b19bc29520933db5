/* tsan: producers and a consumer on threads of their own. Covers server/io/{mailbox,loop}. */
#include "tests/unit/support.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "server/io/loop.h"
#include "server/io/mailbox.h"

enum { PRODUCERS = 3, MESSAGES = 50000, WORDS = 6 };

struct message {
    uint64_t word[WORDS];
};

struct producer {
    struct mailbox *mailbox;
    uint32_t number;
    pthread_t thread;
};

static bool readable(const struct mailbox *mailbox)
{
    struct pollfd p = {.fd = mailbox_fd(mailbox), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void *produce(void *arg)
{
    const struct producer *me = arg;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct message msg;
        for (int w = 0; w < WORDS; w++) {
            msg.word[w] = (uint64_t)me->number << 32 | i;
        }
        while (!mailbox_push(me->mailbox, me->number, &msg)) {
            mailbox_ring(me->mailbox); /* full: make sure somebody empties it */
        }
        if (i % 7 == 0 || i == MESSAGES - 1) {
            mailbox_ring(me->mailbox);
        }
    }
    return NULL;
}

struct consumer {
    struct mailbox *mailbox;
    uint64_t next[PRODUCERS];
    uint64_t total;
    uint64_t wakes;
};

static void consume(void *arg, unsigned ready, mono_us now)
{
    struct consumer *me = arg;
    struct message msg;
    (void)now;
    assert_true(ready & LOOP_READ);
    me->wakes++;
    mailbox_answer(me->mailbox);
    while (mailbox_pop(me->mailbox, &msg)) {
        uint64_t producer = msg.word[0] >> 32;
        assert_true(producer < PRODUCERS);
        assert_true((msg.word[0] & UINT32_MAX) == me->next[producer]); /* in order, none lost */
        me->next[producer]++;
        for (int w = 1; w < WORDS; w++) {
            assert_true(msg.word[w] == msg.word[0]); /* never half a message */
        }
        me->total++;
    }
}

static void test_messages_of_many_threads_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct loop *loop;
    struct consumer consumer = {0};
    assert_int_equal(loop_new(&loop, 4), 0);
    assert_int_equal(mailbox_new(&consumer.mailbox, PRODUCERS, 64, sizeof(struct message)), 0);
    assert_int_equal(loop_add(loop, mailbox_fd(consumer.mailbox), LOOP_READ, consume, &consumer),
                     0);
    struct producer producer[PRODUCERS];
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producer[i] = (struct producer){.mailbox = consumer.mailbox, .number = i};
        assert_int_equal(pthread_create(&producer[i].thread, NULL, produce, &producer[i]), 0);
    }
    while (consumer.total < (uint64_t)PRODUCERS * MESSAGES) {
        loop_wait(loop, MONO_NEVER); /* a lost wake-up would hang here */
    }
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producer[i].thread, NULL), 0);
        assert_int_equal(consumer.next[i], MESSAGES);
    }
    assert_true(consumer.wakes <= consumer.total);
    loop_free(loop);
    mailbox_free(consumer.mailbox);
}

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &total, &resident), 2);
    assert_int_equal(fclose(f), 0);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* A ring of 128 MiB that never holds more than a few messages stays in its first pages. */
static void test_little_traffic_touches_little_memory(void **state)
{
    enum { CELLS = 8192, BYTES = 16384 };
    static uint8_t in[BYTES], out[BYTES];
    struct mailbox *mailbox;
    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 1, CELLS, BYTES), 0);
    size_t before = resident_bytes();
    for (uint32_t i = 0; i < 3 * CELLS; i++) {
        for (uint32_t k = 0; k <= i % 5; k++) {
            memcpy(in, &(uint32_t){i * 8 + k}, sizeof(uint32_t));
            assert_true(mailbox_push(mailbox, 0, in));
        }
        for (uint32_t k = 0; k <= i % 5; k++) {
            assert_true(mailbox_pop(mailbox, out));
            assert_memory_equal(out, &(uint32_t){i * 8 + k}, sizeof(uint32_t));
        }
    }
    assert_false(mailbox_pop(mailbox, out));
    size_t grown = resident_bytes() - before;
    print_message("resident memory grew by %zu KiB\n", grown / 1024);
    assert_in_range(grown, 0, (size_t)32 << 20); /* the shadow of a sanitizer included */
    mailbox_free(mailbox);
}

/* Full, empty and half-full in turn, over several laps: order holds wherever the ring begins. */
static void test_order_holds_when_a_ring_begins_again(void **state)
{
    struct mailbox *mailbox;
    uint32_t next_in = 0, next_out = 0, out;
    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 1, 128, sizeof(out)), 0);
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t put = round * 37 % 129;
        for (uint32_t i = 0; i < put && mailbox_push(mailbox, 0, &next_in); i++) {
            next_in++;
        }
        uint32_t take = round % 11 == 0 ? 128 : round * 53 % 129;
        for (uint32_t i = 0; i < take && mailbox_pop(mailbox, &out); i++) {
            assert_int_equal(out, next_out);
            next_out++;
        }
        assert_true(next_in - next_out <= 128);
    }
    assert_true(next_out > 50000);
    mailbox_free(mailbox);
}

static void test_several_rings_are_one_wake_up(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    uint32_t in, out;
    assert_int_equal(mailbox_new(&mailbox, 2, 4, sizeof(in)), 0);
    assert_false(readable(mailbox));
    for (in = 0; in < 4; in++) {
        assert_true(mailbox_push(mailbox, 0, &in));
        assert_false(readable(mailbox) && in == 0); /* silent until rung */
        mailbox_ring(mailbox);
    }
    assert_false(mailbox_push(mailbox, 0, &in));
    assert_int_equal(mailbox_refused(mailbox), 1);
    in = 100;
    assert_true(mailbox_push(mailbox, 1, &in)); /* the other's ring has room of its own */
    assert_true(readable(mailbox));
    mailbox_answer(mailbox);
    assert_false(readable(mailbox));
    uint32_t want[] = {0, 100, 1, 2, 3}; /* turn by turn */
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(mailbox_pop(mailbox, &out));
        assert_int_equal(out, want[i]);
    }
    assert_false(mailbox_pop(mailbox, &out));
    assert_true(mailbox_push(mailbox, 0, &in));
    mailbox_ring(mailbox);
    assert_true(readable(mailbox));
    mailbox_free(mailbox);
}

static void test_the_bounds_of_a_mailbox_hold(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    assert_int_equal(mailbox_new(&mailbox, 0, 4, 4), E_RANGE);
    assert_int_equal(mailbox_new(&mailbox, 257, 4, 4), E_RANGE);
    assert_int_equal(mailbox_new(&mailbox, 1, 3, 4), E_RANGE);
    assert_int_equal(mailbox_new(&mailbox, 1, 131072, 4), E_RANGE);
    assert_int_equal(mailbox_new(&mailbox, 1, 4, 0), E_RANGE);
    assert_int_equal(mailbox_new(&mailbox, 1, 4, 65537), E_RANGE);
    assert_null(mailbox);
}

/* ---- loop ---------------------------------------------------------------------------------------
 */

static void *ring_loop(void *arg)
{
    loop_ring(arg);
    return NULL;
}

static void test_the_bell_wakes_a_waiting_loop(void **state)
{
    (void)state;
    struct loop *loop;
    assert_int_equal(loop_new(&loop, 1), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ring_loop, loop), 0);
    loop_wait(loop, MONO_NEVER);
    assert_int_equal(pthread_join(thread, NULL), 0);
    loop_ring(loop);
    loop_ring(loop);
    loop_wait(loop, MONO_NEVER);
    mono_us begin = clock_mono_us();
    mono_us woke =
        loop_wait(loop, begin + 300); /* the bell is silent again: the deadline ends it */
    assert_true(woke >= begin + 300);
    assert_true(loop_wait(loop, 0) >= woke); /* a deadline in the past does not wait */
    loop_free(loop);
}

struct pipes {
    struct loop *loop;
    int fd[2][2];
    unsigned calls;
    unsigned ready;
};

static void remove_both(void *arg, unsigned ready, mono_us now)
{
    struct pipes *p = arg;
    (void)now;
    p->calls++;
    p->ready = ready;
    loop_del(p->loop, p->fd[0][0]);
    loop_del(p->loop, p->fd[1][0]);
}

static void test_a_removed_descriptor_is_not_called_again(void **state)
{
    (void)state;
    struct pipes p = {0};
    assert_int_equal(loop_new(&p.loop, 2), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(p.fd[i]), 0);
        assert_int_equal(write(p.fd[i][1], "x", 1), 1);
        assert_int_equal(loop_add(p.loop, p.fd[i][0], LOOP_READ, remove_both, &p), 0);
    }
    assert_int_equal(loop_add(p.loop, p.fd[0][0], LOOP_READ, remove_both, &p), E_DUP);
    assert_int_equal(loop_add(p.loop, p.fd[0][1], LOOP_READ, remove_both, &p), E_FULL);
    loop_wait(p.loop, 0); /* both were ready in the same wait */
    assert_int_equal(p.calls, 1);
    assert_int_equal(p.ready, LOOP_READ);
    loop_wait(p.loop, 0);
    assert_int_equal(p.calls, 1);
    assert_int_equal(loop_set(p.loop, p.fd[0][0], LOOP_READ), E_NOTFOUND);
    assert_int_equal(loop_add(p.loop, p.fd[0][0], 0, remove_both, &p), 0);
    loop_wait(p.loop, 0);
    assert_int_equal(p.calls, 1); /* nothing asked for, nothing said */
    assert_int_equal(loop_set(p.loop, p.fd[0][0], LOOP_READ), 0);
    loop_wait(p.loop, 0);
    assert_int_equal(p.calls, 2);
    for (int i = 0; i < 2; i++) {
        close(p.fd[i][0]);
        close(p.fd[i][1]);
    }
    loop_free(p.loop);
    struct loop *none;
    assert_int_equal(loop_new(&none, 0), E_RANGE);
}

static int scene_new(void *arg)
{
    (void)arg;
    struct loop *loop = NULL;
    struct mailbox *mailbox = NULL;
    int err = loop_new(&loop, 8);
    if (!err) {
        err = mailbox_new(&mailbox, 2, 4, 8);
    }
    loop_free(loop);
    mailbox_free(mailbox);
    return err;
}

static void test_memory_running_out_is_survived(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene_new, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_messages_of_many_threads_arrive_whole_and_in_order),
        UNIT(test_little_traffic_touches_little_memory),
        UNIT(test_order_holds_when_a_ring_begins_again),
        UNIT(test_several_rings_are_one_wake_up),
        UNIT(test_the_bounds_of_a_mailbox_hold),
        UNIT(test_the_bell_wakes_a_waiting_loop),
        UNIT(test_a_removed_descriptor_is_not_called_again),
        UNIT(test_memory_running_out_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
