"""Requests: what passes, what is refused, and that nothing behind a refused request is ever parsed
(door.md section 3; reliability S17, S22, S24, S37)."""
import os
import random
import socket
import ssl
import time

from harness import *


def rows(name, cases, run):
    """One check for a table of cases; names those that went wrong."""
    bad = [str(case) for case in cases if not run(case)]
    check(name, not bad, "%d cases%s" % (len(cases), "" if not bad else ", wrong: " +
                                         "; ".join(bad[:4])))


def t_pages(lab):
    good = True
    for tls in (False, True):
        for path in (b"/", b"/c/c_abcdef", b"/c/x/y?lang=fr", b"/c/"):
            answer = http(b"GET " + path + b" HTTP/1.1\r\n", tls)
            good &= status(answer) == 200 and body_of(answer) == lab.index
            good &= header(answer, "connection") == "close"
    check("page: index.html for / and /c/..., plain and TLS", good)
    want = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "strict-transport-security": "max-age=31536000"}
    bad = [k for k, v in want.items() if header(answer, k) != v]
    csp = header(answer, "content-security-policy") or ""
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                 "base-uri 'none'", "require-trusted-types-for 'script'",
                 "trusted-types svelte-trusted-html"):
        bad += [] if part in csp else [part]
    bad += ["unsafe"] if "unsafe" in csp or "*" in csp else []
    check("page: security headers", not bad and "camera=(self)" in
          header(answer, "permissions-policy"), bad)


def t_files(lab):
    js = b"/assets/app-Ab12Cd34.js"
    plain = http(b"GET " + js + b" HTTP/1.1\r\n")
    br = http(b"GET " + js + b" HTTP/1.1\r\nAccept-Encoding: gzip, br\r\n")
    gz = http(b"GET " + js + b" HTTP/1.1\r\nAccept-Encoding: gzip, br;q=0\r\n")
    check("file: plain, br and gzip as accepted",
          body_of(plain) == lab.script and header(br, "content-encoding") == "br"
          and body_of(br) == b"pretend-brotli" and header(gz, "content-encoding") == "gzip"
          and header(plain, "content-type").startswith("text/javascript")
          and header(br, "content-type").startswith("text/javascript")
          and "immutable" in header(plain, "cache-control"))
    tag = header(plain, "etag")
    again = http(b"GET " + js + b" HTTP/1.1\r\nIf-None-Match: \"x\", W/" + tag.encode() + b"\r\n")
    check("file: ETag answers 304", status(again) == 304 and not body_of(again)
          and header(br, "etag") != tag)
    head = http(b"HEAD " + js + b" HTTP/1.1\r\n")
    check("file: HEAD has the length and no body", status(head) == 200 and not body_of(head)
          and header(head, "content-length") == str(len(lab.script)))
    size = len(lab.script)
    cases = [(b"bytes=0-9", 206, 10), (b"bytes=-5", 206, 5), (b"bytes=10-", 206, size - 10),
             (b"bytes=%d-" % size, 416, 0), (b"bytes=0-1,3-4", 200, size), (b"bytes=9-1", 200, size),
             (b"lines=1-2", 200, size), (b"bytes=a-b", 200, size), (b"bytes=-0", 416, 0),
             (b"bytes=0-99999999", 206, size), (b"bytes=18446744073709551616-", 200, size)]
    def run(case):
        answer = http(b"GET " + js + b" HTTP/1.1\r\nRange: " + case[0] + b"\r\n")
        return status(answer) == case[1] and len(body_of(answer)) == case[2]
    rows("file: ranges 206 / 416 / ignored", cases, run)
    answer = http(b"GET /big.bin HTTP/1.1\r\n", True, timeout=20)
    check("file: 16 MiB over TLS whole", body_of(answer) == lab.big)


