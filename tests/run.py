#!/usr/bin/env python3
"""Runs suites and adds up what they say. Usage: tests/run.py [--only NAME]... LEVEL

LEVEL is `check` (fast loop) or `test` (everything CI runs). A suite is a command; its log goes to
build/test/<name>.log. Counts come from cmocka lines or from a closing `N passed, N failed`; a
command without either counts as one. The last line printed is the sum.
"""
import glob
import os
import re
import subprocess
import sys
import time

CLOSING = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed", re.M)
ASAN = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:handle_abort=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def unit_suites():
    return [(os.path.basename(p), [p]) for p in sorted(glob.glob("build/asan/tests/*_test"))]


def tsan_suites():
    return [("tsan-" + os.path.basename(p), [p])
            for p in sorted(glob.glob("build/tsan/tests/*_test"))]


def fuzz_suites():
    suites = []
    for path in sorted(glob.glob("tests/fuzz/*_fuzz.c")):
        name = os.path.basename(path)[:-len("_fuzz.c")]
        suites.append(("replay-" + name, [f"build/asan/fuzz/{name}", f"tests/fuzz/corpus/{name}"]))
    return suites


def script_suites(level):
    """Other suites bring a line `name level command...` in tests/suites.list."""
    suites = []
    with open("tests/suites.list", encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, wanted, command = line.split(None, 2)
                if level == "test" or wanted == "check":
                    suites.append((name, ["bash", "-c", command.strip()]))
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


def run(name, command):
    log = f"build/test/{name}.log"
    start = time.monotonic()
    with open(log, "wb") as f:
        try:
            code = subprocess.run(command, stdout=f, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, env={**os.environ, **ASAN},
                                  timeout=900, check=False).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            f.write(f"\n{error}\n".encode())
            code = 1
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    ok, failed = count(text, code)
    print(f"{'ok  ' if not failed else 'FAIL'} {name:<28} {ok:5} passed {failed:3} failed "
          f"{time.monotonic() - start:7.1f} s", flush=True)
    if failed:
        print("\n".join("    " + line for line in text.rstrip().split("\n")[-25:]), flush=True)
    return ok, failed


def main():
    args = sys.argv[1:]
    only = [args[i + 1] for i, a in enumerate(args) if a == "--only"]
    level = args[-1] if args and args[-1] in ("check", "test") else "test"
    os.makedirs("build/test", exist_ok=True)
    if level == "check":
        os.environ["AMPHI_QUICK"] = "1"
    suites = unit_suites() + fuzz_suites() + script_suites(level)
    if level == "test":
        suites += tsan_suites()
    total_ok = total_failed = 0
    for name, command in suites:
        if only and name not in only:
            continue
        ok, failed = run(name, command)
        total_ok += ok
        total_failed += failed
    print(f"{total_ok} passed, {total_failed} failed", flush=True)
    return 1 if total_failed or not total_ok else 0


if __name__ == "__main__":
    sys.exit(main())
