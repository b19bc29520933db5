#!/usr/bin/env python3
"""What the relay does for those who ask: TURN (RFC 8656) over TLS on 443, with REST credentials.
Usage: turn_probe.py HOST CA_FILE SECRET_FILE MEDIA_ADDRESS. Run by tests/e2e/paths.sh where only 443
is open. Denied are all addresses but the one of the media ports (reliability S5), and credentials
that ended; an allocation made in time lives on."""
import base64
import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
import struct
import sys
import time

COOKIE = 0x2112A442
ALLOCATE, REFRESH, PERMIT, BIND = 0x0003, 0x0004, 0x0008, 0x0009
USERNAME, INTEGRITY, ERROR, CHANNEL, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000C, 0x000D
PEER, REALM, NONCE, TRANSPORT = 0x0012, 0x0014, 0x0015, 0x0019
UDP, TCP = 17, 6

# Ways to say "inside": loopback, any, private, link-local, cloud metadata, multicast, and how IPv6
# can spell them; and the whole world outside, which a relay of a class has no business with.
V4 = ["127.0.0.1", "127.1.2.3", "0.0.0.0", "0.0.0.1", "10.0.0.1", "10.255.255.254", "172.16.0.1",
      "172.31.255.254", "192.168.0.1", "192.168.1.254", "169.254.169.254", "169.254.0.1",
      "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.6",
      "203.0.113.8", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
      "255.255.255.255", "8.8.8.8", "1.1.1.1", "192.88.99.1", "203.0.112.7"]
V6 = ["::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "::ffff:203.0.113.7",
      "::ffff:169.254.169.254", "::127.0.0.1", "::203.0.113.7", "64:ff9b::7f00:1",
      "64:ff9b::cb00:7107", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a00:1::1",
      "2001:0:7f00:1::1", "fe80::1", "fe80::ffff:ffff", "fec0::1", "fc00::1", "fd00::1",
      "fdff:ffff::1", "ff02::1", "ff05::2", "2001:db8::1", "2606:4700:4700::1111", "100::1",
      "::ffff:0:127.0.0.1", "ffff::1", "2001:2::1", "3ffe::1", "::2", "1::"]

results = {"ok": 0, "FAIL": 0}


def check(what, good, seen=""):
    word = "ok" if good else "FAIL"
    results[word] += 1
    print(f"{word} {what}{'' if good else f': {seen}'}", flush=True)


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def peer(text, port=10000):
    ip = ipaddress.ip_address(text)
    mask = struct.pack("!I", COOKIE)
    return (ip, struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, port ^ (COOKIE >> 16)), mask)


class Relay:
    """One TLS connection to the relay, by its name through whatever listens on 443."""

    def __init__(self, host, ca, secret, seconds):
        context = ssl.create_default_context(cafile=ca)
        self.socket = context.wrap_socket(socket.create_connection((host, 443), timeout=60),
                                          server_hostname=host)
        self.user = f"{int(time.time()) + seconds}:probe"
        self.word = base64.b64encode(hmac.new(secret, self.user.encode(), "sha1").digest()).decode()
        self.realm = self.nonce = b""

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def once(self, method, attributes):
        tid = os.urandom(12)
        body = b"".join(attribute(kind, value(tid) if callable(value) else value)
                        for kind, value in attributes)
        if self.nonce:
            body += (attribute(USERNAME, self.user.encode()) + attribute(REALM, self.realm) +
                     attribute(NONCE, self.nonce))
            key = hashlib.md5(f"{self.user}:{self.realm.decode()}:{self.word}".encode()).digest()
            head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + tid
            body += attribute(INTEGRITY, hmac.new(key, head + body, "sha1").digest())
        self.socket.sendall(struct.pack("!HHI", method, len(body), COOKIE) + tid + body)
        while True:
            kind, length, _ = struct.unpack("!HHI", self.read(8))
            got_tid, answer = self.read(12), self.read(length)
            if got_tid == tid:
                return kind, dict(self.attributes(answer))

    @staticmethod
    def attributes(data):
        while data:
            kind, length = struct.unpack("!HH", data[:4])
            yield kind, data[4:4 + length]
            data = data[4 + length + -length % 4:]

    def ask(self, method, *attributes):
        """0, or the error code; a challenge and a stale nonce are answered as clients do."""
        for _ in range(3):
            kind, answer = self.once(method, attributes)
            if not kind & 0x0110 == 0x0110:
                return 0
            code = answer[ERROR][2] * 100 + answer[ERROR][3]
            fresh = answer.get(NONCE, b"")
            if code == 438 or (code == 401 and not self.nonce):
                self.realm, self.nonce = answer.get(REALM, self.realm), fresh
                continue
            return code
        return code

    def allocate(self, transport=UDP):
        return self.ask(ALLOCATE, (TRANSPORT, bytes([transport, 0, 0, 0])))

    def refresh(self, seconds):
        return self.ask(REFRESH, (LIFETIME, struct.pack("!I", seconds)))

    @staticmethod
    def address(text):
        ip, head, mask = peer(text)
        return (PEER, lambda tid: head + bytes(a ^ b for a, b in zip(ip.packed, mask + tid)))

    def permit(self, text):
        return self.ask(PERMIT, self.address(text))

    def bind(self, text, number):
        return self.ask(BIND, (CHANNEL, struct.pack("!HH", number, 0)), self.address(text))


def addresses(relay, media):
    check("the media address is permitted", relay.permit(media) == 0)
    check("and bound to a channel", relay.bind(media, 0x4000) == 0)
    for i, text in enumerate(V4 + V6):
        # One relay of IPv4: peers of IPv6 are another family (443), all others forbidden (403).
        wanted = (403,) if ":" not in text else (403, 443)
        codes = relay.permit(text), relay.bind(text, 0x4001 + i)
        check(f"S5 {text} is denied", all(c in wanted for c in codes), codes)


def main():
    host, ca, secret_file, media = sys.argv[1:5]
    with open(secret_file, "rb") as f:
        secret = f.read().strip()
    relay = Relay(host, ca, secret, 3600)
    check("a relay is given for our credentials", relay.allocate() == 0)
    addresses(relay, media)
    check("no relaying of TCP", Relay(host, ca, secret, 3600).allocate(TCP) != 0)
    check("credentials that ended are refused", Relay(host, ca, secret, -5).allocate() == 401)
    check("and those of another secret", Relay(host, ca, b"x" * 64, 3600).allocate() == 401)
    short = Relay(host, ca, secret, 3)
    end = time.time() + 4
    given = short.allocate()
    if given == 401:  # three seconds were not enough on this machine
        short = Relay(host, ca, secret, 30)
        end, given = time.time() + 31, short.allocate()
    check("credentials that end soon are good until then", given == 0, given)
    while time.time() < end:
        time.sleep(0.1)
    check("what was given lives on after their end", short.refresh(600) == 0)
    check("and reaches the media address", short.permit(media) == 0)
    print(f"{results['ok']} passed, {results['FAIL']} failed")
    return results["FAIL"] != 0


if __name__ == "__main__":
    sys.exit(main())
