"""What the attack tests of the door stand on: a door and a core in a folder of their own, raw
sockets, a WebSocket that can break every rule, and ok/FAIL lines."""
import base64
import gzip
import json
import os
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

HOST = "127.0.0.1"


def free_ports(n):
    """Ports nobody listens on now; below the range the kernel hands out to clients."""
    found, tries = [], 0
    while len(found) < n and tries < 1000:
        tries += 1
        port = 20000 + int.from_bytes(os.urandom(2), "big") % 10000
        with socket.socket() as s:
            try:
                s.bind((HOST, port))
                found.append(port)
            except OSError:
                pass
    return found


TLS, PLAIN = free_ports(2)
passed = []
failed = []


def check(name, good, figure=""):
    """One row of the result: prints at once, counts for the last line."""
    (passed if good else failed).append(name)
    print(("ok   " if good else "FAIL ") + name + ("  [" + str(figure) + "]" if figure != "" else ""),
          flush=True)
    return good


def attempt(test, *args):
    """Runs one test; an exception is a failure of it, not of the whole run."""
    try:
        test(*args)
    except Exception as e:  # noqa: whatever it was, it must be told and the rest must run
        where = e.__traceback__
        while where.tb_next:
            where = where.tb_next
        check(test.__name__, False, "%r in line %d" % (e, where.tb_lineno))


def make_certificate(folder, name, days=90, start=None, cn="localhost"):
    """Self-signed ECDSA pair; returns (cert, key)."""
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    cmd = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=" + cn, "-days", str(days)]
    if start:
        # req -x509 of OpenSSL 3.0 knows no start date: sign a request with one instead.
        csr = os.path.join(folder, name + ".csr")
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", key, "-out", csr, "-subj", "/CN=" + cn],
                       check=True, capture_output=True)
        db = os.path.join(folder, name + ".ca")
        os.makedirs(db, exist_ok=True)
        open(os.path.join(db, "index"), "w").close()
        conf = os.path.join(db, "conf")
        with open(conf, "w") as f:
            f.write("[ca]\ndefault_ca=a\n[a]\ndatabase=%s/index\nserial=%s/serial\n"
                    "new_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
                    % (db, db, db))
        subprocess.run(["openssl", "ca", "-batch", "-config", conf, "-selfsign", "-keyfile", key,
                        "-in", csr, "-out", cert, "-startdate", start[0], "-enddate", start[1],
                        "-create_serial", "-notext"], check=True, capture_output=True)
    else:
        subprocess.run(cmd, check=True, capture_output=True)
    return cert, key


