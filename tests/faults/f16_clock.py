# accept: the wall clock jumps by +-1 h and +-1 day while a class is on: 0 disconnects, commands and joins go on, nobody is reported as gone, attendance within 1 s
import json
import os
import struct
import subprocess
import tempfile
import time

import checks
from harness import Server, check, enter

JUMPS = (3600, -3600, 86400, -86400)


def jumps(folder):
    shim, moved = os.path.join(folder, "clock.so"), os.path.join(folder, "offset")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, "tests/faults/clock.c", "-ldl"],
                   check=True)
    with open(moved, "wb") as f:
        f.write(struct.pack("<q", 0))
    os.chmod(folder, 0o755)
    with Server(env={"LD_PRELOAD": shim, "CLOCK_OFFSET": moved}) as s:
        class_id = s.make_class()
        link = s.link(class_id, "participant", "--ttl", "3d")["link"]
        host, _ = enter(s, s.link(class_id, "host", "--ttl", "3d")["link"], "Host")
        host.answer(host.send("session.start"))
        pages, entered = [], []
        for i in range(10):
            pages.append(enter(s, link, f"P{i}")[0])
            entered.append(time.monotonic())
        pids = [s.pid("core"), s.pid("door")]
        total = 0
        for jump in JUMPS:
            total += jump
            with open(moved, "r+b") as f:
                f.write(struct.pack("<q", total))
            time.sleep(6)  # longer than every timer that could mistake it
            text = f"after {jump} s"
            acks = [p.answer(p.send("chat.send", text=f"{text} {i}"))["t"] for i, p in enumerate(pages)]
            check(f"{jump:+d} s: all are inside and heard", acks == ["ack"] * 10 and
                  all(p.closed is None for p in pages), f"{acks.count('ack')} of 10")
            late, state = enter(s, link, "Late")
            moved_by = state["now"] / 1000 - time.time()
            check(f"{jump:+d} s: the clock did move", abs(moved_by - total) < 5, f"{moved_by:.0f} s")
            late.answer(late.send("leave"))
            late.close()
        gone = sum(1 for p in pages for e in p.events("person.left") if e["person"] in
                   {m["you"]["person"] for q in pages for m in q.messages if m["t"] == "snapshot"})
        check("nobody was reported as gone", gone == 0, gone)
        sheet = json.loads(s.cli("attendance", class_id, "--json")[1])["people"]
        there = {p["name"]: p["present_ms"] / 1000 for p in sheet}
        now = time.monotonic()
        worst = max(abs(there[f"P{i}"] - (now - at)) for i, at in enumerate(entered))
        check("the attendance is right within 1 s", worst <= 1, f"{worst:.2f} s off at most")
        check("no process was replaced", pids == [s.pid("core"), s.pid("door")])


def run():
    with tempfile.TemporaryDirectory(prefix="amphi-fault-") as folder:
        return checks.play(lambda: jumps(folder))
