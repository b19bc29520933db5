#!/usr/bin/env python3
"""Runs suites and adds up what they say. Usage: tests/run.py [--only NAME]... [--lane LANE] LEVEL

LEVEL is `check` (fast loop, everything is built) or `test` (everything CI runs; what most suites do
not wait for is built meanwhile). A suite is a command; its log goes to build/test/<name>.log. Counts
come from cmocka lines or from a closing `N passed, N failed`; a command without either counts as
one, and a build counts only when it fails. Lines come as suites end; then the slowest with their
budgets; the last line printed is the sum.

Each suite names its lane:
  build  compiles: one at a time
  cpu    computes and does not care who else does: as many as there are cores
  wait   mostly sits out deadlines or time of the wall: two at a time
  page   browsers: one at a time; when no `wait` is left to start, a second one in a place of theirs
  alone  whatever looks at the machine: after everything else, one at a time
All but the last run beside one another; `build` and `cpu` take only the time the others leave.
What meets sockets, clocks and browsers is tried once more when it failed, at the very end and with
the machine to itself, and that is told. Of browser scenarios (`FAIL file:scenario` in the log) only
those that failed are, and of a suite that says `# again PART...` only these parts: AMPHI_AGAIN names
them. What only computes is never tried twice.
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
ENV = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:handle_abort=1",
       "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
       "AMPHI_E2E_ONCE": "1"}  # the second try is ours, when the machine is quiet
LANES = ("build", "cpu", "wait", "page", "alone")
PARTS = re.compile(r"^# again (\S.*)$", re.M)  # what of a suite has failed, in its own words
SCENARIO = re.compile(r"^FAIL ([\w-]+:[\w-]+) ", re.M)
BROWSERS = re.compile(r"tests/e2e/run [^;&|]+$")  # a suite that is nothing but scenarios
RETRIED = ("wait", "page", "alone")
PATIENT = ("build", "cpu")  # these give way to the others
UNIT_BUDGET_S = 10
TOLD = ("FAIL", "again ")  # printed wherever they stand; a scenario tried again is told even when ok
HANG_S = 900  # a budget is a promise and is only printed; this is what ends a hang
SLOWEST = 15
LINES_OF_A_FAILURE = 25
# Its own scheduling group may be the kernel's, by session: then its niceness counts, not ours.
GIVE_WAY = ["sh", "-c", "{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 \"$@\"", "sh"]


def environment():
    """Ours, and a make below this one decides for itself how many jobs it has."""
    mine = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return {**mine, **ENV}


groups = set()  # process groups of running suites


def end_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Suite:
    def __init__(self, name, command, lane="cpu", needs="-", budget_s=UNIT_BUDGET_S):
        self.name, self.lane, self.needs, self.budget_s = name, lane, needs, budget_s
        self.command = command
        self.ok = self.failed = 0
        self.seconds = self.cpu_s = 0.0
        self.tail = ""
        self.scenarios = []  # of browsers, that failed
        self.parts = []  # of another suite that names them
        self.over = False

    def run(self):
        self.once("")
        if self.failed and self.lane in RETRIED:
            print(f"again {self.name:<28} has {self.failed} failed; tried once more at the end",
                  flush=True)
        else:
            self.print()

    def run_again(self):
        first = "\n".join("    again " + line.strip() for line in self.tail.split("\n"))
        passed, failed = self.ok, self.failed
        names = set(self.scenarios) if BROWSERS.match(self.command[-1]) else set(self.parts)
        partial = names and (self.parts or len(names) == failed)
        self.once("-again", " ".join(sorted(names)) if partial else "")
        if partial:
            self.ok, self.failed = passed + failed - self.failed, self.failed
        self.tail = f"{first}\n{self.tail}".rstrip()
        self.print()

    def once(self, suffix, again=""):
        log = f"build/test/{self.name}{suffix}.log"
        start = time.monotonic()
        with open(log, "wb") as f:
            code = self.run_into(f, again)
        self.seconds += time.monotonic() - start
        with open(log, encoding="utf-8", errors="replace") as f:
            text = f.read()
        self.ok, self.failed = (0, int(code != 0)) if self.lane == "build" else count(text, code)
        self.scenarios = SCENARIO.findall(text)
        self.parts = " ".join(PARTS.findall(text)).split()
        lines = text.rstrip().split("\n")
        tail = lines[-LINES_OF_A_FAILURE:] if self.failed else []
        told = [line for line in lines[:len(lines) - len(tail)] if line.startswith(TOLD)]
        self.tail = "\n".join("    " + line for line in told + tail)

    def run_into(self, f, again):
        try:
            child = subprocess.Popen(self.command, stdout=f, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL,
                                     env={**environment(), "AMPHI_AGAIN": again},
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
            self.cpu_s += used.ru_utime + used.ru_stime
            if child.returncode < 0:
                f.write(f"\nended by signal {-child.returncode}\n".encode())
            return child.returncode
        except OSError as error:
            f.write(f"\n{error}\n".encode())
            return 1

    def print(self):
        self.over = True
        print(f"{'ok  ' if not self.failed else 'FAIL'} {self.name:<28} {self.ok:5} passed "
              f"{self.failed:3} failed {self.seconds:7.1f} s {self.cpu_s:7.1f} s cpu", flush=True)
        if self.tail:
            print(self.tail, flush=True)


def unit_suites(build, prefix, sources):
    """From the sources, not from what was built: a test that does not build is missed."""
    names = sorted(os.path.basename(path)[:-2] for path in sources)
    return [Suite(prefix + name, [f"build/{build}/tests/{name}"], needs=build) for name in names]


def marked(path, mark):
    with open(path, encoding="utf-8") as f:
        return any(line.startswith(mark) for line in f)


def source_suites(level):
    tests = glob.glob("tests/unit/*_test.c")
    suites = unit_suites("asan", "", tests)
    for path in sorted(glob.glob("tests/fuzz/*_fuzz.c")):
        name = os.path.basename(path)[:-len("_fuzz.c")]
        suites.append(Suite("replay-" + name,
                            [f"build/asan/fuzz/{name}", f"tests/fuzz/corpus/{name}"], needs="asan"))
    if level == "test":
        suites += unit_suites("tsan", "tsan-", [path for path in tests if marked(path, "/* tsan")])
    return suites


def script_suites(level):
    """Other suites bring a line `name level lane needs budget_s command...` in tests/suites.list."""
    suites = []
    with open("tests/suites.list", encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 5)
            if (len(words) != 6 or words[1] not in ("check", "test") or words[2] not in LANES
                    or not words[4].isdigit()):
                sys.exit(f"tests/suites.list:{number}: not `name level lane needs budget_s command`")
            name, wanted, lane, needs, budget_s, command = words
            if level == "test" or wanted == "check":
                suites.append(Suite(name, ["bash", "-c", command.strip()], lane, needs, int(budget_s)))
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
    """What runs beside one another. A suite waits for the build it needs, when that is in the list."""

    CORES = os.cpu_count() or 1
    MOST = {"build": 1, "cpu": CORES, "wait": 2, "page": 1}
    LENT = {"wait": "page", "page": "wait"}  # whoever is done lends a place

    def __init__(self, suites):
        self.left = [s for s in suites if s.lane != "alone"]
        self.builds = {s.name.removeprefix("build-"): s for s in suites if s.lane == "build"}
        self.running = {lane: 0 for lane in self.MOST}
        self.change = threading.Condition()

    def room(self, lane):
        used = self.running
        if lane == "cpu":  # a build has the cores of this lane
            return used["build"] == 0 and used["cpu"] < self.MOST["cpu"]
        if lane in self.LENT:
            other = self.LENT[lane]
            free = not any(s.lane == other for s in self.left) and self.MOST[other] - used[other]
            return used[lane] < self.MOST[lane] + min(1, free)
        return used[lane] < self.MOST[lane] and used["cpu"] == 0

    def ready(self, suite):
        build = self.builds.get(suite.needs)
        return self.room(suite.lane) and (build is None or build.over)

    def take(self):
        """The next suite that may start; None at the end."""
        with self.change:
            while self.left:
                for suite in self.left:
                    if self.ready(suite):
                        self.left.remove(suite)
                        self.running[suite.lane] += 1
                        self.change.notify_all()  # the last of a lane leaves its places to another
                        return suite
                self.change.wait()
            return None

    def work(self):
        while suite := self.take():
            suite.run()
            with self.change:
                self.running[suite.lane] -= 1
                self.change.notify_all()


def run_all(suites):
    queue = Queue(suites)
    workers = [threading.Thread(target=queue.work, daemon=True)
               for _ in range(sum(queue.MOST.values()))]

    def conduct():
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for suite in suites:
            if suite.lane == "alone":
                suite.run()
        for suite in suites:
            if not suite.over:
                suite.run_again()

    conductor = threading.Thread(target=conduct, daemon=True)
    conductor.start()
    try:
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
    suites = script_suites(level)
    # Builds first, so that the others follow; what takes longest before what takes an instant.
    suites = ([s for s in suites if s.lane == "build"] + [s for s in suites if s.lane != "build"]
              + source_suites(level))
    unknown = set(only) - {s.name for s in suites}
    if unknown:
        sys.exit(f"no suite {', '.join(sorted(unknown))}")
    suites = [s for s in suites if (not only or s.name in only) and (not lane or s.lane in lane)]
    if any(s.lane not in PATIENT for s in suites):
        for suite in suites:
            suite.command = (GIVE_WAY if suite.lane in PATIENT else []) + suite.command
    start = time.monotonic()
    run_all(suites)
    print_slowest(suites, time.monotonic() - start)
    total_ok, total_failed = sum(s.ok for s in suites), sum(s.failed for s in suites)
    print(f"{total_ok} passed, {total_failed} failed", flush=True)
    return 1 if total_failed or not total_ok else 0


if __name__ == "__main__":
    sys.exit(main())
