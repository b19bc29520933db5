/* The outside of the forwarding unit; what happens inside is played in tests/sim. */
#include "tests/unit/support.h"

#include <stdbool.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "server/sfu/msg.h"
#include "server/sfu/sfu.h"

struct shell {
    struct txbatch tx;
    struct rng_seeded rng;
    struct sfu *sfu;
    struct sfu_evt last;
    unsigned events;
};

static void on_event(void *arg, const struct sfu_evt *evt)
{
    struct shell *s = arg;
    s->last = *evt;
    s->events++;
}

static void on_flush(void *arg, struct txbatch *batch)
{
    (void)arg;
    (void)batch;
}

static void fingerprint(void *arg, uint8_t out[32])
{
    (void)arg;
    memset(out, 7, 32);
}

static struct sfu_config config_small(void)
{
    return (struct sfu_config){
        .shards = 1,
        .peers_max = 4,
        .packets_max = 64,
        .audio_loudest = 3,
        .candidates = 1,
    };
}

static int shell_open(struct shell *s, const struct sfu_config *config)
{
    struct crypto_ops crypto = {.fingerprint = fingerprint};
    struct sfu_hooks hooks = {.arg = s, .event_h = on_event};
    memset(s, 0, sizeof(*s));
    rng_seed(&s->rng, 1);
    int err = txbatch_init(&s->tx, on_flush, s);
    if (!err) {
        s->sfu = sfu_new(config, &crypto, &hooks, &s->tx, rng_from_seeded(&s->rng), 0);
        err = s->sfu ? 0 : E_NOMEM;
    }
    return err;
}

static void shell_close(struct shell *s)
{
    sfu_free(s->sfu);
    txbatch_fini(&s->tx);
}

static struct sfu_cmd open_cmd(sfu_peer_id peer)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_OPEN, .peer = peer, .token = 77};
    memcpy(cmd.offer.ufrag, "abcd", 4);
    memcpy(cmd.offer.pwd, "secretsecretsecretsecret", 24);
    cmd.offer.audio_slots = 5;
    cmd.offer.video_slots = 16;
    cmd.offer.audio.pt[CODEC_OPUS] = 111;
    return cmd;
}

static int scene(void *arg)
{
    struct shell s;
    (void)arg;
    struct sfu_config config = config_small();
    int err = shell_open(&s, &config);
    shell_close(&s);
    return err;
}

static void starting_survives_short_memory(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene, NULL) > 20);
}

static void config_out_of_bounds_is_refused(void **state)
{
    (void)state;
    struct shell s;
    for (unsigned i = 0; i < 7; i++) {
        struct sfu_config config = config_small();
        config.shards = i == 0 ? 0 : (i == 1 ? 65 : 1);
        config.shard = i == 2;
        config.peers_max = i == 3 ? 0 : 4;
        config.packets_max = i == 4 ? 10 : 64;
        config.audio_loudest = i == 5 ? 0 : (i == 6 ? 17 : 3);
        assert_int_equal(shell_open(&s, &config), E_NOMEM);
        shell_close(&s);
    }
}

static void offers_are_answered_or_refused_with_a_reason(void **state)
{
    (void)state;
    struct shell s;
    struct sfu_config config = config_small();
    assert_int_equal(shell_open(&s, &config), 0);
    struct sfu_cmd cmd = open_cmd(1);
    sfu_command(s.sfu, &cmd, 0);
    assert_int_equal(s.last.kind, SFU_EVT_ANSWER);
    assert_int_equal(s.last.token, 77);
    assert_int_equal(strlen(s.last.answer.ufrag), 8);
    assert_int_equal(s.last.answer.fingerprint[31], 7);
    assert_int_equal(s.last.answer.ssrc_base % 2, 0);
    sfu_command(s.sfu, &cmd, 0); /* the same peer again */
    assert_int_equal(s.last.kind, SFU_EVT_REFUSED);
    assert_int_equal(s.last.err, E_BAD);
    cmd = open_cmd(2);
    cmd.offer.audio.pt[CODEC_OPUS] = 0;
    sfu_command(s.sfu, &cmd, 0);
    assert_int_equal(s.last.err, E_UNSUPPORTED);
    cmd = open_cmd(2);
    cmd.offer.video_slots = 200;
    sfu_command(s.sfu, &cmd, 0);
    assert_int_equal(s.last.err, E_BAD);
    for (sfu_peer_id id = 2; id <= 4; id++) {
        cmd = open_cmd(id);
        sfu_command(s.sfu, &cmd, 0);
        assert_int_equal(s.last.kind, SFU_EVT_ANSWER);
    }
    cmd = open_cmd(5);
    sfu_command(s.sfu, &cmd, 0);
    assert_int_equal(s.last.err, E_FULL);
    struct sfu_cmd close = {.kind = SFU_CMD_CLOSE, .peer = 3};
    sfu_command(s.sfu, &close, 0);
    sfu_command(s.sfu, &cmd, 0);
    assert_int_equal(s.last.kind, SFU_EVT_ANSWER);
    shell_close(&s);
}

