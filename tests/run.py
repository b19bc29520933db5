#!/usr/bin/env python3
"""Runs suites and adds up what they say. Usage: tests/run.py [--only NAME]... [--lane LANE] LEVEL

LEVEL is `check` (fast loop) or `test` (everything CI runs). A suite is a command; its log goes to
build/test/<name>.log. Counts come from cmocka lines or from a closing `N passed, N failed`; a
command without either counts as one. Nothing is tried twice. Lines come in the order of the list
whatever ended first; then the slowest ten with their budgets; the last line printed is the sum.

Each suite names its lane:
  cpu    computes and does not care who else does: two at a time
  wait   mostly sits out deadlines of servers of its own: two at a time, beside one of the cpu lane
  alone  browsers and whatever looks at the machine: after the others, one at a time
"""
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed", re.M)
ASAN = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:handle_abort=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
LANES = ("cpu", "wait", "alone")
UNIT_BUDGET_S = 10
TOLD = ("FAIL", "again ")  # printed wherever they stand; a scenario tried again is told even when ok
HANG_S = 900  # a budget is a promise and is only printed; this is what ends a hang
SLOWEST = 10
LINES_OF_A_FAILURE = 25


groups = set()  # process groups of running suites


def end_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Suite:
    def __init__(self, name, command, lane="cpu", budget_s=UNIT_BUDGET_S):
        self.name, self.command, self.lane, self.budget_s = name, command, lane, budget_s
        self.ok = self.failed = 0
        self.seconds = self.cpu_s = 0.0
        self.tail = ""
        self.done = threading.Event()

    def run(self):
        """Suites that meet sockets and clocks are run again when they fail, and that is told;
        browser suites do so themselves, one scenario at a time."""
        self.once("")
        if self.failed and self.lane != "cpu" and not self.name.startswith("e2e-"):
            first = "\n".join("    again " + line.strip() for line in self.tail.split("\n"))
            self.once("-again")
            self.tail = f"{first}\n{self.tail}".rstrip()
        self.done.set()

    def once(self, suffix):
        log = f"build/test/{self.name}{suffix}.log"
        start = time.monotonic()
        with open(log, "wb") as f:
            code = self.run_into(f)
        self.seconds += time.monotonic() - start
        with open(log, encoding="utf-8", errors="replace") as f:
            text = f.read()
        self.ok, self.failed = count(text, code)
        lines = text.rstrip().split("\n")
        tail = lines[-LINES_OF_A_FAILURE:] if self.failed else []
        told = [line for line in lines[:len(lines) - len(tail)] if line.startswith(TOLD)]
        self.tail = "\n".join("    " + line for line in told + tail)

    def run_into(self, f):
        try:
            child = subprocess.Popen(self.command, stdout=f, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, env={**os.environ, **ASAN},
                                     start_new_session=True)
            groups.add(child.pid)
            timer = threading.Timer(HANG_S, end_group, [child.pid])
            timer.start()
            # The status is taken here and not by Popen, because only wait4 tells what was used.
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            timer.cancel()
            end_group(child.pid)  # whatever it left behind
            groups.discard(child.pid)
            self.cpu_s = used.ru_utime + used.ru_stime
            if child.returncode < 0:
                f.write(f"\nended by signal {-child.returncode}\n".encode())
            return child.returncode
        except OSError as error:
            f.write(f"\n{error}\n".encode())
            return 1

    def print(self):
        print(f"{'ok  ' if not self.failed else 'FAIL'} {self.name:<28} {self.ok:5} passed "
              f"{self.failed:3} failed {self.seconds:7.1f} s {self.cpu_s:7.1f} s cpu", flush=True)
        if self.tail:
            print(self.tail, flush=True)


def programs(folder, prefix):
    return [Suite(prefix + os.path.basename(p), [p])
            for p in sorted(glob.glob(f"build/{folder}/tests/*_test"))]


def fuzz_suites():
    suites = []
    for path in sorted(glob.glob("tests/fuzz/*_fuzz.c")):
        name = os.path.basename(path)[:-len("_fuzz.c")]
        suites.append(Suite("replay-" + name,
                            [f"build/asan/fuzz/{name}", f"tests/fuzz/corpus/{name}"]))
    return suites


