"""The process: certificate, watchdog, core restart, stop, start errors, sandbox
(rules 21, 24, 25; reliability F9, F20)."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time

from harness import *


def peer_certificate():
    s = connect(True)
    der = s.getpeercert(True)
    s.close()
    return der


def peer_name():
    """Common name of the certificate served now."""
    return subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"],
                          input=peer_certificate(), capture_output=True).stdout.decode().strip().split("CN = ")[-1]


def put_pair(lab, pair):
    for new, old in zip(pair, (lab.cert, lab.key)):
        os.replace(new, old)


def t_certificate(lab):
    """F20, rule 24."""
    inside = [Ws(True) for _ in range(30)]
    first = peer_certificate()
    put_pair(lab, make_certificate(lab.dir, "two", cn="second"))
    lab.door.send_signal(signal.SIGHUP)
    start = time.monotonic()
    swapped = wait_for(lambda: peer_certificate() != first, 30, 0.05)
    took = time.monotonic() - start
    swapped = swapped and peer_name() == "second"
    check("F20: new certificate served after SIGHUP", swapped, "%.2f s" % took)
    check("F20: open connections unaffected", all(w.echo_ok() for w in inside), "0 of 30 dropped")
    a, b = make_certificate(lab.dir, "three", cn="third"), make_certificate(lab.dir, "four")
    put_pair(lab, (a[0], b[1]))
    lab.door.send_signal(signal.SIGHUP)
    refused = wait_for(lambda: "does not belong" in lab.log(), 3)
    check("rule 24: a pair that does not match is refused, the old one stays", refused and
          peer_name() == "second" and "the old one stays" in lab.log())
    with open(lab.cert, "w") as f:
        f.write("not a certificate")
    lab.door.send_signal(signal.SIGHUP)
    check("rule 24: junk is refused, the old one stays",
          wait_for(lambda: "no PEM certificate" in lab.log(), 3) and peer_name() == "second")
    os.unlink(lab.key)
    lab.door.send_signal(signal.SIGHUP)
    check("rule 24: a missing key is refused, the old one stays",
          wait_for(lambda: "cannot read the private key" in lab.log(), 3) and
          peer_name() == "second")
    for days, text in ((13, "within 14 days"), (6, "within 7 days"), (0, "within a day")):
        now = time.time()
        stamp = lambda t: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t))
        end = stamp(now + days * 86400 + 3600)
        put_pair(lab, make_certificate(lab.dir, "w%d" % days, start=(stamp(now - 86400), end)))
        lab.door.send_signal(signal.SIGHUP)
        check("F20: warns %d days before the end" % (days + 1),
              wait_for(lambda: text in lab.log(), 3))
    put_pair(lab, make_certificate(lab.dir, "old", cn="expired",
                                   start=("20260101000000Z", "20260201000000Z")))
    lab.door.send_signal(signal.SIGHUP)
    loud = wait_for(lambda: "CERTIFICATE EXPIRED" in lab.log(), 3)
    check("F20: expired is loud, not a crash", loud and lab.alive() and peer_name() == "expired" and
          all(w.echo_ok() for w in inside))
    for w in inside:
        w.close()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ctx = tls_context()
        ctx.minimum_version = ctx.maximum_version = version
        s = ctx.wrap_socket(socket.create_connection((HOST, TLS), 5), server_hostname="localhost")
        s.close()
    answers = [old_hello(v) for v in (0x0301, 0x0302)]
    refused = all(a[:1] == b"\x15" and a[6:7] == b"\x46" for a in answers)  # alert 70: version
    check("rule 24: TLS 1.2 and 1.3, nothing older", refused, answers)


def old_hello(version):
    """First bytes the door answers to a ClientHello of an old version, made by hand since our own
    library would refuse to."""
    ciphers = b"\xc0\x09\xc0\x13\xc0\x0a\xc0\x14\x00\x2f"
    extensions = b"\x00\x0a\x00\x04\x00\x02\x00\x17" + b"\x00\x0b\x00\x02\x01\x00"
    body = version.to_bytes(2, "big") + os.urandom(32) + b"\x00" + \
        len(ciphers).to_bytes(2, "big") + ciphers + b"\x01\x00" + \
        len(extensions).to_bytes(2, "big") + extensions
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    s = socket.create_connection((HOST, TLS), 5)
    s.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
    out = read_all(s, 2)
    s.close()
    return out[:7]


def t_linked_certificate(binary):
    """A certificate tool's layout: links in one folder, the files of each renewal in another."""
    lab = Lab(binary)
    lab.door.send_signal(signal.SIGTERM)
    lab.door.wait(10)
    live, archive = os.path.join(lab.dir, "live"), os.path.join(lab.dir, "archive")
    os.mkdir(live)
    os.mkdir(archive)
    def link(n, cn):
        for new, name in zip(make_certificate(archive, "c%d" % n, cn=cn), ("cert", "key")):
            at = os.path.join(live, name)
            if os.path.lexists(at):
                os.unlink(at)
            os.symlink(os.path.join("..", "archive", os.path.basename(new)), at)
    link(1, "renewal-1")
    lab.cert, lab.key = os.path.join(live, "cert"), os.path.join(live, "key")
    lab.start_door()
    first = peer_name()
    link(2, "renewal-2")
    lab.door.send_signal(signal.SIGHUP)
    good = wait_for(lambda: peer_name() == "renewal-2", 3, 0.1)
    check("F20: a renewal that turns a link is loaded, sandbox and all", first == "renewal-1" and
          good, lab.log()[-300:] if not good else "")
    lab.stop()
    lab.remove()


