#include "tests/unit/support.h"

#include <stdbool.h>

#include "server/proto/speaker.h"

enum { MS = US_PER_MS, PEOPLE = 8, LOUD = 20, QUIET = 100 };

struct hall {
    struct speaker sp;
    struct speaker_member m[PEOPLE];
    uint8_t level[PEOPLE];
    mono_us now;
    unsigned changes;
};

static void hall_open(struct hall *h, uint32_t seats)
{
    *h = (struct hall){.now = US_PER_S};
    speaker_init(&h->sp, seats);
    for (unsigned i = 0; i < PEOPLE; i++) {
        speaker_join(&h->sp, &h->m[i], false);
        h->level[i] = QUIET;
    }
}

static void hall_run(struct hall *h, mono_us us)
{
    struct speaker_change change;
    for (mono_us end = h->now + us; h->now < end; h->now += 20 * MS) {
        for (unsigned i = 0; i < PEOPLE; i++) {
            if (h->m[i].joined && h->level[i] <= 127) {
                h->changes +=
                    speaker_input(&h->sp, &h->m[i], h->level[i], h->level[i] < 60, &change, h->now);
            }
        }
    }
}

static void everybody_has_a_seat_while_there_are_enough(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, PEOPLE);
    hall_run(&h, 20 * MS);
    for (unsigned i = 0; i < PEOPLE; i++) {
        assert_true(h.m[i].seat >= 0);
    }
}

static void a_speaker_gets_a_seat_within_100_ms(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, 3);
    hall_run(&h, 2 * US_PER_S);
    for (unsigned i = 0; i < PEOPLE; i++) {
        h.level[i] = LOUD;
        hall_run(&h, 100 * MS);
        assert_true(h.m[i].seat >= 0);
        h.level[i] = QUIET;
        hall_run(&h, 2 * US_PER_S);
    }
}

static void talkers_keep_their_seats(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, 3);
    h.level[0] = 30;
    h.level[1] = 31;
    h.level[2] = 32;
    hall_run(&h, 3 * US_PER_S);
    int8_t seat = h.m[0].seat;
    h.changes = 0;
    for (unsigned i = 0; i < 50; i++) { /* others murmur, nearly as loud */
        h.level[3] = i % 2 ? 33 : QUIET;
        h.level[4] = i % 2 ? QUIET : 29;
        hall_run(&h, 200 * MS);
    }
    assert_int_equal(h.changes, 0);
    assert_int_equal(h.m[0].seat, seat);
}

static void a_click_takes_no_seat(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, 3);
    hall_run(&h, 2 * US_PER_S);
    h.changes = 0;
    unsigned outside = 0;
    while (h.m[outside].seat >= 0) {
        outside++;
    }
    h.level[outside] = 0;
    hall_run(&h, 20 * MS);
    h.level[outside] = QUIET;
    hall_run(&h, US_PER_S);
    assert_int_equal(h.changes, 0);
}

static void pinned_sound_goes_before_talkers(void **state)
{
    (void)state;
    struct hall h;
    struct speaker_member sound;
    struct speaker_change change;
    hall_open(&h, 2);
    hall_run(&h, 3 * US_PER_S);
    speaker_join(&h.sp, &sound, true);
    assert_true(speaker_input(&h.sp, &sound, 127, false, &change, h.now));
    assert_non_null(change.out);
    for (unsigned i = 0; i < PEOPLE; i++) {
        h.level[i] = LOUD;
    }
    mono_us end = h.now + 2 * US_PER_S;
    while (h.now < end) {
        hall_run(&h, 20 * MS);
        speaker_input(&h.sp, &sound, 127, false, &change, h.now);
    }
    assert_true(sound.seat >= 0);
}

