"""Time and number: deadlines, connection counts, stalled readers, exhausted descriptors
(door.md section 3; reliability S20, F21)."""
import os
import resource
import select
import signal
import socket
import ssl
import time

from harness import *

HEADERS_MS = 2000  # the door's 10 s deadlines, shortened by configuration
LATE_S = 8         # tick of 250 ms; a busy machine takes its time


def drip(sockets, data, every, until):
    """One byte of data to each socket each turn, until they are closed; seconds each lived."""
    start = time.monotonic()
    lived = {}
    at = 0
    while len(lived) < len(sockets) and time.monotonic() - start < until:
        for i, s in enumerate(sockets):
            if i in lived:
                continue
            try:
                s.setblocking(False)
                try:
                    s.sendall(data[at % len(data):at % len(data) + 1])
                except BlockingIOError:
                    pass
                try:
                    while s.recv(4096):
                        pass
                    lived[i] = time.monotonic() - start
                except (BlockingIOError, ssl.SSLWantReadError):
                    pass
            except OSError:
                lived[i] = time.monotonic() - start
        at += 1
        time.sleep(every)
    return [lived.get(i) for i in range(len(sockets))]


def absolute(name, lived, deadline):
    """All closed at the deadline, not before it and not later because bytes kept coming."""
    good = all(t is not None and deadline - 0.3 <= t <= deadline + LATE_S for t in lived)
    ends = [t for t in lived if t is not None]
    check(name, good, "closed after %.2f to %.2f s, %d of %d" % (
        min(ends or [0]), max(ends or [0]), len(ends), len(lived)))