static void handshake_that_never_comes_fails_by_itself(void **state)
{
    (void)state;
    struct shell s;
    struct sfu_config config = config_small();
    assert_int_equal(shell_open(&s, &config), 0);
    struct sfu_cmd cmd = open_cmd(1);
    sfu_command(s.sfu, &cmd, 0);
    mono_us at = 0;
    for (unsigned i = 0; i < 1000 && s.last.kind != SFU_EVT_FAILED; i++) {
        at = sfu_deadline(s.sfu);
        assert_true(at != MONO_NEVER);
        sfu_timer(s.sfu, at);
        sfu_flush(s.sfu, at);
    }
    assert_int_equal(s.last.kind, SFU_EVT_FAILED);
    assert_in_range(at, 29 * US_PER_S, 31 * US_PER_S);
    shell_close(&s);
}

static void commands_of_nobody_do_nothing(void **state)
{
    (void)state;
    struct shell s;
    struct sfu_config config = config_small();
    assert_int_equal(shell_open(&s, &config), 0);
    for (int kind = SFU_CMD_RESTART; kind <= SFU_CMD_VIEW; kind++) {
        struct sfu_cmd cmd = {.kind = (enum sfu_cmd_kind)kind, .peer = 42};
        if (kind != SFU_CMD_OVERLOAD) { /* of the shard, and told */
            sfu_command(s.sfu, &cmd, 0);
        }
    }
    assert_int_equal(s.events, 1); /* RESTART is refused */
    assert_int_equal(s.last.err, E_NOTFOUND);
    assert_int_equal(sfu_deadline(s.sfu), MONO_NEVER);
    shell_close(&s);
}

static void views_of_nonsense_are_ignored(void **state)
{
    (void)state;
    struct shell s;
    struct sfu_stats stats;
    struct sfu_config config = config_small();
    assert_int_equal(shell_open(&s, &config), 0);
    struct sfu_cmd cmd = open_cmd(1);
    sfu_command(s.sfu, &cmd, 0);
    struct sfu_cmd view = {.kind = SFU_CMD_VIEW, .peer = 1};
    view.view.count = 5;
    view.view.want[0] = (struct sfu_want){.slot = 200, .source = SOURCE_CAMERA, .publisher = 2};
    view.view.want[1] = (struct sfu_want){.slot = 1, .source = SOURCE_MIC, .publisher = 2};
    view.view.want[2] = (struct sfu_want){.slot = 2, .source = 99, .publisher = 2};
    view.view.want[3] = (struct sfu_want){.slot = 3, .source = SOURCE_CAMERA};
    view.view.want[4] =
        (struct sfu_want){.slot = 4, .source = SOURCE_CAMERA, .publisher = 9ULL << 56 | 1};
    sfu_command(s.sfu, &view, 0);
    sfu_stats_read(s.sfu, &stats);
    assert_int_equal(stats.tracks, 0);
    view.view.count = 1000;
    sfu_command(s.sfu, &view, 0);
    shell_close(&s);
}

static void junk_datagrams_are_counted_by_reason(void **state)
{
    (void)state;
    struct shell s;
    struct sfu_stats stats;
    struct tuple from = {.remote = {.family = ADDR_V4, .port = 9}};
    static const struct {
        uint8_t bytes[4];
        uint16_t len;
        enum drop drop;
    } rows[] = {
        {{0x80}, 1, DROP_EMPTY},
        {{0xff, 0, 0, 0}, 4, DROP_UNKNOWN_CLASS},
        {{0, 1, 0, 0}, 4, DROP_STUN_BAD},
        {{22, 254, 253, 0}, 4, DROP_UNKNOWN_TUPLE},
        {{0x80, 111, 0, 0}, 4, DROP_UNKNOWN_TUPLE},
        {{0x80, 200, 0, 0}, 4, DROP_UNKNOWN_TUPLE},
    };
    struct sfu_config config = config_small();
    assert_int_equal(shell_open(&s, &config), 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pkt *pkt = sfu_rx_packet(s.sfu);
        memcpy(pkt->data, rows[i].bytes, 4);
        pkt->len = rows[i].len;
        assert_int_equal(sfu_input(s.sfu, pkt, &from, 0), rows[i].drop);
    }
    sfu_stats_read(s.sfu, &stats);
    assert_int_equal(stats.drops[DROP_UNKNOWN_TUPLE], 3);
    assert_int_equal(stats.packets_used, 0);
    assert_int_equal(stats.tx_packets, 0);
    shell_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(starting_survives_short_memory),
        UNIT(config_out_of_bounds_is_refused),
        UNIT(offers_are_answered_or_refused_with_a_reason),
        UNIT(handshake_that_never_comes_fails_by_itself),
        UNIT(commands_of_nobody_do_nothing),
        UNIT(views_of_nonsense_are_ignored),
        UNIT(junk_datagrams_are_counted_by_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
