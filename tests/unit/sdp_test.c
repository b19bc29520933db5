#include "tests/unit/support.h"

#include <string.h>
#include <sys/mman.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/media/registry.h"
#include "codec/wire/sdp.h"
#include "tests/unit/bytes.h"

#define DATA "tests/unit/data/sdp/"

static struct sdp_session session;
static char text[200000];
static char out[100000];

/* The answer of the golden files. */
static struct desc_answer our_answer(void)
{
    struct desc_answer a = {.ufrag = "amphi123",
                            .pwd = "abcdefghijklmnopqrstuvwx",
                            .ssrc_base = 1000000,
                            .candidates = 2};
    for (unsigned i = 0; i < 32; i++) {
        a.fingerprint[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(addr_parse(&a.candidate[0].addr, "192.0.2.1"), 0);
    a.candidate[0].addr.port = 7000;
    a.candidate[0].udp = true;
    a.candidate[0].tcp = true;
    assert_int_equal(addr_parse(&a.candidate[1].addr, "2001:db8::1"), 0);
    a.candidate[1].addr.port = 7000;
    a.candidate[1].udp = true;
    return a;
}

static int describe(struct desc_offer *desc, const char *offer)
{
    int err = sdp_parse(&session, offer, strlen(offer));
    return err ? err : sdp_offer_desc(desc, &session, registry_sdp_codec);
}

/* ---- real offers ---------------------------------------------------------------------------- */

/* The answers were taken by both browsers with setRemoteDescription when these files were made. */
static void answers_to_real_offers_stay_as_accepted(void **state)
{
    (void)state;
    static const char *const names[] = {"chromium_pool", "chromium_whip", "chromium_whep",
                                        "firefox_pool",  "firefox_whip",  "firefox_whep"};
    static char golden[100000];
    for (unsigned i = 0; i < 6; i++) {
        char path[100];
        struct desc_offer desc;
        struct desc_answer answer = our_answer();
        (void)snprintf(path, sizeof(path), DATA "%s.offer.sdp", names[i]);
        (void)bytes_file(text, sizeof(text), path);
        assert_int_equal(describe(&desc, text), 0);
        int n = sdp_answer_write(out, sizeof(out), &session, &desc, &answer, registry_sdp_codec);
        (void)snprintf(path, sizeof(path), DATA "%s.answer.sdp", names[i]);
        (void)bytes_file(golden, sizeof(golden), path);
        assert_int_equal(n, strlen(golden));
        assert_string_equal(out, golden);
        /* and it is SDP itself, with as many sections */
        unsigned sections = session.sections;
        assert_int_equal(sdp_parse(&session, out, (size_t)n), 0);
        assert_int_equal(session.sections, sections);
        assert_true(session.ice_lite);
    }
}

static void the_chromium_pool_is_understood(void **state)
{
    (void)state;
    struct desc_offer d;
    (void)bytes_file(text, sizeof(text), DATA "chromium_pool.offer.sdp");
    assert_int_equal(describe(&d, text), 0);
    assert_int_equal(d.audio_slots, 5);
    assert_int_equal(d.video_slots, 16);
    assert_int_equal(d.slot_mid_first, 4);
    assert_int_equal(d.audio.pt[CODEC_OPUS], 111);
    assert_int_equal(d.audio.pt[CODEC_RED], 63);
    assert_int_equal(d.audio.pt[CODEC_VP8], 0);
    assert_int_equal(d.video.pt[CODEC_VP8], 96);
    assert_int_equal(d.video.rtx[CODEC_VP8], 97);
    assert_int_equal(d.video.pt[CODEC_H264], 108);
    assert_int_equal(d.video_ext.id[RTPEXT_MID], 4);
    assert_int_equal(d.video_ext.id[RTPEXT_TRANSPORT_CC], 3);
    assert_int_equal(d.video_ext.id[RTPEXT_DEPENDENCY_DESCRIPTOR], 0); /* VP8 is there */
    assert_int_equal(d.audio_ext.id[RTPEXT_AUDIO_LEVEL], 1);
    assert_string_equal(d.mid[SOURCE_MIC], "0");
    assert_string_equal(d.mid[SOURCE_CAMERA], "1");
    assert_string_equal(d.mid[SOURCE_SCREEN], "2");
    assert_string_equal(d.mid[SOURCE_SOUND], "3");
    assert_int_equal(d.ssrc[SOURCE_CAMERA], 0); /* simulcast: known by mid and rid */
    assert_int_not_equal(d.ssrc[SOURCE_MIC], 0);
    assert_int_not_equal(d.rtx_ssrc[SOURCE_SCREEN], 0);
    assert_int_equal(session.section[1].use, SDP_USE_SEND);
    assert_int_equal(session.section[9].slot, 5);
}

static void firefox_is_understood(void **state)
{
    (void)state;
    struct desc_offer d;
    (void)bytes_file(text, sizeof(text), DATA "firefox_pool.offer.sdp");
    assert_int_equal(describe(&d, text), 0);
    assert_int_equal(d.audio_slots, 5);
    assert_int_equal(d.video_slots, 16);
    assert_int_equal(d.video.pt[CODEC_VP8], 120);
    assert_int_equal(d.video.rtx[CODEC_VP8], 124);
    assert_int_equal(d.audio.pt[CODEC_RED], 0); /* its "red" is the video FEC container */
    assert_int_equal(d.video_ext.id[RTPEXT_RID], 9);
    assert_int_equal(d.audio_ext.id[RTPEXT_MID], 3);
    (void)bytes_file(text, sizeof(text), DATA "firefox_whep.offer.sdp");
    assert_int_equal(describe(&d, text), 0);
    assert_int_equal(d.audio_slots, 1);
    assert_int_equal(d.video_slots, 1);
    assert_int_equal(d.slot_mid_first, DESC_MID_NONE); /* video stands first */
    assert_int_equal(d.mid[SOURCE_MIC][0], 0);
}

/* ---- small offers made by hand ----------------------------------------------------------------
 */

#define HEAD "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
#define CRED                                                                                       \
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                                     \
    "a=fingerprint:sha-256 "                                                                       \
    "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:"   \
    "1E:1F\r\na=setup:actpass\r\n"
#define AUDIO(mid)                                                                                 \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid                            \
    "\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 OPUS/48000/2\r\n"
#define VIDEO(mid)                                                                                 \
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:" mid "\r\na=sendonly\r\na=rtcp-mux\r\n"           \
    "a=rtpmap:96 vp8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"

static void a_minimal_offer_passes(void **state)
{
    (void)state;
    struct desc_offer d;
    assert_int_equal(describe(&d, HEAD CRED AUDIO("0") VIDEO("1")), 0);
    assert_string_equal(d.ufrag, "abcd");
    assert_string_equal(d.pwd, "0123456789012345678901");
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(d.fingerprint[i], i);
    }
    assert_int_equal(d.audio.pt[CODEC_OPUS], 111); /* names without case */
    assert_int_equal(d.video.pt[CODEC_VP8], 96);
    assert_int_equal(d.video.rtx[CODEC_VP8], 97);
    assert_int_equal(d.audio_slots + d.video_slots, 0);
    /* credentials on section level, LF only, no line end at the end, one section, no bundle */
    assert_int_equal(describe(&d, "v=0\ns=-\nm=audio 9 UDP/TLS/RTP/SAVPF 0 100\na=mid:x\n"
                                  "a=rtcp-mux\na=rtpmap:100 opus/48000/2\n" CRED "a=sendonly"),
                     0);
    assert_string_equal(d.mid[SOURCE_MIC], "x");
}

struct bad_row {
    const char *why;
    const char *offer;
    int err;
};

static void bad_offers_are_refused(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"empty", "", E_BAD},
        {"no version", "s=-\r\n", E_BAD},
        {"version 1", "v=1\r\n", E_BAD},
        {"no sections", HEAD CRED, E_BAD},
        {"no equals sign", "v=0\r\nhello\r\n", E_BAD},
        {"upper-case type", "v=0\r\nM=audio 9 RTP/AVP 0\r\n", E_BAD},
        {"media without formats", "v=0\r\nm=audio 9 RTP/AVP\r\n", E_BAD},
        {"port 65536", "v=0\r\nm=audio 65536 RTP/AVP 0\r\n", E_BAD},
        {"second version", "v=0\r\nv=0\r\n", E_BAD},
        {"two mids", HEAD CRED AUDIO("0") "a=mid:7\r\n", E_BAD},
        {"mid too long", HEAD CRED AUDIO("0123456789abcdef"), E_BAD},
        {"mid with a blank", HEAD CRED AUDIO("a b"), E_BAD},
        {"mid on session level", "v=0\r\na=mid:0\r\n", E_BAD},
        {"no credentials", HEAD AUDIO("0"), E_BAD},
        {"short password", HEAD "a=ice-ufrag:abcd\r\na=ice-pwd:0123\r\n" AUDIO("0"), E_BAD},
        {"ufrag with a dash",
         HEAD "a=ice-ufrag:ab-d\r\na=ice-pwd:0123456789012345678901\r\n" AUDIO("0"), E_BAD},
        {"no fingerprint",
         HEAD "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" AUDIO("0"), E_UNSUPPORTED},
        {"sha-1 only",
         HEAD "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-1 "
              "00:11\r\n" AUDIO("0"),
         E_UNSUPPORTED},
        {"torn fingerprint",
         HEAD "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 "
              "00:11\r\n" AUDIO("0"),
         E_BAD},
        {"client wants to be the DTLS server", HEAD "a=setup:passive\r\n" CRED AUDIO("0"),
         E_UNSUPPORTED},
        {"no mid in the bundle", HEAD CRED AUDIO("7"), E_UNSUPPORTED},
        {"no common codec", HEAD CRED "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=rtcp-mux\r\n",
         E_UNSUPPORTED},
        {"plain RTP",
         HEAD CRED "m=audio 9 RTP/AVP 111\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 "
                   "opus/48000/2\r\n",
         E_UNSUPPORTED},
        {"no rtcp-mux",
         HEAD CRED "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n",
         E_UNSUPPORTED},
        {"one codec, two numbers",
         HEAD CRED VIDEO("0") "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:1\r\na=sendonly\r\n"
                              "a=rtcp-mux\r\na=rtpmap:98 VP8/90000\r\n",
         E_UNSUPPORTED},
        {"one extension, two ids",
         HEAD CRED AUDIO("0") "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                              "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
         E_UNSUPPORTED},
        {"data channel only",
         HEAD CRED "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n",
         E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct desc_offer d;
        int err = describe(&d, rows[i].offer);
        if (err != rows[i].err) {
            fail_msg("%s: %s", rows[i].why, err_name(err));
        }
    }
    struct desc_offer d;
    static const char with_nul[] = "v=0\r\ns=\0-\r\n";
    assert_int_equal(sdp_parse(&session, with_nul, sizeof(with_nul) - 1), E_BAD);
    (void)d;
}

