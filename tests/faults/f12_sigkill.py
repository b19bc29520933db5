# accept: serving <= 500 ms, everybody hears again p95 <= 3 s, all <= 6 s; 0 acknowledged events lost or doubled
import checks
import t_faults
from harness import Server


def scripted():
    with Server() as s:
        t_faults.core_killed(s)
    t_faults.core_killed_often(200 if checks.FULL else 20)


def run():
    measured, good = checks.play(scripted)
    seen, passed = checks.browsers("crash:kill-after-kill", "crash:kill-core")
    figures = seen.get("crash:kill-after-kill", {})
    fast = (figures.get("core_up_p95_ms", 9e9) <= 500 and figures.get("heard_p95_ms", 9e9) <= 3000
            and figures.get("heard_max_ms", 9e9) <= 6000)
    return {**measured, **seen}, good and passed and fast
