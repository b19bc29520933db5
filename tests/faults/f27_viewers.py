# accept: 300 WHEP viewers join a running webinar within 5 s: at most one request for key frames a second to the publisher, over any stretch of time, first picture p95 <= 300 ms after the transport is up, live (no older than 300 ms) p95 <= 1 s
"""Real sockets: one publisher by WHIP, the viewers by WHEP, all clients of `amphi load`."""
import json
import os
import subprocess

import checks  # noqa: F401  (puts tests/app and tests/attack on the path)
import harness
from harness import Server, enter

VIEWERS, JOIN_S = int(os.environ.get("AMPHI_VIEWERS", "300")), 5


def doors(s, class_id):
    links = (s.link(class_id, "whip", "--name", "Camera"), s.link(class_id, "whep"))
    return [word for flag, link in zip(("--whip", "--whep"), links)
            for word in (flag, f"{link['url']}#{link['link']}".replace("localhost", "127.0.0.1"))]


def run():
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000",
                "--rtc.peers_max", "1000") as s:
        class_id = s.make_class()
        host, _ = enter(s, s.link(class_id, "host")["link"], "Host")
        done = subprocess.run(
            [harness.BINARY, "load", *doors(s, class_id), "--publishers", "1", "--subscribers",
             str(VIEWERS), "--num-per-second", str(VIEWERS // JOIN_S), "--duration", "8", "--json",
             "--quiet", "--admin-url", f"http://127.0.0.1:{s.admin}"],
            stdout=subprocess.PIPE, text=True, timeout=300, check=False)
        host.answer(host.send("leave"))
        host.close()
    report = json.loads(done.stdout)
    start = report["start"]
    # n seconds hold n requests and the one they begin with: a second lies between any two.
    often = start["rush_key_requests"] > int(start["rush_s"]) + 1 or 0 < start["rush_key_gap_ms"] < 980
    measured = {
        "viewers": report["roles"]["viewers"]["people"], "wanted": VIEWERS,
        "first_picture_ms": start["first_picture_ms"], "live_ms": start["live_picture_ms"],
        "past_sent_ms": start["replay_age_ms"], "key_requests": start["rush_key_requests"],
        "apart_ms": round(start["rush_key_gap_ms"]),
        "key_pictures_of_all_layers": start["rush_keys_asked"],
        "in_s": round(start["rush_s"], 1), "most_in_a_second": start["rush_key_requests_most_in_a_second"],
        "connect_ms": report["connect_ms"], "delay_ms": report["delay_ms"],
        "limited_by": report["limited_by"], "noise": report["noise"],
        "tool_cores": report["tool_cores"], "proof": report["proof"],
    }
    seen = min(start["first_picture_ms"]["count"], start["live_picture_ms"]["count"])
    ok = (seen >= VIEWERS and not often and start["first_picture_ms"]["p95"] <= 300
          and start["live_picture_ms"]["p95"] <= 1000)
    return measured, ok