/* The shape of the example in RFC 9725 section 4.2: what all share stands in the first section. */
static void bundle_only_sections_need_no_transport(void **state)
{
    (void)state;
    struct desc_offer d;
    static const char first[] = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\n"
                                "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
    static const char second[] = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\n"
                                 "a=sendonly\r\na=rtpmap:96 VP8/90000\r\n";
    char offer[2000];
    (void)snprintf(offer, sizeof(offer), "%s%s%s", HEAD CRED, first, second);
    assert_int_equal(describe(&d, offer), 0);
    assert_string_equal(d.mid[SOURCE_CAMERA], "1");
    (void)snprintf(offer, sizeof(offer), "%s%s%s", HEAD CRED, second, first);
    assert_int_equal(describe(&d, offer), E_UNSUPPORTED); /* the first one must say it */
}

static void best_parameters_win(void **state)
{
    (void)state;
    struct desc_offer d;
    assert_int_equal(
        describe(
            &d, HEAD CRED
            "m=video 9 UDP/TLS/RTP/SAVPF 100 101 102 103 104 105 106 45 46\r\na=mid:0\r\n"
            "a=sendonly\r\na=rtcp-mux\r\n"
            "a=rtpmap:100 H264/90000\r\na=fmtp:100 packetization-mode=0;profile-level-id=42e01f\r\n"
            "a=rtpmap:101 H264/90000\r\na=fmtp:101 profile-level-id=640032; "
            "packetization-mode=1\r\n"
            "a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42001f\r\n"
            "a=rtpmap:103 H264/90000\r\na=fmtp:103 packetization-mode=1;profile-level-id=42e01f\r\n"
            "a=rtpmap:104 VP9/90000\r\na=fmtp:104 profile-id=2\r\n"
            "a=rtpmap:105 VP9/90000\r\na=rtpmap:106 rtx/90000\r\na=fmtp:106 apt=103\r\n"
            "a=rtpmap:45 AV1/90000\r\na=fmtp:45 profile=1\r\n"
            "a=rtpmap:46 AV1/90000\r\na=fmtp:46 level-idx=5;profile=0\r\n"),
        0);
    assert_int_equal(d.video.pt[CODEC_H264], 103);
    assert_int_equal(d.video.rtx[CODEC_H264], 106);
    assert_int_equal(d.video.pt[CODEC_VP9], 105);
    assert_int_equal(d.video.rtx[CODEC_VP9], 0);
    assert_int_equal(d.video.pt[CODEC_AV1], 46);
}

