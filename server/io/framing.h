/*
 * Frames over a byte stream (RFC 4571 section 2, used by ICE-TCP, RFC 6544 section 3):
 *
 *    0                   1
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *   +-------------------------------+
 *   |      LENGTH (big endian)      |  then LENGTH bytes of one datagram
 *   +-------------------------------+
 *
 * Invariants: never more than FRAMING_MAX bytes are held; a longer frame is an error, not a skip;
 * lengths are size_t (S3). Length 0 is legal and means nothing.
 * Out of scope: sockets.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FRAMING_HEAD = 2, FRAMING_MAX = 1500 };

struct framing {
    size_t used;                              /* bytes held of the current frame, head included */
    uint8_t held[FRAMING_HEAD + FRAMING_MAX]; /* head and body so far */
};

void framing_init(struct framing *framing);
/*
 * Eats from data[0 .. len) until one frame is complete or the bytes are used up. *eaten = bytes
 * taken. Returns 1 and *frame, *frame_len (borrowed until the next call) for a frame with content,
 * 0 when more is needed (all eaten), E_TOOBIG for a frame longer than FRAMING_MAX.
 */
int framing_next(struct framing *framing, const uint8_t *data, size_t len, size_t *eaten,
                 const uint8_t **frame, size_t *frame_len);
/* Writes the head of a frame of len bytes (1 .. FRAMING_MAX). */
void framing_head(uint8_t out[FRAMING_HEAD], size_t len);
