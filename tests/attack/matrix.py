"""The rights matrix (t_attack_rights.py): pages of every role, the cells they send, what must come
back. A cell is one message in one situation; its expected answer is one of
  denied  the tables say no: `denied`, "not allowed", and nothing changes for anybody
  bad     an id of another kind: `bad_message`, whoever says it
  never   the right is there, the id is not of this place: an error, never an ack
  reach   the right is there: anything but the table's denial
  ack     taken
  state   not the place for it: `state`
"""
import itertools
import json
import struct
import time
from collections import Counter

from harness import Client, fake_offer, wait_for
from tables import ALIASES, ENUMS, FEATURES, ID_LETTER, MESSAGES, ROLES, STAFF, Situation

DEVICES = 3  # pages of each person: the rate is per page
BURST, PER_S = 170, 46  # below what the server allows (200, 50)
PATIENCE = 60
UNKNOWN = "aaaaaaaaaaaaaaaaaaaaaaaaaq"
# What would take the situation apart when it is allowed: those are sent with foreign ids here, shown
# by the list of rights, and done in earnest by walk.py.
ONCE = {"leave", "session.end", "workshop.close", "workshop.cancel", "workshop.stay", "workshop.go",
        "workshop.ask", "workshop.create", "workshop.room.add", "workshop.open", "workshop.delete",
        "workshop.archive", "workshop.room.close", "workshop.room.merge", "stage.invite",
        "person.remove", "person.wait", "media.offer", "stage.leave", "stage.answer", "wait.refuse", "session.extend",
        "check.ask"}
WORDS = {"class.set": {"key": "presenters", "value": "several"},
         "person.grant": {"mode": "role", "feature": "mic"},
         "workshop.time": {"minutes": 0, "none": True},
         "stage.place": {"place": "audience"}, "stage.phase": {"phase": "doors"},
         "session.doors": {"state": "doors"}}


class Page(Client):
    """A page that keeps what the matrix asks for, and nothing else."""

    def __init__(self, port, canary):
        self.canary = canary
        self.answers, self.rights, self.snapshot = {}, [], None
        self.leaks = self.texts = self.loose = self.pongs = self.relays = 0
        self.tokens, self.at = BURST, time.monotonic()
        super().__init__(port, timeout=30)

    def _hear(self, text):
        self.texts += 1
        self.leaks += self.canary in text
        if text.startswith(b'{"t":"delta"'):
            return
        m = json.loads(text)
        if m["t"] == "snapshot":
            self.snapshot, self.rights = m, sorted(m["rights"])
        elif m["t"] == "rights":
            self.rights = sorted(m["rights"])
        elif "id" in m:
            self.answers[m["id"]] = m
        elif m["t"] == "error":
            self.loose += 1
        self.pongs += m["t"] == "pong"
        self.relays += m["t"] == "relays"
        if m["t"] in ("door", "waiting", "snapshot", "epoch"):
            self.messages.append(m)

    def may_send(self):
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.at) * PER_S)
        self.at = now
        return int(self.tokens)

    def put(self, texts):
        """Several messages in one write; the mask of zeros is as good as any here."""
        out = b""
        for text in texts:
            n = len(text)
            out += (bytes([0x81, 0x80 | n]) if n < 126 else
                    bytes([0x81, 0xfe]) + struct.pack(">H", n)) + b"\0\0\0\0" + text
        self.tokens -= len(texts)
        with self.write_lock:
            self.sock.sendall(out)

    def ask(self, t, **fields):
        """One command and its answer, outside the matrix."""
        while self.may_send() < 1:
            time.sleep(0.02)
        mine = f"q{len(self.answers)}x{self.texts}"
        self.put([json.dumps({"t": t, "id": mine, **fields}).encode()])
        with self.seen:
            self.seen.wait_for(lambda: mine in self.answers or self.closed, PATIENCE)
        return self.answers.get(mine, {"t": "nothing", "code": "none"})

    def fresh(self):
        """A new snapshot."""
        while self.may_send() < 1:
            time.sleep(0.02)
        with self.seen:
            self.snapshot = None
        self.put([b'{"t":"sync","have":0}'])
        with self.seen:
            self.seen.wait_for(lambda: self.snapshot or self.closed, PATIENCE)
        return self.snapshot


