#!/usr/bin/env python3
"""make bench-peers: the same load against Amphi and against Janus VideoRoom, one table of ratios.

Both get the same people from the same program: one publisher (VP8 720p at 1 Mbit/s in one size,
Opus), N spectators who receive, report and repair. The server has core 0, the load core 1. Janus is
Debian's, set to its advantage: as few event loops as it has cores, ICE lite, GCM, no event
handlers, no logging, one WebSocket transport.

bench/peers.py [--people 100,400] [--seconds 10] [--rounds 2] [--shape FLAG ...]
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "app"))
from harness import BINARY, Server, clean_env, wait_for  # noqa: E402

GENERAL = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{lib}/plugins"
  transports_folder = "{lib}/transports"
  events_folder = "{lib}/events"
  loggers_folder = "{lib}/loggers"
  debug_level = 1
  session_timeout = 0
  event_loops = 1
}}
nat: {{ ice_lite = true  nice_debug = false  ignore_mdns = true }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
events: {{ broadcast = false }}
"""
WS = 'general: {{ json = "compact" ws = true ws_port = {port} ws_ip = "127.0.0.1" }}\n'


def library():
    for root in ("/usr/lib/x86_64-linux-gnu/janus", "/usr/lib/aarch64-linux-gnu/janus",
                 "/usr/lib/janus"):
        if os.path.isdir(root):
            return root
    return None


def others(folder, keep):
    return ",".join(n for n in sorted(os.listdir(folder)) if n.endswith(".so") and keep not in n)


class Janus:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="amphi-janus-")
        lib = library()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.write("janus.jcfg", GENERAL.format(
            folder=self.folder, lib=lib, plugins=others(lib + "/plugins", "videoroom"),
            transports=others(lib + "/transports", "websockets")))
        self.write("janus.transport.websockets.jcfg", WS.format(port=self.port))
        self.write("janus.plugin.videoroom.jcfg", "general: { string_ids = false }\n")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)

    def __enter__(self):
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", "janus", "-F", self.folder, "-C", self.folder + "/janus.jcfg"],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

        def there():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        if not wait_for(there, 20, 0.1):
            raise RuntimeError(open(self.folder + "/log", encoding="utf-8").read()[-2000:])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def words(self):
        return ["--janus", f"http://127.0.0.1:{self.port}", "--server-pid", str(self.process.pid)]

    def resident(self):
        return resident(self.process.pid)


class Amphi(Server):
    def __init__(self):
        super().__init__("--rtc.shards", "1", "--rtc.listen_ip", "127.0.0.1",
                         prefix=["taskset", "-c", "0"])

    def words(self):
        return ["--data.dir", self.data, "--admin.listen", f"127.0.0.1:{self.admin}"]

    def resident(self):
        return resident(self.pid("core")) + resident(self.pid("door"))


def resident(pid):
    """Bytes."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(server, people, args):
    figures = os.path.join(server.folder, "peers.json")
    before = server.resident()
    peak = before
    process = subprocess.Popen(
        ["taskset", "-c", "1", BINARY, "load", "--publishers", "1", "--subscribers", str(people),
         "--simulcast", "0", "--num-per-second", "40", "--duration", str(args.seconds), "--quiet",
         "--lang", "en", "--json-file", figures, *args.shape, *server.words()],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=clean_env(XDG_CACHE_HOME=os.path.join(tempfile.gettempdir(), "amphi-limit-cache")))
    while process.poll() is None:
        peak = max(peak, server.resident())
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
    out = process.stdout.read()
    if not os.path.exists(figures):
        raise RuntimeError(out[-500:])
    with open(figures, encoding="utf-8") as f:
        r = json.load(f)
    packets = sum(c["packets"] for role in r["roles"].values()
                  for c in (role["sound"], role["pictures"]))
    if r["people"] < people + 1 or not packets:
        raise RuntimeError(f"only {r['people']} of {people + 1} came in: {r['failures']}\n"
                           + out[-500:])
    seen = sum(role["tracks"] for role in r["roles"].values())
    expected = sum(role["tracks_expected"] for role in r["roles"].values())
    if seen < 0.95 * expected:
        raise RuntimeError(f"only {seen} of {expected} cameras were seen: not the same work")
    return {"packets_per_cpu_s": packets / (r["server_cores"] * r["seconds"]),
            "core_share": r["server_cores"], "delay_p99": r["delay_ms"]["p99"],
            "join_p99": r["join_ms"]["p99"], "kb_each": (peak - before) / people / 1024,
            "limited_by": r["limited_by"]}


def median(rows):
    keys = [k for k in rows[0] if k != "limited_by"]
    out = {k: sorted(r[k] for r in rows)[len(rows) // 2] for k in keys}
    out["limited_by"] = ",".join(sorted({r["limited_by"] for r in rows} - {"none"})) or "none"
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", default="100,400")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--shape", nargs=argparse.REMAINDER, default=[])
    args = parser.parse_args()
    if not library() or not shutil.which("janus"):
        print("Debian's janus is not installed: make bench-peers installs it")
        return 1
    head = ("", "packets/CPU-s", "core", "delay p99 ms", "join p99 ms", "KB each", "limited by")
    print("| {} | {} | {} | {} | {} | {} | {} |\n|---|---|---|---|---|---|---|".format(*head))
    for people in (int(n) for n in args.people.split(",")):
        got = {}
        for name, kind in (("Amphi", Amphi), ("Janus", Janus)):
            rows = []
            for _ in range(args.rounds):
                with kind() as server:
                    rows.append(measure(server, people, args))
            got[name] = m = median(rows)
            print(f"| {name} 1x{people} | {m['packets_per_cpu_s']:.0f} | {m['core_share']:.1%} | "
                  f"{m['delay_p99']:.1f} | {m['join_p99']:.0f} | {m['kb_each']:.0f} | "
                  f"{m['limited_by']} |", flush=True)
        a, j = got["Amphi"], got["Janus"]
        print(f"| **Amphi / Janus** | **{a['packets_per_cpu_s'] / j['packets_per_cpu_s']:.2f}** | "
              + " | ".join(f"{a[k] / j[k]:.2f}" if j[k] else "-" for k in
                           ("core_share", "delay_p99", "join_p99", "kb_each")) + " | |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
