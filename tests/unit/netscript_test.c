/* The impairment relay's control words and port translation: tests/net/script.c, nat.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/net/nat.h"
#include "tests/net/script.h"

static int apply(struct script *s, const char *line)
{
    return script_apply(s, line, strlen(line));
}

static void test_words_set_both_or_one_direction(void **state)
{
    struct script s;

    (void)state;
    script_init(&s);
    assert_int_equal(apply(&s, "  loss=5 delay=50.5\tba:rate=500 ab:jitter=0.25 seed=99 # x=1"),
                     SCRIPT_NONE);
    assert_int_equal(s.dir[0].conf.loss_good_ppm, 50000);
    assert_int_equal(s.dir[1].conf.loss_good_ppm, 50000);
    assert_int_equal(s.dir[0].conf.delay_us, 50500);
    assert_int_equal(s.dir[0].conf.rate_bps, 0);
    assert_int_equal(s.dir[1].conf.rate_bps, 500000);
    assert_int_equal(s.dir[0].conf.jitter_us, 250);
    assert_int_equal(s.dir[1].conf.jitter_us, 0);
    assert_int_equal(s.seed, 99);
    assert_true(s.seed_set);
    assert_int_equal(apply(&s, "reorder=2 hold=20 dup=0.5 queue=150"), SCRIPT_NONE);
    assert_int_equal(s.dir[1].conf.reorder_ppm, 20000);
    assert_int_equal(s.dir[1].conf.reorder_us, 20000);
    assert_int_equal(s.dir[1].conf.duplicate_ppm, 5000);
    assert_int_equal(s.dir[1].conf.queue_us, 150000);
    assert_int_equal(apply(&s, "ab:reset"), SCRIPT_NONE);
    assert_int_equal(s.dir[0].conf.loss_good_ppm, 0);
    assert_int_equal(s.dir[0].conf.delay_us, 0);
    assert_int_equal(s.dir[1].conf.delay_us, 50500);
}

/* Loss and burst may come in either order, on separate lines. */
static void test_loss_and_burst_combine(void **state)
{
    struct script a;
    struct script b;

    (void)state;
    script_init(&a);
    script_init(&b);
    assert_int_equal(apply(&a, "loss=5 burst=4"), SCRIPT_NONE);
    assert_int_equal(apply(&b, "burst=4"), SCRIPT_NONE);
    assert_int_equal(apply(&b, "loss=5"), SCRIPT_NONE);
    assert_memory_equal(&a.dir, &b.dir, sizeof(a.dir));
    assert_int_equal(a.dir[0].conf.leave_bad_ppm, 250000);
    assert_int_equal(a.dir[0].conf.loss_good_ppm, 0);
    assert_int_equal(apply(&a, "ge=1/25/0.5/80"), SCRIPT_NONE);
    assert_int_equal(a.dir[1].conf.enter_bad_ppm, 10000);
    assert_int_equal(a.dir[1].conf.loss_good_ppm, 5000);
    assert_int_equal(a.dir[1].conf.loss_bad_ppm, 800000);
}

static void test_verbs(void **state)
{
    struct script s;

    (void)state;
    script_init(&s);
    assert_int_equal(apply(&s, "stat"), SCRIPT_STAT);
    assert_int_equal(apply(&s, "loss=1 rebind stat quit"),
                     SCRIPT_STAT | SCRIPT_REBIND | SCRIPT_QUIT);
    assert_int_equal(apply(&s, ""), SCRIPT_NONE);
    assert_int_equal(apply(&s, "# stat"), SCRIPT_NONE);
}

/* A bad word names itself and leaves everything as it was. */
static void test_bad_words_change_nothing(void **state)
{
    static const char *const bad[] = {
        "los=5",        "loss=",         "loss=x",     "loss=101",
        "loss=-1",      "loss=1.23456",  "loss",       "ab:",
        "ab:stat",      "ab:=5",         "delay=1e3",  "rate=99999999999999999999",
        "seed=",        "seed=1.5",      "ge=1/2/3",   "ge=1/2/3/4/5",
        "ge=1/2/3/101", "loss=.5",       "loss=5.5.5", "=",
        "burst=1001",   "queue=3600001",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct script s;
        struct script before;
        char line[128];

        script_init(&s);
        before = s;
        snprintf(line, sizeof(line), "delay=9 %s", bad[i]);
        assert_int_equal(apply(&s, line), -1);
        assert_memory_equal(&s.dir, &before.dir, sizeof(s.dir));
        assert_int_equal(s.seed, before.seed);
        assert_int_equal(s.bad_len, strlen(bad[i]));
        assert_memory_equal(s.bad, bad[i], s.bad_len);
    }
}

