"""Figures, not judgements (but nothing may be lost): tests/door/run build/release/door/lab measure.
Rates are per processor second of the door, so a slow client does not spoil them."""
import select
import time

from harness import *


def per_cpu(lab, work):
    """What work() returns, per processor second the door spent on it, and that time."""
    before = cpu_s(lab.door.pid)
    n = work()
    spent = cpu_s(lab.door.pid) - before
    return n / max(spent, 0.001), spent


def t_http(lab):
    for tls, n in ((False, 6000), (True, 1500)):
        ctx = tls_context()
        def work():
            good = 0
            request = b"GET /api/info HTTP/1.1\r\n" + host_header(tls) + b"\r\n"
            for _ in range(n):
                s = socket.create_connection((HOST, TLS if tls else PLAIN), 5)
                if tls:
                    s = ctx.wrap_socket(s, server_hostname="localhost")
                s.sendall(request)
                good += b'"Amphi"' in read_all(s)
                s.close()
            return good
        rate, spent = per_cpu(lab, work)
        check("measure: HTTP JSON through the core, %s" % ("TLS, full handshakes" if tls else "plain"),
              True, "%.0f requests per CPU second (%d in %.2f s)" % (rate, n, spent))


def t_fan_out(lab):
    for tls in (False, True):
        before = rss_kb(lab.door.pid)
        pages = [Ws(tls) for _ in range(500)]
        time.sleep(0.5)
        memory = (rss_kb(lab.door.pid) - before) / 500
        check("measure: memory per %s WebSocket" % ("TLS" if tls else "plain"), memory < 40,
              "%.1f KiB" % memory)
        poll = select.epoll()
        for w in pages:
            w.s.setblocking(False)
            poll.register(w.s, select.EPOLLIN)
        by_fd = {w.s.fileno(): w for w in pages}
        def work():
            got, want = 0, 200 * 500 * 204
            asked = 0
            end = time.monotonic() + 60
            while got < want and time.monotonic() < end:
                if asked < 200 and got >= asked * 500 * 204 * 0.9 - 500 * 204 * 10:
                    pages[0].s.setblocking(True)
                    pages[0].text("fan:10:200")
                    pages[0].s.setblocking(False)
                    asked += 10
                for fd, _ in poll.poll(0.2):
                    try:
                        while True:
                            data = by_fd[fd].s.recv(65536)
                            got += len(data)
                            if len(data) < 65536:
                                break
                    except (BlockingIOError, ssl.SSLWantReadError):
                        pass
            return got // 204
        rate, spent = per_cpu(lab, work)
        check("measure: fan-out to 500 pages, %s" % ("TLS" if tls else "plain"), rate * spent > 99999,
              "%.0f messages of 200 bytes per CPU second (%d in %.2f s)" % (rate, rate * spent, spent))
        for w in pages:
            w.close()
        time.sleep(0.5)


def t_files(lab):
    for tls in (False, True):
        def work():
            n = 0
            for _ in range(8):
                n += len(body_of(http(b"GET /big.bin HTTP/1.1\r\n", tls, timeout=20)))
            return n
        start = time.monotonic()
        rate, spent = per_cpu(lab, work)
        took = time.monotonic() - start
        check("measure: 16 MiB files, %s" % ("TLS" if tls else "plain"), rate * spent > 8 * 16e6,
              "%.0f MB per CPU second, %.0f MB/s to one reader" % (rate / 1e6, 128 / took * 1.048))


def run(binary):
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    lab = Lab(binary, conn_per_addr_max=3000, ping_after_ms=3000000, hangup_after_ms=3600000)
    try:
        t_fan_out(lab)
        t_http(lab)
        t_files(lab)
    finally:
        check("measure: clean exit", lab.stop() == 0)
        lab.remove()
