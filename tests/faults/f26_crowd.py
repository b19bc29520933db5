# accept: 500 people in a webinar and 30 workshops of 12: every change of state reaches everybody p99 <= 50 ms, classroom thread < 10 % of a core, 360 people moved at once hear their new room p99 <= 1 s
"""Hundreds of scripted people; what was asked of the live classroom beside the fault matrix."""
import os
import subprocess
import time

import checks  # noqa: F401  (puts tests/app and tests/attack on the path)
from harness import Server, wait_for
from matrix import arrive

ATTACK = os.environ.get("AMPHI_ATTACK", "build/release/attack")
AUDIENCE, TABLES, SEATS = 500, 30, 12
CHANGES, EVERY_S, WAIT_S = 60, 0.5, 120


class Crowd:
    def __init__(self, s, groups):
        self.process = subprocess.Popen(
            [ATTACK, "crowd", "--port", str(s.port), "--admin", str(s.admin), "--core",
             str(s.pid("core")), "--link", ",".join(groups)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        word, *numbers = self.process.stdout.readline().split() or ["nothing"]
        return word, [int(n) for n in numbers]

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def stamp():
    return f"zat{time.monotonic_ns() // 1000}z"


def changes(host, webinar):
    """Texts of several kinds; each tells all people of the class something new."""
    for i in range(CHANGES // 2):
        kinds = [("chat.send", {"text": stamp()})]
        if webinar:
            kinds.append(("stage.holding", {"text": stamp(), "music": False}))
        t, fields = kinds[i % len(kinds)]
        host.ask(t, **fields)
        time.sleep(EVERY_S)


def thread_s(s):
    rows = [r for r in s.get("/metrics")[1].splitlines()
            if r.startswith("amphi_thread_cpu_seconds_total") and "class" in r]
    return sum(float(r.rsplit(" ", 1)[1]) for r in rows)


def prepare(host):
    names = [f"Table {i + 1}" for i in range(TABLES)]
    host.ask("workshop.create", title="Tables", names=names)
    one = host.fresh()["workshops"][0]
    host.ask("workshop.change", set=one["id"], notice=0, mode="move", late="stay")
    people = {p["name"]: p["id"] for p in host.fresh()["people"]}
    rooms = [r["id"] for r in one["rooms"]]
    for i in range(TABLES * SEATS):
        host.ask("workshop.place", set=one["id"], person=people[f"load {AUDIENCE + i}"],
                 room=rooms[i % TABLES])
    return one["id"]


def figures(numbers):
    count, p50, p99, most, missing = numbers
    return {"count": count, "p50_ms": p50 / 1000, "p99_ms": p99 / 1000, "max_ms": most / 1000,
            "missing": missing}


def run():
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000") as s:
        webinar, day = s.make_class("Webinar", "webinar"), s.make_class("Day")
        hosts = [arrive(s, s.link(c, "host")["link"], "Host", b"\0") for c in (webinar, day)]
        hosts[0].ask("stage.phase", phase="doors")
        links = [s.link(c)["link"] for c in (webinar, day)]
        crowd = Crowd(s, [f"{AUDIENCE}:0:{links[0]}", f"{TABLES * SEATS}:{TABLES * 2}:{links[1]}"])
        word, live = crowd.answer()
        set_id = prepare(hosts[1])
        crowd.ask("stamps")
        crowd.answer()
        cpu, at = thread_s(s), time.monotonic()
        for host, is_webinar in zip(hosts, (True, False)):
            changes(host, is_webinar)
        share = (thread_s(s) - cpu) / (time.monotonic() - at)
        time.sleep(1)
        crowd.ask("stamps")
        told = figures(crowd.answer()[1])
        crowd.ask(f"expect {AUDIENCE} {TABLES * SEATS} {TABLES}")
        wait_for(lambda: crowd.answer()[0] == "ready", WAIT_S)
        hosts[1].ask("workshop.open", set=set_id)
        moved = figures(crowd.answer()[1])
        crowd.close()
        for h in hosts:
            h.close()
    want = CHANGES // 2 * (AUDIENCE + TABLES * SEATS)
    ok = (told["count"] >= want and told["p99_ms"] <= 50 and share < 0.1 and not moved["missing"]
          and moved["p99_ms"] <= 1000)
    return {"live": live, "told": told, "wanted": want, "classroom_core": round(share, 3),
            "moved": moved}, ok
