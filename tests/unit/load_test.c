/* The parts of amphi load that decide: shapes, link model, film and proof, verdicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/client.h"
#include "bench/load/film_send.h"
#include "bench/load/link.h"
#include "bench/load/media.h"
#include "bench/load/peer_sdp.h"
#include "bench/load/proof.h"
#include "bench/load/scrape.h"
#include "bench/load/shape.h"
#include "bench/load/spread.h"
#include "bench/load/verdict.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/media/registry.h"
#include "codec/wire/rtp.h"
#include "codec/wire/sdp.h"
#include "server/crypto/crypto.h"

static int parse(struct shape *s, const char *text, char *why)
{
    shape_init(s);
    why[0] = '\0';
    return shape_parse(s, text, strlen(text), why);
}

static void shapes_are_read_with_their_units(void **state)
{
    struct shape s;
    char why[SHAPE_WHY_MAX];
    (void)state;
    assert_int_equal(parse(&s,
                           "# a comment\npublishers = 30\ncamera-share = 35 % # of them\n\n"
                           "max-join-p95 = 2 s\nclass=webinar\r\ntitle-fr = Été",
                           why),
                     0);
    assert_int_equal(s.publishers, 30);
    assert_true(s.camera_share > 0.349 && s.camera_share < 0.351);
    assert_int_equal(s.max_join_ms, 2000);
    assert_int_equal(s.class_type, SHAPE_WEBINAR);
    assert_string_equal(s.title_fr, "Été");
    assert_int_equal(shape_people(&s), 30);
}

static void wrong_shapes_name_line_and_reason(void **state)
{
    static const struct {
        const char *text, *why;
        int err;
    } rows[] = {
        {"publishers = 2\nlots = 3", "line 2: unknown key 'lots'", E_NOTFOUND},
        {"rooms = 0", "line 1: rooms must be 1 to 1000, not 0", E_RANGE},
        {"rooms = 1.5", "line 1: rooms: '1.5' does not fit (classes at the same time)", E_BAD},
        {"rooms = 1\nrooms = 2", "line 2: 'rooms' stands twice", E_DUP},
        {"\n\nhello", "line 3: expected key = value", E_BAD},
        {"class = party", "line 1: class: 'party' does not fit (standard, webinar or round_table)",
         E_BAD},
        {"loss-up = 95 %", "line 1: loss-up must be 0 to 0.9, not 95 %", E_RANGE},
    };
    struct shape s;
    char why[SHAPE_WHY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(&s, rows[i].text, why), rows[i].err);
        assert_string_equal(why, rows[i].why);
    }
    assert_int_equal(parse(&s, "publishers = 0", why), 0);
    assert_int_equal(shape_check(&s, why), E_RANGE);
}

static void the_link_loses_its_share_and_keeps_order(void **state)
{
    struct link_config config = {.loss = 0.05, .delay = 10000, .jitter = 5000};
    struct link link;
    uint32_t last = 0;
    uint32_t got = 0;
    uint32_t number;
    (void)state;
    assert_int_equal(link_init(&link, &config, 7), 0);
    for (uint32_t i = 1; i <= 20000; i++) {
        mono_us now = (mono_us)i * 1000;
        assert_false(link_put(&link, &i, sizeof(i), now));
        while (link_get(&link, &number, sizeof(number), now) == sizeof(number)) {
            assert_true(number > last && now >= (mono_us)number * 1000 + 10000);
            last = number;
            got++;
        }
    }
    assert_in_range(link.lost, 900, 1100);
    assert_in_range(got, 20000 - 1100 - 20, 20000 - 900);
    link_fini(&link);
}

static void the_link_keeps_its_rate(void **state)
{
    struct link_config config = {.bps = 800000}; /* 100 datagrams of 1000 bytes a second */
    uint8_t bytes[1000] = {0};
    struct link link;
    uint32_t got = 0;
    (void)state;
    assert_int_equal(link_init(&link, &config, 1), 0);
    for (uint32_t i = 0; i < 2000; i++) { /* 200 a second are offered for ten seconds */
        mono_us now = (mono_us)i * 5000;
        (void)link_put(&link, bytes, sizeof(bytes), now);
        while (link_get(&link, bytes, sizeof(bytes), now)) {
            got++;
        }
    }
    assert_in_range(got, 990, 1001);
    assert_true(link.lost > 0); /* the queue is bounded */
    link_fini(&link);
}