def t_slow_headers(lab):
    plain = [connect() for _ in range(40)]
    raw_tls = []
    for _ in range(20):
        s = socket.create_connection((HOST, TLS), 5)
        raw_tls.append(s)
    lived = drip(plain + raw_tls, b"GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                 0.1, 12)
    # Junk before TLS is refused at once by OpenSSL; silence is not.
    absolute("rule 7: 40 slow headers end at the absolute deadline", lived[:40], 2.0)
    silent = [socket.create_connection((HOST, TLS), 5) for _ in range(20)]
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(400)
    lived = drip(silent, hello, 0.1, 12)
    absolute("rule 7: 20 slow TLS handshakes end at the absolute deadline", lived, 2.0)


def t_slow_body(lab):
    head = b"POST /api/echo HTTP/1.1\r\nContent-Length: 60000\r\nOrigin: " + origin().encode() + \
        b"\r\n" + host_header() + b"\r\n"
    sockets = [connect() for _ in range(40)]
    for s in sockets:
        s.sendall(head)
    absolute("rule 7: 40 slow bodies end at the absolute deadline", drip(sockets, b"x", 0.1, 12), 2.0)


def t_idle(lab):
    sockets = [connect() for _ in range(1000)]
    start = time.monotonic()
    http(b"GET / HTTP/1.1\r\n")
    served = time.monotonic() - start
    pending = set(sockets)
    while pending and time.monotonic() - start < 30:
        for s in select.select(list(pending)[:900], [], [], 0.1)[0]:
            pending.discard(s)
    took = time.monotonic() - start
    check("rule 4: 1,000 idle connections, others served", served <= 1.5, "%.0f ms" % (served * 1e3))
    check("rule 7: 1,000 idle connections are closed", not pending and took <= 20,
          "%.1f s, %d left" % (took, len(pending)))
    for s in sockets:
        s.close()


def t_slowloris(lab):
    """S20: -H, -B and -X of slowhttptest, 1,000 connections together, and a page that joins."""
    sockets = []
    o = b"Origin: " + origin().encode() + b"\r\n" + host_header()
    for i in range(1000):
        s = connect(rcvbuf=2048 if i % 3 == 2 else None)
        s.sendall((b"GET / HTTP/1.1\r\nX: a", b"POST /api/echo HTTP/1.1\r\nContent-Length: 9\r\n" + o +
                   b"\r\nx", b"GET /big.bin HTTP/1.1\r\n" + host_header() + b"\r\n")[i % 3])
        sockets.append(s)
    worst = 0
    for _ in range(5):
        start = time.monotonic()
        w = Ws(True)
        good = w.echo_ok()
        worst = max(worst, time.monotonic() - start if good else 60)
        w.close()
    check("S20: 1,000 slow connections, a page joins", worst <= 5, "%.0f ms" % (worst * 1e3))
    gone = wait_for(lambda: door_stats()["connections"] <= 2, 60, 0.3)
    check("S20: all 1,000 are ended by deadline", gone)
    for s in sockets:
        s.close()


def is_open(s):
    """False once the door closed it (data may still lie unread before the end)."""
    s.setblocking(False)
    try:
        while s.recv(1 << 20):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def stall(path, extra, half, tls):
    """A client that asks and then reads nothing; sends more or shuts down its sending half."""
    s = connect(tls, rcvbuf=2048)
    s.sendall(b"GET " + path + b" HTTP/1.1\r\n" + host_header(tls) + b"\r\n")
    time.sleep(0.15)
    if extra:
        s.sendall(b"x")
    if half:
        (socket.socket.shutdown)(s, socket.SHUT_WR)
    return s


def t_stalled(lab):
    """Rules 12 and 13: without them 70 to 104 % of a core."""
    for name, path in (("stalled download", b"/big.bin"), ("waiting answer", b"/api/never")):
        for how, extra, half in (("extra byte", 1, 0), ("half-close", 0, 1), ("both", 1, 1)):
            for tls in (False, True):
                s = stall(path, extra, half, tls)
                share = cpu_share(lab.door.pid, 0.8)
                check("rules 12, 13: %s + %s, %s: CPU <= 10 %%" % (
                    name, how, "TLS" if tls else "plain"), share <= 10, "%.1f %%" % share)
                s.close()
    many = [stall(b"/big.bin", 1, 0, False) for _ in range(20)]
    share = cpu_share(lab.door.pid, 0.8)
    check("rule 13: 20 stalled downloads: CPU <= 10 %", share <= 10, "%.1f %%" % share)
    start = time.monotonic()
    http(b"GET /api/info HTTP/1.1\r\n")
    check("rule 13: others are served meanwhile", time.monotonic() - start < 2)
    closed = wait_for(lambda: door_stats()["connections"] <= 2, 60, 0.3)
    check("rule 7: a download without progress is ended", closed)
    for s in many:
        s.close()
    start = time.monotonic()
    answer = http(b"GET /api/never HTTP/1.1\r\n", timeout=30)
    took = time.monotonic() - start
    check("rule 7: no answer of the core in time is 504", status(answer) == 504 and
          1.3 <= took <= 1.5 + LATE_S, "%d after %.2f s" % (status(answer), took))


def t_slow_reader(lab):
    """A reader that is slow but moves gets everything."""
    s = connect(rcvbuf=65536)
    s.sendall(b"GET /big.bin HTTP/1.1\r\n" + host_header() + b"\r\n")
    got = bytearray()
    s.settimeout(30)
    while True:
        data = s.recv(200000)
        if not data:
            break
        got += data
        time.sleep(0.03)
    check("rule 13: a slow reader that moves gets the whole file", body_of(bytes(got)) == lab.big)


def t_pings(lab):
    """Rule 20 (1 s and 3 s here)."""
    w = Ws()
    start = time.monotonic()
    op, _ = w.recv(20)
    first = time.monotonic() - start
    code = w.closed_with(30)
    took = time.monotonic() - start
    check("rule 20: a silent page is pinged, then hung up", op == 9 and first < 15 and
          code is not None and 2.0 <= took <= 30, "ping after %.1f s, end after %.1f s" % (first, took))
    w.close()
    w = Ws()
    end = time.monotonic() + 5
    alive = True
    while time.monotonic() < end and alive:
        try:
            op, payload = w.recv(1)
            if op == 9:
                w.send(10, payload)
            alive = op is not None
        except TimeoutError:
            pass
    check("rule 20: one that answers stays", alive and w.echo_ok())
    w.close()


def t_per_address(binary):
    """Rule 5, S20: 50 per address until a token was shown."""
    lab = Lab(binary, conn_per_addr_max=50, header_timeout_ms=600000)
    try:
        time.sleep(0.3)
        sockets = [connect() for _ in range(200)]
        start = time.monotonic()
        open_now = 200
        while open_now > 50 and time.monotonic() - start < 20:
            open_now = sum(1 for s in sockets if is_open(s))
        took = time.monotonic() - start
        check("rule 5: 200 connections at a limit of 50: 150 refused at once", open_now == 50 and
              took < 20, "%d stay, %.2f s" % (open_now, took))
        other = socket.socket()
        other.bind(("127.0.0.2", 0))
        other.settimeout(30)
        other.connect((HOST, PLAIN))
        other.sendall(b"GET /api/info HTTP/1.1\r\n" + host_header() + b"\r\n")
        check("rule 5: another address is not touched", status(read_all(other)) == 200)
        for s in sockets:
            s.close()
        time.sleep(0.5)
        trusted = []
        for i in range(150):  # a school behind one address
            w = Ws()
            if not w.open:
                break
            w.text("trust")
            w.text("x")
            if w.recv_text(2) != b"x":
                break
            trusted.append(w)
        check("rule 5: with tokens one address may hold more", len(trusted) == 150, len(trusted))
        for w in trusted:
            w.close()
        ok = wait_for(lambda: status(http(b"GET /api/info HTTP/1.1\r\n")) == 200, 3)
        time.sleep(1.5)
        stats = door_stats()
        check("rule 5: counts come back to zero", ok and stats["untrusted"] <= 2,
              "untrusted %d, connections %d" % (stats["untrusted"], stats["connections"]))
    finally:
        check("rule 5: clean exit", lab.stop() == 0)
        lab.remove()


def t_proxy(binary):
    """Behind nginx the forwarded address counts, the last one only."""
    lab = Lab(binary, proxy="127.0.0.1", conn_per_addr_max=3, header_timeout_ms=3000)
    try:
        def dump(extra):
            return body_of(http(b"GET /api/dump HTTP/1.1\r\n" + extra))
        one = dump(b"X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n")
        check("proxy: the last forwarded address and the protocol are believed",
              b"|192.0.2.7|1|" in one, one)
        bad = dump(b"X-Forwarded-For: nonsense\r\n")
        check("proxy: nonsense is the proxy itself", b"|127.0.0.1" in bad and b"|0|" in bad, bad)
        head = lambda ip: upgrade_head(headers={
            "X-Forwarded-For": ip, "X-Forwarded-Proto": "https",
            "Origin": "https://localhost:%d" % PLAIN})
        held = [Ws(head=head("192.0.2.1")) for _ in range(3)]
        fourth = status(raw(head("192.0.2.1"), timeout=1))
        other = Ws(head=head("192.0.2.2"))
        check("proxy: the limit counts forwarded addresses", all(w.open for w in held) and
              fourth == 503 and other.open, fourth)
        s = socket.socket()
        s.bind(("127.0.0.3", 0))
        s.settimeout(3)
        s.connect((HOST, PLAIN))
        s.sendall(b"GET /api/dump HTTP/1.1\r\nX-Forwarded-For: 192.0.2.9\r\n" + host_header() + b"\r\n")
        check("proxy: a stranger's header is not believed", b"|127.0.0.3" in read_all(s))
        for w in held + [other]:
            w.close()
    finally:
        check("proxy: clean exit", lab.stop() == 0)
        lab.remove()


def t_descriptors(binary):
    """F21: ulimit -n 256."""
    lab = Lab(binary, fds=256, header_timeout_ms=60000)
    try:
        inside = [Ws() for _ in range(20)]
        flood = []
        for _ in range(300):
            try:
                flood.append(connect(timeout=2))
            except OSError:
                break
        time.sleep(0.3)
        share = cpu_share(lab.door.pid, 1.5)
        refused = 0
        told = 0
        for _ in range(20):
            try:
                answer = http(b"GET / HTTP/1.1\r\n", timeout=1)
                refused += status(answer) in (503, 0)
                told += status(answer) == 503
            except OSError:
                refused += 1
        check("F21: with 256 descriptors taken, new connections are refused", refused == 20,
              "%d of 20, %d heard 503" % (refused, told))
        check("F21: accept loop <= 5 % CPU", share <= 5, "%.1f %%" % share)
        check("F21: existing pages stay", all(w.echo_ok() for w in inside), "20 of 20")
        for s in flood:
            s.close()
        start = time.monotonic()
        back = wait_for(lambda: status(http(b"GET / HTTP/1.1\r\n", timeout=1)) == 200, 30)
        took = time.monotonic() - start
        check("F21: serves again", back, "%.2f s" % took)
        for w in inside:
            w.close()
        # Surplus connections: those just over the limit are told so.
        held = [connect() for _ in range(112)]
        time.sleep(0.3)
        told = status(http(b"GET /api/info HTTP/1.1\r\n", timeout=1))
        check("F21: the first over the limit hears 503", told == 503, told)
        for s in held:
            s.close()
    finally:
        check("F21: clean exit", lab.stop() == 0)
        lab.remove()


def t_no_descriptors(binary):
    """F21, the descriptors really gone (rule 6): accept fails, the loop must not spin."""
    lab = Lab(binary, header_timeout_ms=60000)
    try:
        w = Ws()
        used = len(os.listdir("/proc/%d/fd" % lab.door.pid))
        limits = resource.prlimit(lab.door.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(lab.door.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
        waiting = [connect() for _ in range(5)]
        time.sleep(0.3)
        share = cpu_share(lab.door.pid, 1.5)
        check("F21: accept without descriptors <= 5 % CPU", share <= 5, "%.1f %%" % share)
        check("F21: the page inside stays", w.echo_ok())
        resource.prlimit(lab.door.pid, resource.RLIMIT_NOFILE, limits)
        start = time.monotonic()
        waiting[0].sendall(b"GET /api/info HTTP/1.1\r\n" + host_header() + b"\r\n")
        good = status(read_all(waiting[0])) == 200
        check("F21: recovers", good and time.monotonic() - start <= 10,
              "%.2f s" % (time.monotonic() - start))
        for s in waiting:
            s.close()
        w.close()
    finally:
        check("F21: clean exit without descriptors", lab.stop() == 0)
        lab.remove()


def run(binary):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    lab = Lab(binary, header_timeout_ms=HEADERS_MS, body_timeout_ms=2000, answer_timeout_ms=1500,
              file_timeout_ms=2000, ping_after_ms=1000, hangup_after_ms=3000,
              conn_per_addr_max=3000)
    try:
        for test in (t_slow_headers, t_slow_body, t_idle, t_slowloris, t_slow_reader, t_pings):
            attempt(test, lab)
            if not lab.alive():
                check("door alive after " + test.__name__, False, lab.log()[-2000:])
                break
    finally:
        code = lab.stop()
        check("limits: clean exit of the ASan+UBSan build", code == 0,
              code if code == 0 else lab.log()[-3000:])
        lab.remove()
    lab = Lab(binary, answer_timeout_ms=1500, file_timeout_ms=4000)
    try:
        attempt(t_stalled, lab)
    finally:
        check("stalled: clean exit of the ASan+UBSan build", lab.stop() == 0)
        lab.remove()
    attempt(t_per_address, binary)
    attempt(t_proxy, binary)
    attempt(t_descriptors, binary)
    attempt(t_no_descriptors, binary)
