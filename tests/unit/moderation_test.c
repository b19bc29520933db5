#include "tests/unit/support.h"

#include "server/proto/moderation.h"

enum { BEAT = 250 * US_PER_MS, NOW = 7 * US_PER_S };

static mono_us rest(const struct moderation *m)
{
    return moderation_until(m, NOW) - NOW;
}

/* Packets of media a second to packets of a beat. */
static void feed(struct moderation *m, uint64_t per_second)
{
    moderation_input(m, per_second / 4, BEAT);
}

static void few_senders_are_served_at_once(void **state)
{
    (void)state;
    struct moderation m;
    moderation_init(&m);
    assert_int_equal(rest(&m), 0);
    feed(&m, 0);
    assert_int_equal(rest(&m), 0);
    feed(&m, 250); /* one publisher */
    assert_int_equal(rest(&m), 0);
    feed(&m, 2400);
    assert_int_equal(rest(&m), 0);
}

static void many_senders_are_gathered(void **state)
{
    (void)state;
    struct moderation m;
    moderation_init(&m);
    feed(&m, 8000);
    assert_int_equal(rest(&m), MODERATION_REST_US);
    feed(&m, 48000); /* what gathers sooner rests shorter */
    assert_int_equal(rest(&m), 500);
    feed(&m, 2400); /* more than where it ends, less than where it begins */
    assert_int_equal(rest(&m), MODERATION_REST_US);
    feed(&m, 1900);
    assert_int_equal(rest(&m), 0);
    feed(&m, 2400);
    assert_int_equal(rest(&m), 0);
}

static void a_handshake_is_awaited(void **state)
{
    (void)state;
    struct moderation m;
    moderation_init(&m);
    feed(&m, 8000);
    moderation_hurry(&m, NOW);
    assert_int_equal(rest(&m), 0);
    assert_int_equal(moderation_until(&m, NOW + MODERATION_HURRY_US - 1),
                     NOW + MODERATION_HURRY_US - 1);
    assert_int_equal(moderation_until(&m, NOW + MODERATION_HURRY_US),
                     NOW + MODERATION_HURRY_US + MODERATION_REST_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(few_senders_are_served_at_once),
        UNIT(many_senders_are_gathered),
        UNIT(a_handshake_is_awaited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