def script_suites(level):
    """Other suites bring a line `name level lane budget_s command...` in tests/suites.list."""
    suites = []
    with open("tests/suites.list", encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 4)
            if (len(words) != 5 or words[1] not in ("check", "test") or words[2] not in LANES
                    or not words[3].isdigit()):
                sys.exit(f"tests/suites.list:{number}: not `name level lane budget_s command`")
            name, wanted, lane, budget_s, command = words
            if level == "test" or wanted == "check":
                suites.append(Suite(name, ["bash", "-c", command.strip()], lane, int(budget_s)))
    return suites


def count(text, code):
    ok = text.count("[       OK ]")
    failed = len(set(re.findall(r"\[  FAILED  \] (\w+)$", text, re.M)))
    if ok + failed == 0:
        closing = CLOSING.findall(text)
        if closing:
            ok, failed = (int(x) for x in closing[-1])
        else:
            ok, failed = int(code == 0), 0
    if code != 0 and failed == 0:
        failed = 1
    return ok, failed


class Queue:
    """Suites that run beside each other, as many as two cores take."""

    CORES, SHARE = 2, {"cpu": 1, "wait": 0.5}
    WAIT_MAX = 2

    def __init__(self, suites):
        self.left = {lane: [s for s in suites if s.lane == lane] for lane in self.SHARE}
        self.running = {lane: 0 for lane in self.SHARE}
        self.change = threading.Condition()

    def fits(self, lane):
        used = sum(self.SHARE[other] * n for other, n in self.running.items())
        return (bool(self.left[lane]) and used + self.SHARE[lane] <= self.CORES
                and (lane != "wait" or self.running[lane] < self.WAIT_MAX))

    def take(self):
        """The next suite, those that wait first because they take longest; None at the end."""
        with self.change:
            while any(self.left.values()):
                for lane in ("wait", "cpu"):
                    if self.fits(lane):
                        self.running[lane] += 1
                        return self.left[lane].pop(0)
                self.change.wait()
            return None

    def work(self):
        while suite := self.take():
            suite.run()
            with self.change:
                self.running[suite.lane] -= 1
                self.change.notify_all()


def run_all(suites):
    """Runs every suite; the lines come in order."""
    queue = Queue(suites)
    workers = [threading.Thread(target=queue.work, daemon=True) for _ in range(4)]
    alone = [s for s in suites if s.lane == "alone"]

    def conduct():
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for suite in alone:
            suite.run()

    conductor = threading.Thread(target=conduct, daemon=True)
    conductor.start()
    try:
        for suite in suites:
            suite.done.wait()
            suite.print()
        conductor.join()
    finally:
        for group in list(groups):  # interrupted: nothing goes on behind our back
            end_group(group)


def print_slowest(suites, seconds):
    slow = sorted(suites, key=lambda s: -s.seconds)[:SLOWEST]
    print(f"{seconds:.0f} s in all; the slowest (seconds, budget):")
    for s in slow:
        over = "  over its budget" if s.seconds > s.budget_s else ""
        print(f"     {s.name:<28} {s.seconds:7.1f} {s.budget_s:5}{over}")


def main():
    args = sys.argv[1:]
    only = [args[i + 1] for i, a in enumerate(args[:-1]) if a == "--only"]
    lane = [args[i + 1] for i, a in enumerate(args[:-1]) if a == "--lane"]
    level = args[-1] if args and args[-1] in ("check", "test") else "test"
    os.makedirs("build/test", exist_ok=True)
    if level == "check":
        os.environ["AMPHI_QUICK"] = "1"
    suites = programs("asan", "") + fuzz_suites()
    if level == "test":
        suites += programs("tsan", "tsan-")
    suites += script_suites(level)
    # What runs alone comes last in the list too, so that the lines need not wait for it.
    suites = [s for s in suites if s.lane != "alone"] + [s for s in suites if s.lane == "alone"]
    unknown = set(only) - {s.name for s in suites}
    if unknown:
        sys.exit(f"no suite {', '.join(sorted(unknown))}")
    suites = [s for s in suites if (not only or s.name in only) and (not lane or s.lane in lane)]
    start = time.monotonic()
    run_all(suites)
    print_slowest(suites, time.monotonic() - start)
    total_ok, total_failed = sum(s.ok for s in suites), sum(s.failed for s in suites)
    print(f"{total_ok} passed, {total_failed} failed", flush=True)
    return 1 if total_failed or not total_ok else 0


if __name__ == "__main__":
    sys.exit(main())
