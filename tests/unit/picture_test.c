#include "tests/unit/support.h"

#include "server/app/picture.h"

enum { ROOM = 1 << 16, CAM = 1 << SOURCE_CAMERA, SCREEN = 1 << SOURCE_SCREEN };

static struct picture *picture;
static mono_us now;

static void allow(device_num device, room_num room, uint32_t publish)
{
    picture_note(picture, &(struct media_cmd){.kind = MEDIA_CMD_OPEN, .device = device});
    picture_note(picture,
                 &(struct media_cmd){.kind = MEDIA_CMD_ROOM, .device = device, .room = room});
    picture_note(picture, &(struct media_cmd){
                              .kind = MEDIA_CMD_PUBLISH, .device = device, .publish = publish});
}

static void speak(device_num device)
{
    struct media_evt evt = {.kind = MEDIA_EVT_SPEAKING, .room = ROOM};
    evt.speaking.count = 1;
    evt.speaking.speaker[0].device = device;
    picture_speaking(picture, &evt);
}

static device_num shown(uint8_t source)
{
    now += 10 * US_PER_S;
    struct picture_choice p = picture_of(picture, ROOM, now);
    assert_true(p.publisher == 0 || p.source == source);
    return p.publisher;
}

static void the_picture_follows(void **state)
{
    (void)state;
    assert_int_equal(picture_new(&picture, 16, 1), 0);
    assert_int_equal(shown(SOURCE_CAMERA), 0);
    allow(1, ROOM, CAM);
    allow(2, ROOM, CAM);
    allow(3, ROOM, 0);
    allow(4, ROOM + 1, CAM | SCREEN); /* another room is never shown */
    assert_int_equal(shown(SOURCE_CAMERA), 1);
    speak(2);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    speak(3); /* no camera: the last picture stays */
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    speak(4);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    allow(1, ROOM, CAM | SCREEN); /* a screen before everything, at once */
    struct picture_choice p = picture_of(picture, ROOM, now);
    assert_int_equal(p.publisher, 1);
    assert_int_equal(p.source, SOURCE_SCREEN);
    speak(2);
    assert_int_equal(shown(SOURCE_SCREEN), 1);
    allow(1, ROOM, CAM);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    allow(2, ROOM, 0);
    assert_int_equal(shown(SOURCE_CAMERA), 1);
    picture_note(picture, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = 1});
    assert_int_equal(shown(SOURCE_CAMERA), 0);
    assert_int_equal(picture_publishes(picture, 4, ROOM), 0);
    assert_int_equal(picture_publishes(picture, 4, ROOM + 1), CAM | SCREEN);
    picture_free(picture);
}

static void it_does_not_flicker(void **state)
{
    (void)state;
    assert_int_equal(picture_new(&picture, 16, 1), 0);
    allow(1, ROOM, CAM);
    allow(2, ROOM, CAM);
    speak(1);
    assert_int_equal(shown(SOURCE_CAMERA), 1);
    speak(2);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    speak(1); /* an interjection within the hold */
    assert_int_equal(picture_of(picture, ROOM, now + PICTURE_HOLD_US - 1).publisher, 2);
    assert_int_equal(picture_of(picture, ROOM, now + PICTURE_HOLD_US).publisher, 1);
    picture_forget(picture, ROOM);
    picture_free(picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_follows),
        cmocka_unit_test(it_does_not_flicker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