static void the_dependency_descriptor_needs_the_absence_of_vp8(void **state)
{
    (void)state;
    struct desc_offer d;
    struct desc_answer answer = our_answer();
    static const char dd[] = "a=extmap:12 https://aomediacodec.github.io/av1-rtp-spec/"
                             "#dependency-descriptor-rtp-header-extension\r\n";
    static char offer[4000];
    (void)snprintf(offer, sizeof(offer), "%s%s", HEAD CRED VIDEO("0"), dd);
    assert_int_equal(describe(&d, offer), 0);
    assert_int_equal(d.video_ext.id[RTPEXT_DEPENDENCY_DESCRIPTOR], 0);
    assert_true(sdp_answer_write(out, sizeof(out), &session, &d, &answer, registry_sdp_codec) > 0);
    assert_null(strstr(out, "dependency-descriptor"));
    (void)snprintf(offer, sizeof(offer), "%s%s",
                   HEAD CRED "m=video 9 UDP/TLS/RTP/SAVPF 45\r\na=mid:0\r\na=sendonly\r\n"
                             "a=rtcp-mux\r\na=rtpmap:45 AV1/90000\r\n",
                   dd);
    assert_int_equal(describe(&d, offer), 0);
    assert_int_equal(d.video_ext.id[RTPEXT_DEPENDENCY_DESCRIPTOR], 12);
    assert_true(sdp_answer_write(out, sizeof(out), &session, &d, &answer, registry_sdp_codec) > 0);
    assert_non_null(strstr(out, dd));
}

