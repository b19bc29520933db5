"""A start that cannot work says in one line what, where and what to do, with the documented code."""
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile

from harness import BINARY, Server, check, clean_env, stand_in, wait_for, web_root


def attempt(folder, *flags, prefix=(), env=None, command="serve", data=None):
    """Exit code and the lines that begin with "amphi:"."""
    words = [*prefix, os.path.abspath(BINARY), command, "--data.dir",
             data or os.path.join(folder, "data"), "--web.listen", "127.0.0.1:0", "--admin.listen",
             "127.0.0.1:0", "--rtc.udp_port", "0", "--rtc.shards", "1", "--web.root",
             web_root(folder), *flags]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, env=env or clean_env(),
                          check=False)
    return done.returncode, [l for l in done.stderr.splitlines() if l.startswith("amphi:")]


def refused(name, result, code, *words):
    got, lines = result
    line = lines[0] if lines else ""
    check(name, got == code and len(lines) == 1 and all(w in line for w in words),
          f"exit {got}: {' / '.join(lines)}")


def settings(folder):
    path = os.path.join(folder, "amphi.yaml")
    def write(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    write("rtc:\n  udp_prot: 1\n")
    refused("unknown key", attempt(folder, "--config", path), 78, "amphi.yaml:2", "rtc.udp_prot",
            "rtc.udp_port")
    write("rtc:\n  udp_port: 1000000\n")
    refused("value out of bounds", attempt(folder, "--config", path, command="check-config"), 78,
            "amphi.yaml:2", "rtc.udp_port", "0 to 65535")
    refused("missing file", attempt(folder, "--config", path + "x"), 78, "amphi.yamlx")
    refused("bad variable", attempt(folder, env=clean_env(AMPHI_RTC__SHARDS="many")), 78,
            "AMPHI_RTC__SHARDS", "whole number")
    refused("S37 sample secret", attempt(folder, "--auth.secret",
                                     "replace-this-with-32-random-characters"), 78, "auth.secret",
            "openssl rand")
    sample = "packaging/amphi.yaml"
    with open(sample, encoding="utf-8") as f:
        text = f.read()
    write(text.replace("  # secret:", "  secret:"))
    refused("the shipped file with its sample secret switched on",
            attempt(folder, "--config", path), 78, "auth.secret")
    code, _ = attempt(folder, "--config", sample, command="check-config")
    check("the shipped file as it is", code == 0)


def ports(folder):
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("0.0.0.0", 0))
        taken = f"127.0.0.1:{tcp.getsockname()[1]}"
        refused("web port taken", attempt(folder, "--web.listen", taken), 1, "web.listen", taken,
                "taken")
        refused("admin port taken", attempt(folder, "--admin.listen", taken), 1, "admin.listen",
                "taken")
        port = str(udp.getsockname()[1])
        refused("media port taken", attempt(folder, "--rtc.udp_port", port), 1, "rtc.udp_port",
                port, "taken")
    refused("address of another machine", attempt(folder, "--web.listen", "192.0.2.1:0"), 78,
            "192.0.2.1", "no such address")


def certificates(folder):
    cert, key = os.path.join(folder, "a.crt"), os.path.join(folder, "a.key")
    pair = ("--tls.cert", cert, "--tls.key", key)
    refused("certificate missing", attempt(folder, *pair), 78, "tls.cert", cert)
    for path in (cert, key):
        with open(path, "w", encoding="ascii") as f:
            f.write("no certificate\n")
    refused("certificate unreadable", attempt(folder, *pair), 78, "tls.cert", "not PEM")
    refused("certificate is a folder", attempt(folder, "--tls.cert", folder, "--tls.key", key), 78,
            "tls.cert", "directory")
    refused("certificate without key", attempt(folder, "--tls.cert", cert), 78, "tls.key")


def data_folders(folder):
    inside = os.path.join(folder, "file")
    with open(inside, "w", encoding="ascii"):
        pass
    refused("data folder below a file", attempt(folder, data=inside + "/data"), 78, "data.dir",
            inside)
    refused("data folder that cannot be made", attempt(folder, data="/proc/amphi"), 78,
            "data.dir", "/proc/amphi")
    small = os.path.join(folder, "small")
    os.makedirs(small, exist_ok=True)
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
        try:
            refused("disk nearly full", attempt(folder, data=small + "/data"), 1, "data.dir",
                    "MiB", "free some space")
            with open(os.path.join(small, "fill"), "wb") as f:
                try:
                    f.write(b"x" * (4 << 20))
                except OSError:
                    pass
            refused("disk full", attempt(folder, data=small + "/data2"), 1, "data.dir")
        finally:
            subprocess.run(["umount", small], check=True)
        refused("data folder of another user",
                attempt(folder, "--web.root", stand_in(folder),
                        prefix=["setpriv", "--reuid=65534", "--clear-groups"],
                        data="/var/lib/amphi-test"), 78, "data.dir", "write access")


