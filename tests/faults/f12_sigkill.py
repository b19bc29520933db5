# accept: serving <= 500 ms, 30 people hear again p95 <= 3 s, all <= 6 s; 0 acknowledged events lost or doubled
import os
import signal
import subprocess
import time

import checks
import t_faults
from harness import Server

ATTACK = os.environ.get("AMPHI_ATTACK", "build/release/attack")
KILLS = 200 if checks.FULL else 20
PEOPLE, SENDERS = 30, 5


def scripted():
    with Server() as s:
        t_faults.core_killed(s)
    t_faults.core_killed_often(KILLS)


def killed_under(s, kills, moments):
    """The core of a class of thirty dies again and again; how long until each hears somebody."""
    link = s.link(s.make_class())["link"]
    crowd = subprocess.Popen(
        [ATTACK, "back", "--port", str(s.port), "--admin", str(s.admin), "--core",
         str(s.pid("core")), "--link", f"{PEOPLE}:{SENDERS}:{link}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        live = crowd.stdout.readline().split()
        assert live == ["live", str(PEOPLE), str(PEOPLE)], live
        for _ in range(kills):
            time.sleep(next(moments))
            at = time.monotonic_ns() // 1000
            os.kill(s.pid("core"), signal.SIGKILL)
            crowd.stdin.write(f"killed {at}\n")
            crowd.stdin.flush()
            count, p50, p95, most, missing = map(int, crowd.stdout.readline().split()[1:])
            yield {"heard": count, "p50": p50 / 1000, "p95": p95 / 1000, "max": most / 1000,
                   "missing": missing}
    finally:
        crowd.stdin.close()
        crowd.wait(60)


def thirty():
    """All kills; t_faults.FREE of them on one server: a fourth death would rightly be waited for."""
    moments = (0.2 + (0.37 * i) % 1.6 for i in range(KILLS))  # of the journal's and the media's beat
    seen = []
    for first in range(0, KILLS, t_faults.FREE):
        with Server("--rtc.shards", "1") as s:
            seen += killed_under(s, min(t_faults.FREE, KILLS - first), moments)
    p95 = sorted(k["p95"] for k in seen)
    return {"kills": len(seen), "missing": sum(k["missing"] for k in seen),
            "p50_ms": sorted(k["p50"] for k in seen)[len(seen) // 2],
            "p95_ms": p95[len(p95) * 95 // 100], "max_ms": max(k["max"] for k in seen)}


def run():
    people = thirty()
    measured, good = checks.play(scripted)
    seen, passed = checks.browsers("crash:kill-after-kill", "crash:kill-core")
    figures = seen.get("crash:kill-after-kill", {})
    fast = (figures.get("core_up_p95_ms", 9e9) <= 500 and figures.get("heard_p95_ms", 9e9) <= 3000
            and figures.get("heard_max_ms", 9e9) <= 6000)
    all_back = (people["kills"] == KILLS and not people["missing"] and people["p95_ms"] <= 3000
                and people["max_ms"] <= 6000)
    return {"thirty": people, **measured, **seen}, good and passed and fast and all_back