struct viewer {
    struct proof *proof;
    struct film_sender sender;
    struct rtp_header header;
    uint32_t spoil;    /* every so many packets a byte is changed */
    uint32_t impostor; /* stamp says this sender; 0 = the truth */
    uint32_t drop;     /* every so many packets is lost */
    uint32_t count;
    bool late; /* pairs are held until the first of them is given up, then both come */
    uint64_t held_from;
    struct {
        uint8_t bytes[FILM_PACKET_MAX];
        size_t len;
    } held[2];
};

static void see(struct viewer *v, const uint8_t *packet, size_t len, uint64_t index)
{
    struct rtp_header h;
    struct media_stamp stamp = {.sender = 0};
    uint8_t copy[FILM_PACKET_MAX];
    memcpy(copy, packet, len);
    v->count++;
    assert_int_equal(rtp_parse(&h, copy, len), 0);
    if (v->drop && v->count % v->drop == 0) {
        return;
    }
    bool stamped = media_stamp_read(copy, len, &stamp);
    if (v->spoil && v->count % v->spoil == 0) {
        memset(copy + h.header_len + 40, 0x5a, h.payload_len > 200 ? 60 : 8);
    }
    struct proof_packet p = {.slot = h.pt == MEDIA_PT_VP8 ? 5 : 0,
                             .picture = h.pt == MEDIA_PT_VP8,
                             .marker = h.marker,
                             .stamped = stamped,
                             .sender = v->impostor ? v->impostor : stamp.sender,
                             .counter = stamp.counter,
                             .seq = (int64_t)index,
                             .payload = copy + h.header_len,
                             .len = h.payload_len};
    proof_put(v->proof, 0, &p);
}

/* True when the packet is held back; those held come when 128 are behind the first of them. */
static bool hold(struct viewer *v, const uint8_t *packet, size_t len, uint64_t index)
{
    enum { EVERY = 331, WINDOW = 128 };
    if (v->count && v->count % EVERY == 0) {
        v->held_from = index;
    }
    uint64_t at = index - v->held_from;
    if (v->held_from && at < 2) {
        memcpy(v->held[at].bytes, packet, len);
        v->held[at].len = len;
        v->count++;
        return true;
    }
    if (v->held_from && at == WINDOW) {
        see(v, packet, len, index);
        see(v, v->held[0].bytes, v->held[0].len, v->held_from);
        see(v, v->held[1].bytes, v->held[1].len, v->held_from + 1);
        v->held_from = 0;
        return true;
    }
    return false;
}

static void watch(void *arg, const uint8_t *packet, size_t len, uint64_t index)
{
    struct viewer *v = arg;
    if (!v->late || !hold(v, packet, len, index)) {
        see(v, packet, len, index);
    }
}

/* Ten seconds of a person's film through the proof. */
static struct proof_result run_film(struct film *film, struct viewer *v)
{
    struct film_config config = {.sender = 0x1234, .top = 2, .layers = 1, .sound = true, .seed = 5};
    struct proof_result result;
    if (v->late) { /* pictures of several packets, and nothing else */
        config.top = 0;
        config.sound = false;
    }
    v->proof = proof_new();
    assert_non_null(v->proof);
    assert_int_equal(film_sender_init(&v->sender, film, &config), 0);
    v->sender.camera_on = true;
    v->sender.sound_on = config.sound;
    film_sender_start(&v->sender, 0);
    for (mono_us now = 0; now < 10 * US_PER_S; now += 5000) {
        film_sender_run(&v->sender, now, watch, v);
        if (now % US_PER_S == 0) {
            film_sender_want_key(&v->sender, v->sender.stream[FILM_STREAM_VIDEO + config.top].ssrc);
        }
        proof_settle(v->proof); /* its thread takes what came before more comes */
    }
    proof_settle(v->proof);
    proof_read(v->proof, &result);
    film_sender_fini(&v->sender);
    proof_free(v->proof);
    return result;
}

