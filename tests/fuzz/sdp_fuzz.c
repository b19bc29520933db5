/* SDP offers: what is accepted can be answered, the answer parses, and the work stays linear. */
#include <stdlib.h>
#include <string.h>

#include "codec/media/registry.h"
#include "codec/wire/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sdp_session session;
static char out[200000];

static void candidates(void)
{
    for (unsigned i = 0; i < session.lines; i++) {
        struct sdp_candidate c;
        const struct sdp_line *line = &session.line[i];
        if (line->attr == SDP_CANDIDATE) {
            (void)sdp_candidate_parse(&c, session.text + line->value.at, line->value.len);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct desc_offer desc;
    struct desc_answer answer = {.ufrag = "ours", .pwd = "0123456789012345678901"};
    if (sdp_parse(&session, (const char *)data, size) != 0) {
        return 0;
    }
    candidates();
    int err = sdp_offer_desc(&desc, &session, registry_sdp_codec);
    if (session.steps > 6 * size + 20000) {
        abort();
    }
    if (err) {
        return 0;
    }
    int n = sdp_answer_write(out, sizeof(out), &session, &desc, &answer, registry_sdp_codec);
    if (n < 0) {
        abort();
    }
    unsigned sections = session.sections;
    err = sdp_parse(&session, out, (size_t)n);
    if ((err && n <= SDP_TEXT_MAX && session.lines < SDP_LINES_MAX) ||
        (!err && session.sections != sections)) {
        abort();
    }
    return 0;
}
