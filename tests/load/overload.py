"""A real server under real overload: a control group takes its processor away while a load client
counts. Each step of shedding is taken in order, sheds what it says and no sound, staff hears of it,
people are refused with a reason, and all of it comes back when the processor does."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from harness import BINARY, Client, Server, check, clean_env, enter, wait_for  # noqa: E402
from limit import Group  # noqa: E402

CAMERAS, VIEWERS, VOICES = 8, 56, 4
PEOPLE = CAMERAS + VIEWERS
PICTURES = CAMERAS * (CAMERAS - 1) + VIEWERS * CAMERAS  # nobody sees himself
SENT = PICTURES + VOICES * (PEOPLE - 1)                  # copies, of pictures and sound
SEEN_MAX = {0: 8, 1: 6, 2: 6, 3: 4, 4: 4}               # a viewer, server/proto/overload.c
JOINS_SHUT = 4
MUCH = 200     # percent of a core: nothing is held back
TIGHTEN = 0.85
EARNED_S = 3   # a step that is due comes within this: else less processor is given


class Watch(threading.Thread):
    """The steps as /metrics tells them, and since when."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.steps = []  # (time, step)
        self.over = threading.Event()

    def step(self):
        return int(self.server.metric('amphi_shard_overload{shard="0"}') or 0)

    def run(self):
        while not self.over.wait(0.1):
            try:
                step = self.step()
            except OSError:
                return  # the server has ended
            if not self.steps or self.steps[-1][1] != step:
                self.steps.append((time.monotonic(), step))

    def now(self):
        return self.steps[-1] if self.steps else (0, 0)


class Load:
    """amphi load in one class, ended by a signal."""

    def __init__(self, server, name, cache, *words):
        self.path = os.path.join(server.folder, name + ".json")
        with open(self.path + ".out", "w", encoding="utf-8") as out:
            self.process = self.start(out, cache, words)

    def start(self, out, cache, words):
        return subprocess.Popen(
            [BINARY, "load", "--quiet", "--lang", "en", "--camera-height", "180", "--turn", "3600",
             "--decoded", "0", "--temporal", "1", "--num-per-second", "20",
             "--json-file", self.path, *words],
            stdout=out, stderr=out, env=clean_env(XDG_CACHE_HOME=cache))

    def end(self, sig=signal.SIGINT):
        if sig:
            self.process.send_signal(sig)
        self.process.wait(60)
        if not os.path.exists(self.path):
            with open(self.path + ".out", encoding="utf-8") as f:
                raise RuntimeError(f.read()[-300:])
        with open(self.path, encoding="utf-8") as f:
            return json.load(f)


def cpu_share(server):
    """Percent of a core the whole program uses."""
    def used():
        return sum(float(r.rsplit(" ", 1)[1]) for r in server.get("/metrics")[1].splitlines()
                   if r.startswith("amphi_process_cpu_seconds_total"))
    before, at = used(), time.monotonic()
    time.sleep(2)
    return 100 * (used() - before) / (time.monotonic() - at)


def squeeze(group, share, watch):
    """Takes processor away until nobody may join; what was left, None when that never came."""
    share *= 0.6
    group.allow(share)
    given = time.monotonic()
    end = given + 90
    while time.monotonic() < end:
        since, step = watch.now()
        if step == JOINS_SHUT:
            return share
        if time.monotonic() - max(since, given) > EARNED_S:
            share *= TIGHTEN
            given = time.monotonic()
            group.allow(share)
        time.sleep(0.05)
    return None


def spans(watch, began, end):
    """(step, first second, last second) on the clock of the load's series."""
    times = [(t - began, step) for t, step in watch.steps] + [(end, None)]
    return [(step, at, times[i + 1][0]) for i, (at, step) in enumerate(times[:-1])]


def behind(rows):
    """How far what everybody heard is from what was said, packet by packet: (least, most, all)."""
    least = most = sum_ = said = 0
    for row in rows:
        everybody = row["sound"]["sent"] * (row["people"] - 1)
        said += everybody
        sum_ += row["sound"]["heard"] - everybody
        least, most = min(least, sum_), max(most, sum_)
    return least, most, said


