# accept: in a cgroup of 256 MiB people come as long as the server lets them (5 rounds, an hour in a full run): 0 OOM kills, the core lives on, whoever is inside is answered, never above 85 %
"""Needs root and the memory controller of cgroup v1 or v2."""
import os
import time

import checks
from f26_crowd import Crowd
from harness import Server
from matrix import arrive

LIMIT = 256 << 20
PEOPLE, SENDERS = 580, 4
V1 = "/sys/fs/cgroup/memory"


class Group:
    def __init__(self):
        self.v1 = os.path.exists(V1 + "/memory.limit_in_bytes")
        self.path = f"{V1 if self.v1 else '/sys/fs/cgroup'}/amphi-f22-{os.getpid()}"
        os.mkdir(self.path)
        with open(f"{self.path}/{'memory.limit_in_bytes' if self.v1 else 'memory.max'}", "w",
                  encoding="ascii") as f:
            f.write(str(LIMIT))
        self.enter = ("sh", "-c", f'echo $$ > {self.path}/cgroup.procs; exec "$@"', "sh")

    def number(self, v1, v2, word=None):
        with open(f"{self.path}/{v1 if self.v1 else v2}", encoding="ascii") as f:
            text = f.read()
        if word is None:
            return int(text)
        return next((int(l.split()[1]) for l in text.splitlines() if l.startswith(word + " ")), 0)

    def kills(self):
        return self.number("memory.oom_control", "memory.events", "oom_kill")

    def peak(self):
        return self.number("memory.max_usage_in_bytes", "memory.peak")

    def resident(self):
        """Without the page cache, which the kernel takes back when it needs it."""
        return self.number("memory.stat", "memory.stat", "rss" if self.v1 else "anon")

    def close(self):
        os.rmdir(self.path)


def run():
    group = Group()
    most, rounds, entered, answered = 0, 0, 0, True
    end = time.monotonic() + (3600 if checks.FULL else 1)
    try:
        with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000",
                    prefix=group.enter) as s:
            core = s.pid("core")
            class_id = s.make_class()
            host = arrive(s, s.link(class_id, "host")["link"], "Host", b"\0")
            while rounds < 5 or time.monotonic() < end:
                crowd = Crowd(s, [f"{PEOPLE}:{SENDERS}:{s.link(class_id)['link']}"])
                entered = max(entered, crowd.answer()[1][0])
                most = max(most, group.resident())
                crowd.close()
                rounds += 1
                answered = answered and host.ask("chat.send", text="still here")["t"] == "ack"
            alive = s.pid("core") == core
            host.close()
        kills = group.kills()
        peak = group.peak()
    finally:
        group.close()
    share = most / LIMIT
    return ({"rounds": rounds, "inside_at_once": entered, "resident_share": round(share, 3),
             "peak_mib_with_cache": peak >> 20, "oom_kills": kills, "core_lived": alive},
            kills == 0 and alive and answered and share <= 0.85)
