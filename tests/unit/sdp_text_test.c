#include "tests/unit/support.h"

#include <string.h>

#include "codec/media/registry.h"
#include "codec/wire/sdp_payload.h"
#include "codec/wire/sdp_text.h"

static struct sdp_view view(const char *text)
{
    return (struct sdp_view){.p = text, .len = strlen(text)};
}

static void words_are_compared_whole(void **state)
{
    (void)state;
    assert_true(sdp_is(view("send"), "send"));
    assert_false(sdp_is(view("sendonly"), "send"));
    assert_false(sdp_is(view("Send"), "send"));
    assert_true(sdp_is_nocase(view("OpUs"), "opus"));
    assert_false(sdp_is_nocase(view("opu"), "opus"));
    assert_false(sdp_is_nocase(view("opuss"), "opus"));
    assert_false(sdp_is_nocase(view("["), "{")); /* 32 apart, but no letters */
}

static void tokens_are_cut_off(void **state)
{
    (void)state;
    struct sdp_view v = view("  a  bc d");
    struct sdp_view t;
    assert_true(sdp_token(&v, ' ', &t) && sdp_is(t, "a"));
    assert_true(sdp_token(&v, ' ', &t) && sdp_is(t, "bc"));
    assert_true(sdp_token(&v, ' ', &t) && sdp_is(t, "d"));
    assert_false(sdp_token(&v, ' ', &t));
    v = view("a;;b"); /* only blanks run together */
    assert_true(sdp_token(&v, ';', &t) && sdp_is(t, "a"));
    assert_true(sdp_token(&v, ';', &t) && t.len == 0);
    assert_true(sdp_token(&v, ';', &t) && sdp_is(t, "b"));
    assert_false(sdp_token(&v, ';', &t));
}

static void numbers_are_bounded(void **state)
{
    (void)state;
    uint32_t n = 7;
    assert_true(sdp_number(view("65535"), 65535, &n) && n == 65535);
    assert_false(sdp_number(view("65536"), 65535, &n));
    assert_true(sdp_number(view("4294967295"), UINT32_MAX, &n) && n == UINT32_MAX);
    assert_false(sdp_number(view("99999999999999999999999"), UINT32_MAX, &n));
    assert_false(sdp_number(view(""), 9, &n));
    assert_false(sdp_number(view("-1"), 9, &n));
    assert_false(sdp_number(view("1 "), 9, &n));
}

static void the_writer_keeps_room_for_the_end(void **state)
{
    (void)state;
    char out[8];
    struct sdp_out o = {.p = out, .cap = sizeof(out)};
    sdp_put(&o, "ab");
    sdp_put_number(&o, 4096);
    assert_false(o.bad);
    sdp_put_number(&o, 0);
    assert_memory_equal(out, "ab40960", 7);
    assert_false(o.bad);
    sdp_put(&o, "x");
    assert_true(o.bad);
    assert_int_equal(o.len, 7);
    sdp_put(&o, "");
    assert_int_equal(o.len, 7);
}

static struct sdp_session session;

static void payloads_of_a_section(void **state)
{
    (void)state;
    static const char offer[] =
        "v=0\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 96 200 x 98\na=rtcp-fb:96 nack\na=rtcp-fb:* nack "
        "pli\n"
        "a=rtpmap:97 rtx/90000\na=fmtp:97 rtx-time=3; apt=96\na=rtpmap:96 VP8/90000\n"
        "a=rtpmap:96 VP9/90000\na=rtpmap:98 VP8/48000\na=rtpmap:99 H264/90000\na=rtpmap:bad\n";
    struct sdp_payloads t;
    assert_int_equal(sdp_parse(&session, offer, strlen(offer)), 0);
    sdp_payloads_read(&t, &session, &session.section[0], registry_sdp_codec);
    assert_int_equal(t.count, 3); /* repeated, too large and not numbers are left out */
    const struct sdp_codec *vp8 = registry_sdp_codec(CODEC_VP8);
    const struct sdp_payload *row = sdp_payloads_of(&t, &session, vp8, 96);
    assert_non_null(row); /* the first rtpmap counts */
    assert_int_equal(row->feedback, 3);
    assert_int_equal(sdp_payloads_best(&t, &session, vp8), 96);
    assert_int_equal(sdp_payloads_rtx(&t, 96), 97);
    assert_int_equal(sdp_payloads_rtx(&t, 98), 0);
    assert_null(sdp_payloads_of(&t, &session, vp8, 98)); /* other clock */
    assert_null(sdp_payloads_of(&t, &session, vp8, 0));
    assert_null(sdp_payloads_of(&t, &session, vp8, 200));
    assert_int_equal(sdp_payloads_best(&t, &session, registry_sdp_codec(CODEC_H264)), 0);
}

static void extmaps_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\nm=audio 9 x 0\na=extmap:9/recvonly urn:3gpp:video-orientation\n"
        "a=extmap:0 urn:3gpp:video-orientation\na=extmap:256 urn:3gpp:"
        "video-orientation\na=extmap:3 urn:unknown\na=extmap:3\n";
    assert_int_equal(sdp_parse(&session, text, strlen(text)), 0);
    uint8_t id = 0;
    enum sdp_direction direction = SDP_DIR_SENDRECV;
    enum rtpext_kind kind = RTPEXT_NONE;
    assert_true(sdp_extmap_parse(&session, session.line[2].value, &id, &direction, &kind));
    assert_int_equal(id, 9);
    assert_int_equal(direction, SDP_DIR_RECVONLY);
    assert_int_equal(kind, RTPEXT_VIDEO_ORIENTATION);
    for (unsigned i = 3; i < 7; i++) {
        assert_false(sdp_extmap_parse(&session, session.line[i].value, &id, &direction, &kind));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(words_are_compared_whole), UNIT(tokens_are_cut_off),
        UNIT(numbers_are_bounded),      UNIT(the_writer_keeps_room_for_the_end),
        UNIT(payloads_of_a_section),    UNIT(extmaps_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