class Lab:
    """A running core and door; everything they need lies in one temporary folder."""

    def __init__(self, binary, core=True, **options):
        self.binary = binary
        self.dir = tempfile.mkdtemp(prefix="door-test-")
        self.options = dict(options)
        self.web = os.path.join(self.dir, "web")
        self.make_web()
        self.cert, self.key = make_certificate(self.dir, "one")
        self.core_path = os.path.join(self.dir, "core.sock")
        self.log_path = os.path.join(self.dir, "door.log")
        self.core = None
        try:
            if core:
                self.start_core()
            self.start_door()
        except BaseException:
            self.stop_core()
            raise

    def make_web(self):
        os.makedirs(os.path.join(self.web, "assets"))
        self.index = b"<!doctype html><title>lab page</title>" + b"<p>page</p>" * 20
        self.script = b"console.log('lab');\n" * 200
        self.big = os.urandom(1 << 20) * 16
        def put(name, data):
            with open(os.path.join(self.web, name), "wb") as f:
                f.write(data)
        put("index.html", self.index)
        put("assets/app-Ab12Cd34.js", self.script)
        put("assets/app-Ab12Cd34.js.gz", gzip.compress(self.script))
        put("assets/app-Ab12Cd34.js.br", b"pretend-brotli")
        put("big.bin", self.big)
        put(".secret", b"SECRET-DOT")
        with open(os.path.join(self.dir, "outside.txt"), "wb") as f:
            f.write(b"SECRET-OUTSIDE")
        os.symlink(os.path.join(self.dir, "outside.txt"), os.path.join(self.web, "link.txt"))
        os.symlink("..", os.path.join(self.web, "up"))
        os.mkfifo(os.path.join(self.web, "pipe"))

    def start_core(self, epoch=1):
        if os.path.exists(self.core_path):
            os.unlink(self.core_path)
        self.core = subprocess.Popen([self.binary, "core", "core=" + self.core_path,
                                      "epoch=%d" % epoch], stderr=open(self.dir + "/core.log", "ab"))
        wait_for(lambda: os.path.exists(self.core_path), 5)

    def start_door(self):
        args = [self.binary, "door", "tls=%d" % TLS, "plain=%d" % PLAIN, "cert=" + self.cert,
                "key=" + self.key, "web=" + self.web, "core=" + self.core_path,
                "watchdog=" + self.dir + "/watchdog"]
        args += ["%s=%s" % kv for kv in self.options.items()]
        # A small quarantine, so that the memory of the sanitizer build can be measured too.
        env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=16:" +
                   os.environ.get("ASAN_OPTIONS", ""))
        self.door = subprocess.Popen(args, stderr=open(self.log_path, "ab"), env=env)
        def ready():
            try:
                socket.create_connection((HOST, PLAIN), 1).close()
                return self.core is None or b"200" in http(b"GET /api/info HTTP/1.1\r\n", timeout=1)
            except OSError:
                return self.door.poll() is not None
        wait_for(ready, 10)

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def alive(self):
        return self.door.poll() is None

    def stop(self):
        """Ends both; returns the door's exit code (0 = no sanitizer report, no leak)."""
        code = None
        if self.door.poll() is None:
            self.door.send_signal(signal.SIGTERM)
            try:
                code = self.door.wait(20)
            except subprocess.TimeoutExpired:
                self.door.kill()
                code = "hang"
        else:
            code = self.door.returncode
        self.stop_core()
        return code

    def stop_core(self, sig=signal.SIGKILL):
        if self.core and self.core.poll() is None:
            self.core.send_signal(sig)
            self.core.wait(5)
        self.core = None

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def wait_for(condition, seconds, step=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step)
    return False


