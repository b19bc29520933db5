"""Faults F11, F20 and F21 where tests/app and tests/door do not reach: with media clients inside,
with an expired certificate from the start, with the whole program short of descriptors."""
import os
import signal
import socket
import ssl
import subprocess
import time

from harness import Client, Closed, Server, check, enter, fake_offer, tls, wait_for


def terminated():
    """F11: ten pages with open media connections, in two classes."""
    with Server("--rtc.shards", "1") as s:
        pages = []
        for link in [s.link(s.make_class())["link"] for _ in range(2)]:
            for i in range(5):
                c, _ = enter(s, link, f"P{i}", mic=True, cam=True)
                c.send("media.offer", cause="load", offer=fake_offer())
                c.type("media.answer")
                pages.append(c)
        code, seconds = s.stop()
        told = [p.wait_closed(5) for p in pages]
        codes = [c.code if c else None for c in told]
        check("F11 SIGTERM with 10 live clients: all are told 1001", codes == [1001] * 10,
              sorted(set(codes)))
        check("F11 exit 0 within 10 s", code == 0 and seconds <= 10, f"{seconds:.2f} s")
        check("F11 nothing is left running", not s.pid("core") and not s.pid("door"))


def certificate(folder, name, start=None, end=None):
    """A self-signed pair; start and end as YYYYMMDDHHMMSSZ make one that is over."""
    paths = [os.path.join(folder, name + e) for e in (".key", ".crt", ".csr", ".cnf", ".txt")]
    key, crt, csr, cnf, index = paths
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={name}"], check=True,
                   capture_output=True)
    with open(index, "w", encoding="ascii"):
        pass
    with open(cnf, "w", encoding="ascii") as f:
        f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\nnew_certs_dir={folder}\n"
                "default_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n")
    when = ["-startdate", start, "-enddate", end] if start else ["-days", "30"]
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", cnf, "-keyfile", key, "-in",
                    csr, "-out", crt, "-notext", *when], check=True, capture_output=True)
    return crt, key


def served(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        with tls().wrap_socket(raw, server_hostname="localhost") as s:
            return s.getpeercert(binary_form=True)


def der(path):
    with open(path, encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def certificates():
    """F20: replaced under ten open pages, then by an expired one."""
    with Server("--rtc.shards", "1") as s:
        good = certificate(s.folder, "good")
        new = certificate(s.folder, "new")
        old = certificate(s.folder, "old", "20260101000000Z", "20260201000000Z")
        live = [os.path.join(s.folder, "live" + e) for e in (".crt", ".key")]

        def install(pair):
            for source, target in zip(pair, live):
                with open(source, "rb") as f, open(target + ".new", "wb") as g:
                    g.write(f.read())
                os.replace(target + ".new", target)
        s.stop()
        install(good)
        s.start("--tls.cert", live[0], "--tls.key", live[1])
        link = s.link(s.make_class())["link"]
        pages = [enter(s, link, f"P{i}")[0] for i in range(10)]
        install(new)
        s.process.send_signal(signal.SIGHUP)
        started = time.monotonic()
        there = wait_for(lambda: served(s.port) == der(new[0]), 60)
        took = time.monotonic() - started
        check("F20 certificate replaced: the new one is served", there,
              f"{took * 1000:.0f} ms")
        install(old)
        s.process.send_signal(signal.SIGHUP)
        loud = wait_for(lambda: "EXPIRED" in s.err().upper(), 60)
        check("F20 an expired one is loud, not a crash", loud and s.process.poll() is None)
        acks = [p.answer(p.send("chat.send", text="x"))["t"] for p in pages]
        check("F20 drops", acks == ["ack"] * 10 and all(p.closed is None for p in pages), "0 of 10")
        s.stop()
        s.start("--tls.cert", live[0], "--tls.key", live[1])
        check("F20 started with an expired one: serves, and says so loudly",
              s.page()[0] == 200 and s.err().upper().count("EXPIRED") >= 2)


def descriptors():
    """F21: 256 open files for the whole program; twenty pages inside, three hundred at the gate."""
    with Server("--rtc.shards", "1", prefix=["prlimit", "--nofile=256:256"]) as s:
        link = s.link(s.make_class())["link"]
        pages = [enter(s, link, f"P{i}")[0] for i in range(20)]
        crowd, refused = [], 0
        for _ in range(300):
            try:
                crowd.append(socket.create_connection(("127.0.0.1", s.port), timeout=1))
            except OSError:
                refused += 1
        time.sleep(0.5)
        for _ in range(10):
            try:
                Client(s.port, timeout=1).close()
            except (Closed, OSError):
                refused += 1
        check("F21 full: new ones are refused", refused >= 10, f"{refused} of 310")
        acks = [p.answer(p.send("chat.send", text="x"))["t"] for p in pages]
        check("F21 full: those inside stay and work", acks == ["ack"] * 20 and
              all(p.closed is None for p in pages), f"{acks.count('ack')} of 20")
        for c in crowd:
            c.close()
        started = time.monotonic()

        def joined():
            try:
                enter(s, link, "Late")[0].close()
                return True
            except (Closed, OSError, TimeoutError):
                return False
        back = wait_for(joined, 60)
        took = time.monotonic() - started
        check("F21 over: a new page joins again", back,
              f"{took:.2f} s (limit 1 s on an idle machine)")


def run(*names):
    for part in (terminated, certificates, descriptors):
        if not names or part.__name__ in names:
            part()
