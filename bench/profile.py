#!/usr/bin/env python3
"""The hot path by step: bench/profile.py [SCENARIO]   (as root, with perf; after `make bench-build`)

Runs a scenario of run.py, samples the media thread (`perf record -e cpu-clock`) while it forwards,
and prints for each step its share and nanoseconds per forwarded packet. A step is a row of STEPS:
what the symbols of its functions begin with. Shares hold on a busy machine too; nanoseconds do not.
"""
import os
import re
import subprocess
import sys
import time
import urllib.request

import run

STEPS = (
    ("seal and open (AES-GCM, keys and nonces around it)",
     r"aes_|seal_|gcm_|open_rt|window_|stream_find|index_guess|CRYPTO_mem"),
    ("queue, number, header, edit, prefetch",
     r"drain_|headers_|header_|subscription_tx|queue_|rewrite|codec_|plan|pacer_|pace_|txbatch"
     r"|voice_|near_|tuple_eq|peer_can|peer_reaches"),
    ("memory of what was sent", r"rtx_"),
    ("packets and chunks from and to their pools", r"pkt_|pool_"),
    ("receive: parse, describe, bind, history, fan-out",
     r"peer_rx|rtp_|rtpext|describe|vp8_|bind_|history|repair|nack_|fanout|layer_|rates_|sfu_input"
     r"|hash_bytes|map_find|ice_|wire_class|silence|room_|speaker|track_"),
    ("feedback: ours, theirs, estimates, reports",
     r"twcc|sendlog|bwe|cc_|burst_|noise_|arrival|trendline|acked|aimd|lossbwe|detector|alr_|rtcp"
     r"|report_|slot_of|probing|share|alloc|pow|log|exp"),
    ("loop, timers, sockets on our side",
     r"twheel|sfu_timer|loop_|udp_|tx_|rx_|run$|sockaddr|epoll|sendmmsg|recvmmsg|clock|place$"),
)
SECONDS = 8


def shard_thread(core):
    for task in os.listdir(f"/proc/{core}/task"):
        with open(f"/proc/{core}/task/{task}/comm", encoding="utf-8") as f:
            if f.read().strip() == "shard0":
                return task
    sys.exit("no media thread")


def cpu_s(core, task):
    with open(f"/proc/{core}/task/{task}/schedstat", encoding="utf-8") as f:
        return int(f.read().split()[0]) / 1e9


def forwarded(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.admin}/metrics", timeout=5) as answer:
        found = re.search(r"^amphi_forwarded_packets_total (\d+)", answer.read().decode(), re.M)
    return int(found.group(1))


def shares(path):
    out = subprocess.run(["perf", "report", "-i", path, "--no-children", "-s", "symbol", "--stdio"],
                         capture_output=True, text=True, check=False).stdout
    found = {}
    for line in out.splitlines():
        m = re.match(r"\s+([\d.]+)%\s+\[(.)\]\s+(\S+)", line)
        if not m:
            continue
        step = "kernel: receive, send, wake-ups" if m.group(2) == "k" else next(
            (name for name, symbols in STEPS if re.match(symbols, m.group(3))), "the rest")
        found[step] = found.get(step, 0) + float(m.group(1))
    return found


def main():
    scenario = sys.argv[1] if len(sys.argv) > 1 else "webinar_1x400"
    rooms, publishers, subscribers, rate = run.SCENARIOS[scenario]
    server = run.Server()
    data = f"{server.data}/perf"
    try:
        links = server.links(rooms)
        core = next(pid for pid, name in server.names().items() if name == "amphi-core")
        load = run.pinned(run.LOAD_CORE, [f"{run.BUILD}/bench/load", "--seconds", "60", "--port",
                                          str(server.port), "--links", links,
                                          *run.shape(scenario)], stdout=subprocess.DEVNULL)
        time.sleep(rooms * publishers / 20 + (subscribers / rate if rate else 0) + 8)
        task = shard_thread(core)
        before = (cpu_s(core, task), forwarded(server))
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-t", task, "-o",
                        data, "--", "sleep", str(SECONDS)], check=True)
        after = (cpu_s(core, task), forwarded(server))
        load.kill()
        load.wait()
        packets = after[1] - before[1]
        each = (after[0] - before[0]) * 1e9 / packets if packets else 0
        print(f"{scenario}: {packets / SECONDS:.0f} packets/s forwarded, {each:.0f} ns of the media "
              "thread each\n\n| step | share | ns per packet |\n|---|---|---|")
        for step, share in sorted(shares(data).items(), key=lambda row: -row[1]):
            print(f"| {step} | {share:.1f} % | {share * each / 100:.0f} |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