def arrive(server, link, name, canary, guest=None, joins=True):
    p = Page(server.port, canary)
    more = {"guest": guest} if guest else {}
    p.send("hello", v=1, lang="en", link=link, **more)
    if p.wait(lambda m: m["t"] in ("door", "epoch"), PATIENCE)["t"] == "epoch":
        p.send("hello", v=1, lang="en", link=link, **more)  # the core has just come: say it again
    p.guest = p.type("door", PATIENCE)["guest"]
    if joins:
        p.send("join", name=name, mic=False, cam=False, how="add")
        p.wait(lambda m: m["t"] in ("snapshot", "waiting"), PATIENCE)
    return p


def picture(page):
    """What a page sees, without what belongs to the moment."""
    snapshot = dict(page.fresh())
    for key in ("seq", "epoch", "resume", "now", "clock", "heard"):
        snapshot.pop(key, None)
    return json.dumps(snapshot, sort_keys=True)


class Elsewhere:
    """Another class of the same server, with everything in it that has an id."""

    def __init__(self, server):
        self.word = "ELSEWHERE-CANARY"
        kind = server.make_class(self.word)
        self.host = arrive(server, server.link(kind, "host")["link"], self.word, b"\0")
        self.guest = arrive(server, server.link(kind)["link"], self.word + "-2", b"\0")
        host = self.host
        assert host.ask("workshop.create", title=self.word, names=[self.word])["t"] == "ack"
        one = host.fresh()["workshops"][0]
        for t, more in (("change", {"notice": 0, "late": "stay"}), ("open", {})):
            assert host.ask("workshop." + t, set=one["id"], **more)["t"] == "ack"
        host.ask("chat.send", text=self.word)
        you = self.guest.snapshot["you"]
        # The notice is over: nothing changes by itself from here on.
        assert wait_for(lambda: host.fresh()["workshops"][0]["movesAt"] == 0, PATIENCE, 0.1)
        self.ids = {"PERSON": you["person"], "DEVICE": you["device"], "SET": one["id"],
                    "ROOM": one["rooms"][0]["id"], "MESSAGE": host.fresh()["chat"][0]["id"],
                    "CLASS": kind, "word": self.word}

    def picture(self):
        return picture(self.host)

    def close(self):
        for p in (self.host, self.guest):
            p.close()


def value_of(kind, low, ref, arena):
    """The plainest value of a field."""
    if kind == "STR":
        return ("a" if ref == "STR_HEX" else "x") * max(1, int(low))
    if kind == "INT":
        return max(0, int(low))
    if kind == "BOOL":
        return False
    if kind == "ENUM":
        return ENUMS[ref.removeprefix("ENUM_")][0]
    if kind == "ID":
        return arena.ids[ref.removeprefix("ID_")]
    assert kind == "LIST", kind
    shape = ref.removeprefix("SHAPE_")
    return [value_of(ALIASES[shape][0], ALIASES[shape][3], ALIASES[shape][5], arena)
            for _ in range(int(low))]


def id_fields(message):
    """Fields that name somebody or something: (field, kind of id, in a list)."""
    for kind, name, _need, _low, _high, ref, *_ in message.fields:
        shape = ALIASES.get(ref.removeprefix("SHAPE_"))
        if kind == "ID":
            yield name, ref.removeprefix("ID_"), False
        elif kind == "LIST" and shape and shape[0] == "ID":
            yield name, shape[5].removeprefix("ID_"), True


