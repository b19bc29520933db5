"""Rules of the media path: the attackers of build/release/attack on a server with one shard, each
in a class of its own. Two that mostly wait (S7: 35 s for consent to end, S9: 30 s at a steady rate)
run beside the others, on servers of their own: the counters of the rest must not move with them."""
import contextlib
import os
import subprocess

from harness import Server, check, failed

ATTACK = os.environ.get("AMPHI_ATTACK", "build/release/attack")
NAMES = ("s1", "s1_same_path", "s2", "s4", "s8", "s10", "s11", "s12", "s16", "s38")
BESIDE = ("s7", "s9")
LOSSES = ("amphi_drops_total", "amphi_udp_lost_total", "amphi_udp_overflow_total",
          "amphi_tcp_unsent_total", "amphi_shard_messages_refused_total")
LIMITS = ("--rtc.shards", "1", "--limits.connections_per_address", "2000")


def launch(s, name):
    link = s.link(s.make_class(name), "host")["link"]
    return subprocess.Popen(
        [ATTACK, name, "--port", str(s.port), "--admin", str(s.admin), "--core",
         str(s.pid("core")), "--link", link],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process, name, seconds):
    """Takes over the lines of an attack."""
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    lines = 0
    for line in out.splitlines():
        word, _, text = line.partition(" ")
        if word in ("ok", "FAIL"):
            check(text.strip(), word == "ok")
            lines += 1
        else:
            print("# " + line)
    if not lines or process.returncode not in (0, 1):
        check(f"{name} ran to its end", False, f"exit {process.returncode}")


def one(s, name):
    core = s.pid("core")
    log = len(s.err().splitlines())
    process = launch(s, name)
    return lambda: end(s, name, process, core, log)


def end(s, name, process, core, log):
    before = len(failed)
    finish(process, name, 300)
    if len(failed) > before:  # a packet that did not come: does the server know of it?
        for row in s.get("/metrics")[1].splitlines():
            if row.startswith(LOSSES) and not row.endswith(" 0"):
                print("# " + row)
        for row in s.err().splitlines()[log:]:
            if " warn " in row or " error " in row:
                print("# " + row)
    check(f"{name.upper()} the server process lived on", s.pid("core") == core)
    if name == "s9":
        more = len(s.err().splitlines()) - log
        check("S9 lines in the log: at most one in 10 s for each of two people", more <= 6,
              f"{more} in 30 s")


def run(*names):
    """The names of the attacks that failed."""
    names = names or (*NAMES, *BESIDE)
    wrong = []

    def judged(name, attack):
        before = len(failed)
        attack()
        if len(failed) > before:
            wrong.append(name)

    with contextlib.ExitStack() as stack:
        beside = [(name, one(stack.enter_context(Server(*LIMITS)), name))
                  for name in BESIDE if name in names]
        s = stack.enter_context(Server(*LIMITS))
        for name in names:
            if name not in BESIDE:
                judged(name, lambda name=name: one(s, name)())
        for name, attack in beside:
            judged(name, attack)
    return wrong