def t_tickets(lab):
    ctx = tls_context()
    s = ctx.wrap_socket(socket.create_connection((HOST, TLS), 5), server_hostname="localhost")
    s.sendall(b"GET / HTTP/1.1\r\n" + host_header(True) + b"\r\n")
    read_all(s)
    session = s.session
    s.close()
    s = ctx.wrap_socket(socket.create_connection((HOST, TLS), 5), server_hostname="localhost",
                        session=session)
    check("rule 1: TLS tickets resume, so one request per connection stays cheap", s.session_reused)
    s.close()


def t_watchdog(lab):
    """Rule 21: fed while the loop turns, silent when it hangs."""
    path = lab.dir + "/watchdog"
    before, start = os.path.getsize(path), time.monotonic()
    time.sleep(3)
    fed, due = os.path.getsize(path) - before, (time.monotonic() - start) / 0.5
    os.kill(lab.door.pid, signal.SIGSTOP)
    time.sleep(0.2)
    before = os.path.getsize(path)
    time.sleep(1.5)
    silent = os.path.getsize(path) - before
    os.kill(lab.door.pid, signal.SIGCONT)
    again = wait_for(lambda: os.path.getsize(path) > before, 30)
    check("rule 21: watchdog byte every 500 ms, none while hung", due / 3 <= fed <= due + 2 and
          silent == 0 and again, "%d in 3 s, %d while stopped" % (fed, silent))


def t_core_restart(lab):
    """F9: WebSockets live through a restart of the core."""
    inside = [Ws(i % 2 == 0) for i in range(50)]
    wait = connect()
    wait.sendall(b"GET /api/never HTTP/1.1\r\n" + host_header() + b"\r\n")
    time.sleep(0.3)
    lab.stop_core()
    start = time.monotonic()
    check("F9: a request waiting for the core hears 503 at once", status(read_all(wait)) == 503)
    busy = [w.recv_text(30) for w in inside]
    told = time.monotonic() - start
    check("F9: every page hears busy once", all(b == b'{"t":"busy"}' for b in busy) and told < 30,
          "%.2f s" % told)
    late = Ws()
    check("F9: a page that comes meanwhile hears busy too", late.open and
          late.recv_text(30) == b'{"t":"busy"}')
    check("F9: API answers 503 while the core is away",
          status(http(b"GET /api/info HTTP/1.1\r\n")) == 503)
    check("F9: the page itself is served without the core",
          status(http(b"GET /c/x HTTP/1.1\r\n")) == 200)
    inside[0].text("lost")
    start = time.monotonic()
    lab.start_core(epoch=2)
    epochs = [w.recv_text(30) for w in inside + [late]]
    took = time.monotonic() - start
    check("F9: every page hears the new epoch", all(e == b'{"t":"epoch","epoch":2}' for e in epochs)
          and took < 30, "%.2f s after the start of the core" % took)
    check("F9: the same sockets go on", all(w.echo_ok() for w in inside + [late]))
    wait_for(lambda: door_stats(inside[1])["opened_again"] == 51, 30, 0.3)
    told = door_stats(inside[1])["opened_again"]
    check("F9: the new core is told of every page", told == 51, told)
    for _ in range(20):
        lab.stop_core()
        lab.start_core(epoch=3)
    check("F9: 20 restarts in a row", wait_for(lambda: echo_after(inside[3]), 30) and lab.alive())
    for w in inside + [late]:
        w.close()