static void the_proof_tells_right_from_wrong(void **state)
{
    struct film *film = *state;
    struct proof_result r = run_film(film, &(struct viewer){.spoil = 0});
    assert_in_range(r.pictures, 240, 250);
    assert_in_range(r.blocks, 10, 13);
    assert_int_equal(r.pictures_wrong + r.pictures_unread + r.pictures_failed, 0);
    assert_int_equal(r.blocks_wrong + r.blocks_unread + r.sound_failed, 0);
    assert_int_equal(r.senders, 1);
    /* Another's picture under a name. */
    r = run_film(film, &(struct viewer){.impostor = 0x1235});
    assert_int_equal(r.pictures_wrong, r.pictures);
    assert_true(r.pictures >= 240 && r.blocks == 0 && r.blocks_wrong >= 10);
    /* Bytes changed on the way. */
    r = run_film(film, &(struct viewer){.spoil = 9});
    assert_true(r.pictures_wrong + r.pictures_unread + r.pictures_failed > 0);
    /* Loss is no wrong content: what is incomplete is not judged. */
    r = run_film(film, &(struct viewer){.drop = 37});
    assert_int_equal(r.pictures_wrong + r.pictures_unread + r.pictures_failed, 0);
    assert_int_equal(r.blocks_wrong + r.blocks_unread, 0);
    assert_in_range(r.pictures, 30, 239); /* until the next key picture */
    /* A hole that was given up stays one, whatever comes late. */
    r = run_film(film, &(struct viewer){.late = true});
    assert_int_equal(r.pictures_wrong + r.pictures_unread + r.pictures_failed, 0);
    assert_in_range(r.pictures, 100, 245);
}

static void a_lost_packet_is_sent_again(void **state)
{
    struct film *film = *state;
    struct film_sender s;
    struct film_config config = {.sender = 9, .top = 1, .layers = 2, .keep = true, .seed = 3};
    struct viewer v = {.proof = proof_new()};
    assert_int_equal(film_sender_init(&s, film, &config), 0);
    s.camera_on = true;
    film_sender_start(&s, 0);
    film_sender_run(&s, 100000, watch, &v);
    uint32_t ssrc = s.stream[FILM_STREAM_VIDEO + 1].ssrc;
    uint16_t seq = (uint16_t)(s.stream[FILM_STREAM_VIDEO + 1].index - 1);
    film_sender_resend(&s, ssrc, seq, watch, &v);
    assert_int_equal(s.resent, 1);
    film_sender_resend(&s, ssrc, (uint16_t)(seq + 1), watch, &v); /* never sent */
    film_sender_resend(&s, ssrc ^ 2, seq, watch, &v);             /* no stream of ours */
    assert_int_equal(s.resent, 1);
    film_sender_fini(&s);
    proof_free(v.proof);
}

/* ---- verdicts --------------------------------------------------------------------------- */

static struct load_window *good_window(struct shape *shape)
{
    static struct load_window w;
    shape_init(shape);
    memset(&w, 0, sizeof(w));
    w.seconds = 10;
    w.people = w.people_wanted = 50;
    w.watched_h = 1;
    w.server_known = true;
    w.server_to.cpu_limit = w.server_from.cpu_limit = 2;
    w.server_to.packets_out = 100000;
    for (unsigned i = 0; i < 100; i++) {
        spread_add(&w.join, 20000);
        spread_add(&w.delay, 1000);
        spread_add(&w.lag, 100);
    }
    w.role[LOAD_VIEWER].pictures = (struct rx_count){.expected = 100000, .packets = 100000};
    return &w;
}

