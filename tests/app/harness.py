"""What the tests of the whole program stand on: a server in a folder of its own on free ports, a
small WebSocket client that speaks amphi.1, checks that print ok/FAIL with their figure."""
import base64
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AMPHI_BINARY", "build/amphi")
passed = []
failed = []


def check(name, good, figure=""):
    (passed if good else failed).append(name)
    print(f"{'ok  ' if good else 'FAIL'} {name}{': ' + str(figure) if figure != '' else ''}",
          flush=True)
    return bool(good)


def wait_for(condition, seconds=60, step=0.01):
    """Polls until condition() is true; its value, or None when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    return None


def web_root(folder):
    """The built page when it is there, else a stand-in: these tests do not read it."""
    if os.path.exists("web-client/dist/index.html"):
        return os.path.abspath("web-client/dist")
    return stand_in(folder)


def stand_in(folder):
    """A page that every user can read; the built one may be below /root."""
    root = os.path.join(folder, "web")
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "index.html"), "w", encoding="utf-8") as f:
        f.write("<!doctype html><title>Amphi</title>\n")
    os.chmod(folder, 0o755)
    return root


def clean_env(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AMPHI_")}
    env.setdefault("LSAN_OPTIONS", f"suppressions={HERE}/lsan.supp:print_suppressions=0")
    env.setdefault("TSAN_OPTIONS", f"suppressions={HERE}/tsan.supp")
    env.update(more)
    return env


class Server:
    """`amphi serve` on ports of the kernel's choice; used as a context."""

    def __init__(self, *flags, folder=None, prefix=(), env=None):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="amphi-app-")
        self.data = os.path.join(self.folder, "data")
        self.flags = ["--data.dir", self.data, "--web.listen", "127.0.0.1:0", "--admin.listen",
                      "127.0.0.1:0", "--rtc.udp_port", "0", "--rtc.shards", "2", "--web.root",
                      web_root(self.folder), *flags]
        self.prefix = list(prefix)
        self.env = clean_env(**(env or {}))
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        reports = [l for l in self.err().splitlines() if "Sanitizer" in l or "runtime error" in l]
        if reports:
            check("no sanitizer report", False, self.err()[-9000:])
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *more, wait=True):
        self.out_path = os.path.join(self.folder, "out")
        self.err_path = os.path.join(self.folder, "err")
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.process = subprocess.Popen(
                [*self.prefix, BINARY, "serve", *self.flags, *more], stdout=out, stderr=err,
                stdin=subprocess.DEVNULL, env=self.env)
        if wait:
            self.settle()

    def settle(self):
        """Until it serves; learns its ports."""
        started = time.monotonic()
        ready = wait_for(lambda: self.hint("ports.json") or self.process.poll() is not None, 60)
        if self.process.poll() is not None or not ready:
            raise RuntimeError("the server did not start:\n" + self.err())
        self.start_s = time.monotonic() - started
        ports = json.loads(self.hint("ports.json"))
        self.port = ports["web"][0]
        self.admin = ports["admin"]
        # The ports are open before the door has found the core; a hello sent then would have
        # to be said again when the epoch is told, as pages do and these clients do not.
        wait_for(self.ready, 60)

    def stop(self, sig=signal.SIGTERM, timeout=60):
        """Exit code and the seconds it took."""
        if self.process is None or self.process.poll() is not None:
            return None, 0.0
        started = time.monotonic()
        self.process.send_signal(sig)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        return code, time.monotonic() - started

    def hint(self, name):
        try:
            with open(os.path.join(self.data, "run", name), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def pid(self, name):
        text = self.hint(name + ".pid").strip()
        return int(text) if text else 0

    def err(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def out(self):
        with open(self.out_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def cli(self, *words, flags=True):
        """Runs a command on this data folder: exit code, standard output, standard error."""
        more = self.flags if flags else []
        done = subprocess.run([BINARY, *words, *more], capture_output=True, text=True, timeout=60,
                              env=self.env, check=False)
        return done.returncode, done.stdout, done.stderr

    def make_class(self, title="A class", kind="standard"):
        code, out, err = self.cli("class", "create", title, "--type", kind, "--json")
        assert code == 0, err
        return json.loads(out)["class"]

    def link(self, class_id, role="participant", *more):
        code, out, err = self.cli("link", class_id, "--role", role, "--json", *more)
        assert code == 0, err
        return json.loads(out)

    def look(self):
        """The office looks at once at what is due, instead of every half minute."""
        os.kill(self.pid("core"), signal.SIGHUP)

    def ready(self):
        """Everything is there, or the program has ended."""
        try:
            return self.process.poll() is not None or self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path, timeout=30):
        """Status and body of the operator's page."""
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=timeout)
        try:
            c.request("GET", path)
            answer = c.getresponse()
            return answer.status, answer.read().decode()
        finally:
            c.close()

    def metric(self, line):
        """Value of one line of /metrics ("amphi_people", "amphi_nacks_total{...}"), or None."""
        for row in self.get("/metrics")[1].splitlines():
            if row.startswith(line + " "):
                return float(row.rsplit(" ", 1)[1])
        return None

    def page(self, path="/", timeout=30):
        """Status and body over https."""
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=tls())
        try:
            c.request("GET", path)
            answer = c.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            c.close()


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads 140 authorities
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Closed(Exception):
    """The server closed the WebSocket; code and reason as it gave them."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Client:
    """One page: a WebSocket that speaks amphi.1, read by its own thread."""

    def __init__(self, port, timeout=30):
        raw = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.sock = tls().wrap_socket(raw, server_hostname="localhost")
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.sock.sendall((f"GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\n"
                           f"Origin: https://localhost:{port}\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: amphi.1\r\n"
                           "\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            got = self.sock.recv(4096)
            if not got:
                raise Closed(0, "no upgrade")
            self.buffer += got
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Closed(0, head.decode(errors="replace"))
        self.sock.settimeout(None)
        self.messages = []
        self.closed = None
        self.seen = threading.Condition()
        self.write_lock = threading.Lock()
        self.next_id = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _take(self, n):
        while len(self.buffer) < n:
            got = self.sock.recv(65536)
            if not got:
                raise OSError("end")
            self.buffer += got
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def _read(self):
        text = b""
        try:
            while True:
                head = self._take(2)
                length = head[1] & 0x7f
                if length == 126:
                    length = struct.unpack(">H", self._take(2))[0]
                elif length == 127:
                    length = struct.unpack(">Q", self._take(8))[0]
                body = self._take(length)
                opcode = head[0] & 0x0f
                if opcode == 9:
                    self._frame(10, body)
                elif opcode == 8:
                    code = struct.unpack(">H", body[:2])[0] if len(body) >= 2 else 1005
                    self._frame(8, body[:2])
                    self._finish(Closed(code, body[2:].decode(errors="replace")))
                    return
                elif opcode in (0, 1):
                    text += body
                    if head[0] & 0x80:
                        with self.seen:
                            self._hear(text)
                            self.seen.notify_all()
                        text = b""
        except (OSError, ValueError):
            self._finish(Closed(1006, ""))

    def _hear(self, text):
        self.messages.append(json.loads(text))

    def _finish(self, closed):
        with self.seen:
            self.closed = closed
            self.seen.notify_all()

    def _frame(self, opcode, body):
        mask = secrets.token_bytes(4)
        n = len(body)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | n]) if n < 126 else (
            bytes([0x80 | 126]) + struct.pack(">H", n) if n < 65536
            else bytes([0x80 | 127]) + struct.pack(">Q", n))
        masked = bytes(b ^ mask[i & 3] for i, b in enumerate(body))
        with self.write_lock:
            try:
                self.sock.sendall(head + mask + masked)
            except OSError:
                pass

    def send(self, t, **fields):
        """Sends one message; commands get an id, which is returned."""
        if t not in ("hello", "sync", "view", "media.ready", "ping"):
            self.next_id += 1
            fields.setdefault("id", f"c{self.next_id}")
        self._frame(1, json.dumps({"t": t, **fields}).encode())
        return fields.get("id")

    def wait(self, want, timeout=60, start=0):
        """First message (from position start) for which want(message) holds."""
        end = time.monotonic() + timeout
        at = start
        with self.seen:
            while True:
                while at < len(self.messages):
                    if want(self.messages[at]):
                        return self.messages[at]
                    at += 1
                if self.closed:
                    raise self.closed
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not among {self.messages[start:]}")
                self.seen.wait(left)

    def type(self, t, timeout=60, start=0):
        return self.wait(lambda m: m["t"] == t, timeout, start)

    def answer(self, message_id, timeout=60):
        """The ack or error of a command."""
        return self.wait(lambda m: m.get("id") == message_id and m["t"] in ("ack", "error"),
                         timeout)

    def event(self, name, timeout=60, start=0, **fields):
        """First event of this name in a delta whose fields hold these values."""
        def has(m):
            return m["t"] == "delta" and any(
                e["e"] == name and all(e.get(k) == v for k, v in fields.items())
                for e in m["events"])
        delta = self.wait(has, timeout, start)
        return next(e for e in delta["events"] if e["e"] == name)

    def events(self, name):
        """All events of this name so far."""
        with self.seen:
            return [e for m in self.messages if m["t"] == "delta"
                    for e in m["events"] if e["e"] == name]

    def wait_closed(self, timeout=60):
        end = time.monotonic() + timeout
        with self.seen:
            while not self.closed and time.monotonic() < end:
                self.seen.wait(end - time.monotonic())
            return self.closed

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        # The reader must have let go: its next read would take bytes of whoever gets the number.
        self.reader.join(5)
        self.sock.close()


def enter(server, link, name, mic=False, cam=False):
    """A page that has joined: client and its snapshot."""
    c = Client(server.port)
    c.send("hello", v=1, lang="en", link=link)
    # A core that has just come does not know the hello its predecessor took: say it again (epoch).
    if c.wait(lambda m: m["t"] in ("door", "epoch"))["t"] == "epoch":
        c.send("hello", v=1, lang="en", link=link)
    c.type("door")
    c.send("join", name=name, mic=mic, cam=cam)
    return c, c.type("snapshot")


def fake_offer(audio=5, video=6):
    """An offer as a page makes it, with credentials nobody will use."""
    return {"u": secrets.token_hex(2), "p": secrets.token_hex(12), "f": secrets.token_hex(32),
            "n": [audio, video], "a": {"opus": [111]}, "v": {"vp8": [96, 97]},
            "xa": {"mid": 1, "level": 2, "twcc": 3}, "xv": {"mid": 1, "rid": 4, "rrid": 5, "twcc": 3},
            "s": [1001, 1002, 1003, 1004, 1005]}