static void test_schedule_lines(void **state)
{
    const char *line = " 1500.5 ab:loss=20\n";
    uint64_t at_us = 0;
    size_t rest = 0;

    (void)state;
    assert_int_equal(script_schedule_line(line, strlen(line), &at_us, &rest), 1);
    assert_int_equal(at_us, 1500500);
    assert_string_equal(line + rest, " ab:loss=20\n");
    assert_int_equal(script_schedule_line("# no\n", 5, &at_us, &rest), 0);
    assert_int_equal(script_schedule_line("\n", 1, &at_us, &rest), 0);
    assert_int_equal(script_schedule_line("x 1", 3, &at_us, &rest), -1);
}

/* Plain checksum over pseudo header and UDP, the slow and obvious way; 0 when right. */
static uint16_t udp_check(const uint8_t *packet, size_t head, size_t len)
{
    size_t from = head == 20 ? 12 : 8;
    uint32_t sum = 17u + (uint32_t)(len - head);

    for (size_t i = from; i < len; i += 2)
        sum += (uint32_t)(packet[i] << 8) + (i + 1 < len ? packet[i + 1] : 0u);
    while (sum >> 16)
        sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)~sum;
}

static void build(uint8_t *packet, size_t head, size_t len, uint16_t from, uint16_t to)
{
    for (size_t i = 0; i < len; i++)
        packet[i] = (uint8_t)(i * 31u + 7u);
    packet[0] = head == 20 ? 0x45 : 0x60;
    packet[6] = head == 20 ? 0 : 17;
    packet[7] = 0;
    if (head == 20)
        packet[9] = 17;
    uint8_t *udp = packet + head;

    udp[0] = (uint8_t)(from >> 8);
    udp[1] = (uint8_t)from;
    udp[2] = (uint8_t)(to >> 8);
    udp[3] = (uint8_t)to;
    udp[4] = (uint8_t)((len - head) >> 8);
    udp[5] = (uint8_t)(len - head);
    udp[6] = udp[7] = 0;
    uint16_t sum = udp_check(packet, head, len);

    udp[6] = (uint8_t)(sum >> 8);
    udp[7] = (uint8_t)sum;
}

static int port_known(void *arg, uint16_t port)
{
    return port == *(const uint16_t *)arg;
}

static void check_nat(size_t head)
{
    uint8_t packet[101];
    size_t len = head + 53; /* odd length on purpose */
    struct nat n = {0};

    build(packet, head, len, 50000, 3478);
    assert_int_equal(udp_check(packet, head, len), 0);
    nat_out(&n, packet, len);
    assert_int_equal(nat_source_port(packet, len), 50000);

    for (uint32_t round = 0; round < 500; round++) {
        uint16_t mask = n.mask;

        nat_rebind(&n, round * 2654435761u);
        assert_int_not_equal(n.mask, mask);
        assert_int_not_equal(n.mask, 0);
        build(packet, head, len, 50000, 3478);
        nat_out(&n, packet, len);
        uint16_t seen = nat_source_port(packet, len);

        assert_int_equal(seen, 50000 ^ n.mask);
        assert_int_equal(udp_check(packet, head, len), 0);
        /* The answer to the new port comes home; one to the old port does not. */
        build(packet, head, len, 3478, seen);
        assert_int_equal(nat_in(&n, packet, len, port_known, &seen), 0);
        assert_int_equal(packet[head + 2] << 8 | packet[head + 3], 50000);
        assert_int_equal(udp_check(packet, head, len), 0);
        build(packet, head, len, 3478, (uint16_t)(50000 ^ mask));
        assert_int_equal(nat_in(&n, packet, len, port_known, &seen), -1);
    }
}

static void test_nat_both_families(void **state)
{
    (void)state;
    check_nat(20);
    check_nat(40);
}

static void test_nat_leaves_the_rest_alone(void **state)
{
    uint8_t packet[64];
    uint8_t before[64];
    struct nat n = {0};

    (void)state;
    nat_rebind(&n, 5);
    build(packet, 20, sizeof(packet), 1000, 2000);
    packet[9] = 6; /* TCP */
    memcpy(before, packet, sizeof(packet));
    nat_out(&n, packet, sizeof(packet));
    assert_memory_equal(packet, before, sizeof(packet));
    /* A later fragment has no ports. */
    packet[9] = 17;
    packet[7] = 100;
    memcpy(before, packet, sizeof(packet));
    nat_out(&n, packet, sizeof(packet));
    assert_memory_equal(packet, before, sizeof(packet));
    for (size_t len = 0; len < 28; len++)
        assert_int_equal(nat_source_port(packet, len), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_set_both_or_one_direction),
        cmocka_unit_test(test_loss_and_burst_combine),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_bad_words_change_nothing),
        cmocka_unit_test(test_schedule_lines),
        cmocka_unit_test(test_nat_both_families),
        cmocka_unit_test(test_nat_leaves_the_rest_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
