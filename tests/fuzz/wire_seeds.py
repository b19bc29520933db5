#!/usr/bin/env python3
"""Writes the seed corpora of the wire and media parsers from the vectors and captures in tests/unit.

Run from the top folder; the result is committed. Each seed comes as it is, cut short, and with one
byte changed, so that replaying the corpus walks the refusing branches too.
"""
import hashlib
import os
import re

CORPUS = "tests/fuzz/corpus"
PAYLOADS = "tests/unit/data/payload"
SDP = "tests/unit/data/sdp"
CODECS = {"opus": 1, "red": 2, "vp8": 3, "vp9": 4, "h264": 5, "av1": 6}


def put(target, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    name = hashlib.sha1(data).hexdigest()[:12]
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def put_with_cases(target, data):
    put(target, data)
    digest = hashlib.sha1(data).digest()
    put(target, data[: digest[0] % (len(data) + 1)])
    if data:
        changed = bytearray(data)
        changed[int.from_bytes(digest[1:3], "big") % len(data)] ^= 1 << (digest[3] % 8)
        put(target, bytes(changed))


def hex_literals(path, pattern):
    """Adjacent C string literals that are hex of at least 8 bytes."""
    text = open(path).read()
    for run in re.findall(r'(?:"[0-9a-f ]*"\s*)+', text):
        digits = "".join(re.findall(r'"([0-9a-f ]*)"', run)).replace(" ", "")
        if len(digits) % 2 == 0 and len(digits) >= 8 and re.match(pattern, digits):
            yield bytes.fromhex(digits)


def stun():
    for data in hex_literals("tests/unit/stun_test.c", r"0[01]01?"):
        put_with_cases("stun", data)
    header = bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")
    for data in hex_literals("tests/unit/stun_test.c", r"00|80|7f"):
        message = bytearray(header + data + b"\0" * (-len(data) % 4))
        message[2:4] = (len(message) - 20).to_bytes(2, "big")
        put("stun", bytes(message))


def rtp():
    for data in hex_literals("tests/unit/rtp_test.c", r"[89ab]"):
        put_with_cases("rtp", data)
    head = bytes.fromhex("906000010000000000000001")
    for data in hex_literals("tests/unit/rtpext_test.c", r"bede|100|abcd"):
        put_with_cases("rtp", head + data)
        put("rtp", head + data + b"payload")


def rtcp():
    for data in hex_literals("tests/unit/rtcp_test.c", r"[8a]"):
        put_with_cases("rtcp", data)
    for data in hex_literals("tests/unit/twcc_test.c", r"8"):
        put_with_cases("twcc", data)
        put("rtcp", data)


def sdp():
    for name in sorted(os.listdir(SDP)):
        data = open(os.path.join(SDP, name), "rb").read()
        if len(data) < 8000:
            put_with_cases("sdp", data)
    pieces = [b"a=simulcast:send a,b;~c;d recv e\r\n", b"a=rtcp-fb:* nack pli\r\n",
              b"a=extmap:5/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n",
              b"a=ssrc-group:FID 1 2\r\n", b"a=inactive\r\n", b"a=bundle-only\r\n"]
    base = open(os.path.join(SDP, "firefox_whip.offer.sdp"), "rb").read()
    for piece in pieces:
        put("sdp", base + piece)
        put("sdp", base.replace(b"a=sendonly\r\n", b"a=recvonly\r\n" + piece))


def media():
    for name in sorted(os.listdir(PAYLOADS)):
        codec = CODECS[name.split("_")[1].split(".")[0]]
        rows = open(os.path.join(PAYLOADS, name)).read().splitlines()
        dd_id = rows[0].split()[1]
        stream = b""
        for i, row in enumerate(rows[1:]):
            marker, _, _, ext, payload = row.split()
            if i < 6:
                put_with_cases("media", bytes([codec, int(marker)]) + bytes.fromhex(payload)[:400])
            for item in ext.split(","):
                if "=" in item and item.split("=")[0] == dd_id and len(stream) < 400:
                    dd = bytes.fromhex(item.split("=")[1])
                    stream += bytes([len(dd)]) + dd
        if stream:
            put_with_cases("av1_dd", stream)
    for data in hex_literals("tests/unit/media_test.c", r""):
        for codec in CODECS.values():
            put("media", bytes([codec, 1]) + data)
    red = bytes([0xef, 0x0f, 0x00, 4]) + bytes([0x6f]) + b"oldnnew primary"
    put_with_cases("media", bytes([2, 1]) + red)


if __name__ == "__main__":
    for make in (stun, rtp, rtcp, sdp, media):
        make()