def t_api(lab):
    answer = http(b"GET /api/dump?a=1&b=x%20y&c HTTP/1.1\r\nAccept-Language: fr\r\n", True)
    check("api: method, path, arguments reach the core",
          body_of(answer).startswith(b"GET|/api/dump|a=1\nb=x y\nc|127.0.0.1:")
          and b"|1|" in body_of(answer), body_of(answer)[:60])
    o = b"Origin: " + origin().encode() + b"\r\n"
    answer = http(b"POST /api/echo HTTP/1.1\r\nContent-Length: 40000\r\n" + o, body=b"z" * 40000)
    check("api: body there and back", body_of(answer) == b"z" * 40000)
    s = connect()
    s.sendall(b"POST /api/echo HTTP/1.1\r\nContent-Length: 300\r\n" + o + host_header() + b"\r\n")
    for i in range(300):
        s.sendall(b"%c" % (65 + i % 26))
    check("api: body byte by byte", len(body_of(read_all(s))) == 300)
    answer = http(b"POST /api/echo HTTP/1.1\r\nContent-Length: 0\r\n" + o)
    check("api: empty body", status(answer) == 200 and not body_of(answer))
    answer = http(b"GET /api/big?size=1000000 HTTP/1.1\r\n", True, timeout=10)
    check("api: 1 MB answer through the paced path", body_of(answer) == b"x" * 1000000)
    path = lab.web + "/big.bin"
    answer = http(b"GET /api/file?path=" + path.encode() + b" HTTP/1.1\r\n", timeout=20)
    check("api: file handed over as a descriptor", body_of(answer) == lab.big)
    cases = [(m, 200 if m in ("DELETE", "OPTIONS", "GET", "HEAD") else 405)
             for m in ("DELETE", "OPTIONS", "GET", "HEAD", "PUT")]
    def run(case):
        answer = http(case[0].encode() + b" /api/dump HTTP/1.1\r\n" + o)
        return status(answer) == case[1]
    rows("api: methods", cases, run)
    fds = len(os.listdir("/proc/%d/fd" % lab.door.pid))
    for _ in range(30):
        http(b"GET /api/file?path=" + path.encode() + b" HTTP/1.1\r\nRange: x\r\n", timeout=0.02)
    check("api: no descriptor left behind",
          wait_for(lambda: len(os.listdir("/proc/%d/fd" % lab.door.pid)) <= fds + 1, 8))


def t_alpn(lab):
    """S17"""
    def alpn(protocols):
        s = socket.create_connection((HOST, TLS), 5)
        try:
            t = tls_context(protocols).wrap_socket(s, server_hostname="localhost")
            return t.selected_alpn_protocol()
        except (ssl.SSLError, OSError):
            return "refused"
    check("S17: ALPN h2 alone is not chosen", alpn(["h2"]) in (None, "refused"), alpn(["h2"]))
    check("S17: ALPN h2 + http/1.1 chooses http/1.1", alpn(["h2", "http/1.1"]) == "http/1.1")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)
    bad = [t for t in (False, True) if b"\x00\x00" in raw(preface, t) or
           status(raw(preface, t)) == 101]
    check("S17: raw h2 preface, plain and TLS", not bad)
    h2c = b"GET %s HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\n" \
          b"HTTP2-Settings: %s\r\n"
    cases = [(t, p, u, n) for t in (False, True) for p in (b"/", b"/ws") for u in (b"h2c", b"H2C")
             for n in (b"AAMAAABkAAQAAP__", b"A" * 3000)]
    rows("S17: Upgrade h2c never gets 101", cases,
         lambda c: status(http(h2c % (c[1], c[2], c[3]), c[0], timeout=1)) not in (101, 200))


UPGRADES = [b"foo", b"websocket2", b"Websocket, h2c", b"h2c, websocket", b"", b"websocket\x00",
            b"TLS/1.0", b"websocket websocket", b"\tfoo", b"x" * 2048, b"x" * 8000, b"y" * 64000]


