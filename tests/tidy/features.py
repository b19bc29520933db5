"""Every row of bench/features.md that says yes names a test, and what it names exists: the file, the
scenario in it, the suite, or for the rules of RFC 9725 the very words of a check in tests/app/t_doors.py."""
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATTERNS = {
    "unit": re.compile(r"(?<![\w/])unit/(\w+_test)\b"),
    "sim": re.compile(r"\bsim[/ ]((?:codec_)?\w+\*?)"),
    "more": re.compile(r"(?<=, )(codec_\w+\*)"),
    "e2e": re.compile(r"(?<!tests/)\be2e/([a-z0-9]+)(?::([a-z0-9-]+))?"),
    "path": re.compile(r"\b((?:tests|bench|packaging)/[\w/]+(?:\.\w+)?)"),
    "shell": re.compile(r"\btests/e2e/paths\.sh((?:,? [a-z0-9-]+)*)"),
    "app": re.compile(r"(?<![\w/])app/(\w+)"),
    "web": re.compile(r"\bweb test/unit/([\w.]+)"),
    "faults": re.compile(r"\bF(\d+)\b"),
    "fuzz": re.compile(r"\bfuzz (\w+)"),
    "suite": re.compile(r"\bsuite `([\w-]+)`"),
    "check": re.compile(r"\"([^\"]+)\""),
}


def read(pattern):
    text = ""
    for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
        with open(path, encoding="utf-8", errors="replace") as f:
            text += f.read()
    return text


class Known:
    """What tests there are."""

    def __init__(self):
        self.sim = set(re.findall(r"\{\"(\w+)\", \d", read("tests/sim/*.c")))
        self.sim |= {"codec_" + n for n in re.findall(r"\{\"(\w+)\", CODEC_", read("tests/sim/coder.c"))}
        self.suites = {line.split()[0] for line in read("tests/suites.list").splitlines()
                       if line and not line.startswith("#")}
        # The words of a check, whether they stand on one line or on several.
        self.doors = re.sub(r"\"\s*f?\"", "", read("tests/app/t_doors.py")).lower()

    def has(self, kind, found):
        first = found[0] if isinstance(found, tuple) else found
        if kind == "unit":
            return bool(read(f"tests/unit/{first}.c"))
        if kind in ("sim", "more"):
            # "sim random worlds", "sim (link table)": no name of one scenario
            return first in ("random", "scenario") or \
                any(s == first or first.endswith("*") and s.startswith(first.rstrip("*_"))
                    for s in self.sim)
        if kind == "e2e":
            text = read(f"tests/e2e/{first}.e2e.mjs")
            return bool(text) and (not found[1] or f"name: '{found[1]}'" in text)
        if kind == "path":
            return bool(glob.glob(os.path.join(ROOT, first)))
        if kind == "shell":
            words = [w for w in re.split(r"[, ]+", first) if w]
            text = read("tests/e2e/paths.sh")
            return all(re.search(rf"(wants|one c\d) {w}\b", text) for w in words)
        if kind == "app":
            return bool(read(f"tests/app/{first}.py"))
        if kind == "web":
            return bool(read(f"web-client/test/unit/{first}"))
        if kind == "faults":
            return bool(glob.glob(os.path.join(ROOT, f"tests/faults/f{int(first):02}_*")))
        if kind == "fuzz":
            return bool(read(f"tests/fuzz/{first}_fuzz.c"))
        if kind == "suite":
            return first in self.suites
        return first.lower().removesuffix("...").rstrip() in self.doors


def wrong(cells, known, doors=False):
    """What a row says that is not so. doors: its tests are words of checks."""
    name, ours, tests = cells
    problems = []
    named = 0
    for kind, pattern in PATTERNS.items():
        if (kind == "check") != doors and kind not in ("fuzz",):
            continue
        for found in pattern.findall(tests + ("" if doors else " " + ours)):
            named += 1
            if not known.has(kind, found):
                problems.append(f"no {kind} {found}")
    said_no = re.match(r"no\b|not ", tests if doors else ours) or "no test of its own" in ours
    if not named and not said_no:
        problems.append("names no test")
    return [f"{name}: {p}" for p in problems]


def problems_of(text):
    known = Known()
    found = []
    rows = 0
    doors = False
    for line in text.splitlines():
        doors = doors or line.startswith("## WHIP")
        cells = [c.strip() for c in line.strip("| ").split(" | ")]
        if not line.startswith("| ") or len(cells) < 2 or cells[0] in ("capability", "section"):
            continue
        rows += 1
        found += wrong((cells + [""])[:3], known, doors)
    # A check that says yes to everything would be none.
    bites = all(wrong(row, known, doors) for row, doors in (
        (("a", "yes", "unit/no_such_test"), False), (("b", "yes", "e2e/class:no-such"), False),
        (("c", "yes", "somewhere"), False), (("d", "must", "\"no such words at all\""), True)))
    return rows, found + ([] if bites else ["what is missing is not told"])


def main():
    return problems_of(read("bench/features.md"))