/* What a client can receive decides; a section without any of it is answered as rejected. */
static void s15_slots_decide_the_codecs_and_no_data_channel(void **state)
{
    (void)state;
    struct desc_offer d;
    struct desc_answer answer = our_answer();
    assert_int_equal(
        describe(
            &d, "v=0\r\na=group:BUNDLE 0 1 2 3 4\r\n" CRED
                "m=video 9 UDP/TLS/RTP/SAVPF 108\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
                "a=rtpmap:108 H264/90000\r\na=fmtp:108 packetization-mode=1\r\na=ssrc:7 cname:x\r\n"
                "m=video 9 UDP/TLS/RTP/SAVPF 96 98\r\na=mid:1\r\na=recvonly\r\na=rtcp-mux\r\n"
                "a=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\n"
                "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=bundle-only\r\na=recvonly\r\n"
                "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:* nack pli\r\n"
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n"
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:4\r\na=inactive\r\na=rtcp-mux\r\n"
                "a=rtpmap:96 VP8/90000\r\n"),
        0);
    assert_int_equal(d.video.pt[CODEC_VP8], 96);
    assert_int_equal(d.video.pt[CODEC_VP9], 0);
    assert_int_equal(d.video.pt[CODEC_H264], 0);
    assert_int_equal(d.video_slots, 2);
    assert_int_equal(d.slot_mid_first, 1);
    assert_int_equal(d.mid[SOURCE_CAMERA][0], 0);
    assert_int_equal(d.ssrc[SOURCE_CAMERA], 0);
    static const uint8_t uses[] = {SDP_USE_REJECTED, SDP_USE_SLOT, SDP_USE_SLOT, SDP_USE_REJECTED,
                                   SDP_USE_IDLE};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(session.section[i].use, uses[i]);
    }
    int n = sdp_answer_write(out, sizeof(out), &session, &d, &answer, registry_sdp_codec);
    assert_true(n > 0);
    assert_non_null(strstr(out, "a=group:BUNDLE 1 2 4\r\n"));
    assert_non_null(strstr(out, "m=video 0 UDP/TLS/RTP/SAVPF 108\r\n"));
    assert_non_null(strstr(out, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert_non_null(strstr(out, "a=rtcp-fb:96 nack pli\r\n"));
    assert_non_null(strstr(out, "a=mid:4\r\na=inactive\r\n"));
    assert_non_null(strstr(out, "a=ssrc:1000002 cname:amphi\r\n"));
    for (size_t cap = 0; cap <= (size_t)n; cap += 97) {
        assert_int_equal(sdp_answer_write(out, cap, &session, &d, &answer, registry_sdp_codec),
                         E_FULL);
    }
    assert_int_equal(
        sdp_answer_write(out, (size_t)n + 1, &session, &d, &answer, registry_sdp_codec), n);
}

static void simulcast_is_answered_stream_by_stream(void **state)
{
    (void)state;
    struct desc_offer d;
    struct desc_answer answer = our_answer();
    assert_int_equal(
        describe(&d,
                 HEAD CRED AUDIO("0") VIDEO(
                     "1") "a=rid:f send\r\na=simulcast:recv x send f,g;~h;q;r;s\r\n"
                          "a=extmap:5/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
                          "a=extmap-allow-mixed\r\n"),
        0);
    assert_true(sdp_answer_write(out, sizeof(out), &session, &d, &answer, registry_sdp_codec) > 0);
    assert_non_null(strstr(out, "a=rid:f recv\r\na=rid:h recv\r\na=rid:q recv\r\na=rid:r recv\r\n"
                                "a=simulcast:recv f;h;q;r\r\n"));
    assert_non_null(
        strstr(out, "a=extmap:5/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    assert_non_null(strstr(out, "a=extmap-allow-mixed\r\n"));
    assert_int_equal(d.video_ext.id[RTPEXT_RID], 5);
}

static void third_sources_are_idle(void **state)
{
    (void)state;
    struct desc_offer d;
    assert_int_equal(
        describe(&d, "v=0\r\na=group:BUNDLE 0 1 2\r\n" CRED AUDIO("0") AUDIO("1") AUDIO("2")), 0);
    assert_string_equal(d.mid[SOURCE_MIC], "0");
    assert_string_equal(d.mid[SOURCE_SOUND], "1");
    assert_int_equal(session.section[2].use, SDP_USE_IDLE);
}

/* ---- bounds (S14) -----------------------------------------------------------------------------
 */

/* Appends piece count times behind what is in text. */
static size_t repeat(size_t len, const char *piece, unsigned count)
{
    size_t n = strlen(piece);
    for (unsigned i = 0; i < count && len + n < sizeof(text) - 1; i++) {
        memcpy(text + len, piece, n);
        len += n;
    }
    text[len] = 0;
    return len;
}

static size_t start(const char *head)
{
    size_t n = strlen(head);
    memcpy(text, head, n + 1);
    return n;
}

static void sizes_are_limited(void **state)
{
    (void)state;
    size_t len = repeat(start("v=0\r\n"), "a=x\r\n", SDP_LINES_MAX - 2);
    len = repeat(len, "m=audio 9 RTP/AVP 0\r\n", 1);
    assert_int_equal(sdp_parse(&session, text, len), 0);
    assert_int_equal(session.lines, SDP_LINES_MAX);
    len = repeat(len, "a=x\r\n", 1);
    assert_int_equal(sdp_parse(&session, text, len), E_LIMIT);
    len = repeat(start("v=0\r\n"), "m=audio 9 RTP/AVP 0\r\n", SDP_SECTIONS_MAX);
    assert_int_equal(sdp_parse(&session, text, len), 0);
    len = repeat(len, "m=audio 9 RTP/AVP 0\r\n", 1);
    assert_int_equal(sdp_parse(&session, text, len), E_LIMIT);
    len = repeat(start("v=0\r\nm=audio 9 RTP/AVP 0\r\na="), "x", SDP_TEXT_MAX - 30);
    text[SDP_TEXT_MAX] = 0;
    assert_int_equal(sdp_parse(&session, text, SDP_TEXT_MAX < len ? SDP_TEXT_MAX : len), 0);
    assert_int_equal(sdp_parse(&session, text, SDP_TEXT_MAX + 1), E_TOOBIG);
    len = repeat(start("v=0\r\na=group:BUNDLE"), " 0", SDP_SECTIONS_MAX + 1);
    len = repeat(len, "\r\nm=audio 9 RTP/AVP 0\r\n", 1);
    assert_int_equal(sdp_parse(&session, text, len), E_LIMIT);
    struct desc_offer d;
    len = repeat(start("v=0\r\na=group:BUNDLE 0\r\n" CRED),
                 "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n"
                 "a=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 opus/48000/2\r\n",
                 DESC_AUDIO_SLOTS_MAX + 1);
    assert_int_equal(sdp_parse(&session, text, len), 0);
    assert_int_equal(sdp_offer_desc(&d, &session, registry_sdp_codec), E_LIMIT);
}

/*
 * S14: ten megabytes made to hurt (one line, all lines, all sections, no line end at all). Refused
 * by its length, before anything is looked at: not even a byte behind the limit is touched, which
 * the missing pages would tell.
 */
static void s14_ten_megabytes_are_refused_unread(void **state)
{
    (void)state;
    enum { TEN_MB = 10 * 1000 * 1000, PAGE = 4096 };
    static const char *const pieces[] = {
        "a=rtcp-fb:* nack\r\n", "m=video 9 RTP/AVP 96\r\n",  "x", "\r\n",
        "a=candidate:",         "a=ssrc-group:FID 1 2 3\r\n"};
    uint8_t *all = mmap(NULL, TEN_MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    size_t readable = (SDP_TEXT_MAX + PAGE - 1) / PAGE * PAGE;
    for (unsigned p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        assert_int_equal(mprotect(all, TEN_MB, PROT_READ | PROT_WRITE), 0);
        size_t unit = strlen(pieces[p]);
        for (size_t at = 0; at + unit <= TEN_MB; at += unit) {
            memcpy(all + at, pieces[p], unit);
        }
        assert_int_equal(mprotect(all + readable, TEN_MB - readable, PROT_NONE), 0);
        session.steps = 7;
        assert_int_equal(sdp_parse(&session, (const char *)all, TEN_MB), E_TOOBIG);
        assert_true(session.steps <= 7);
    }
    assert_int_equal(munmap(all, TEN_MB), 0);
}

/* Work is counted, not timed: at most a fixed number of visits per byte, whatever the text. */
static void work_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "a=fmtp:96 apt=97;apt=98;x=1\r\n",
        "a=rtpmap:96 VP8/90000\r\n",
        "a=rtcp-fb:* nack\r\n",
        "a=rtcp-fb:96 nack pli\r\n",
        "a=ssrc-group:FID 1 2\r\n",
        "a=simulcast:send a;b;c\r\n",
        "a=extmap:1 urn:3gpp:video-orientation\r\n",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
        "a=ssrc:1 x\r\n",
        "\r\n",
    };
    for (unsigned p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        for (unsigned sections = 1; sections <= 64; sections *= 4) {
            size_t len = start("v=0\r\na=group:BUNDLE 0\r\n" CRED);
            for (unsigned i = 0; i < sections; i++) {
                len = repeat(len, "m=video 9 UDP/TLS/RTP/SAVPF", 1);
                len = repeat(len, " 96 97 98 99", 20);
                len = repeat(len,
                             "\r\na=mid:0\r\na=inactive\r\na=rtcp-mux\r\na=rtpmap:96 "
                             "VP8/90000\r\n",
                             1);
                len = repeat(len, pieces[p], 1700 / sections);
                if (len > SDP_TEXT_MAX) {
                    break;
                }
            }
            struct desc_offer d;
            len = len < SDP_TEXT_MAX ? len : SDP_TEXT_MAX;
            int err = sdp_parse(&session, text, len);
            if (err == 0) {
                (void)sdp_offer_desc(&d, &session, registry_sdp_codec);
            }
            assert_true(session.steps <= 6 * len + 20000);
        }
    }
    struct rng_seeded seeded;
    rng_seed(&seeded, 2);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned i = 0; i < 20; i++) { /* noise: refused, and soon */
        rng_fill(&rng, text, SDP_TEXT_MAX);
        text[0] = 'v';
        assert_true(sdp_parse(&session, text, SDP_TEXT_MAX) < 0);
        assert_true(session.steps <= SDP_TEXT_MAX);
    }
}

/* Every prefix and every single-byte change of a real offer: no crash, a clear yes or no. */
static void damaged_offers_do_no_harm(void **state)
{
    (void)state;
    size_t len = bytes_file(text, sizeof(text), DATA "firefox_whip.offer.sdp");
    struct desc_offer d;
    struct desc_answer answer = our_answer();
    struct rng_seeded seeded;
    rng_seed(&seeded, 8);
    struct rng rng = rng_from_seeded(&seeded);
    for (size_t i = 0; i < 2 * len; i++) {
        size_t n = i < len ? i : len;
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, text, n);
        if (i >= len) {
            copy[i - len] = (char)rng_u32(&rng);
        }
        if (sdp_parse(&session, copy, n) == 0 &&
            sdp_offer_desc(&d, &session, registry_sdp_codec) == 0) {
            assert_true(
                sdp_answer_write(out, sizeof(out), &session, &d, &answer, registry_sdp_codec) > 0);
        }
        free(copy);
    }
}