def t_upgrades(lab):
    """S17: CVE-2025-11677"""
    def run(case):
        token, second, tls = case
        lines = b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: " + token + b"\r\n" + \
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        first = b"GET / HTTP/1.1\r\n" + host_header(tls) + b"\r\n" if second else b""
        answer = raw(first + lines + host_header(tls) + b"\r\n", tls, 1)
        return b" 101 " not in answer and answers(answer) <= 1
    cases = [(t, s, tls) for t in UPGRADES for s in (False, True) for tls in (False, True)]
    rows("S17: unknown upgrade tokens, first or second request", cases, run)
    twice = upgrade_head(extra=b"Upgrade: h2c\r\n")
    more = [twice, upgrade_head(extra=b"Upgrade: websocket\r\n"),
            upgrade_head(headers={"Upgrade": "h2c"}, extra=b"Upgrade: websocket\r\n")]
    rows("S17: repeated upgrade headers", more, lambda m: status(raw(m, timeout=1)) != 101)
    pipelined = [upgrade_head(headers={"Upgrade": "foo"}) * n for n in (2, 3, 10, 40)]
    rows("S17: pipelined upgrades", pipelined,
         lambda m: answers(raw(m, timeout=1)) <= 1)


def t_pipelined(lab):
    """Rule 1: the first request is answered, what follows is never parsed."""
    o = b"Origin: " + origin().encode() + b"\r\n" + host_header()
    get = b"GET /api/info HTTP/1.1\r\n" + host_header() + b"\r\n"
    page = b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n" + host_header() + b"\r\n"
    post = b"POST /api/echo HTTP/1.1\r\nContent-Length: 4\r\nConnection: keep-alive\r\n" + o + \
        b"\r\nabcd"
    empty = b"POST /api/echo HTTP/1.1\r\nContent-Length: 0\r\n" + o + b"\r\n"
    over = b"POST /api/echo HTTP/1.1\r\nContent-Length: 2\r\n" + o + b"\r\nabcdefgh"
    shapes = {"get+get": get + get, "page+page": page + page, "post+post": post + post,
              "post+get": post + get, "get+post": get + post, "empty+post": empty + post,
              "post+junk": post + b"\x00\xff" * 50, "over": over, "page+ws": page + upgrade_head(),
              "post x40": post * 40, "get x40": get * 40}
    bad = []
    for name, data in shapes.items():
        for tls in (False, True):
            for split in (False, True):
                s = connect(tls)
                try:
                    if split:
                        for i in range(0, min(len(data), 600), 37):
                            s.sendall(data[i:i + 37])
                    else:
                        s.sendall(data)
                except OSError:
                    pass
                n = answers(read_all(s, 2))
                if n > 1:
                    bad.append(name)
                s.close()
    check("rule 1: pipelined requests, 11 shapes x plain/TLS x split", not bad, bad)
    for _ in range(60):
        s = connect()
        s.sendall(post * 3)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        s.close()
    check("rule 1: pipelined and reset", status(http(get[:-2 - len(host_header())])) == 200)


def t_second(lab):
    """Rule 1: a second request while the first answer is still on its way out."""
    first = lambda tls: b"GET /big.bin HTTP/1.1\r\n" + host_header(tls) + b"\r\n"
    info = lambda tls: b"GET /api/info HTTP/1.1\r\n" + host_header(tls) + b"\r\n"
    bad = []
    for tls in (False, True):
        for second in (info(tls), first(tls), upgrade_head(tls), b"\x00" * 500):
            s = connect(tls, rcvbuf=4096)
            s.sendall(first(tls))
            time.sleep(0.1)
            try:
                s.sendall(second)
                for _ in range(60):  # slowly, so that the library holds bytes back and must flush
                    s.recv(30000)
                    time.sleep(0.005)
            except OSError:
                pass
            rest = read_all(s, 5)
            if b"HTTP/1.1 " in rest or b'"protocol"' in rest or not lab.alive():
                bad.append(second[:20])
            s.close()
    check("rule 1: a second request during a download is never answered", not bad, bad)


LENGTHS = [b"", b" ", b"-1", b"+5", b"0x5", b"5,5", b"5 5", b"5;", b"5.0", b"5e1", b"a", b"00000000005",
           b"99999999999", b"18446744073709551617", b"4294967301", b"-0", b"0-", b"5\t5", b"\"5\"",
           b"five", b"5\x00", b"\x005", b"05a", b"1 ", b"  5x", b"5,", b",5", b"(5)", b"5\xa0",
           b"\xd9\xa5", b"65537"]