def databases(folder):
    data = os.path.join(folder, "data")
    path = os.path.join(data, "amphi.db")
    with Server(folder=folder) as s:
        s.make_class()
        refused("data folder in use", attempt(folder), 1, "data.dir", str(s.process.pid))
    keep = path + ".keep"
    shutil.copy(path, keep)
    with open(path, "r+b") as f:
        f.seek(0)
        f.write(os.urandom(4096))
    before = open(path, "rb").read()
    refused("database is no database", attempt(folder), 1, "amphi.db")
    check("and it is left untouched", open(path, "rb").read() == before)
    shutil.copy(keep, path)
    with open(path, "r+b") as f:
        f.seek(4096)
        f.write(b"\xff" * 8192)
    refused("database with broken pages", attempt(folder), 1, "amphi.db")
    shutil.copy(keep, path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=999")
    db.close()
    refused("database of a newer program", attempt(folder), 78, "amphi.db", "newer")
    shutil.copy(keep, path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    refused("database locked by another program", attempt(folder), 1, "amphi.db")
    db.execute("ROLLBACK")
    db.close()
    with Server(folder=folder) as s:
        code, out, _ = s.cli("class", "list", "--json")
        check("a good copy serves again", code == 0 and len(json.loads(out)["classes"]) == 1)


def limits(folder):
    refused("too few descriptors", attempt(folder, prefix=["prlimit", "--nofile=100:100"]), 78,
            "open files", "100", "LimitNOFILE")
    empty = tempfile.mkdtemp(prefix="amphi-app-")
    refused("no page", attempt(folder, "--web.root", empty), 78, "web.root", "make web")
    os.rmdir(empty)


def private_page(folder):
    """The page under a folder that only its owner may enter, as /root is: the door opens it while
    it still is root. A page that nobody else may read is refused instead of answered with 404."""
    if os.geteuid() != 0:
        return
    page = os.path.join(folder, "private", "web")
    index = os.path.join(page, "index.html")
    os.makedirs(page)
    os.chmod(os.path.dirname(page), 0o700)
    with open(index, "w", encoding="ascii") as f:
        f.write("<!doctype html><title>private</title>\n")
    with Server("--web.root", page) as s:
        status, body = s.page()
        check("a page below a private folder is served", status == 200 and "private" in body,
              status)
    os.chmod(index, 0o600)
    s = Server("--web.root", page)
    s.start(wait=False)
    wait_for(lambda: s.process.poll() is not None, 60)
    code = s.process.poll()
    s.stop()
    check("a page that the door may not read is refused",
          code == 78 and f"cannot read index.html in {page}" in s.err(), code)
    shutil.rmtree(s.folder, ignore_errors=True)


def commands(folder):
    def run(*words):
        return subprocess.run([BINARY, *words], capture_output=True, text=True, env=clean_env(),
                              check=False)
    check("no command: 64", run().returncode == 64)
    check("unknown command: 64", run("dance").returncode == 64)
    check("unknown flag: 64", run("serve", "--fast").returncode == 64)
    check("--help names every command", all(w in run("--help").stdout for w in
          ("serve", "check-config", "class", "link", "doctor", "backup", "restore", "drain")))
    check("serve --help names every setting", "--rtc.udp_port" in run("serve", "--help").stdout)
    defaults = run("print-config", "--defaults").stdout
    path = os.path.join(folder, "defaults.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(defaults)
    again = run("print-config", "--config", path)
    check("print-config reads back the same", again.returncode == 0 and again.stdout == defaults)
    check("print-config --json is JSON",
          json.loads(run("print-config", "--json").stdout)["rtc"]["udp_port"] == 10000)
    data = ("--data.dir", os.path.join(folder, "offline"))
    made = run("class", "create", "Offline", "--json", *data)
    class_id = json.loads(made.stdout)["class"]
    check("class create without a server", made.returncode == 0, class_id)
    link = run("link", class_id, "--role", "host", "--ttl", "7d", *data)
    check("link without a server", link.stdout.startswith("https://localhost:8443/c/" + class_id))
    check("link for an unknown class", run("link", "c_b" + "a" * 25, *data).returncode == 1)
    check("drain without a server", run("drain", *data).returncode == 1)
    doctor = run("doctor", "--json", *data)
    names = {c["check"] for c in json.loads(doctor.stdout)["checks"]}
    check("doctor --json", {"port", "clock", "disk", "open files", "UDP GSO"} <= names)
    backup = run("backup", os.path.join(folder, "backups"), *data)
    where = backup.stdout.strip()
    check("backup", backup.returncode == 0 and os.path.exists(where + "/keys/secret"))
    rows = sqlite3.connect(where + "/amphi.db").execute("PRAGMA integrity_check").fetchone()
    check("its database is whole", rows == ("ok",))


def run():
    for part in (settings, ports, certificates, data_folders, databases, limits, private_page,
                 commands):
        folder = tempfile.mkdtemp(prefix="amphi-app-")
        try:
            part(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