/* Whatever is ignored would have changed no seat, and whoever begins to speak is listened to. */
static void silence_without_a_seat_is_ignored(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, 3);
    hall_run(&h, SPEAKER_QUIET_US - 100 * MS);
    unsigned outside = 0;
    while (h.m[outside].seat >= 0) {
        outside++;
    }
    struct speaker_member *m = &h.m[outside];
    m->speech_us = h.now - SPEAKER_QUIET_US + MS;
    assert_false(speaker_ignores(&h.sp, m, QUIET, false, h.now)); /* spoke a moment ago */
    h.now += MS;
    assert_true(speaker_ignores(&h.sp, m, QUIET, false, h.now));
    assert_true(speaker_ignores(&h.sp, m, 127, true, h.now));
    assert_false(speaker_ignores(&h.sp, m, 50, true, h.now));   /* speech */
    assert_false(speaker_ignores(&h.sp, m, 255, false, h.now)); /* who knows */
    assert_false(speaker_ignores(&h.sp, h.sp.seat[0], QUIET, false, h.now));
    m->pinned = true;
    assert_false(speaker_ignores(&h.sp, m, QUIET, false, h.now));
    m->pinned = false;
    speaker_leave(&h.sp, h.sp.seat[1]);
    assert_false(speaker_ignores(&h.sp, m, QUIET, false, h.now)); /* a free seat is his */
}

static void silence_and_leaving_free_a_seat(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, PEOPLE);
    hall_run(&h, US_PER_S);
    h.level[3] = 255; /* sends nothing */
    hall_run(&h, SPEAKER_GONE_US + 100 * MS);
    assert_ptr_equal(speaker_expire(&h.sp, h.now), &h.m[3]);
    assert_null(speaker_expire(&h.sp, h.now));
    assert_true(speaker_leave(&h.sp, &h.m[4]));
    assert_false(speaker_leave(&h.sp, &h.m[4]));
    assert_false(speaker_leave(&h.sp, &h.m[3]));
}

/* Encoders that say nothing in a pause but for one packet in 400 ms are silent all the same: who
 * then speaks softly has the seat as soon as it is not safe any more. */
static void a_pause_of_dtx_counts_by_time(void **state)
{
    (void)state;
    struct hall h;
    struct speaker_change change;
    hall_open(&h, 3);
    h.level[0] = h.level[1] = h.level[2] = LOUD;
    hall_run(&h, 3 * US_PER_S);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(h.m[i].seat >= 0);
        h.level[i] = 255; /* hall_run sends nothing of him */
    }
    mono_us silent = h.now;
    for (unsigned pause = 0; pause < 3; pause++) {
        for (unsigned i = 0; i < 3; i++) {
            assert_false(speaker_input(&h.sp, &h.m[i], 127, false, &change, h.now));
        }
        hall_run(&h, 400 * MS);
    }
    h.level[5] = 48;
    h.changes = 0;
    hall_run(&h, 100 * MS);
    assert_true(h.now - silent < 1400 * MS);
    assert_int_equal(h.changes, 1);
    assert_true(h.m[5].seat >= 0);
}

static void list_is_sorted_by_loudness(void **state)
{
    (void)state;
    struct hall h;
    struct speaker_member *list[PEOPLE];
    hall_open(&h, PEOPLE);
    for (unsigned i = 0; i < 4; i++) {
        h.level[i] = (uint8_t)(45 - 10 * i);
    }
    hall_run(&h, 2 * US_PER_S);
    assert_int_equal(speaker_list(&h.sp, list, PEOPLE, h.now), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_ptr_equal(list[i], &h.m[3 - i]);
    }
    assert_int_equal(speaker_list(&h.sp, list, 2, h.now), 2);
    assert_ptr_equal(list[0], &h.m[3]);
    assert_ptr_equal(list[1], &h.m[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(everybody_has_a_seat_while_there_are_enough),
        UNIT(a_speaker_gets_a_seat_within_100_ms),
        UNIT(talkers_keep_their_seats),
        UNIT(a_click_takes_no_seat),
        UNIT(pinned_sound_goes_before_talkers),
        UNIT(silence_without_a_seat_is_ignored),
        UNIT(silence_and_leaving_free_a_seat),
        UNIT(a_pause_of_dtx_counts_by_time),
        UNIT(list_is_sorted_by_loudness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