def t_lengths(lab):
    """Rule 9: 31 spellings x 4 methods, and smuggling."""
    inner = b"GET /api/info HTTP/1.1\r\n" + host_header() + b"\r\n"
    o = b"Origin: " + origin().encode() + b"\r\n"
    def run(case):
        method, length = case
        answer = http(method + b" /api/echo HTTP/1.1\r\nContent-Length: " + length + b"\r\n" + o,
                      body=inner, timeout=1)
        want = (413,) if length in (b"65537", b"99999999999"[:10]) else (400, 411, 413, 0)
        if length == b"5\x00":  # the parser ends the value at the NUL: "5", nothing hidden
            want = (200,)
        if method in (b"GET", b"DELETE"):
            want = (400, 413, 0)
        return status(answer) in want and answers(answer) <= 1 and b"protocol" not in answer
    rows("rule 9: Content-Length, 31 spellings x 4 methods",
         [(m, n) for m in (b"POST", b"PATCH", b"GET", b"DELETE") for n in LENGTHS], run)
    h = b"POST /api/echo HTTP/1.1\r\n" + o + host_header()
    smuggle = {
        "two lengths": h + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + inner,
        "two different": h + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello" + inner,
        "length + chunked": h + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
        inner,
        "chunked + length": h + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" +
        inner,
        "space before colon": h + b"Content-Length : 5\r\n\r\nhello" + inner,
        "folded": h + b"Content-Length:\r\n 5\r\n\r\nhello" + inner,
        "bare LF": (h + b"Content-Length: 5\r\n\r\nhello").replace(b"\r\n", b"\n") + inner,
        "GET with a body": b"GET /api/info HTTP/1.1\r\nContent-Length: 5\r\n" + host_header() +
        b"\r\nhello" + inner,
        "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + inner,
        "no host": b"GET / HTTP/1.1\r\n\r\n" + inner,
        "empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n" + inner,
        "host with path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" + inner,
        "absolute form": b"GET http://evil/ HTTP/1.1\r\n" + host_header() + b"\r\n" + inner,
        "NUL in name": h + b"Content\x00-Length: 5\r\n\r\nhello" + inner,
        "CR alone": h + b"X: a\rContent-Length: 5\r\n\r\nhello" + inner,
        "length in query": b"POST /api/echo?Content-Length: 5 HTTP/1.1\r\n" + o + host_header() +
        b"\r\nhello" + inner,
    }
    bad = []
    for name, data in smuggle.items():
        answer = raw(data, timeout=1)
        if answers(answer) > 1 or status(answer) == 200 and b"protocol" in answer:
            bad.append(name)
    check("S17: smuggling table, the hidden request is never answered", not bad,
          "%d shapes %s" % (len(smuggle), bad))


def t_transfer(lab):
    spellings = [b"chunked", b"Chunked", b"", b" ", b"identity", b"gzip, chunked", b"\tchunked",
                 b"chunked, identity", b"xchunked"]
    o = b"Origin: " + origin().encode() + b"\r\n"
    def run(case):
        method, value, length, name = case
        answer = http(method + b" /api/echo HTTP/1.1\r\n" + name + value + b"\r\n" + length + o,
                      body=b"5\r\nhello\r\n0\r\n\r\n", timeout=1)
        return status(answer) == 501 and answers(answer) == 1
    cases = [(m, s, n, b"Transfer-Encoding:") for m in (b"POST", b"PATCH", b"GET")
             for s in spellings for n in (b"", b"Content-Length: 15\r\n")]
    rows("rule 9: Transfer-Encoding, 9 spellings x 3 methods x length: 501", cases, run)
    answer = http(b"POST /api/echo HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" + o,
                  body=b"0\r\n\r\n", timeout=1)
    check("rule 9: 'Transfer-Encoding :' with a space is 411 or closed",
          status(answer) in (411, 400, 0) and answers(answer) <= 1, status(answer))


