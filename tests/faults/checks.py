"""Rows that play what tests/app and tests/attack assert, with their figures as the measurement."""
import os
import re
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "attack"))
import harness  # noqa: E402

os.environ.setdefault("AMPHI_SLACK", "1")  # the figures as promised
FULL = os.environ.get("AMPHI_FULL") == "1"
NODE_FIGURE = re.compile(r"(\w+)=(\S+)")


def play(*parts):
    """Runs functions that call harness.check; (measured, ok)."""
    measured, all_good = {}, True
    keep = harness.check

    def check(name, good, figure=""):
        nonlocal all_good
        measured[name] = str(figure) if figure != "" else bool(good)
        all_good = all_good and bool(good)
        return keep(name, good, figure)

    modules = [m for m in sys.modules.values() if getattr(m, "check", None) is keep]
    for module in modules:
        module.check = check
    try:
        for part in parts:
            part()
    finally:
        for module in modules:
            module.check = keep
    return measured, all_good and bool(measured)


def browsers(*scenarios, env=None):
    """Plays scenarios of tests/e2e: {scenario: {figure: value}}, and whether all passed."""
    done = subprocess.run(["tests/e2e/run", *scenarios], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **(env or {})}, check=False)
    measured, good = {}, done.returncode == 0
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("ok", "FAIL") and ":" in rest:
            name = rest.split(" ")[0]
            figures = {k: float(v) if re.fullmatch(r"-?[\d.]+", v) else v
                       for k, v in NODE_FIGURE.findall(rest)}
            measured[name] = figures if word == "ok" else {**figures, "failed": rest[:200]}
    return measured, good
