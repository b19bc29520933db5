#include "tests/unit/support.h"

#include "server/app/stage.h"

enum { ROOM = 1 << 16, CAM = 1 << SOURCE_CAMERA, SCREEN = 1 << SOURCE_SCREEN };

static struct stage *stage;
static mono_us now;

static void allow(device_num device, room_num room, uint32_t publish)
{
    stage_note(stage, &(struct media_cmd){.kind = MEDIA_CMD_OPEN, .device = device});
    stage_note(stage, &(struct media_cmd){.kind = MEDIA_CMD_ROOM, .device = device, .room = room});
    stage_note(stage, &(struct media_cmd){
                          .kind = MEDIA_CMD_PUBLISH, .device = device, .publish = publish});
}

static void speak(device_num device)
{
    struct media_evt evt = {.kind = MEDIA_EVT_SPEAKING, .room = ROOM};
    evt.speaking.count = 1;
    evt.speaking.speaker[0].device = device;
    stage_speaking(stage, &evt);
}

static device_num shown(uint8_t source)
{
    now += 10 * US_PER_S;
    struct stage_picture p = stage_picture(stage, ROOM, now);
    assert_true(p.publisher == 0 || p.source == source);
    return p.publisher;
}

static void the_picture_follows(void **state)
{
    (void)state;
    assert_int_equal(stage_new(&stage, 16, 1), 0);
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
    struct stage_picture p = stage_picture(stage, ROOM, now);
    assert_int_equal(p.publisher, 1);
    assert_int_equal(p.source, SOURCE_SCREEN);
    speak(2);
    assert_int_equal(shown(SOURCE_SCREEN), 1);
    allow(1, ROOM, CAM);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    allow(2, ROOM, 0);
    assert_int_equal(shown(SOURCE_CAMERA), 1);
    stage_note(stage, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = 1});
    assert_int_equal(shown(SOURCE_CAMERA), 0);
    assert_int_equal(stage_publishes(stage, 4, ROOM), 0);
    assert_int_equal(stage_publishes(stage, 4, ROOM + 1), CAM | SCREEN);
    stage_free(stage);
}

static void it_does_not_flicker(void **state)
{
    (void)state;
    assert_int_equal(stage_new(&stage, 16, 1), 0);
    allow(1, ROOM, CAM);
    allow(2, ROOM, CAM);
    speak(1);
    assert_int_equal(shown(SOURCE_CAMERA), 1);
    speak(2);
    assert_int_equal(shown(SOURCE_CAMERA), 2);
    speak(1); /* an interjection within the hold */
    assert_int_equal(stage_picture(stage, ROOM, now + STAGE_HOLD_US - 1).publisher, 2);
    assert_int_equal(stage_picture(stage, ROOM, now + STAGE_HOLD_US).publisher, 1);
    stage_forget(stage, ROOM);
    stage_free(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_follows),
        cmocka_unit_test(it_does_not_flicker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