def echo_after(w):
    """Echo, passing over busy and epoch."""
    try:
        w.text("again")
        while True:
            got = w.recv_text(1)
            if got == b"again":
                return True
            if got is None:
                return False
    except TimeoutError:
        return False


def t_stop(binary):
    """Rule 25: 500 pages get the close, exit 0, no leak."""
    lab = Lab(binary, conn_per_addr_max=2000, ping_after_ms=3000000, hangup_after_ms=3600000)
    pages = [Ws(i % 2 == 0) for i in range(500)]
    idle = [connect() for _ in range(20)]
    lab.door.send_signal(signal.SIGTERM)
    start = time.monotonic()
    codes = []
    for w in pages:
        codes.append(w.closed_with(30))
        w.close()
    try:
        code = lab.door.wait(60)
    except subprocess.TimeoutExpired:
        code = None
    took = time.monotonic() - start
    check("rule 25: 500 pages hear 1001, exit 0 without leak", codes.count(1001) == 500 and
          code == 0 and took <= 50, "%d x 1001, exit %s, %.1f s" % (codes.count(1001), code, took))
    for s in idle:
        s.close()
    lab.stop()
    lab.remove()
    lab = Lab(binary, stop_timeout_ms=1500, conn_per_addr_max=2000)
    stuck = [Ws(rcvbuf=2048) for _ in range(10)]
    for w in stuck:
        w.text("flood:200:4000")
    time.sleep(0.5)
    lab.door.send_signal(signal.SIGTERM)
    start = time.monotonic()
    code = lab.door.wait(60)
    took = time.monotonic() - start
    check("rule 25: pages that read nothing do not hold it up", code == 0 and took <= 30,
          "%.1f s" % took)
    lab.stop()
    lab.remove()


def t_listening(binary):
    """A listening socket kept by the parent: whoever comes while the door is dead waits."""
    lab = Lab(binary, core=True)
    lab.door.send_signal(signal.SIGTERM)
    lab.door.wait(10)
    keep = socket.socket()
    keep.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keep.bind((HOST, PLAIN))
    keep.listen(128)
    os.set_inheritable(keep.fileno(), True)
    args = [binary, "door", "plain=%d" % PLAIN, "plain_fd=%d" % keep.fileno(), "web=" + lab.web,
            "core=" + lab.core_path]
    run = lambda: subprocess.Popen(args, pass_fds=[keep.fileno()], stderr=open(lab.log_path, "ab"))
    door = run()
    good, took = status(http(b"GET / HTTP/1.1\r\n")) == 200, []
    while good and (not took or (took[-1] > 1 and len(took) < 3)):  # other programs only add delay
        door.kill()
        door.wait()
        s = connect()
        s.sendall(b"GET / HTTP/1.1\r\n" + host_header() + b"\r\n")
        start = time.monotonic()
        door = run()
        good = status(read_all(s)) == 200
        took.append(time.monotonic() - start)
    check("F9: kill -9 of the door: a page that comes at once waits and is served", good and
          min(took) <= 5, "%s s after the new start" % ", ".join("%.2f" % t for t in took))
    door.send_signal(signal.SIGTERM)
    check("F9: stop with an inherited socket", door.wait(10) == 0)
    keep.close()
    lab.stop()
    lab.remove()


