/* The stage as a fold: phases, places, invitations, guests who go for good, the snapshot. */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/journal/fold.h"
#include "signaling/journal/snapshot.h"
#include "signaling/journal/stage.h"

static struct id id_of(uint8_t n)
{
    struct id id = {{0}};
    id.b[0] = n;
    id.b[15] = 1;
    return id;
}

static int apply(struct state *s, struct event e)
{
    e.seq = s->seq + 1;
    e.at = 1000 + (wall_ms)e.seq;
    int err = state_fold(s, &e);
    event_fini(&e);
    return err;
}

static int joins(struct state *s, uint8_t n, enum role role)
{
    return apply(s, (struct event){.type = EVENT_PERSON_JOINED,
                                   .person = id_of(n),
                                   .device = id_of((uint8_t)(100 + n)),
                                   .a = (uint32_t)role | (uint32_t)role << 8,
                                   .n = 1,
                                   .text = rtext_new("Nom", 3)});
}

static int places(struct state *s, uint8_t n, enum stage_place place, unsigned home)
{
    return apply(
        s, (struct event){.type = EVENT_STAGE_PLACED, .person = id_of(n), .a = place, .b = home});
}

static int phase(struct state *s, enum stage_phase to)
{
    return apply(s, (struct event){.type = EVENT_STAGE_PHASE, .a = to, .n = 5000});
}

/* 1 host, 2 animator, 3 speaker, 4..9 listeners. */
static struct state *webinar(void)
{
    struct id class_id = id_of(200);
    struct state *s = state_new(&class_id);
    assert_non_null(s);
    assert_int_equal(apply(s, (struct event){.type = EVENT_CLASS_CREATED,
                                             .a = CLASS_WEBINAR,
                                             .text = rtext_new("Titre", 5)}),
                     0);
    assert_int_equal(joins(s, 1, ROLE_HOST), 0);
    assert_int_equal(joins(s, 2, ROLE_ANIMATOR), 0);
    assert_int_equal(joins(s, 3, ROLE_SPEAKER), 0);
    for (uint8_t n = 4; n < 10; n++) {
        assert_int_equal(joins(s, n, ROLE_LISTENER), 0);
    }
    return s;
}

static const struct person *person(const struct state *s, uint8_t n)
{
    struct id id = id_of(n);
    return state_person(s, &id);
}

static void phases_follow_the_table(void **state)
{
    (void)state;
    struct state *s = webinar();
    assert_int_equal(phase(s, STAGE_AIR), E_CORRUPT); /* never without the countdown */
    assert_int_equal(phase(s, STAGE_DOORS), 0);
    assert_false(stage_on_air(s));
    assert_int_equal(phase(s, STAGE_STARTING), 0);
    assert_int_equal(s->stage->due, 5000);
    assert_int_equal(s->stage->before, STAGE_DOORS);
    assert_false(stage_on_air(s));
    assert_int_equal(phase(s, STAGE_QUESTIONS), E_CORRUPT);
    assert_int_equal(phase(s, STAGE_AIR), 0);
    assert_true(stage_on_air(s));
    wall_ms since = s->stage->air_at;
    assert_true(since > 0);
    assert_int_equal(phase(s, STAGE_QUESTIONS), 0);
    assert_true(stage_on_air(s));
    assert_int_equal(s->stage->air_at, since);
    assert_int_equal(phase(s, STAGE_AIR), 0);
    assert_int_equal(phase(s, STAGE_DOORS), 0);
    assert_false(stage_on_air(s));
    assert_int_equal(s->stage->air_at, 0);
    state_free(s);
}

