"""Rules S27 and S28 with canaries: a word of its own in every text that can be written in two classes and
their four workshops, sound of its own from everybody in the six places. Each word is heard by those it is
for, and by nobody else: not by socket, HTTP, log, metrics or file; each sound only in its place."""
import os
import secrets
import subprocess

from harness import Client, Server, check, wait_for

ATTACK = os.environ.get("AMPHI_ATTACK", "build/release/attack")
PATIENCE = 60


class Ear(Client):
    """A page that keeps every word it was told."""

    def __init__(self, port, place):
        self.place = place  # (class, room) it stands in
        self.raw = []
        super().__init__(port, timeout=30)

    def _hear(self, text):
        self.raw.append(text)
        super()._hear(text)

    def must(self, t, **fields):
        mine = self.send(t, **fields)
        got = self.wait(lambda m: m.get("id") == mine, PATIENCE)
        assert got["t"] != "error", (t, fields, got)
        return got

    def fresh(self):
        start = len(self.messages)
        self.send("sync", have=0)
        return self.type("snapshot", PATIENCE, start)


class Words:
    """Every canary: whom it is for (a predicate on pages). No file may hold one."""

    def __init__(self):
        self.rows = []

    def new(self, what, may):
        word = f"Q{secrets.token_hex(6)}Z"
        self.rows.append((word, what, may))
        return word


def enter(s, ears, link, place, name, joins=True):
    e = Ear(s.port, place)
    e.send("hello", v=1, lang="en", link=link)
    if e.wait(lambda m: m["t"] in ("door", "epoch"), PATIENCE)["t"] == "epoch":
        e.send("hello", v=1, lang="en", link=link)
    e.type("door", PATIENCE)
    if joins:
        e.send("join", name=name, mic=False, cam=False)
        first = e.wait(lambda m: m["t"] in ("snapshot", "waiting"), PATIENCE)
        e.you = first["you"]["person"] if first["t"] == "snapshot" else None
    ears.append(e)
    return e


class School:
    """One class: host, animator, people in the plenary and at two tables, somebody who waits."""

    def __init__(self, s, words, number):
        self.s, self.words, self.number, self.ears = s, words, number, []
        def mine(e):
            return e.place[0] == number
        def inside(e):
            return mine(e) and e.place[1] not in ("door", "queue")
        self.inside = inside
        self.staff = lambda e: inside(e) and e.place[1] == "staff"
        self.title = words.new("title", mine)
        self.id = s.make_class(self.title)
        self.links = {r: s.link(self.id, r)["link"] for r in ("host", "animator", "participant")}
        self.host = self.person("host", "staff")
        self.animator = self.person("animator", "staff")
        self.people = {p: self.person("participant", p) for p in ("main", "one", "two")}

    def person(self, role, place, joins=True):
        may = self.inside if place != "queue" else self.staff
        name = self.words.new(f"name ({place})", lambda e: may(e) or e.named == name)
        e = enter(self.s, self.ears, self.links[role], (self.number, place), name, joins)
        e.named = name
        return e

    def prepare(self):
        """Rooms first, then everything that can be said in them."""
        host, w = self.host, self.words
        names = [w.new("workshop", self.inside) for _ in range(2)]
        host.must("workshop.create", title=w.new("set", self.inside), names=names)
        draft = w.new("draft set", self.staff)
        host.must("workshop.create", title=draft, names=[w.new("draft room", self.staff)])
        one = next(x for x in host.fresh()["workshops"] if x["title"] != draft)
        self.rooms = dict(zip(("one", "two"), (r["id"] for r in one["rooms"])))
        self.set = one["id"]
        host.must("workshop.change", set=self.set, notice=0, mode="move", late="stay")
        for place, room in self.rooms.items():
            host.must("workshop.room.change", room=room, task=w.new("task", self.inside),
                      materials=w.new("materials", self.inside))
            self.place(self.people[place].you, room)
        host.must("workshop.open", set=self.set)
        for place, room in self.rooms.items():
            e = self.people[place]
            assert wait_for(lambda e=e, room=room: any(
                p["id"] == e.you and p.get("room") == room for p in e.fresh()["people"]),
                PATIENCE, 0.1)

    def place(self, person, room):
        self.host.must("workshop.place", set=self.set, person=person, room=room)

    def at(self, place):
        """Those of a table, and the staff, who may read there."""
        return lambda e: self.inside(e) and e.place[1] in (place, "staff")

    def speak(self):
        w, host = self.words, self.host
        self.people["main"].must("chat.send", text=w.new("chat (main)", lambda e: self.inside(e) and
                                                         e.place[1] in ("main", "staff")))
        for place, room in self.rooms.items():
            e = self.people[place]
            e.must("chat.send", text=w.new(f"chat ({place})", self.at(place)))
            e.must("workshop.help", text=w.new("help", self.at(place)))
            host.must("workshop.announce", text=w.new("announcement", self.at(place)), rooms=[room])
            host.must("workshop.label", person=e.you, group=w.new("group", self.staff),
                      tag=w.new("tag", self.staff))
        host.must("workshop.announce", text=w.new("announcement to all", self.inside))
        self.animator.must("workshop.staff", text=w.new("staff", self.staff))
        host.must("class.set", key="waiting-room", value="manual")
        self.waiter = self.person("participant", "queue")
        self.waiter.must("knock")
        self.stranger = self.person("participant", "door", joins=False)
        self.words.rows = [r for r in self.words.rows if r[0] != self.stranger.named]


