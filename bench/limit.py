#!/usr/bin/env python3
"""make bench-limit: does the search for the limit find the same limit each time, and its cause?

The server runs in a control group that may use a quarter of a core, so that it breaks first; the
search runs three times for each shape. Its results must lie within 15 % of their median, with
"processor" as the cause. Needs root (a control group) and a quiet machine: a search that noise or
the tool itself ended is said and made again, never counted.

bench/limit.py [--share 25] [--runs 3] [shape ...]   exit code 1 when a sentence above is not true
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "app"))
from harness import BINARY, Server, clean_env, wait_for  # noqa: E402

PERIOD_US = 20000  # short, so that the cap is a slower processor and not a stop of 75 ms
QUOTA_MIN_US = 1000  # the kernel takes no less
SHAPES = ["webinaire-350", "ministere-150-10"]
AGAIN = 3  # searches spoiled by the machine that are made again


class Group:
    """A control group with a share of a core: version 2 where it has the controller, else 1."""

    def __init__(self, share):
        name = f"amphi-limit-{os.getpid()}"
        v2 = "/sys/fs/cgroup/cgroup.controllers"
        self.v2 = os.path.exists(v2) and "cpu" in open(v2, encoding="ascii").read()
        self.folder = ("/sys/fs/cgroup/" if self.v2 else "/sys/fs/cgroup/cpu/") + name
        os.mkdir(self.folder)
        if self.v2:
            self.put("/sys/fs/cgroup/cgroup.subtree_control", "+cpu")
        else:
            self.put(self.folder + "/cpu.cfs_period_us", PERIOD_US)
        self.allow(share)

    def allow(self, share):
        """Percent of a core, also for what runs inside already."""
        quota = max(int(PERIOD_US * share / 100), QUOTA_MIN_US)
        if self.v2:
            self.put(self.folder + "/cpu.max", f"{quota} {PERIOD_US}")
        else:
            self.put(self.folder + "/cpu.cfs_quota_us", quota)

    @staticmethod
    def put(path, value):
        with open(path, "w", encoding="ascii") as f:
            f.write(str(value))

    def prefix(self):
        """Starts a program inside."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def remove(self):
        def gone():
            try:
                os.rmdir(self.folder)
                return True
            except OSError:
                return False
        wait_for(gone, 10)


def search(server, shape, words):
    figures = os.path.join(server.folder, "limit.json")
    if os.path.exists(figures):
        os.unlink(figures)
    done = subprocess.run(
        ["taskset", "-c", "1", BINARY, "load", shape, "--find-limit", "--quiet", "--lang", "en",
         "--json-file", figures, *words, "--data.dir", server.data, "--admin.listen",
         f"127.0.0.1:{server.admin}"], capture_output=True, text=True, timeout=600, check=False,
        env=clean_env(XDG_CACHE_HOME=os.path.join(tempfile.gettempdir(), "amphi-limit-cache")))
    if not os.path.exists(figures):
        print("   " + (done.stdout + done.stderr).strip()[-300:])
        return None
    with open(figures, encoding="utf-8") as f:
        return json.load(f)


def prove(group, shape, args):
    found = []
    spoiled = 0
    while len(found) < args.runs and spoiled <= AGAIN:
        with Server("--rtc.shards", "1", "--rtc.listen_ip", "127.0.0.1",
                    prefix=["taskset", "-c", "0", *group.prefix()]) as server:
            r = search(server, shape, args.words)
        if r is None:
            return False
        limit = r["search"]
        steps = " ".join(f"{s['people']}{'+' if s['fits'] else '-' + s['cause']}"
                         for s in limit["steps"])
        print(f"   {limit['fit']} people fit, {limit['broke']} broke: {steps}", flush=True)
        if limit["broke"] in ("noise", "tool", "unknown", "none"):
            spoiled += 1
            continue
        found.append((limit["fit"], limit["broke"]))
    if len(found) < args.runs:
        print(f"{shape}: not measured, the machine or the tool ended {spoiled} searches")
        return False
    fits = [f[0] for f in found]
    median = statistics.median(fits)
    worst = max(abs(f - median) for f in fits) / median if median else 1
    good = worst <= 0.15 and all(f[1] == "cpu" for f in found)
    print(f"{shape}: {' '.join(map(str, fits))}, median {median:.0f}, farthest {worst:.1%}, "
          f"cause {' '.join(f[1] for f in found)}: {'ok' if good else 'FAIL'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--share", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("shapes", nargs="*")
    args, args.words = parser.parse_known_args()
    group = Group(args.share)
    try:
        good = [prove(group, shape, args) for shape in args.shapes or SHAPES]
    finally:
        group.remove()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
