#include "signaling/class/offer.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"

enum { SEND_SECTIONS = 4 };

static int read_text(char *out, size_t cap, const json_t *text)
{
    size_t len = json_string_length(text);
    if (len >= cap) {
        return E_BAD;
    }
    memcpy(out, json_string_value(text), len + 1);
    return 0;
}

struct named_codec {
    const char *name;
    enum codec_id codec;
};

static const struct named_codec audio_codecs[] = {{"opus", CODEC_OPUS}, {"red", CODEC_RED}};
static const struct named_codec video_codecs[] = {
    {"vp8", CODEC_VP8}, {"vp9", CODEC_VP9}, {"h264", CODEC_H264}, {"av1", CODEC_AV1}};

static uint8_t element(const json_t *list, size_t i)
{
    return (uint8_t)json_integer_value(json_array_get(list, i));
}

/* False when a payload type stands twice: the answer to it would be ambiguous. */
static bool take(bool used[128], uint8_t pt)
{
    if (pt == 0 || used[pt & 127]) {
        return false;
    }
    used[pt & 127] = true;
    return true;
}

static int read_codecs(struct desc_codecs *out, const json_t *from, const struct named_codec *known,
                       size_t count)
{
    bool used[128] = {false};
    for (size_t i = 0; i < count; i++) {
        const json_t *list = json_object_get(from, known[i].name);
        if (!list) {
            continue;
        }
        out->pt[known[i].codec] = element(list, 0);
        if (!take(used, element(list, 0))) {
            return E_BAD;
        }
        if (json_array_size(list) > 1) {
            out->rtx[known[i].codec] = element(list, 1);
            if (element(list, 1) != 0 && !take(used, element(list, 1))) {
                return E_BAD;
            }
        }
    }
    return 0;
}

struct named_ext {
    const char *name;
    enum rtpext_kind kind;
};

static const struct named_ext exts[] = {
    {"mid", RTPEXT_MID},
    {"rid", RTPEXT_RID},
    {"rrid", RTPEXT_REPAIRED_RID},
    {"level", RTPEXT_AUDIO_LEVEL},
    {"twcc", RTPEXT_TRANSPORT_CC},
    {"ast", RTPEXT_ABS_SEND_TIME},
    {"act", RTPEXT_ABS_CAPTURE_TIME},
    {"pd", RTPEXT_PLAYOUT_DELAY},
    {"vo", RTPEXT_VIDEO_ORIENTATION},
    {"dd", RTPEXT_DEPENDENCY_DESCRIPTOR},
};

static int read_exts(struct desc_exts *out, const json_t *from)
{
    bool used[256] = {false};
    for (size_t i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
        uint8_t id = (uint8_t)json_integer_value(json_object_get(from, exts[i].name));
        if (id && used[id]) {
            return E_BAD;
        }
        used[id] = true;
        out->id[exts[i].kind] = id;
    }
    return 0;
}

static void read_sources(struct desc_offer *out, const json_t *s)
{
    uint32_t ssrc[5];
    for (size_t i = 0; i < 5; i++) {
        ssrc[i] = (uint32_t)json_integer_value(json_array_get(s, i));
    }
    out->ssrc[SOURCE_MIC] = ssrc[0];
    out->ssrc[SOURCE_CAMERA] = ssrc[1];
    out->ssrc[SOURCE_SCREEN] = ssrc[2];
    out->rtx_ssrc[SOURCE_SCREEN] = ssrc[3];
    out->ssrc[SOURCE_SOUND] = ssrc[4];
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        (void)snprintf(out->mid[i], sizeof(out->mid[i]), "%u", i);
    }
    out->slot_mid_first = SEND_SECTIONS;
}

int offer_read(struct desc_offer *out, const json_t *offer)
{
    memset(out, 0, sizeof(*out));
    const json_t *f = json_object_get(offer, "f");
    const json_t *n = json_object_get(offer, "n");
    int err = read_text(out->ufrag, sizeof(out->ufrag), json_object_get(offer, "u"));
    err = err ? err : read_text(out->pwd, sizeof(out->pwd), json_object_get(offer, "p"));
    err = err ? err
              : text_unhex(out->fingerprint, sizeof(out->fingerprint), json_string_value(f),
                           json_string_length(f));
    err = err ? err
              : read_codecs(&out->audio, json_object_get(offer, "a"), audio_codecs,
                            sizeof(audio_codecs) / sizeof(audio_codecs[0]));
    err = err ? err
              : read_codecs(&out->video, json_object_get(offer, "v"), video_codecs,
                            sizeof(video_codecs) / sizeof(video_codecs[0]));
    err = err ? err : read_exts(&out->audio_ext, json_object_get(offer, "xa"));
    err = err ? err : read_exts(&out->video_ext, json_object_get(offer, "xv"));
    out->audio_slots = element(n, 0);
    out->video_slots = element(n, 1);
    read_sources(out, json_object_get(offer, "s"));
    return err ? E_BAD : 0;
}

static void write_candidate(struct jsonw *w, const struct desc_candidate *c, const char *transport)
{
    struct addr bare = c->addr;
    bare.port = 0;
    char text[ADDR_TEXT_MAX];
    jsonw_array(w);
    jsonw_int(w, c->addr.family);
    jsonw_str(w, addr_print(&bare, text));
    jsonw_int(w, c->addr.port);
    jsonw_str(w, transport);
    jsonw_array_end(w);
}

void answer_write(struct jsonw *w, const struct desc_answer *answer)
{
    char fingerprint[2 * 32 + 1];
    text_hex(fingerprint, answer->fingerprint, sizeof(answer->fingerprint));
    jsonw_object(w);
    jsonw_key_str(w, "u", answer->ufrag);
    jsonw_key_str(w, "p", answer->pwd);
    jsonw_key_str(w, "f", fingerprint);
    jsonw_key(w, "c");
    jsonw_array(w);
    for (unsigned i = 0; i < answer->candidates && i < DESC_CANDIDATES_MAX; i++) {
        const struct desc_candidate *c = &answer->candidate[i];
        if (c->udp) {
            write_candidate(w, c, "udp");
        }
        if (c->tcp) {
            write_candidate(w, c, "tcp");
        }
    }
    jsonw_array_end(w);
    jsonw_key_int(w, "b", answer->ssrc_base);
    jsonw_object_end(w);
}