def t_many(lab):
    """Rule 15"""
    def run(n):
        query = b"&".join(b"a%d=1" % i for i in range(n))
        got = status(http(b"GET /api/info?" + query + b" HTTP/1.1\r\n", timeout=2))
        return got == 200 if n <= 60 else got in (414, 0)
    rows("rule 15: 1 to 4,000 arguments: 200 or refused", (1, 10, 60, 65, 80, 91, 92, 100, 1000, 4000),
         run)
    def many(n):
        got = status(http(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(n)),
                          timeout=2))
        return got in (200, 0)
    rows("rule 15: up to 1,000 headers", (10, 50, 90, 100, 300, 1000), many)
    def big(kib):
        got = http(b"GET / HTTP/1.1\r\nX-Big: " + b"a" * (kib * 1024) + b"\r\n", timeout=2)
        return status(got) in (0, 414) and answers(got) <= 1
    rows("rule 15: headers of 64 to 300 KiB are refused", (16, 64, 65, 128, 300), big)
    def edge(n):
        got = http(b"GET /api/info HTTP/1.1\r\nCookie: " + b"a" * n + b"\r\n", timeout=1)
        return status(got) in (200, 400, 414, 0)
    rows("rule 4: 200 header sizes at the edge of the pool", range(7900, 8300, 2), edge)
    got = http(b"GET /" + b"p" * 5000 + b" HTTP/1.1\r\n", timeout=2)
    check("rule 9: long path is 414 or closed", status(got) in (414, 0), status(got))


PATHS = [b"/%00", b"/a%00b", b"/;", b"/a;b=c", b"/&", b"/a&b", b"/%0d%0aX:1", b"/%0a", b"/a%20b",
         b"/%5c..%5c", b"/\\..\\", b"/%09", b"/%7f", b"/\x01", b"/%ff", b"/%c0%ae", b"//", b"//evil.example/",
         b"/c%00/x", b"/%", b"/%2", b"/%zz", b"/?%00", b"/?a=%0d%0ab", b"/./", b"/api//info"]

# What the parser itself turns into "/" or "/api/info" before we see it; a NUL behind the last slash
# is the one byte it hides.
NORMALISED = (b"//", b"/./", b"/%00", b"/api//info")
INFO = b'{"name":"Amphi","version":"lab","protocol":"amphi.1"}'

TRAVERSALS = [b"/../outside.txt", b"/../../outside.txt", b"/..%2foutside.txt", b"/%2e%2e/outside.txt",
              b"/%2e%2e%2foutside.txt", b"/..%5coutside.txt", b"/..\\outside.txt",
              b"/assets/../../outside.txt", b"/assets/..%2f..%2foutside.txt", b"/./../outside.txt",
              b"/.%2e/outside.txt", b"/%2e./outside.txt", b"/..;/outside.txt", b"/..%00/outside.txt",
              b"/..%c0%afoutside.txt", b"/%c0%ae%c0%ae/outside.txt", b"/..%252foutside.txt",
              b"/%252e%252e/outside.txt", b"/....//outside.txt", b"//..//outside.txt",
              b"/up/outside.txt", b"/link.txt", b"/assets/../link.txt", b"/.secret", b"/assets/../.secret",
              b"/%2esecret", b"/etc/passwd", b"//etc/passwd", b"/proc/self/environ", b"/index.html/../../outside.txt",
              b"/..../outside.txt", b"/c/../../outside.txt", b"/c/..%2f..%2foutside.txt", b"/pipe"]


def t_paths(lab):
    def run(path):
        answer = http(b"GET " + path + b" HTTP/1.1\r\n", timeout=1)
        return status(answer) in (400, 403, 404, 414, 0) or (
            path in NORMALISED and status(answer) == 200 and
            body_of(answer) in (lab.index, INFO))
    rows("rule 9: NUL, ';', '&', CR LF and odd bytes in paths", PATHS, run)
    hidden = [b"&b", b";b", b"%5cx", b"%20x", b"%ff", b"%7f", b"%01", b"%c0%ae", b";b?c=d", b"%00b"]
    def kept(end):
        answer = http(b"GET /api/dump" + end + b" HTTP/1.1\r\n", timeout=1)
        return status(answer) in (400, 414, 0) and b"application/json" not in answer
    rows("rule 9: odd bytes in an API path never reach the core", hidden, kept)
    def safe(case):
        path, tls = case
        answer = http(b"GET " + path + b" HTTP/1.1\r\n", tls, timeout=1)
        return b"SECRET" not in answer and b"root:" not in answer and \
            (status(answer) != 200 or body_of(answer) == lab.index)
    rows("S32 rule 14: %d traversal spellings and symlinks, no byte leaks" % len(TRAVERSALS),
         [(p, t) for p in TRAVERSALS for t in (False, True)], safe)
    split = [b"x=%00y", b"x=y\x00z", b"x=%0dy", b"x=%0a", b"x=%1f"]
    rows("rule 9: control characters in an argument never reach the core", split,
         lambda q: status(http(b"GET /api/dump?" + q + b" HTTP/1.1\r\n", timeout=1)) in (400, 0))