class Arena:
    """A class with a person of every role, a set that is open, one that is not."""

    def __init__(self, server, kind, elsewhere):
        self.server, self.kind, self.elsewhere = server, kind, elsewhere
        self.canary = elsewhere["word"].encode()
        self.cells, self.taken, self.refused, self.wrong = Counter(), Counter(), Counter(), []
        self.serial = itertools.count()
        self.locks, self.floor, self.place, self.extra = (), "open", "stage", []
        self.messages = MESSAGES
        self.class_id = server.make_class("Matrix", kind)
        self.links = {r: server.link(self.class_id, r)["link"] for r in ROLES}
        self.pages = {}
        for role in ["host", "animator"] + [r for r in ROLES if r not in STAFF]:
            self.pages[role] = self.devices(role)
            if kind == "webinar" and role == "host":  # the audience waits until the doors open
                self.must(self.pages[role][0], "stage.phase", phase="doors")
        self.facilitator = self.devices("participant", "Facilitator")
        self.victim = self.one("participant", "Victim")
        self.mate = self.one("participant", "Tablemate")
        gone = self.one("participant", "Gone")
        self.host = self.pages["host"][0]
        # Of checks and minutes; one that exists is used by walk.py.
        self.ids = {"PERSON": self.person(self.victim), "CLASS": self.class_id,
                    "MESSAGE": "m_" + UNKNOWN}
        self.left = self.person(gone)
        self.must(gone, "leave")
        self.workshops()

    def one(self, role, name, guest=None, joins=True):
        p = arrive(self.server, self.links[role], name, self.canary, guest, joins)
        self.extra.append(p)
        self.taken["hello"] += 1
        self.taken["join"] += joins
        return p

    def devices(self, role, name=None):
        first = self.one(role, name or role)
        return [first] + [self.one(role, name or role, first.guest) for _ in range(DEVICES - 1)]

    @staticmethod
    def person(page):
        return page.snapshot["you"]["person"]

    def must(self, page, t, **fields):
        answer = page.ask(t, **fields)
        if answer["t"] == "error" or answer["t"] == "nothing":
            raise AssertionError(f"{t} {fields}: {answer}")
        self.taken[t] += 1
        return answer

    def workshops(self):
        for title in ("Open", "Draft"):
            self.must(self.host, "workshop.create", title=title, names=["One", "Two"])
        sets = {w["title"]: w for w in self.host.fresh()["workshops"]}
        self.set_open = sets["Open"]["id"]
        self.rooms = [r["id"] for r in sets["Open"]["rooms"]]
        self.ids["SET"] = sets["Draft"]["id"]
        self.ids["ROOM"] = self.rooms[0]
        self.must(self.host, "workshop.change", set=self.set_open, notice=0, mode="move",
                  late="stay", back=True, change="free")
        self.must(self.host, "workshop.room.change", room=self.rooms[0],
                  facilitator=self.person(self.facilitator[0]))
        self.must(self.host, "workshop.place", set=self.set_open, person=self.person(self.mate),
                  room=self.rooms[1])
        self.must(self.host, "workshop.open", set=self.set_open)
        self.await_room(self.mate, self.rooms[1])

    def await_room(self, page, room):
        def there():
            me = page.snapshot["you"]["person"]
            return any(p["id"] == me and p.get("room") == room for p in page.fresh()["people"])
        if not wait_for(there, PATIENCE, 0.1):
            raise AssertionError("a person did not reach the room")

    def enter_tables(self):
        for role, pages in [*self.pages.items(), ("facilitator", self.facilitator)]:
            self.must(self.host, "workshop.place", set=self.set_open,
                      person=self.person(pages[0]), room=self.rooms[0])
            for p in pages:
                self.await_room(p, self.rooms[0])

    # ---- cells

    def situation(self, role, phase):
        guide = role == "facilitator"
        role = "participant" if guide else role
        stage = role in (*STAFF, "speaker", "interpreter")
        return Situation(role, self.kind, phase == "table", guide, self.locks, self.floor,
                         place=self.place if stage else "audience")

    def sample(self, message):
        fields = {f[1]: value_of(f[0], f[3], f[5], self) for f in message.fields
                  if f[2] == "REQ" and f[0] != "SHAPE" and f[5] != "SHAPE_want"}
        if message.name == "media.offer":
            fields["offer"] = fake_offer()
        if message.name == "view":
            fields["want"] = []
        if message.name == "lock.set":
            fields["locked"] = "mic" in self.locks
        if message.name == "floor.mode":
            fields["mode"] = self.floor
        return fields | WORDS.get(message.name, {})

    def with_id(self, message, field, listed, value):
        on = {"on": True} if message.name == "workshop.voice" else {}
        return self.sample(message) | on | {field: [value] if listed else value}

    def of_message(self, message, sit):
        """Cells of one message: (fields, expected)."""
        may = sit.may(message.right)
        if message.name == "media.state":
            off = {"mic": "off", "cam": False, "screen": False, "sound": False}
            for source, right in (("mic", "MIC"), ("cam", "CAM"), ("screen", "SCREEN"),
                                  ("sound", "SOUND")):
                on = {source: "on" if source == "mic" else True}
                yield off | on, "ack" if sit.may(right) else "denied-" + source
            yield off, "ack"
            return
        if not (may and message.name in ONCE):
            yield self.sample(message), "reach" if may else "denied"
        for field, kind, listed in id_fields(message):
            letter = ID_LETTER[kind]
            wrong_kind = ("p" if letter != "p" else "r") + "_" + UNKNOWN
            for value in (self.elsewhere[kind], letter + "_" + UNKNOWN):
                yield self.with_id(message, field, listed, value), "never" if may else "denied"
            yield self.with_id(message, field, listed, wrong_kind), "bad"
            if kind == "PERSON" and field != "facilitator":
                yield self.with_id(message, field, listed, self.left), "reach" if may else "denied"
            if message.name == "hand.lower":
                yield (self.with_id(message, field, listed, self.ids["PERSON"]),
                       "ack" if sit.may("HAND_OTHERS") else "not-yours" if may else "denied")
            if message.name == "person.mute" and sit.table and may:
                yield (self.with_id(message, field, listed, self.person(self.mate)),
                       "ack" if sit.role in STAFF else "never")

    def right_answer(self, want, got):
        code, why = got.get("code"), got.get("why", "")
        table = code == "denied" and why == "not allowed"
        if want == "denied":
            return table
        if want.startswith("denied-"):
            return code == "denied" and got.get("at") == want[7:]
        if want == "not-yours":
            return code == "denied" and got.get("at") == "person"
        if want == "bad":
            return code == "bad_message"
        if want == "state":
            return code == "state"
        if want == "never":
            return got["t"] == "error" and not table and code not in ("internal", "bad_message")
        if want == "ack":
            return got["t"] == "ack"
        return not table and code not in ("internal", "bad_message")

    def send_cells(self, jobs):
        """jobs: [(page, message, fields, expected, where)]: sends all, judges each answer."""
        queues, sent = {}, {}
        for page, message, fields, want, where in jobs:
            mine = f"m{next(self.serial)}"
            sent[mine] = (page, message, fields, want, where)
            queues.setdefault(page, []).append(
                json.dumps({"t": message.name, "id": mine, **fields}).encode())
        while any(queues.values()):
            for page, queue in queues.items():
                n = min(page.may_send(), 40, len(queue))
                if n > 0:
                    page.put(queue[:n])
                    del queue[:n]
            time.sleep(0.003)
        for mine, (page, message, fields, want, where) in sent.items():
            with page.seen:
                page.seen.wait_for(lambda: mine in page.answers or page.closed, PATIENCE)
            got = page.answers.pop(mine, {"t": f"nothing ({page.closed})"})
            self.judge(message, fields, want, where, got)

    def judge(self, message, fields, want, where, got):
        self.cells[want.split("-")[0]] += 1
        if got["t"] == "error":
            self.refused[message.name] += 1
        elif not got["t"].startswith("nothing"):
            self.taken[message.name] += 1
        if got["t"].startswith("nothing") or not self.right_answer(want, got):
            self.wrong.append(f"{where} {message.name} {fields}: {want} expected, {got}")

    def jobs(self, phase, roles):
        for role, pages in roles.items():
            sit = self.situation(role, phase)
            turn = itertools.cycle(pages)
            where = f"{role} {phase} locks={self.locks} floor={self.floor}"
            for message in MESSAGES:
                if message.answered() and "CLASS" in message.places:
                    for fields, want in self.of_message(message, sit):
                        yield next(turn), message, fields, want, where
                elif message.answered() and message.name != "join":  # answered by a snapshot
                    yield next(turn), message, self.sample(message), "state", where

    def expect_rights(self, phase, roles):
        for role, pages in roles.items():
            want = self.situation(role, phase).names()
            for p in pages:
                wait_for(lambda p=p, want=want: p.rights == want, PATIENCE, 0.02)
                self.cells["rights"] += len(want)
                if p.rights != want:
                    odd = set(p.rights) ^ set(want)
                    self.wrong.append(f"{role} {phase} {self.locks} {self.floor}: rights {odd}")

    def config(self, phase, locks, floor):
        room = {"room": self.rooms[0]} if phase == "table" and len(locks) == 1 else {}
        for feature in FEATURES:
            self.must(self.host, "lock.set", feature=feature, locked=feature in locks, **room)
        if floor != self.floor:
            self.must(self.host, "floor.mode", mode=floor)
        self.locks, self.floor = locks, floor

    def on_stage(self, roles):
        """Whoever stands on the stage by his role may send; the rest is done from the wings."""
        self.expect_rights("main", roles)
        state = [m for m in MESSAGES if m.name == "media.state"]
        jobs = [(p[0], m, fields, want, role + " on stage") for role, p in roles.items() for m in state
                for fields, want in self.of_message(m, self.situation(role, "main"))]
        self.send_cells(jobs)
        self.place = "wings"
        for role in (*STAFF, "speaker", "interpreter"):
            self.must(roles[role][0], "stage.leave")

    def unlock(self, phase):
        for feature in FEATURES:
            for more in ({}, {"room": self.rooms[0]}) if phase == "table" else ({},):
                self.must(self.host, "lock.set", feature=feature, locked=False, **more)
        self.locks = ()

    def phase(self, phase):
        roles = dict(self.pages)
        if phase == "table":
            roles["facilitator"] = self.facilitator
        settings = [((), "open"), *(((f,), "open") for f in FEATURES), (tuple(FEATURES), "open"),
                    ((), "moderated")]
        if phase == "main" and self.kind == "webinar":
            self.on_stage(roles)
        for locks, floor in settings:
            self.config(phase, locks, floor)
            self.expect_rights(phase, roles)
            jobs = list(self.jobs(phase, roles))
            refused = [j for j in jobs if j[3] in ("denied", "bad", "not-yours", "state", "never")
                       or j[3].startswith("denied-")]
            before = picture(self.host)
            self.taken["sync"] += 1
            self.send_cells(refused)
            if picture(self.host) != before:
                self.wrong.append(f"{phase} {locks} {floor}: something refused had an effect")
            self.send_cells([j for j in jobs if j not in refused])
            self.host.ask("floor.take", how="skipped")  # a turn has an end of its own
            self.unlock(phase)
        self.config(phase, (), "open")

    # ---- places before the class

    def strangers(self):
        """Before hello, at the door: nothing but what belongs there, whatever the link gives."""
        new = Page(self.server.port, self.canary)
        self.extra.append(new)
        jobs = [(new, m, self.sample(m), "state", "before hello") for m in MESSAGES if m.answered()]
        for role in ROLES:
            door = self.one(role, role, joins=False)
            for m in MESSAGES:
                if m.answered() and m.name != "join":
                    want = "reach" if "DOOR" in m.places else "state"
                    jobs.append((door, m, self.sample(m), want, f"{role} at the door"))
            self.quiet(door, "NEW", "CLASS")
        self.send_cells(jobs)
        self.quiet(new, "DOOR", "CLASS")
        self.quiet(self.victim, "NEW")

    def quiet(self, page, *elsewhere):
        """Messages without an id are answered by an error without one."""
        for m in MESSAGES:
            if m.answered() or not set(m.places) <= set(elsewhere):
                continue
            before = page.loose
            page.put([json.dumps({"t": m.name, **self.sample(m)}).encode()])
            page.ask("workshop.report", set=self.ids["SET"])
            self.cells["state"] += 1
            self.refused[m.name] += 1
            if page.loose != before + 1:
                self.wrong.append(f"{m.name} where it does not belong: {page.loose - before} errors")

    def close(self):
        for p in self.extra:
            p.close()

    def report(self):
        return {"cells": self.cells, "taken": self.taken, "refused": self.refused,
                "wrong": self.wrong, "leaks": sum(p.leaks for p in self.extra),
                "texts": sum(p.texts for p in self.extra)}