static void media_follows_the_place(void **state)
{
    (void)state;
    struct state *s = webinar();
    assert_int_equal(places(s, 1, PLACE_STAGE, 0), 0);
    assert_int_equal(places(s, 3, PLACE_WINGS, 0), 0);
    assert_int_equal(stage_media(s, person(s, 1)), STAGE_MEDIA_STAGE);
    assert_int_equal(stage_media(s, person(s, 3)), STAGE_MEDIA_WINGS);
    assert_int_equal(stage_media(s, person(s, 4)), STAGE_MEDIA_LOBBY);
    right_mask all = RIGHT_MASK_ALL;
    assert_true(right_has(stage_narrow(s, person(s, 1), all), RIGHT_SCREEN));
    assert_true(right_has(stage_narrow(s, person(s, 3), all), RIGHT_MIC));
    assert_false(right_has(stage_narrow(s, person(s, 3), all), RIGHT_SCREEN));
    assert_false(right_has(stage_narrow(s, person(s, 4), all), RIGHT_MIC));
    assert_false(right_has(stage_narrow(s, person(s, 4), all), RIGHT_CAM));
    assert_int_equal(phase(s, STAGE_STARTING), 0);
    assert_int_equal(stage_media(s, person(s, 4)), STAGE_MEDIA_LOBBY);
    assert_int_equal(phase(s, STAGE_AIR), 0);
    assert_int_equal(stage_media(s, person(s, 4)), STAGE_MEDIA_STAGE);
    assert_int_equal(stage_media(s, person(s, 3)), STAGE_MEDIA_WINGS);
    state_free(s);
}

static void who_knows_whom(void **state)
{
    (void)state;
    struct state *s = webinar();
    assert_int_equal(places(s, 1, PLACE_STAGE, 0), 0);
    assert_int_equal(places(s, 3, PLACE_WINGS, 0), 0);
    assert_int_equal(stage_kind(s, person(s, 1)), AUDIENCE_OF_STAFF);
    assert_int_equal(stage_kind(s, person(s, 3)), AUDIENCE_OF_STAGE);
    assert_int_equal(stage_kind(s, person(s, 4)), AUDIENCE_OF_SEATS);
    for (int64_t names = AUDIENCE_HIDDEN; names <= AUDIENCE_SHOWN; names++) {
        s->setting[SETTING_AUDIENCE] = names;
        bool shown = names == AUDIENCE_SHOWN;
        unsigned seats = stage_kind(s, person(s, 4));
        unsigned stage = stage_kind(s, person(s, 3));
        assert_true(stage_is_below(seats));
        assert_false(stage_is_below(stage));
        assert_int_equal(seats, AUDIENCE_OF_SEATS + (shown ? AUDIENCE_NAMES : 0));
        assert_true(stage_seen_by(s, AUDIENCE_OF_STAFF, person(s, 4)));
        assert_true(stage_seen_by(s, seats, person(s, 1)));
        assert_false(stage_seen_by(s, seats, person(s, 3)));
        assert_int_equal(stage_seen_by(s, seats, person(s, 4)), shown);
        assert_int_equal(stage_seen_by(s, stage, person(s, 4)), shown);
        assert_true(stage_seen_by(s, stage, person(s, 3)));
    }
    state_free(s);
}

static void invited_then_guest_then_gone(void **state)
{
    (void)state;
    struct state *s = webinar();
    struct event invite = {.type = EVENT_STAGE_INVITED, .person = id_of(4), .n = 30000};
    assert_int_equal(apply(s, invite), 0);
    assert_int_equal(apply(s, invite), E_CORRUPT); /* once */
    struct event check = {.type = EVENT_STAGE_CHECKED, .person = id_of(4), .a = 15};
    assert_int_equal(apply(s, check), E_CORRUPT);
    assert_int_equal(apply(s, (struct event){.type = EVENT_STAGE_INVITE_ENDED,
                                             .person = id_of(4),
                                             .a = INVITE_ACCEPTED}),
                     0);
    assert_int_equal(
        apply(s, (struct event){.type = EVENT_ROLE_CHANGED, .person = id_of(4), .a = ROLE_SPEAKER}),
        0);
    assert_int_equal(places(s, 4, PLACE_WINGS, ROLE_LISTENER + 1), 0);
    assert_int_equal(apply(s, check), 0);
    assert_int_equal(stage_member(s, &invite.person)->checked, 15);
    assert_int_equal(places(s, 4, PLACE_STAGE, ROLE_LISTENER + 1), 0);
    assert_int_equal(stage_audience(s), 8);
    assert_int_equal(
        apply(s, (struct event){.type = EVENT_PERSON_LEFT, .person = id_of(4), .a = LEAVE_LOST}),
        0);
    assert_null(stage_member(s, &invite.person));
    assert_int_equal(person(s, 4)->role, ROLE_LISTENER);
    state_free(s);
}