def t_lines(lab):
    lines = [b"GET\r\n\r\n", b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  /  HTTP/1.1\r\n\r\n",
             b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n",
             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100, b"GET /\r\n\r\n",
             b"get / http/1.1\r\nHost: a\r\n\r\n", b"\x00" * 100, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
             b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
             b"GET / HTTP/1.1\r\nHost a\r\n\r\n", b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
             b"GET / POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\nHost: a\r\n\r\n"]
    def run(line):
        got = status(raw(line, timeout=1))
        return got in (0, 200, 400, 403, 404, 405, 411, 501)
    rows("bad request lines", lines, run)
    tunnel = raw(b"CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n" + b"x" * 100, timeout=1)
    s = connect()
    s.sendall(b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n")
    check("rule 3: CONNECT is closed at once", not tunnel and is_closed(s, 1))
    s = socket.create_connection((HOST, TLS), 5)
    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    got = read_all(s, 2)
    check("rule 2: HTTP on the TLS port gets no HTTP", b"HTTP/1.1 2" not in got)


def t_origins(lab):
    """S24: who may open a socket or change something."""
    good = {origin(): 1}
    bad = {None: 0, "null": 0, "https://evil.example": 0, "http://evil.localhost:%d" % PLAIN: 0,
           "https://localhost:%d" % PLAIN: 0, "http://localhost": 0, "http://localhost:1": 0,
           "http://localhost:%d.evil" % PLAIN: 0, "http://localhost:%d/" % PLAIN: 0,
           origin().upper(): 0, origin() + " ": 0, "": 0, "http://localhost:%d@evil" % PLAIN: 0}
    def ws(o):
        head = upgrade_head(drop=("Origin",)) if o is None else upgrade_head(headers={"Origin": o})
        return status(raw(head, timeout=0.5))
    def api(o, method):
        line = b"" if o is None else b"Origin: " + o.encode() + b"\r\n"
        return status(http(method + b" /api/echo HTTP/1.1\r\nContent-Length: 0\r\n" + line))
    wrong = [("ws", o) for o, ok in bad.items() if ws(o) != (101 if ok else 403) and not
             (o in ("",) and ws(o) != 101)]
    wrong += [(m, o) for m in (b"POST", b"PATCH", b"DELETE") for o, ok in bad.items()
              if api(o, m) != (200 if ok else 403)]
    wrong += [("good", o) for o in good if ws(o) != 101 or api(o, b"POST") != 200]
    check("S24: wrong origins get 403 on every changing endpoint", not wrong,
          "%d origins x 4 endpoints %s" % (len(bad), wrong[:3]))
    check("S24: a listed origin passes",
          ws("https://lms.example") == 101 and api("https://lms.example", b"POST") == 200)
    twice = upgrade_head(extra=b"Origin: https://evil.example\r\n")
    first = upgrade_head(headers={"Origin": "https://evil.example"},
                         extra=b"Origin: " + origin().encode() + b"\r\n")
    check("S24: double Origin", status(raw(twice, timeout=1)) == 403 and
          status(raw(first, timeout=1)) == 403)
    bearer = http(b"POST /api/echo HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: Bearer x\r\n")
    check("S24: a tool without Origin needs a credential of its own", status(bearer) == 200)
    check("S24: GET changes nothing: it never carries a body to the core",
          status(http(b"GET /api/echo HTTP/1.1\r\nContent-Length: 3\r\n", body=b"abc")) == 400)


def t_redirects(lab):
    """S37"""
    paths = [b"/?redirect=https://evil.example", b"/?next=//evil.example", b"/c/x?url=http://evil",
             b"//evil.example/%2f..", b"/\\evil.example", b"/c/https://evil.example", b"/api/info?to=//evil",
             b"/assets", b"/assets/", b"/c"]
    rows("S37: no redirect, whatever is asked", paths,
         lambda p: header(http(b"GET " + p + b" HTTP/1.1\r\n"), "location") is None)


def t_linear(lab):
    """S22: time for long inputs grows no faster than their length."""
    shapes = {
        "user-agent": lambda n: b"GET /api/info HTTP/1.1\r\nUser-Agent: " + b"a(" * (n // 2) + b"\r\n",
        "etag list": lambda n: b"GET / HTTP/1.1\r\nIf-None-Match: " + b"\"a\"," * (n // 4) + b"\r\n",
        "encodings": lambda n: b"GET / HTTP/1.1\r\nAccept-Encoding: " + b"a;q=0," * (n // 6) + b"\r\n",
        "path": lambda n: b"GET /" + b"a/" * (n // 2) + b" HTTP/1.1\r\n",
        "64 KiB body": lambda n: b"POST /api/echo HTTP/1.1\r\nOrigin: " + origin().encode() +
        b"\r\nContent-Length: %d\r\n" % (n * 8)}
    worst = 0
    for name, make in shapes.items():
        def cost(n):
            body = b"(" * (n * 8) if "body" in name else b""
            best = 9
            for _ in range(5):
                start = time.monotonic()
                http(make(n), body=body)
                best = min(best, time.monotonic() - start)
            return best
        worst = max(worst, cost(8000) / max(cost(4000), 0.002) / 2)
    text = Ws()
    def message(n):
        best = 9
        for _ in range(5):
            start = time.monotonic()
            text.echo_ok("\u00e9(" * (n // 3))
            best = min(best, time.monotonic() - start)
        return best
    worst = max(worst, message(64000) / max(message(32000), 0.002) / 2)
    text.close()
    check("S22: 64 KiB inputs cost linear time", worst <= 2, "worst growth %.2f x linear" % worst)


def t_mutated(lab):
    """6,000 requests with a few bytes changed (door.md): the door lives and still serves."""
    rng = random.Random(20261123)
    seeds = [b"GET /api/info?a=b HTTP/1.1\r\n" + host_header() + b"Accept: */*\r\n\r\n",
             b"POST /api/echo HTTP/1.1\r\nContent-Length: 5\r\nOrigin: " + origin().encode() + b"\r\n" +
             host_header() + b"\r\nhello", upgrade_head(),
             b"GET /big.bin HTTP/1.1\r\nRange: bytes=1-5\r\n" + host_header() + b"\r\n"]
    count = 1500 if os.environ.get("DOOR_TEST_QUICK") else 6000
    for i in range(count):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            kind, at = rng.randint(0, 3), rng.randrange(len(data))
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at:at + rng.randint(1, 9)]
            elif kind == 2:
                data[at:at] = bytes([rng.choice(b"\x00\r\n :;&%\xff,\t")]) * rng.randint(1, 5)
            else:
                data[at:at] = data[max(0, at - 20):at]
            data = data or bytearray(b"x")
        s = connect()
        try:
            cut = rng.randrange(len(data)) if rng.random() < 0.3 else len(data)
            s.sendall(data[:cut])
            if rng.random() < 0.3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            s.sendall(data[cut:])
        except OSError:
            pass
        s.close()
    check("mutated requests: the door lives and serves", lab.alive() and
          status(http(b"GET /api/info HTTP/1.1\r\n")) == 200, "%d requests" % count)


def run(binary):
    lab = Lab(binary, hsts=31536000, origin="https://lms.example", header_timeout_ms=3000,
              conn_per_addr_max=2000)
    try:
        for test in (t_pages, t_files, t_api, t_alpn, t_upgrades, t_pipelined, t_second, t_lengths,
                     t_transfer, t_many, t_paths, t_lines, t_origins, t_redirects, t_linear,
                     t_mutated):
            attempt(test, lab)
            if not lab.alive():
                check("door alive after " + test.__name__, False)
                break
    finally:
        code = lab.stop()
        check("requests: clean exit of the ASan+UBSan build, no report, no leak", code == 0,
              code if code == 0 else lab.log()[-3000:])
        lab.remove()
