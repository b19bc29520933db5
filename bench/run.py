#!/usr/bin/env python3
"""`make bench`: the floor and the whole path on the same machine in one run; writes build/bench.json.

Usage: bench/run.py [--seconds N] [--rounds N] [--only SCENARIO]... [--two-shards]
Method and figures: bench/README.md. The server runs on one core, the spinning load on the other. For
every scenario the floor runs before and after the server with the same trace; two floors more than
15 % apart, or more than 5 % of the machine used by others, and the result is marked "noise" instead of
being believed. Of several rounds the one whose ratio is the median is told.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SERVER_CORE, LOAD_CORE = "0", "1"
BUILD = "build/release"
# rooms, publishers and subscribers a room, joins/s of the subscribers (0 = all at once)
SCENARIOS = {
    "webinar_1x100": (1, 1, 100, 40),
    "webinar_1x400": (1, 1, 400, 40),
    "webinar_1x600": (1, 1, 600, 40),
    "rooms_8x8": (8, 8, 0, 0),
    "joins_40": (1, 1, 240, 40),
    "joins_burst_200": (1, 1, 200, 0),
}
# What has a target as a ratio is played so often: one round tells the machine's hour as well.
ROUNDS = {"webinar_1x400": 3, "rooms_8x8": 3}
# Ahead of whatever else the machine does, when we may.
FIRST = ["nice", "-n", "-15"] if os.geteuid() == 0 else []
NOISE_SHARE, FLOOR_SPREAD = 0.05, 0.15


def pinned(core, command, **kw):
    return subprocess.Popen([*FIRST, "taskset", "-c", core, *command], **kw)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_load(arguments, seconds):
    command = [*FIRST, "taskset", "-c", LOAD_CORE, f"{BUILD}/bench/load", "--seconds", str(seconds),
               *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout.strip():
        sys.exit(f"load failed ({done.returncode}): {done.stderr.strip()}")
    result = json.loads(done.stdout.strip().split("\n")[-1])
    if result["error"]:
        print(f"    load: {result['error']}", flush=True)
    return result


def shape(scenario):
    rooms, publishers, subscribers, rate = SCENARIOS[scenario]
    return ["--rooms", str(rooms), "--publishers", str(publishers), "--subscribers",
            str(subscribers), "--rate", str(rate)]


def run_floor(scenario, seconds):
    port = free_port(socket.SOCK_DGRAM)
    floor = pinned(SERVER_CORE, [f"{BUILD}/bench/floor", str(port)], stdout=subprocess.PIPE,
                   text=True)
    floor.stdout.readline()
    try:
        return run_load(["--floor", str(port), "--pids", str(floor.pid), *shape(scenario)], seconds)
    finally:
        floor.send_signal(signal.SIGTERM)
        floor.wait(10)


class Server:
    """amphi serve on one core with its own data folder and free ports."""

    def __init__(self, shards=1):
        self.data = tempfile.mkdtemp(prefix="amphi-bench-")
        self.port, self.admin = free_port(), free_port()
        self.log = open(f"{self.data}/log", "wb")
        self.flags = [f"--data.dir={self.data}/data", f"--web.listen=127.0.0.1:{self.port}",
                      f"--admin.listen=127.0.0.1:{self.admin}", "--rtc.udp_port=0",
                      f"--rtc.shards={shards}", "--rtc.listen_ip=127.0.0.1",
                      "--rtc.peers_max=2000", "--rtc.spread_from=2",
                      "--limits.connections_per_address=4000"]
        self.process = pinned(SERVER_CORE, ["build/amphi", "serve", *self.flags], stdout=self.log,
                              stderr=self.log)
        self.wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ready = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{self.admin}/readyz"],
                                   capture_output=True, check=False)
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.flush()
        sys.exit("server did not start:\n" + open(f"{self.data}/log", encoding="utf-8").read())

    def pids(self):
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                  text=True, check=False).stdout.split()
        return ",".join(children)

    def names(self):
        """What each process is: core, door."""
        found = {}
        for pid in self.pids().split(","):
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                found[int(pid)] = f.read().strip()
        return found

    def cli(self, *words):
        out = subprocess.run(["build/amphi", *words, "--json", *self.flags], capture_output=True,
                             text=True, check=False)
        if out.returncode:
            sys.exit(f"amphi {' '.join(words)}: {out.stderr}")
        return json.loads(out.stdout)

    def links(self, rooms):
        path = f"{self.data}/links"
        with open(path, "w", encoding="utf-8") as f:
            for room in range(rooms):
                made = self.cli("class", "create", f"bench {room}")
                link = [self.cli("link", made["class"], "--role", role)["url"].split("#")[1]
                        for role in ("animator", "participant")]
                f.write(f"{room} {link[0]} {link[1]}\n")
        return path

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.data, ignore_errors=True)


def run_server(scenario, seconds, shards=1):
    server = Server(shards)
    try:
        links = server.links(SCENARIOS[scenario][0])
        names = server.names()
        result = run_load(["--host", "127.0.0.1", "--port", str(server.port), "--links", links,
                           "--pids", server.pids(), *shape(scenario)], seconds)
        for process in result["processes"]:
            process["name"] = names.get(process.pop("pid"), "?")
        return result
    finally:
        server.stop()


def limited_by(result, floors):
    rates = [f["packets_per_cpu_s"] for f in floors]
    if result["noise"] > NOISE_SHARE or max(rates) > (1 + FLOOR_SPREAD) * min(rates):
        return "noise"
    if result["self_cpu_s"] < 0.9 * result["seconds"]:
        return "tool"
    if not result["climbed"]:
        return "server"  # it held receivers down: fewer packets went out than the floor's
    return "server" if result["server_cpu_s"] > 0.95 * result["seconds"] else "none"


def judged(result, floors):
    """One round: what the server did, and its share of the floors before and after it."""
    floor = sum(f["packets_per_cpu_s"] for f in floors) / len(floors)
    return {
        "packets_per_cpu_s": round(result["packets_per_cpu_s"]),
        "floor_packets_per_cpu_s": round(floor),
        "floor_ratio": round(result["packets_per_cpu_s"] / floor, 3) if floor else 0,
        "rss_bytes": result["server_rss_bytes"],
        "seconds": result["seconds"],
        "processes": result["processes"],
        "delay_ms": result["delay_ms"],
        "join_ms": result["join_ms"],
        "connect_ms": result["connect_ms"],
        "whole_ms": result["whole_ms"], "joining": result["joining"],
        "packets_per_s": round(result["packets"] / result["seconds"]),
        "floor_packets_per_s": round(sum(f["packets"] / f["seconds"] for f in floors)
                                     / len(floors)),
        "climb_s": round(result["climb_s"], 2), "climbed": result["climbed"],
        "core_used": round(result["server_cpu_s"] / result["seconds"], 4),
        "received_share": round(result["packets"] / (result["packets"] + result["lost"]), 6)
        if result["packets"] else 0,
        "noise": round(result["noise"], 4),
        "limited_by": limited_by(result, floors),
        "live": result["live"], "clients": result["clients"], "plis": result["plis"],
        "decrypt_failed": result["decrypt_failed"], "stamps_bad": result["stamps_bad"],
    }


def median_round(rounds):
    """The round with the median ratio, of those that were no noise where there are any."""
    calm = [r for r in rounds if r["limited_by"] != "noise"] or rounds
    return sorted(calm, key=lambda r: r["floor_ratio"])[(len(calm) - 1) // 2]


def told(name, row):
    print(f"{name:<16} {row['packets_per_cpu_s']:>9} packets/CPU-s, {row['floor_ratio']:.2f} of the "
          f"floor ({row['packets_per_s'] / 1000:.1f} k/s to the floor's "
          f"{row['floor_packets_per_s'] / 1000:.1f} k/s), delay "
          f"{row['delay_ms']['p50']:.2f}/{row['delay_ms']['p99']:.2f} ms, join "
          f"{row['join_ms']['p50']:.1f}/{row['join_ms']['p99']:.1f} ms, core {row['core_used']:.1%}, "
          f"{row['live']}/{row['clients']} live, limited by {row['limited_by']}", flush=True)
    print("    " + ", ".join(f"{p['name']} {p['cpu_s'] / row['seconds']:.1%} of a core, "
                             f"{p['rss_bytes'] / 2**20:.1f} MiB" for p in row["processes"]),
          flush=True)
    joining = row["joining"]
    if joining["clients"] > 0:
        each = 1e6 / joining["clients"]
        print(f"    joining took {joining['seconds']:.2f} s, from connecting "
              f"{row['whole_ms']['p50']:.0f}/{row['whole_ms']['p99']:.0f} ms; us a join: load "
              f"{joining['self_cpu_s'] * each:.0f} (it never waits), " +
              ", ".join(f"{name} {cpu_s * each:.0f}" for name, cpu_s in
                        joining["threads"].items() if cpu_s * each >= 1), flush=True)
    if len(row["rounds"]) > 1:
        print("    rounds: " + ", ".join(f"{r['floor_ratio']:.2f}" + (
            " (noise)" if r["limited_by"] == "noise" else "") for r in row["rounds"]), flush=True)


def run_scenario(name, seconds, count):
    floors = [run_floor(name, seconds)]
    rounds = []
    for _ in range(count):
        result = run_server(name, seconds)
        floors.append(run_floor(name, seconds))
        rounds.append(judged(result, floors[-2:]))
    row = dict(median_round(rounds))
    row["rounds"] = [{key: r[key] for key in ("floor_ratio", "packets_per_cpu_s",
                                              "floor_packets_per_cpu_s", "limited_by")}
                     for r in rounds]
    told(name, row)
    return row


def two_shards(seconds):
    """The same load on one and on two shards of one core: what spreading a room costs."""
    name = "webinar_1x400"
    runs = [run_server(name, seconds, shards) for shards in (1, 2, 1)]
    one = (runs[0]["packets_per_cpu_s"] + runs[2]["packets_per_cpu_s"]) / 2
    row = {
        "packets_per_cpu_s": round(runs[1]["packets_per_cpu_s"]),
        "one_shard_packets_per_cpu_s": round(one),
        "of_one_shard": round(runs[1]["packets_per_cpu_s"] / one, 3) if one else 0,
        "delay_ms": runs[1]["delay_ms"],
        "limited_by": limited_by(runs[1], [runs[0], runs[2]]),
    }
    print(f"two shards on one core: {row['packets_per_cpu_s']} packets/CPU-s, "
          f"{row['of_one_shard']:.2f} of one shard's, delay {row['delay_ms']['p50']:.2f}/"
          f"{row['delay_ms']['p99']:.2f} ms, limited by {row['limited_by']}", flush=True)
    return row


def memory_per_subscriber(rows):
    """(RSS of core + door at 600 minus at 100) / 500, as the design defines it."""
    if "webinar_1x100" in rows and "webinar_1x600" in rows:
        grown = rows["webinar_1x600"]["rss_bytes"] - rows["webinar_1x100"]["rss_bytes"]
        kb = round(grown / 500 / 1024, 1)
        for row in rows.values():
            row["rss_per_subscriber_kb"] = kb
        apart = {}
        for name, sign in (("webinar_1x600", 1), ("webinar_1x100", -1)):
            for p in rows[name]["processes"]:
                apart[p["name"]] = apart.get(p["name"], 0) + sign * p["rss_bytes"] / 500 / 1024
        print(f"resident memory per subscriber: {kb} KiB (" +
              ", ".join(f"{name} {kib:.1f}" for name, kib in apart.items()) + ")")


def micro():
    """Nanoseconds per packet of each step alone; printed and kept in build/bench-micro.json."""
    out = subprocess.run([*FIRST, "taskset", "-c", SERVER_CORE, f"{BUILD}/bench/micro"],
                         capture_output=True, text=True, check=False).stdout
    steps = json.loads(out)
    steps.pop("sum")
    print("ns a packet (" + steps.pop("engine") + "): " +
          ", ".join(f"{k[:-3]} {v:.0f}" for k, v in steps.items()))
    os.makedirs("build", exist_ok=True)
    with open("build/bench-micro.json", "w", encoding="utf-8") as f:
        json.dump(steps, f, indent=2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, help="of each scenario, instead of its own number")
    parser.add_argument("--only", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--two-shards", action="store_true", help="only the cost of spreading")
    options = parser.parse_args()
    rows = {}
    for name in options.only or ([] if options.two_shards else SCENARIOS):
        rows[name] = run_scenario(name, options.seconds, options.rounds or ROUNDS.get(name, 1))
    memory_per_subscriber(rows)
    if options.two_shards or not options.only:
        rows["webinar_1x400_two_shards"] = two_shards(options.seconds)
    if not options.only and not options.two_shards:
        micro()
    os.makedirs("build", exist_ok=True)
    with open("build/bench.json", "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=2)


if __name__ == "__main__":
    main()