def cpu_s(pid):
    """Processor seconds the process has used."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid, seconds):
    """Share of one processor over the next seconds, percent."""
    before, start = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_s(pid) - before) / (time.monotonic() - start)


def rss_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def tls_context(alpn=("http/1.1",)):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without reading the system's authorities
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    if alpn:
        ctx.set_alpn_protocols(list(alpn))
    return ctx


def connect(tls=False, timeout=5, rcvbuf=None, source=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    if source:
        s.bind((source, 0))
    s.settimeout(timeout)
    s.connect((HOST, TLS if tls else PLAIN))
    if tls:
        s = tls_context().wrap_socket(s, server_hostname="localhost")
    return s


def read_all(s, timeout=5, limit=1 << 26):
    """Everything until the door closes; a reset ends it too."""
    s.settimeout(timeout)
    out = bytearray()
    try:
        while len(out) < limit:
            data = s.recv(65536)
            if not data:
                break
            out += data
    except (OSError, ssl.SSLError):
        pass
    return bytes(out)


def is_closed(s, timeout=3):
    """True when the door ends the connection within timeout."""
    s.settimeout(timeout)
    try:
        while s.recv(65536):
            pass
        return True
    except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def raw(data, tls=False, timeout=3):
    """Sends bytes as they are; everything that came back."""
    s = connect(tls)
    try:
        s.sendall(data)
    except OSError:
        pass
    out = read_all(s, timeout)
    s.close()
    return out


def host_header(tls=False):
    return b"Host: localhost:%d\r\n" % (TLS if tls else PLAIN)


def http(head, tls=False, body=b"", timeout=3, host=True):
    """head = request line and headers, each with CRLF; Host is added."""
    return raw(head + (host_header(tls) if host else b"") + b"\r\n" + body, tls, timeout)


def status(answer):
    """Status of the first answer, 0 when there is none."""
    if answer.startswith(b"HTTP/1.1 ") and len(answer) > 12:
        return int(answer[9:12])
    return 0


def answers(data):
    """How many HTTP answers are in data."""
    return data.count(b"HTTP/1.1 ")


def header(answer, name):
    for line in answer.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        k, _, v = line.partition(b":")
        if k.strip().lower() == name.lower().encode():
            return v.strip().decode()
    return None


def body_of(answer):
    return answer.split(b"\r\n\r\n", 1)[1] if b"\r\n\r\n" in answer else b""


def origin(tls=False):
    return ("https://localhost:%d" % TLS) if tls else ("http://localhost:%d" % PLAIN)


def upgrade_head(tls=False, path="/ws", headers=None, drop=(), extra=b""):
    """The upgrade request of a page, with headers replaced, dropped or added."""
    lines = {
        "Host": "localhost:%d" % (TLS if tls else PLAIN),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "amphi.1",
        "Origin": origin(tls),
    }
    lines.update(headers or {})
    text = "GET %s HTTP/1.1\r\n" % path
    text += "".join("%s: %s\r\n" % kv for kv in lines.items() if kv[0] not in drop)
    return text.encode("latin-1") + extra + b"\r\n"


class Ws:
    """A WebSocket client that sends exactly the bits it is told to."""

    def __init__(self, tls=False, timeout=5, rcvbuf=None, head=None, source=None):
        self.s = connect(tls, timeout, rcvbuf, source)
        self.buf = b""
        self.close_code = None
        self.pongs = 0
        self.s.sendall(head or upgrade_head(tls))
        while b"\r\n\r\n" not in self.buf:
            data = self.s.recv(4096)
            if not data:
                break
            self.buf += data
        self.head, _, self.buf = self.buf.partition(b"\r\n\r\n")
        self.open = self.head.startswith(b"HTTP/1.1 101")

    def frame(self, opcode, payload=b"", fin=True, rsv=0, mask=True, length=None):
        first = (0x80 if fin else 0) | (rsv << 4) | opcode
        n = len(payload) if length is None else length
        out = struct.pack("!B", first)
        bit = 0x80 if mask else 0
        if n < 126:
            out += struct.pack("!B", bit | n)
        elif n < 65536:
            out += struct.pack("!BH", bit | 126, n)
        else:
            out += struct.pack("!BQ", bit | 127, n)
        if mask:
            key = os.urandom(4)
            out += key
            pad = (key * (len(payload) // 4 + 1))[:len(payload)]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(
                len(payload), "big")
        return out + payload

    def send(self, opcode, payload=b"", **kw):
        self.s.sendall(self.frame(opcode, payload, **kw))

    def text(self, text):
        self.send(1, text.encode() if isinstance(text, str) else text)

    def _fill(self, n, end):
        while len(self.buf) < n:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.s.settimeout(left)
            data = self.s.recv(262144)
            if not data:
                raise EOFError
            self.buf += data

    def recv(self, timeout=5):
        """Next (opcode, payload); (8, ...) at close, (None, b"") at the end of the connection."""
        end = time.monotonic() + timeout
        try:
            self._fill(2, end)
            n, at = self.buf[1] & 127, 2
            if n == 126:
                self._fill(4, end)
                n, at = struct.unpack("!H", self.buf[2:4])[0], 4
            elif n == 127:
                self._fill(10, end)
                n, at = struct.unpack("!Q", self.buf[2:10])[0], 10
            self._fill(at + n, end)
        except (EOFError, OSError) as e:
            if isinstance(e, (TimeoutError, socket.timeout)):
                raise TimeoutError from None
            return None, b""
        opcode, payload = self.buf[0] & 15, self.buf[at:at + n]
        self.buf = self.buf[at + n:]
        if opcode == 8:
            self.close_code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
        return opcode, payload

    def recv_text(self, timeout=5):
        while True:
            opcode, payload = self.recv(timeout)
            if opcode == 10:
                self.pongs += 1
            elif opcode == 9:
                self.send(10, payload)
            elif opcode == 1:
                return payload
            else:
                return None

    def closed_with(self, timeout=5):
        """Close code the door gave, 1006 when it just hung up, None when it stays open."""
        try:
            while True:
                opcode, _ = self.recv(timeout)
                if opcode == 8:
                    return self.close_code
                if opcode is None:
                    return 1006
        except TimeoutError:
            return None

    def echo_ok(self, text="hello", timeout=5):
        self.text(text)
        return self.recv_text(timeout) == text.encode()

    def close(self):
        try:
            self.s.close()
        except OSError:
            pass


def door_stats(w=None):
    """The door's counters as its core last heard them (a second old at most)."""
    own = w or Ws()
    own.text("stats")
    while True:
        text = own.recv_text(3)
        if text is None or text.startswith(b"{"):
            break
    if not w:
        own.close()
    return json.loads(text)