static enum verdict_cause cause_of(const struct shape *shape, const struct load_window *w)
{
    struct verdict v;
    verdict_make(&v, shape, w, NULL);
    assert_false(v.fits);
    return v.cause;
}

static void the_true_cause_is_named(void **state)
{
    struct shape shape;
    struct verdict v;
    struct load_window *w = good_window(&shape);
    (void)state;
    verdict_make(&v, &shape, w, NULL);
    assert_true(v.fits);
    assert_int_equal(v.flagged, CAUSE_NONE);
    w->role[LOAD_VIEWER].pictures.gaps = 5000; /* 5 % lost, all of it repaired */
    w->role[LOAD_VIEWER].pictures.repaired = 5000;
    verdict_make(&v, &shape, w, NULL);
    assert_true(v.fits);
    w->role[LOAD_VIEWER].pictures.repaired = 0;
    assert_int_equal(cause_of(&shape, w), CAUSE_UNKNOWN);
    w->server_to.no_room = 3000;
    w->server_to.pool_empty = 2000;
    assert_int_equal(cause_of(&shape, w), CAUSE_MEMORY);
    w->server_to.not_sent = 5000;
    assert_int_equal(cause_of(&shape, w), CAUSE_NETWORK);
    w->server_to.cpu_s = 19; /* 1.9 of 2 cores for 10 s */
    assert_int_equal(cause_of(&shape, w), CAUSE_CPU);
    w->server_to.classroom_s = 9.5;
    assert_int_equal(cause_of(&shape, w), CAUSE_SIGNALLING);
    w->tool_cores = 0.97; /* whatever the server did, we were too slow to see it */
    assert_int_equal(cause_of(&shape, w), CAUSE_TOOL);
}

/* A shape of coming and going wants people out: only who was kept out is missing. */
static void who_is_away_on_purpose_is_not_missing(void **state)
{
    struct shape shape;
    struct verdict v;
    struct load_window *w = good_window(&shape);
    (void)state;
    w->people -= 4;
    assert_int_equal(cause_of(&shape, w), CAUSE_UNKNOWN);
    w->people_away = 4;
    verdict_make(&v, &shape, w, NULL);
    assert_true(v.fits);
    w->people--;
    assert_int_equal(cause_of(&shape, w), CAUSE_UNKNOWN);
}

static void a_limit_below_one_core_is_seen(void **state)
{
    struct shape shape;
    struct load_window *w = good_window(&shape);
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        spread_add(&w->delay, 900000);
    }
    w->noise = 0.4; /* somebody else is busy too, but the server is at its own end */
    w->server_from.cpu_limit = w->server_to.cpu_limit = 0.25;
    w->server_to.cpu_s = 2.4;
    assert_int_equal(cause_of(&shape, w), CAUSE_CPU);
    w->server_to.cpu_s = 0.5;
    assert_int_equal(cause_of(&shape, w), CAUSE_NOISE);
    w->server_to.throttled_s = 3;
    assert_int_equal(cause_of(&shape, w), CAUSE_CPU);
    w->server_known = false;
    assert_int_equal(cause_of(&shape, w), CAUSE_NOISE);
    w->noise = 0;
    assert_int_equal(cause_of(&shape, w), CAUSE_UNKNOWN);
}

static struct peer_sdp one_publisher(void)
{
    return (struct peer_sdp){
        .ufrag = "abcdefgh",
        .pwd = "abcdefghijklmnopqrstuvwx",
        .fingerprint = {1, 2, 0xab},
        .setup = "actpass",
        .sends = true,
        .section = {{.there = true, .mid = "0", .pt = 111, .twcc = 3},
                    {.there = true, .mid = "1", .pt = 96, .rtx = 97, .twcc = 3}},
        .layers = 3,
        .ssrc = {1234, 0},
    };
}