def by_socket(words, ears):
    for e in ears:
        e.everything = b"".join(e.raw)
    told, leaks, unheard = 0, [], []
    for word, what, may in words.rows:
        ears_of = [e for e in ears if word.encode() in e.everything]
        told += len(ears_of)
        leaks += [f"{what} to {e.place}" for e in ears_of if not may(e)]
        if not any(may(e) for e in ears_of):
            unheard.append(what)
    check("S27 S28 by socket: each word reaches those it is for", not unheard,
          f"{len(words.rows)} words, {told} pairs of word and page, unheard: {unheard}")
    check("S27 S28 by socket: no word reaches anybody else", not leaks,
          f"{sum(len(e.everything) for e in ears)} bytes to {len(ears)} pages {leaks[:10]}")


def by_http(s, words, schools):
    texts = ""
    for path in ("/", "/api/info", "/c/" + schools[0].id, "/c/" + schools[1].id, "/healthz",
                 "/metrics", "/../data/amphi.db", "/data/amphi.db", "/whep/" + schools[0].id):
        texts += s.page(path)[1]
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/classes"):
        texts += s.get(path)[1]
    found = [what for word, what, _ in words.rows if word in texts]
    check("S27 by HTTP, health and metrics: no word", not found and "amphi_people" in texts,
          f"{len(texts)} characters {found}")


def by_file(s, words):
    planted = os.path.join(s.folder, "planted")
    with open(planted, "w", encoding="utf-8") as f:
        f.write(words.rows[0][0])  # so that looking is seen to find
    held, bytes_read, files = {}, 0, 0
    for folder, _, names in os.walk(s.folder):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            files += 1
            bytes_read += len(data)
            for word, what, _ in words.rows:
                if word.encode() in data:
                    held.setdefault(os.path.relpath(path, s.folder), set()).add(what)
    found = held.pop("planted", None)
    check("S27 by file: titles, names, tasks and what people write stand nowhere in clear, logs have"
          " no word", not held and files > 4, f"{files} files, {bytes_read} bytes {held}")
    check("S27 a file that has a word in clear is found", bool(found), sorted(found or ()))


def by_sound(s, schools):
    """Two people with sound in each of the six places, first as they sit, then all moved on by one."""
    links = ",".join(school.links["participant"] for school in schools for _ in range(6))
    process = subprocess.Popen(
        [ATTACK, "s27", "--port", str(s.port), "--admin", str(s.admin), "--core", str(s.pid("core")),
         "--link", links], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def until(word):
        for line in process.stdout:
            kind, _, text = line.strip().partition(" ")
            if kind == word:
                return True
            check(text.strip(), kind == "ok")
        check(f"S27 the sound came to its end ({word})", False)
        return False

    for school in schools:
        school.devices = set()
    try:
        if not until("live"):
            return
        for turn in range(3):
            spots = []
            for n, school in enumerate(schools):
                present = school.host.fresh()["people"]
                people = {p["name"]: p["id"] for p in present}
                school.devices |= {d["id"] for p in present for d in p["devices"]}
                for i in range(6):
                    spot = (i // 2 + turn) % 3
                    spots.append(n * 3 + spot)
                    room = school.rooms.get(("main", "one", "two")[spot])
                    more = {"room": room} if room else {}
                    who = people[f"load {n * 6 + i}"]
                    school.host.must("workshop.place", set=school.set, person=who, **more)
                    assert wait_for(lambda: any(
                        p["id"] == who and p.get("room") == room
                        for p in school.host.fresh()["people"]), PATIENCE, 0.05)
            process.stdin.write("room " + " ".join(map(str, spots)) + "\n")
            process.stdin.flush()
            if not until("heard"):
                return
    finally:
        process.stdin.close()
        process.wait(30)


def levels(schools):
    """Whoever is told to speak is of the class of the page that is told."""
    wrong = lists = 0
    for school in schools:
        for e in school.ears:
            for m in e.messages:
                if m["t"] in ("speaking", "tables"):
                    lists += 1
                    named = m["list"] if m["t"] == "speaking" else [
                        x for room in m["rooms"] for x in room["list"]]
                    wrong += any(d not in school.devices for d, _ in named)
    check("S27 levels name nobody of another class", wrong == 0 and lists > 0,
          f"{lists} lists of who speaks, {wrong} with others")


def run():
    with Server("--rtc.shards", "1", "--limits.connections_per_address", "2000") as s:
        words = Words()
        schools = [School(s, words, n) for n in range(2)]
        for school in schools:
            school.prepare()
        by_sound(s, schools)
        levels(schools)
        for school in schools:
            for e in school.people.values():
                e.fresh()
            school.host.must("class.set", key="waiting-room", value="off")
            school.speak()
        ears = [e for school in schools for e in school.ears]
        for e in ears:
            if e.place[1] not in ("door", "queue"):
                e.fresh()
        by_socket(words, ears)
        by_http(s, words, schools)
        by_file(s, words)
        for e in ears:
            e.close()