def t_start_errors(binary):
    """One line that says what, where and what to do; exit 78."""
    lab = Lab(binary)
    lab.door.send_signal(signal.SIGTERM)
    lab.door.wait(10)
    other = make_certificate(lab.dir, "other")
    empty = os.path.join(lab.dir, "empty")
    os.mkdir(empty)
    taken = socket.socket()
    taken.bind((HOST, 0))
    taken.listen(1)
    base = {"tls": TLS, "cert": lab.cert, "key": lab.key, "web": lab.web, "core": lab.core_path}
    cases = {
        "certificate missing": (dict(base, cert="/nowhere/cert.pem"), "/nowhere/cert.pem"),
        "certificate is junk": (dict(base, cert=lab.web + "/index.html"), "no PEM certificate"),
        "key of another": (dict(base, key=other[1]), "does not belong"),
        "key missing": (dict(base, key="/nowhere/key"), "/nowhere/key"),
        "page missing": (dict(base, web=empty), "no index.html in"),
        "folder missing": (dict(base, web="/nowhere"), "no index.html in /nowhere"),
        "port taken": (dict(base, tls=taken.getsockname()[1]), "cannot listen on"),
        "origin with a path": (dict(base, origin="https://a/b"), "https://a/b"),
        "origin with a star": (dict(base, origin="https://*.a"), "not of the form"),
        "proxy not an address": (dict(base, proxy="nginx"), "not an IP address"),
        "descriptors": (dict(base, fds=100), "ulimit -n"),
        "user missing": (dict(base, user="nobody-here"), "no user nobody-here"),
    }
    bad = []
    for name, (options, text) in cases.items():
        if name == "user missing" and os.geteuid() != 0:
            continue
        p = subprocess.run([binary, "door"] + ["%s=%s" % kv for kv in options.items()],
                           capture_output=True, timeout=20)
        lines = [l for l in p.stderr.decode().splitlines() if "cannot start" in l]
        if p.returncode != 78 or len(lines) != 1 or text not in lines[0]:
            bad.append("%s: %d %s" % (name, p.returncode, p.stderr.decode()[-300:]))
    check("start: each mistake is one line that says what and where, exit 78", not bad,
          "%d mistakes %s" % (len(cases), bad[:2]))
    taken.close()
    lab.stop()
    lab.remove()


def t_sandbox(lab):
    text = open("/proc/%d/status" % lab.door.pid).read()
    limits = open("/proc/%d/limits" % lab.door.pid).read()
    field = lambda n: re.search(n + r":\s+(\S+)", text).group(1)
    check("sandbox: no new privileges, no core dump, no new process", field("NoNewPrivs") == "1" and
          re.search(r"Max core file size\s+0\s", limits) is not None and
          # the leak check at the end of a sanitizer build needs a thread of its own
          ("asan" in lab.binary or re.search(r"Max processes\s+0\s", limits) is not None))


def t_user(binary):
    if os.geteuid() != 0:
        return
    lab = Lab(binary, core=False)
    lab.door.send_signal(signal.SIGTERM)
    lab.door.wait(10)
    os.chmod(lab.dir, 0o755)
    for p in (lab.cert, lab.key):
        os.chmod(p, 0o644)
    lab.options["user"] = "nobody"
    mark = len(lab.log())
    # The leak checker needs a helper thread and ptrace, which this user may not have.
    before = os.environ.get("ASAN_OPTIONS", "")
    os.environ["ASAN_OPTIONS"] = before + ":detect_leaks=0"
    lab.start_door()
    os.environ["ASAN_OPTIONS"] = before
    wait_for(lambda: "sandboxed" in lab.log()[mark:], 5)
    text = open("/proc/%d/status" % lab.door.pid).read()
    uids = re.search(r"Uid:\s+(.*)", text).group(1).split()
    groups = re.search(r"Groups:\s*(.*)", text).group(1).split()
    check("sandbox: root becomes the user for good", len(set(uids)) == 1 and uids[0] != "0" and
          "0" not in groups and status(http(b"GET / HTTP/1.1\r\n", True)) == 200, uids)
    check("sandbox: clean exit as that user", lab.stop() == 0)
    lab.remove()


def t_log(lab):
    """Rule 22: a storm of bad requests does not become a storm of lines."""
    before = lab.log().count("\n")
    start = time.monotonic()
    n = 0
    while time.monotonic() - start < 3:
        raw(b"BAD\x00 / x\r\n\r\n", timeout=0.02)
        raw(upgrade_head(drop=("Connection",)), timeout=0.02)
        n += 2
    lines = lab.log().count("\n") - before
    check("rule 22: %d bad requests in 3 s" % n, lines <= 60, "%d lines" % lines)
    check("log: no request text, path or header in it", "BAD" not in lab.log() and
          "/ws" not in lab.log())


def run(binary):
    lab = Lab(binary, conn_per_addr_max=2000, ping_after_ms=3000000, hangup_after_ms=3600000)
    try:
        for test in (t_sandbox, t_watchdog, t_tickets, t_core_restart, t_log, t_certificate):
            attempt(test, lab)
            if not lab.alive():
                check("door alive after " + test.__name__, False, lab.log()[-2000:])
                break
    finally:
        code = lab.stop()
        check("process: clean exit of the ASan+UBSan build, no report, no leak", code == 0,
              code if code == 0 else lab.log()[-3000:])
        lab.remove()
    for test in (t_linked_certificate, t_stop, t_listening, t_start_errors, t_user):
        attempt(test, binary)
