/*
 * What a datagram is, by its first two bytes: RFC 7983 as updated by RFC 9443, and RFC 5761 for
 * RTP and RTCP on one port.
 *
 *   first byte  0..3 STUN | 20..63 DTLS | 128..191 RTP or RTCP | everything else is not for us
 *   second byte of the latter: 192..223 RTCP, else RTP (RFC 5761 section 4)
 *
 * Out of scope: whether the rest is well formed, and who sent it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum wire_class { WIRE_UNKNOWN = 0, WIRE_STUN, WIRE_DTLS, WIRE_RTP, WIRE_RTCP };

/* Class of len bytes; WIRE_UNKNOWN also when there are fewer than two. */
static inline enum wire_class wire_classify(const uint8_t *data, size_t len)
{
    if (len < 2) {
        return WIRE_UNKNOWN;
    }
    if (data[0] >= 128 && data[0] <= 191) {
        return data[1] >= 192 && data[1] <= 223 ? WIRE_RTCP : WIRE_RTP;
    }
    if (data[0] <= 3) {
        return WIRE_STUN;
    }
    return data[0] >= 20 && data[0] <= 63 ? WIRE_DTLS : WIRE_UNKNOWN;
}