static void candidates_are_read(void **state)
{
    (void)state;
    struct sdp_candidate c;
    char buf[ADDR_TEXT_MAX];
    static const char udp[] = "1 1 UDP 2122260223 192.0.2.7 50000 typ host generation 0";
    static const char tcp[] = "1 2 tcp 1 2001:db8::5 9 typ srflx raddr 10.0.0.1 rport 1";
    static const char mdns[] = "1 1 udp 1 4f2d-11.local 50000 typ host";
    assert_int_equal(sdp_candidate_parse(&c, udp, strlen(udp)), 0);
    assert_string_equal(addr_print(&c.addr, buf), "192.0.2.7:50000");
    assert_true(c.host);
    assert_int_equal(c.proto, ADDR_UDP);
    assert_int_equal(c.priority, 2122260223u);
    assert_int_equal(sdp_candidate_parse(&c, tcp, strlen(tcp)), 0);
    assert_int_equal(c.proto, ADDR_TCP);
    assert_int_equal(c.component, 2);
    assert_false(c.host);
    assert_int_equal(sdp_candidate_parse(&c, mdns, strlen(mdns)), E_UNSUPPORTED);
    static const char *const bad[] = {
        "1 1 udp 1 192.0.2.7 50000 typ", "1 1 udp 1 192.0.2.7 65536 typ host",
        "1 1 udp x 192.0.2.7 1 typ host", "1 1 udp 1 192.0.2.7 1 tip host"};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sdp_candidate_parse(&c, bad[i], strlen(bad[i])), E_BAD);
    }
    static const char sctp[] = "1 1 sctp 1 192.0.2.7 1 typ host";
    assert_int_equal(sdp_candidate_parse(&c, sctp, strlen(sctp)), E_UNSUPPORTED);
    static const char longname[] =
        "1 1 udp 1 0123456789012345678901234567890123456789012345678901234567890123.x 1 typ host";
    assert_int_equal(sdp_candidate_parse(&c, longname, strlen(longname)), E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(answers_to_real_offers_stay_as_accepted),
        UNIT(the_chromium_pool_is_understood),
        UNIT(firefox_is_understood),
        UNIT(a_minimal_offer_passes),
        UNIT(bad_offers_are_refused),
        UNIT(bundle_only_sections_need_no_transport),
        UNIT(best_parameters_win),
        UNIT(s15_slots_decide_the_codecs_and_no_data_channel),
        UNIT(the_dependency_descriptor_needs_the_absence_of_vp8),
        UNIT(simulcast_is_answered_stream_by_stream),
        UNIT(third_sources_are_idle),
        UNIT(sizes_are_limited),
        UNIT(s14_ten_megabytes_are_refused_unread),
        UNIT(work_is_linear),
        UNIT(damaged_offers_do_no_harm),
        UNIT(candidates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
