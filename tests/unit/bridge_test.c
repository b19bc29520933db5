/* tsan: two media threads behind one bridge */
#include "tests/unit/support.h"

#include <poll.h>
#include <string.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "server/app/bridge.h"
#include "server/proto/overload.h"

enum { SHARDS = 2, PEERS_MAX = 4, SEEN_MAX = 64 };

struct scene {
    struct shards *shards;
    struct bridge *bridge;
    struct media_evt seen[SEEN_MAX];
    unsigned count;
};

static void event_h(void *arg, const struct media_evt *evt)
{
    struct scene *s = arg;
    if (s->count < SEEN_MAX) {
        s->seen[s->count++] = *evt;
    }
}

static void open_scene(struct scene *s)
{
    char why[256];
    struct shards_config config = {.count = SHARDS,
                                   .tcp = true,
                                   .peers_max = PEERS_MAX,
                                   .packets_max = 1024,
                                   .tcp_conns_max = 4,
                                   .loudest = 3,
                                   .hosts = 1};
    struct bridge_config bridge = {.devices_max = 64,
                                   .peers_max = PEERS_MAX,
                                   .spread_from = 100,
                                   .seed = 1,
                                   .event_h = event_h,
                                   .arg = s};
    memset(s, 0, sizeof(*s));
    assert_int_equal(addr_parse(&config.host[0], "127.0.0.1"), 0);
    assert_int_equal(shards_new(&s->shards, &config, why, sizeof(why)), 0);
    assert_int_equal(bridge_new(&s->bridge, &bridge, s->shards), 0);
    assert_int_equal(shards_start(s->shards), 0);
}

static void close_scene(struct scene *s)
{
    bridge_free(s->bridge);
    shards_free(s->shards);
}

static void offer(struct media_cmd *cmd, device_num device, uint64_t token, uint64_t class_num)
{
    memset(cmd, 0, sizeof(*cmd));
    cmd->kind = MEDIA_CMD_OPEN;
    cmd->device = device;
    cmd->token = token;
    cmd->class_num = class_num;
    cmd->class_size = 5;
    snprintf(cmd->offer.ufrag, sizeof(cmd->offer.ufrag), "user%u", (unsigned)device);
    snprintf(cmd->offer.pwd, sizeof(cmd->offer.pwd), "0123456789abcdef01234567");
    memset(cmd->offer.fingerprint, 7, sizeof(cmd->offer.fingerprint));
    cmd->offer.audio_slots = 2;
    cmd->offer.video_slots = 2;
    cmd->offer.audio.pt[CODEC_OPUS] = 111;
    cmd->offer.video.pt[CODEC_VP8] = 96;
    cmd->offer.video.rtx[CODEC_VP8] = 97;
    cmd->offer.audio_ext.id[RTPEXT_MID] = 1;
    cmd->offer.video_ext.id[RTPEXT_MID] = 1;
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        snprintf(cmd->offer.mid[i], sizeof(cmd->offer.mid[i]), "%u", i);
    }
    cmd->offer.slot_mid_first = SOURCE_COUNT;
}

/* The first event from number `from` on of that kind, or with that token when kind is none (-1);
 * waits for the shards. */
static const struct media_evt *wait_for(struct scene *s, unsigned from, int kind, uint64_t token)
{
    mono_us end = clock_mono_us() + 60 * US_PER_S;
    while (clock_mono_us() < end) {
        for (unsigned i = from; i < s->count; i++) {
            const struct media_evt *evt = &s->seen[i];
            if (kind < 0 ? evt->token == token : (int)evt->kind == kind) {
                return evt;
            }
        }
        struct pollfd fd = {.fd = shards_event_fd(s->shards), .events = POLLIN};
        (void)poll(&fd, 1, bridge_pending(s->bridge) ? 0 : 100);
        bridge_poll(s->bridge, clock_mono_us());
    }
    return NULL;
}

/* The event that answers token. */
static const struct media_evt *answer(struct scene *s, uint64_t token)
{
    return wait_for(s, 0, -1, token);
}

static void classes_are_placed_and_full_shards_refuse(void **state)
{
    (void)state;
    struct scene s;
    struct media_cmd cmd;
    uint16_t port[SHARDS * PEERS_MAX];
    open_scene(&s);
    for (unsigned i = 0; i < SHARDS * PEERS_MAX; i++) {
        offer(&cmd, i + 1, 100 + i, 1 + i / PEERS_MAX);
        bridge_command(s.bridge, &cmd, clock_mono_us());
        const struct media_evt *evt = answer(&s, 100 + i);
        assert_non_null(evt);
        assert_int_equal(evt->kind, MEDIA_EVT_ANSWER);
        assert_int_equal(evt->device, i + 1);
        port[i] = evt->answer.candidate[0].addr.port;
        /* A class stays on the shard of its first member. */
        assert_int_equal(port[i], port[i / PEERS_MAX * PEERS_MAX]);
    }
    assert_int_not_equal(port[0], port[PEERS_MAX]);

    unsigned before = s.count;
    offer(&cmd, 1000, 999, 1);
    bridge_command(s.bridge, &cmd, clock_mono_us());
    assert_int_equal(s.count, before); /* never from inside the command */
    const struct media_evt *evt = answer(&s, 999);
    assert_non_null(evt);
    assert_int_equal(evt->kind, MEDIA_EVT_REFUSED);
    assert_int_equal(evt->err, E_FULL);

    /* One leaves, and there is room again. */
    bridge_command(s.bridge, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = 3},
                   clock_mono_us());
    offer(&cmd, 1000, 1001, 1);
    bridge_command(s.bridge, &cmd, clock_mono_us());
    evt = answer(&s, 1001);
    assert_non_null(evt);
    assert_int_equal(evt->kind, MEDIA_EVT_ANSWER);
    assert_int_equal(evt->answer.candidate[0].addr.port, port[0]);
    struct bridge_stats stats;
    bridge_stats_read(s.bridge, &stats);
    assert_int_equal(stats.peers, SHARDS * PEERS_MAX);
    assert_int_equal(stats.refused, 1);
    close_scene(&s);
}

