"""Rule S37: what listens, where, and whom the server sends people to."""
import json
import os
import re
import socket
import struct

from harness import Client, Server, check, clean_env, fake_offer
import t_start

TCP_LISTEN = "0A"


def family_of(pid):
    """The process and everything it started."""
    pids = [pid]
    for p in pids:
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children", encoding="ascii") as f:
                    pids += [int(c) for c in f.read().split()]
        except FileNotFoundError:
            pass
    return pids


def sockets_of(pids):
    found = set()
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        for fd in os.listdir(folder):
            try:
                m = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(os.path.join(folder, fd)))
            except FileNotFoundError:
                m = None
            if m:
                found.add(m.group(1))
    return found


def address(text):
    host, port = text.split(":")
    raw = bytes.fromhex(host)
    words = struct.unpack(f"={len(raw) // 4}I", raw)
    ip = b"".join(struct.pack(">I", w) for w in words)
    return socket.inet_ntop(socket.AF_INET if len(ip) == 4 else socket.AF_INET6, ip), int(port, 16)


def open_ports(pids):
    """(protocol, address, port) of everything these processes receive on."""
    mine = sockets_of(pids)
    out = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            for row in f.read().splitlines()[1:]:
                fields = row.split()
                if fields[9] in mine and (name.startswith("udp") or fields[3] == TCP_LISTEN):
                    out.add((name[:3], *address(fields[1])))
    return out


def ports(s):
    c = Client(s.port)
    c.send("hello", v=1, lang="en", link=s.link(s.make_class())["link"])
    door = c.type("door")
    c.send("media.offer", cause="load", offer=fake_offer())
    answer = c.type("media.answer")["answer"]
    offered = {port for _family, _ip, port, _proto in answer["c"]}
    hosts = {ip for _family, ip, _port, _proto in answer["c"]}
    declared = json.loads(s.hint("ports.json"))
    media = set(declared.get("udp", declared.get("rtc", [])) or offered)
    found = open_ports(family_of(s.process.pid))
    allowed = {("tcp", p) for p in declared["web"]} | {("tcp", declared["admin"])} | \
        {(proto, p) for proto in ("tcp", "udp") for p in media | offered}
    extra = {f for f in found if (f[0], f[2]) not in allowed}
    check("S37 only declared ports are open", not extra and len(found) >= 4,
          f"{len(found)} sockets on ports {sorted({f[2] for f in found})}, undeclared {extra}")
    admin = {f for f in found if f[2] == declared["admin"]}
    check("S37 the operator's page is on loopback alone",
          admin and all(a[1] in ("127.0.0.1", "::1") for a in admin), admin)
    check("S37 the answer names addresses of this server only, no STUN or TURN of others",
          "ice" not in door and all(local(h) for h in hosts), sorted(hosts))
    c.close()


def local(ip):
    """An address this machine can bind."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ip, 0))
            return True
        except OSError:
            return False


def page_parts():
    """Whatever the page loads or the server is set to by default lies on the server itself."""
    outside = re.compile(rb"[\"'`](?:stun|turns?):[a-z0-9]|https?://(?!(?:www\.w3\.org|www\.ietf\.org|www\.webrtc\.org|localhost|svelte\.dev"
                         rb"|github\.com|aomediacodec\.github\.io|developer\.mozilla\.org|example|host)[/:\"'. ]?)[a-z0-9.-]+\.[a-z]{2,}")
    root, found, n = "web-client/dist", [], 0
    for folder, _dirs, files in os.walk(root):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                hits = outside.findall(f.read())
            n += 1
            found += [(name, h.decode()) for h in hits]
    if n:
        check("S37 the built page names no third party", not found, found[:3] or f"{n} files")


def run():
    with Server("--rtc.shards", "1") as s:
        ports(s)
    page_parts()