/* What a load client offers is what our own door reads, and its answer what the client reads. */
static void doors_and_clients_understand_each_other(void **state)
{
    static char offer[PEER_SDP_MAX];
    static char answer[32768];
    static struct sdp_session session;
    struct desc_offer desc;
    struct peer_heard heard;
    struct peer_sdp ours = one_publisher();
    struct desc_answer theirs = {
        .ufrag = "amphi123", .pwd = "xabcdefghijklmnopqrstuvw", .candidates = 1};
    const char *why = NULL;
    (void)state;
    int len = peer_sdp_write(offer, sizeof(offer), &ours);
    assert_true(len > 0);
    assert_int_equal(sdp_parse(&session, offer, (size_t)len), 0);
    assert_int_equal(sdp_offer_desc(&desc, &session, registry_sdp_codec), 0);
    assert_string_equal(desc.ufrag, ours.ufrag);
    assert_memory_equal(desc.fingerprint, ours.fingerprint, 32);
    assert_int_equal(desc.audio.pt[CODEC_OPUS], 111);
    assert_int_equal(desc.video.pt[CODEC_VP8], 96);
    assert_int_equal(desc.video.rtx[CODEC_VP8], 97);
    assert_int_equal(desc.ssrc[SOURCE_MIC], 1234);
    assert_string_equal(desc.mid[SOURCE_CAMERA], "1");
    assert_int_equal(addr_parse(&theirs.candidate[0].addr, "192.0.2.7"), 0);
    theirs.candidate[0].addr.port = 7000;
    theirs.candidate[0].udp = true;
    theirs.fingerprint[31] = 9;
    len = sdp_answer_write(answer, sizeof(answer), &session, &desc, &theirs, registry_sdp_codec);
    assert_true(len > 0);
    assert_int_equal(peer_sdp_read(&heard, answer, (size_t)len, &why), 0);
    assert_string_equal(heard.answer.pwd, theirs.pwd);
    assert_memory_equal(heard.answer.fingerprint, theirs.fingerprint, 32);
    assert_int_equal(ntohs(heard.candidate.sin_port), 7000);
    assert_true(heard.simulcast);
    assert_int_equal(heard.section[PEER_SDP_PICTURE].rtx, 97);
    assert_int_equal(heard.section[PEER_SDP_SOUND].twcc, 3);
    /* a server that wants to be the DTLS client is refused with a reason */
    char *setup = strstr(answer, "a=setup:passive");
    assert_non_null(setup);
    memmove(setup + 14, setup + 15, strlen(setup + 15) + 1);
    memcpy(setup, "a=setup:active", 14);
    assert_int_not_equal(peer_sdp_read(&heard, answer, strlen(answer), &why), 0);
    assert_non_null(strstr(why, "DTLS"));
    assert_int_equal(peer_sdp_read(&heard, "v=1", 3, &why), E_BAD);
    assert_int_equal(peer_sdp_write(offer, 200, &ours), E_FULL);
}

static void metrics_are_read_by_name(void **state)
{
    static const char page[] = "# HELP x y\namphi_people 30\n"
                               "amphi_media_packets_total{direction=\"out\"} 1234567\n"
                               "amphi_thread_cpu_seconds_total{thread=\"shard0\"} 1.5\n"
                               "amphi_thread_cpu_seconds_total{thread=\"shard1\"} 2.5\n"
                               "amphi_cpu_limit_cores 0.25\namphi_unknown 7\n# EOF\n";
    struct scrape_sample s;
    (void)state;
    scrape_parse(&s, page, sizeof(page) - 1);
    assert_true(s.people > 29.9 && s.people < 30.1);
    assert_true(s.packets_out > 1234566 && s.packets_out < 1234568);
    assert_true(s.busiest_s > 2.4 && s.busiest_s < 2.6);
    assert_true(s.cpu_limit > 0.24 && s.cpu_limit < 0.26);
}