/* What is told when a shard comes to that step. */
static const struct media_evt *load(struct scene *s, unsigned shard, uint8_t step)
{
    const struct sfu_cmd cmd = {.kind = SFU_CMD_OVERLOAD, .overload = step};
    unsigned before = s->count;
    shards_command(s->shards, shard, &cmd);
    return wait_for(s, before, MEDIA_EVT_LOAD, 0);
}

static enum media_evt_kind asks(struct scene *s, device_num device, bool seated)
{
    struct media_cmd cmd;
    offer(&cmd, device, 500 + device, device);
    cmd.seated = seated;
    bridge_command(s->bridge, &cmd, clock_mono_us());
    const struct media_evt *evt = answer(s, 500 + device);
    assert_non_null(evt);
    return evt->kind;
}

static void busy_shards_take_who_has_a_seat(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    const struct media_evt *evt = load(&s, 0, OVERLOAD_JOINS);
    assert_non_null(evt);
    assert_int_equal(evt->load.step, OVERLOAD_JOINS);
    assert_false(evt->load.shut); /* the other shard takes people */
    assert_int_equal(asks(&s, 1, false), MEDIA_EVT_ANSWER);
    evt = load(&s, 1, OVERLOAD_JOINS);
    assert_non_null(evt);
    assert_true(evt->load.shut);
    assert_int_equal(asks(&s, 2, false), MEDIA_EVT_REFUSED);
    assert_int_equal(asks(&s, 3, true), MEDIA_EVT_ANSWER);
    evt = load(&s, 0, OVERLOAD_LAST_N);
    assert_non_null(evt);
    assert_int_equal(evt->load.step, OVERLOAD_JOINS); /* of the busiest */
    assert_false(evt->load.shut);
    assert_int_equal(asks(&s, 4, false), MEDIA_EVT_ANSWER);
    close_scene(&s);
}

static void wishes_outlive_a_connection(void **state)
{
    (void)state;
    struct scene s;
    struct media_cmd cmd;
    open_scene(&s);
    /* Room, sources and view may be told before there is a connection, for devices unknown too. */
    bridge_command(s.bridge, &(struct media_cmd){.kind = MEDIA_CMD_ROOM, .device = 1, .room = 5},
                   clock_mono_us());
    bridge_command(s.bridge,
                   &(struct media_cmd){.kind = MEDIA_CMD_PUBLISH, .device = 1, .publish = 3},
                   clock_mono_us());
    cmd = (struct media_cmd){.kind = MEDIA_CMD_VIEW, .device = 1};
    cmd.view.count = 1;
    cmd.view.want[0] =
        (struct media_want){.slot = 0, .source = SOURCE_CAMERA, .height_max = 360, .publisher = 2};
    bridge_command(s.bridge, &cmd, clock_mono_us());
    bridge_command(s.bridge, &(struct media_cmd){.kind = MEDIA_CMD_READY, .device = 77},
                   clock_mono_us());
    bridge_command(s.bridge,
                   &(struct media_cmd){.kind = MEDIA_CMD_EARS,
                                       .device = 1,
                                       .ears = {.ears = 1, .eyes = 1, .ear = {6}, .eye = {6}}},
                   clock_mono_us());
    bridge_command(s.bridge, &(struct media_cmd){.kind = MEDIA_CMD_VOICE, .device = 1, .room = 9},
                   clock_mono_us());
    for (uint64_t i = 0; i < 4; i++) { /* the same device again and again: one connection */
        offer(&cmd, 1 + i % 2, 200 + i, 1);
        bridge_command(s.bridge, &cmd, clock_mono_us());
        const struct media_evt *evt = answer(&s, 200 + i);
        assert_non_null(evt);
        assert_int_equal(evt->kind, MEDIA_EVT_ANSWER);
    }
    struct bridge_stats stats;
    bridge_stats_read(s.bridge, &stats);
    assert_int_equal(stats.peers, 2);
    /* The view of device 1 names device 2, which has a connection: its slot tells so. */
    mono_us end = clock_mono_us() + 60 * US_PER_S;
    bool named = false;
    while (!named && clock_mono_us() < end) {
        struct pollfd fd = {.fd = shards_event_fd(s.shards), .events = POLLIN};
        (void)poll(&fd, 1, 100);
        bridge_poll(s.bridge, clock_mono_us());
        for (unsigned i = 0; i < s.count; i++) {
            const struct media_evt *e = &s.seen[i];
            named = named || (e->kind == MEDIA_EVT_SLOTS && e->device == 1 &&
                              e->slots.slot[e->slots.audio].publisher == 2);
        }
    }
    assert_true(named);
    bridge_command(s.bridge,
                   &(struct media_cmd){.kind = MEDIA_CMD_RESTART, .device = 9, .token = 7},
                   clock_mono_us());
    const struct media_evt *evt = answer(&s, 7);
    assert_non_null(evt);
    assert_int_equal(evt->err, E_STATE);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(classes_are_placed_and_full_shards_refuse),
        UNIT(busy_shards_take_who_has_a_seat),
        UNIT(wishes_outlive_a_connection),
    };
    return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
