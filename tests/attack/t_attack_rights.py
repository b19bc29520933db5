"""Rules S26-S28 over the whole table: every message x role x place x lock x id that is not one's own,
sent to the running server and compared with an opinion of what must happen that is made from the
tables by other code (tables.py). One process per type of class. See README.md, "The rights matrix"."""
import json
import multiprocessing
import time
import traceback
from collections import Counter

from harness import Server, check
from matrix import PATIENCE, Arena, Elsewhere, Page, arrive
from tables import MESSAGES, TYPES
import walk

RACES = 1000

def judge(server, kind, elsewhere, told):
    """One type of class; everything that was seen goes back through the queue."""
    started = time.monotonic()
    arena = None
    try:
        arena = Arena(server, kind, elsewhere)
        arena.strangers()
        arena.phase("main")
        arena.enter_tables()
        arena.phase("table")
        walk.run(arena)
        arena.close()
    except Exception:  # what was seen so far is told all the same
        if arena:
            arena.wrong.append(traceback.format_exc())
        else:
            traceback.print_exc()
    told.put((kind, arena.report() if arena else None, time.monotonic() - started))


def verdict(reports):
    cells, wrong, taken, refused = Counter(), [], Counter(), Counter()
    for kind, report, took in reports:
        check(f"S26 {kind}: the matrix was walked to its end", report is not None,
              f"{took:.0f} s")
        if report:
            cells.update(report["cells"])
            taken.update(report["taken"])
            refused.update(report["refused"])
            wrong += [f"{kind}: {w}" for w in report["wrong"]]
    total = sum(cells.values())
    check("S26 every cell of the matrix is as the tables say", not wrong and total > 20000,
          f"{total} cells: {dict(cells)}" + "".join("\n  " + w for w in wrong[:20]))
    blind = [f"{m.name} {taken[m.name]}/{refused[m.name]}" for m in MESSAGES
             if not taken[m.name] or not refused[m.name]]
    check("S26 each of the messages was taken and refused", not blind,
          f"{sum(taken.values())} taken, {sum(refused.values())} refused, {len(MESSAGES)} types "
          + " ".join(blind))
    leaks = sum(r["leaks"] for _, r, _ in reports if r)
    texts = sum(r["texts"] for _, r, _ in reports if r)
    check("S27 nobody was told a word of another class", leaks == 0, f"{texts} texts, {leaks} leaks")


class Watcher(Page):
    """Notes the order in which locks and chat were told."""

    def __init__(self, port, canary):
        self.order = []
        super().__init__(port, canary)

    def _hear(self, text):
        if text.startswith(b'{"t":"delta"'):
            for e in json.loads(text)["events"]:
                if e["e"] == "locks.set":
                    self.order.append("locked" if "chat" in e["locks"] else "open")
                elif e["e"] == "chat.posted":
                    self.order.append("chat")
        super()._hear(text)


def races(s):
    """S26: chat and its lock at the same moment, 1,000 times; nothing is said after the lock."""
    class_id = s.make_class("Races")
    links = {r: s.link(class_id, r)["link"] for r in ("host", "animator", "participant")}
    staff = [arrive(s, links["host"], "H", b"\0")]
    staff += [arrive(s, links["animator"], f"A{i}", b"\0") for i in range(12)]
    people = [arrive(s, links["participant"], f"P{i}", b"\0") for i in range(20)]
    watcher = Watcher(s.port, b"\0")
    watcher.send("hello", v=1, lang="en", link=links["participant"])
    watcher.type("door", PATIENCE)
    watcher.send("join", name="W", mic=False, cam=False)
    watcher.type("snapshot", PATIENCE)
    taken = denied = 0
    for i in range(RACES):
        lead = staff[i % len(staff)]
        pair = [people[i * 2 % len(people)], people[(i * 2 + 1) % len(people)]]
        lock = json.dumps({"t": "lock.set", "id": f"l{i}", "feature": "chat", "locked": True})
        says = json.dumps({"t": "chat.send", "id": f"c{i}", "text": "now"}).encode()
        for p in (pair[0], lead, pair[1]) if i % 2 else (lead, *pair):
            while p.may_send() < 1:
                time.sleep(0.01)
            p.put([lock.encode() if p is lead else says])
        for p, mine in ((lead, f"l{i}"), *((p, f"c{i}") for p in pair)):
            with p.seen:
                p.seen.wait_for(lambda p=p, m=mine: m in p.answers or p.closed, PATIENCE)
            got = p.answers.pop(mine)
            taken += p is not lead and got["t"] == "ack"
            denied += p is not lead and got.get("code") == "denied"
        lead.ask("lock.set", feature="chat", locked=False)
    watcher.fresh()
    locked, late = False, 0
    for what in watcher.order:
        locked = what == "locked" or (locked and what != "open")
        late += locked and what == "chat"
    check("S26 1,000 races of a lock and what it forbids: nothing said after it",
          late == 0 and watcher.order.count("locked") == RACES and taken > 0 and denied > 0
          and taken + denied == 2 * RACES, f"{taken} said, {denied} denied, {late} late")
    for p in (*staff, *people, watcher):
        p.close()


def differences(before, after):
    one, two = json.loads(before), json.loads(after)
    return " ".join(f"{k}: {one.get(k)} now {two.get(k)}" for k in sorted(one.keys() | two.keys())
                    if one.get(k) != two.get(k))


def run():
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000") as s:
        elsewhere = Elsewhere(s)
        before = elsewhere.picture()
        told = multiprocessing.Queue()
        processes = [multiprocessing.Process(target=judge, daemon=True,
                                             args=(s, kind, elsewhere.ids, told))
                     for kind in TYPES]
        for p in processes:
            p.start()
        races(s)
        reports = [told.get(timeout=240) for _ in processes]
        for p in processes:
            p.join(10)
        verdict(reports)
        after = elsewhere.picture()
        check("S27 another class noticed nothing of it", after == before,
              differences(before, after))
        elsewhere.close()
