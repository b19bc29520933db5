/* Any text as a message of a page: typed values within their bounds, or an error that says where.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/text.h"
#include "signaling/class/offer.h"
#include "signaling/schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg msg;
    struct schema_error error;
    if (schema_parse(&msg, (const char *)data, size, &error)) {
        check(error.code && error.code[0] && error.why[0]);
        check(text_utf8_ok(error.at, strlen(error.at)) && text_utf8_ok(error.id, strlen(error.id)));
        return 0;
    }
    check(text_utf8_ok(data, size));
    if (msg.type == MSG_CHAT_SEND) {
        size_t count = text_utf8_count(msg.chat_send.text.s, msg.chat_send.text.len);
        check(count >= 1 && count <= 4000);
    } else if (msg.type == MSG_JOIN) {
        check(memchr(msg.join.name.s, '\n', msg.join.name.len) == NULL);
    } else if (msg.type == MSG_MEDIA_OFFER) {
        struct desc_offer offer;
        if (offer_read(&offer, msg.media_offer.offer) == 0) {
            check(offer.audio_slots <= DESC_AUDIO_SLOTS_MAX);
            check(offer.video_slots <= DESC_VIDEO_SLOTS_MAX);
        }
    }
    msg_fini(&msg);
    return 0;
}