/* Pictures of which each packet ends in a byte of padding, sealed, through a socket: how many of
 * 1,000 the client has had. */
static uint64_t padded_had(const struct crypto_ops *crypto, struct client_rx *rx)
{
    static struct client_world world;
    static struct client client;
    const struct srtp_key key = {.key = {1}, .salt = {2}};
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    world = (struct client_world){.crypto = crypto};
    client = (struct client){.world = &world, .fd = fd[0], .sampled = true, .rx = rx};
    client.answer.ssrc_base = 7000;
    client.open = crypto->open_new(crypto->arg, SRTP_AEAD_AES_128_GCM, &key);
    struct srtp_seal *seal = crypto->seal_new(crypto->arg, SRTP_AEAD_AES_128_GCM, &key);
    assert_non_null(client.open);
    assert_non_null(seal);
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t out[200];
        uint8_t payload[100] = {0x90, 0xe0};
        struct rtp_header header = {.pt = MEDIA_PT_VP8,
                                    .seq = (uint16_t)(500 + i),
                                    .ssrc = 7000 + 2 * CLIENT_AUDIO_SLOTS,
                                    .padding = 1};
        struct wr w = wr_init(out, sizeof(out));
        rtp_write(&w, &header, NULL, false);
        payload[sizeof(payload) - 1] = header.padding;
        size_t len = crypto->seal_rtp(seal, out, wr_len(&w), 0, payload, sizeof(payload), 500 + i);
        assert_true(send(fd[1], out, len, 0) == (ssize_t)len);
        client_read(&client, 1000 * (mono_us)i);
    }
    assert_int_equal(world.totals.errors, 0);
    crypto->open_free(client.open);
    crypto->seal_free(seal);
    close(fd[0]);
    close(fd[1]);
    return world.totals.decrypted;
}

/* The last byte of a sealed packet is one of its tag, not the count of padding: one of 256 is 0,
 * and most count more than a short packet has. */
static void padding_is_told_behind_the_seal(void **state)
{
    struct crypto_identity *identity = NULL;
    struct crypto *crypto = NULL;
    const struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 4};
    struct client_rx *rx = client_rx_new(CLIENT_AUDIO_SLOTS, CLIENT_VIDEO_SLOTS);
    (void)state;
    assert_non_null(rx);
    assert_int_equal(crypto_identity_new(&identity), 0);
    assert_int_equal(crypto_new(&crypto, identity, &config), 0);
    assert_int_equal(padded_had(crypto_ops(crypto), NULL), 1000);
    assert_int_equal(padded_had(crypto_ops(crypto), rx), 1000);
    client_rx_free(rx);
    crypto_free(crypto);
    crypto_identity_free(identity);
}

static int make_film(void **state)
{
    struct film *film = NULL;
    int err = film_open(&film, NULL, NULL, NULL);
    *state = film;
    return err;
}

static int drop_film(void **state)
{
    film_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_read_with_their_units),
        cmocka_unit_test(wrong_shapes_name_line_and_reason),
        cmocka_unit_test(the_link_loses_its_share_and_keeps_order),
        cmocka_unit_test(the_link_keeps_its_rate),
        cmocka_unit_test(the_proof_tells_right_from_wrong),
        cmocka_unit_test(a_lost_packet_is_sent_again),
        cmocka_unit_test(the_true_cause_is_named),
        cmocka_unit_test(who_is_away_on_purpose_is_not_missing),
        cmocka_unit_test(a_limit_below_one_core_is_seen),
        cmocka_unit_test(doors_and_clients_understand_each_other),
        cmocka_unit_test(metrics_are_read_by_name),
        cmocka_unit_test(padding_is_told_behind_the_seal),
    };
    return cmocka_run_group_tests(tests, make_film, drop_film);
}