def middle(rows, value):
    return sorted(value(row) for row in rows)[len(rows) // 2]


def judge_series(watch, r):
    whole = [row for row in r["series"] if row["people"] >= PEOPLE][2:]
    if not check("overload: everybody came in before", len(whole) > 20, len(whole)):
        return
    # What is on its way at the end of a second comes in the next, or later on a machine that stands
    # still; a voice that was withheld for a step would be missing for good.
    least, most, said = behind(whole)
    lost = sum(row["sound"]["lost"] for row in whole)
    second = VOICES * 50 * (PEOPLE - 1)
    check("overload: all sound reached everybody, in every second", lost == 0 and
          least >= -2 * second and most <= 2 * second,
          {"said": said, "lost": lost, "off": (least, most)})
    seen = {}
    for step, at, end in spans(watch, r["began_s"], whole[-1]["t"]):
        inside = [row for row in whole if at + 2 <= row["t"] <= end]  # its own, and freezes seen
        if len(inside) > len(seen.get(step, ())):
            seen[step] = inside
    check("overload: every step was looked at", all(len(seen.get(s, ())) > 2 for s in SEEN_MAX),
          {s: len(rows) for s, rows in seen.items()})
    tracks = {s: middle(rows, lambda row: row["tracks"]) for s, rows in seen.items()}
    most = {s: CAMERAS * min(CAMERAS - 1, n) + VIEWERS * n for s, n in SEEN_MAX.items()}
    check("overload: as many pictures as each step allows, and all of them without load", all(
        n <= most[s] for s, n in tracks.items()) and tracks[0] >= 0.9 * PICTURES and
        min(tracks.values()) >= 2 * PEOPLE, {"seen": tracks, "most": most})
    share = {s: middle(rows, lambda row: row["frames"] * CAMERAS /
                       max(row["tracks"] * row["filmed"], 1)) for s, rows in seen.items()}
    check("overload: a quarter of them a second from the second step on", all(
        (n < 0.45) == (s >= 2) for s, n in share.items()),
        {s: round(n, 2) for s, n in share.items()})


def judge_shut(server, links, cache):
    """While nobody may join: who comes is told why, staff comes in, its camera begins for nobody."""
    late = Client(server.port)
    late.send("hello", v=1, lang="en", link=links["participant"].split("#")[1])
    door = late.type("door")
    late.send("join", name="Late", mic=False, cam=False)
    said = late.wait(lambda m: m["t"] in ("error", "snapshot"))
    check("overload: who comes is refused with a reason", said["t"] == "error" and
          (said.get("code"), said.get("at")) == ("full", "load"), (door, said))
    late.close()
    host = Load(server, "host", cache, "--publishers", "1", "--subscribers", "0", "--duration", "3",
                "--url", links["participant"], "--speaker-url", links["host"], "--speakers", "0")
    r = host.end(sig=0)
    mine = r["roles"]["senders"]
    check("overload: staff comes in, hears all and is sent no picture that is new to it",
          r["people"] == 1 and mine["sound"]["packets"] > 100 and mine["pictures"]["packets"] == 0,
          (r["people"], r["failures"], mine["sound"], mine["pictures"]["packets"]))


def pictures(server, when):
    """Everybody is sent every picture and voice, by the server's own count."""
    check(f"overload: all is sent {when}", wait_for(
        lambda: server.metric("amphi_subscriptions") >= SENT, 60, 0.1),
        (server.metric("amphi_subscriptions"), SENT))


def told(page):
    with page.seen:
        return [m["step"] for m in page.messages if m["t"] == "load"]


def overload(cache):
    if os.geteuid() != 0:
        return check("overload: needs root for a control group", True, "left out")
    group = Group(MUCH)
    try:
        with Server("--rtc.shards", "1", "--rtc.listen_ip", "127.0.0.1",
                    prefix=group.prefix()) as server:
            play(server, group, cache)
    finally:
        group.remove()
    return None


def play(server, group, cache):
    class_id = server.make_class()
    links = {role: server.link(class_id, role)["url"].replace("localhost", "127.0.0.1")
             for role in ("host", "participant")}
    staff, _ = enter(server, links["host"].split("#")[1], "Ada")
    other, _ = enter(server, links["participant"].split("#")[1], "Bob")
    load = Load(server, "load", cache, "--publishers", str(CAMERAS), "--subscribers", str(VIEWERS),
                "--speakers", str(VOICES), "--tiles", str(CAMERAS), "--duration", "300",
                "--url", links["participant"], "--speaker-url", links["participant"])
    watch = Watch(server)
    watch.start()
    wait_for(lambda: server.metric("amphi_people") == PEOPLE + 2, 60, 0.1)
    pictures(server, "before")
    full = cpu_share(server)
    left = squeeze(group, full, watch)
    check("overload: the server sheds until nobody may join", left is not None,
          (round(full, 1), left and round(left, 1)))
    judge_shut(server, links, cache)
    group.allow(MUCH)
    wait_for(lambda: watch.now()[1] == 0, 90, 0.1)
    pictures(server, "afterwards")
    time.sleep(5)  # of the series
    r = load.end()
    watch.over.set()
    watch.join()
    steps = [s for _, s in watch.steps]
    check("overload: /metrics tells each step in order, and back",
          steps == [0, 1, 2, 3, 4, 3, 2, 1, 0], steps)
    check("overload: staff is told the same, nobody else anything",
          [0, *told(staff)] == steps and told(other) == [], (told(staff), told(other)))
    judge_series(watch, r)
    for page in (staff, other):
        page.close()