static void the_stage_holds_sixteen(void **state)
{
    (void)state;
    struct state *s = webinar();
    for (uint8_t n = 20; n < 40; n++) {
        assert_int_equal(joins(s, n, ROLE_SPEAKER), 0);
    }
    for (uint8_t n = 20; n < 36; n++) {
        assert_int_equal(places(s, n, PLACE_STAGE, 0), 0);
    }
    assert_int_equal(places(s, 36, PLACE_STAGE, 0), E_CORRUPT);
    assert_int_equal(places(s, 36, PLACE_WINGS, 0), 0);
    assert_int_equal(places(s, 20, PLACE_STAGE, 0), 0); /* is there already */
    assert_int_equal(places(s, 50, PLACE_STAGE, 0), E_CORRUPT);
    assert_int_equal(places(s, 9, PLACE_AUDIENCE, 0), E_CORRUPT);
    state_free(s);
}

static void other_classes_have_no_stage(void **state)
{
    (void)state;
    struct id class_id = id_of(201);
    struct state *s = state_new(&class_id);
    assert_int_equal(apply(s, (struct event){.type = EVENT_CLASS_CREATED,
                                             .a = CLASS_STANDARD,
                                             .text = rtext_new("Titre", 5)}),
                     0);
    assert_int_equal(joins(s, 1, ROLE_HOST), 0);
    assert_int_equal(phase(s, STAGE_DOORS), E_CORRUPT);
    assert_int_equal(places(s, 1, PLACE_STAGE, 0), E_CORRUPT);
    assert_int_equal(stage_place(s, &person(s, 1)->id), PLACE_STAGE);
    assert_int_equal(stage_kind(s, person(s, 1)), AUDIENCE_OF_STAFF);
    state_free(s);
}

static void snapshot_keeps_the_stage(void **state)
{
    (void)state;
    struct state *s = webinar();
    assert_int_equal(places(s, 1, PLACE_STAGE, 0), 0);
    assert_int_equal(places(s, 3, PLACE_WINGS, 0), 0);
    assert_int_equal(
        apply(s, (struct event){.type = EVENT_STAGE_INVITED, .person = id_of(5), .n = 30000}), 0);
    assert_int_equal(apply(s, (struct event){.type = EVENT_STAGE_HOLDING,
                                             .a = 1,
                                             .n = 99000,
                                             .text = rtext_new("Bientôt", 8)}),
                     0);
    assert_int_equal(phase(s, STAGE_STARTING), 0);
    uint8_t *first = NULL;
    uint8_t *second = NULL;
    size_t len = 0;
    size_t len2 = 0;
    struct state *again = NULL;
    assert_int_equal(state_encode(s, NULL, &first, &len), 0);
    assert_int_equal(state_decode(&again, first, len, NULL), 0);
    assert_int_equal(state_encode(again, NULL, &second, &len2), 0);
    assert_int_equal(len, len2);
    assert_memory_equal(first, second, len);
    assert_int_equal(again->stage->phase, STAGE_STARTING);
    assert_int_equal(again->stage->invites[0].due, 30000);
    assert_string_equal(rtext_str(again->stage->holding), "Bientôt");
    /* Every shortened snapshot is refused, none is read beyond its end. */
    for (size_t cut = 0; cut < len; cut++) {
        struct state *none = NULL;
        assert_int_not_equal(state_decode(&none, first, cut, NULL), 0);
    }
    mem_free(first);
    mem_free(second);
    state_free(again);
    state_free(s);
}

static void the_next_run_begins_backstage(void **state)
{
    (void)state;
    struct state *s = webinar();
    assert_int_equal(places(s, 1, PLACE_STAGE, 0), 0);
    assert_int_equal(phase(s, STAGE_STARTING), 0);
    assert_int_equal(phase(s, STAGE_AIR), 0);
    assert_int_equal(apply(s, (struct event){.type = EVENT_SESSION_CHANGED, .a = SESSION_CLOSED}),
                     0);
    assert_int_equal(s->stage->phase, STAGE_BACKSTAGE);
    assert_int_equal(s->stage->member_count, 0);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(phases_follow_the_table),  UNIT(media_follows_the_place),
        UNIT(who_knows_whom),           UNIT(invited_then_guest_then_gone),
        UNIT(the_stage_holds_sixteen),  UNIT(other_classes_have_no_stage),
        UNIT(snapshot_keeps_the_stage), UNIT(the_next_run_begins_backstage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
