"""Accounts and the pages around the hour, over HTTP: signing in and what attackers try there (S24,
S25, S29, S37, S39), classes, rosters, invitations, registration, reminders."""
import concurrent.futures
import glob
import http.client
import json
import os
import re
import sqlite3
import time

from harness import Client, Server, check, tls, wait_for

PASSWORD = "petit poney bleu"
CSV = {"Content-Type": "text/csv"}


class Browser:
    """One cookie jar that asks like our page."""

    def __init__(self, server, origin=None, source="127.0.0.1"):
        self.server, self.cookie, self.headers, self.source = server, "", {}, source
        self.origin = origin

    def ask(self, method, path, body=None, headers=None, origin=True, timeout=60):
        c = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=timeout,
                                        context=tls(), source_address=(self.source, 0))
        h = {"Host": f"localhost:{self.server.port}"}
        if origin:
            h["Origin"] = self.origin or f"https://localhost:{self.server.port}"
        if self.cookie:
            h["Cookie"] = self.cookie
        data = body
        if isinstance(body, (dict, list)):
            data = json.dumps(body)
            h["Content-Type"] = "application/json"
        elif method == "POST" and body is None:
            data = ""
        h.update(headers or {})
        try:
            c.request(method, path, data.encode() if isinstance(data, str) else data, h)
            answer = c.getresponse()
            self.headers = dict(answer.getheaders())
            set_cookie = answer.getheader("set-cookie")
            if set_cookie:
                self.cookie = set_cookie.split(";")[0]
            text = answer.read()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text.decode(errors="replace")
        finally:
            c.close()

    def sign_in(self, mail, password=PASSWORD):
        return self.ask("POST", "/api/session", {"mail": mail, "password": password})


def ready(server):
    """The door has found its core."""
    wait_for(lambda: Browser(server).ask("GET", "/api/session")[0] == 200, 60)


def welcome(server, token, **fields):
    b = Browser(server)
    return b, b.ask("POST", "/api/welcome", {"token": token, "password": PASSWORD, **fields})


def first_admin(s):
    found = re.search(r"First administrator \(once\): \S+/welcome#(\S+)", s.out())
    check("the start prints a link for the first administrator", bool(found))
    token = found.group(1)
    check("it waits in a file only we can read",
          os.stat(s.data + "/keys/first-admin").st_mode & 0o777 == 0o600)
    admin, (status, body) = welcome(s, token, name="Ada", mail="Ada@Example.org ")
    check("the first administrator is made", status == 200 and body["me"]["admin"], body)
    cookie = admin.headers.get("set-cookie", "")
    check("the cookie is __Host-, Secure, HttpOnly, Strict",
          all(w in cookie for w in ("__Host-amphi=", "Secure", "HttpOnly", "SameSite=Strict",
                                    "Path=/")), cookie[60:])
    check("the link works once", welcome(s, token, name="Eve", mail="eve@example.org")[1][0] == 404)
    check("its file is gone", not os.path.exists(s.data + "/keys/first-admin"))
    check("easy passwords are refused",
          admin.ask("POST", "/api/password", {"old": PASSWORD, "password": "azertyuiop"})[1]
          == {"error": "password_easy"})
    return admin


def add_account(s, admin, name, mail, is_admin=False):
    status, body = admin.ask("POST", "/api/accounts", {"name": name, "mail": mail,
                                                       "admin": is_admin})
    assert status == 201, body
    b, (status, _) = welcome(s, body["token"])
    assert status == 200
    return b


def sessions(s, admin):
    claire = add_account(s, admin, "Claire", "claire@example.org")
    one = claire.ask("POST", "/api/session", {"mail": "claire@example.org", "password": "x" * 12})
    two = claire.ask("POST", "/api/session", {"mail": "nobody@example.org", "password": "x" * 12})
    check("S25 a wrong password and an unknown person are answered alike", one == two, one)
    fixed = "__Host-amphi=" + "A" * 43
    b = Browser(s)
    b.cookie = fixed
    b.sign_in("claire@example.org")
    planted = Browser(s)
    planted.cookie = fixed
    check("S25 session fixation: a planted cookie is never a session",
          b.cookie != fixed and planted.ask("GET", "/api/classes")[0] == 401)
    before = Browser(s)
    before.cookie = b.cookie
    b.sign_in("claire@example.org")
    check("signing in again changes the cookie and ends the old one",
          b.cookie != before.cookie and before.ask("GET", "/api/classes")[0] == 401)
    old = Browser(s)
    old.sign_in("claire@example.org")
    status, _ = b.ask("POST", "/api/password", {"old": PASSWORD, "password": "un autre mot fort"})
    check("a new password ends the other sessions, not this one",
          status == 200 and b.ask("GET", "/api/classes")[0] == 200
          and old.ask("GET", "/api/classes")[0] == 401)
    gone = Browser(s)
    gone.cookie = b.cookie
    check("signing out ends the session on the server",
          b.ask("DELETE", "/api/session")[0] == 200 and gone.ask("GET", "/api/classes")[0] == 401)
    for damaged in ("", "A" * 42, "A" * 44, "é" * 43, "A" * 43 + '"'):
        b.cookie = "__Host-amphi=" + damaged
        if b.ask("GET", "/api/classes")[0] not in (400, 401):
            check("damaged cookies are none", False, damaged)
    claire.sign_in("claire@example.org", "un autre mot fort")
    return claire


def cross_site(s, claire):
    bad = ["", "null", "https://evil.example", f"https://sub.localhost:{s.port}",
           f"http://localhost:{s.port}", "https://localhost:1", f"https://localhost.:{s.port}"]
    paths = [("POST", "/api/session"), ("DELETE", "/api/session"), ("POST", "/api/classes"),
             ("POST", "/api/password"), ("POST", "/api/accounts"), ("POST", "/api/my"),
             ("DELETE", "/api/classes/c_aaaaaaaaaaaaaaaaaaaaaaaaaa"), ("POST", "/api/welcome"),
             ("POST", "/api/registration/c_aaaaaaaaaaaaaaaaaaaaaaaaaa"), ("POST", "/api/invitation")]
    wrong = []
    for origin in bad:
        for method, path in paths:
            claire.origin = origin
            status, _ = claire.ask(method, path, {} if method == "POST" else None,
                                   origin=origin != "")
            if status != 403:
                wrong.append((origin, method, path, status))
    claire.origin = None
    check("S24 cross-site requests: origins x endpoints are all 403", not wrong,
          wrong[:3] or len(bad) * len(paths))
    status, _ = claire.ask("POST", "/api/classes", {"title": "x"}, origin=False,
                           headers={"Authorization": "Bearer x"})
    check("S24 a cookie without an origin counts for nothing", status == 403, status)
    status, _ = claire.ask("POST", "/api/classes", "title=x",
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    check("S24 a form is no request", status == 422, status)
    check("S24 nothing changes by GET",
          claire.ask("GET", "/api/welcome")[0] == 405 and claire.ask("GET", "/api/my")[0] == 405)
    check("S24 the session still lives", claire.ask("GET", "/api/classes")[0] == 200)


def redirects(s, claire):
    places = []
    for path in ("/signin?next=https://evil.example", "/signin?next=//evil.example", "//evil.example",
                 "/home/..//evil.example", "/api/session?url=https://evil.example",
                 "/my?return=https://evil.example", "/welcome?next=javascript:alert(1)"):
        status, _ = claire.ask("GET", path)
        if "location" in {k.lower() for k in claire.headers} or 300 <= status < 400:
            places.append(path)
    check("S37 no answer sends anybody elsewhere", not places, places)


def plan(**more):
    return {"title": "Les fractions", "type": "standard", "minutes": 90, "zone": "Europe/Paris",
            "starts": [int(time.time() * 1000) + 3 * 86400000], "settings": {}, **more}


def dates(s, claire):
    """One class that goes from date to date, and the archive."""
    week = 7 * 86400000
    start = (int(time.time() * 1000) // 60000 + 120) * 60000
    starts = [start, start + week, start + 2 * week]
    status, body = claire.ask("POST", "/api/classes",
                              plan(title="Anglais", starts=starts, together=True))
    check("several dates are one class", status == 201 and len(body["classes"]) == 1, body)
    c = body["classes"][0]
    got = claire.ask("GET", "/api/classes/" + c)[1]
    check("it knows all its dates", got["kind"] == "recurring" and got["start"] == start
          and got["dates"] == [[at, 90] for at in starts], got)
    status, _ = claire.ask("PATCH", "/api/classes/" + c,
                           plan(title="Anglais", starts=[start + week, start + 3 * week],
                                together=True))
    got = claire.ask("GET", "/api/classes/" + c)[1]
    check("dates are dropped and added", status == 200 and got["start"] == start + week
          and [at for at, _ in got["dates"]] == [start + week, start + 3 * week], got)
    status, body = claire.ask("PATCH", "/api/classes/" + c,
                              plan(starts=[start + week, start], together=True))
    check("dates ascend", status == 422 and body["error"] == "start_order", body)
    for word, starts in (("start_overlap", [start + week, start + week + 30 * 60000]),
                         ("start_far", [start + 400 * week]), ("start_order", [start, start])):
        status, body = claire.ask("PATCH", "/api/classes/" + c,
                                  plan(starts=starts, together=True, minutes=60))
        check(f"what is wrong with dates is said: {word}", status == 422 and body["error"] == word, body)
    status, _ = claire.ask("POST", f"/api/classes/{c}/archive", {"archive": True})
    got = claire.ask("GET", "/api/classes/" + c)[1]
    check("a class goes into the archive", status == 200 and got["archived"], got)
    status, _ = claire.ask("POST", f"/api/classes/{c}/archive", {"archive": False})
    got = claire.ask("GET", "/api/classes/" + c)[1]
    check("and comes out of it, still planned", status == 200 and not got["archived"]
          and got["state"] == "scheduled", got)
    code, out = s.cli("class", "create", "Cours", "--start", "2027-01-12T10:00", "--duration", "60",
                      "--repeat", "FREQ=WEEKLY;COUNT=4")[:2]
    shown = json.loads(s.cli("class", "show", out.strip(), "--json")[1])
    gaps = {b[0] - a[0] for a, b in zip(shown["dates"], shown["dates"][1:])}
    check("a rule on the command line", code == 0 and len(shown["dates"]) == 4 and gaps == {week},
          shown)


def classes(s, admin, claire):
    status, body = claire.ask("POST", "/api/classes", plan(settings={"waiting-room": "manual"}))
    check("a class is made", status == 201, body)
    c = body["classes"][0]
    status, body = claire.ask("GET", "/api/classes/" + c)
    check("it can be read, with what the class itself says",
          status == 200 and body["state"] == "scheduled"
          and body["settings"]["waiting-room"] == "manual", body)
    week = 7 * 86400000
    start = int(time.time() * 1000) + 86400000
    status, body = claire.ask("POST", "/api/classes",
                              plan(title="Atelier", starts=[start, start + week, start + 2 * week]))
    check("a series is made at once", status == 201 and len(body["classes"]) == 3, body)
    for wrong, field in [({"title": " "}, "title"), ({"title": "x" * 201}, "title"),
                         ({"minutes": 2}, "minutes"), ({"zone": "Mars/Base"}, "zone"),
                         ({"zone": "../../etc/passwd"}, "zone"), ({"type": "party"}, "type"),
                         ({"starts": [start, start]}, "start_order"), ({"starts": ["soon"]}, "start"),
                         ({"starts": [1]}, "start_far"), ({"settings": {"nonsense": 1}}, "settings"),
                         ({"capacity": -1}, "capacity"), ({"note": "\u0007"}, "note")]:
        status, body = claire.ask("POST", "/api/classes", plan(**wrong))
        if status != 422 or body["error"] != field:
            check("a wrong plan is named", False, (wrong, status, body))
    status, body = claire.ask("PATCH", "/api/classes/" + c, plan(title="Les décimaux", starts=[]))
    after = claire.ask("GET", "/api/classes/" + c)[1]
    check("a class can be changed", status == 200 and after["title"] == "Les décimaux"
          and after["state"] == "idle", after)
    out = s.cli("class", "show", c, "--json")[1]
    check("the live class has the new title", "Les d" in out and "Les fractions" not in out, out[:90])
    # ids: what is not mine is as if it were not there
    bob = add_account(s, admin, "Bob", "bob@example.org")
    none = bob.ask("GET", "/api/classes/c_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    ways = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/enter"), ("POST", "/links"),
            ("GET", "/people"), ("POST", "/people"), ("POST", "/roster"), ("POST", "/invite"),
            ("POST", "/restore"), ("POST", "/staff"), ("POST", "/archive")]
    leaks = [(m, p, a) for m, p in ways
             for a in [bob.ask(m, "/api/classes/" + c + p, plan() if m != "GET" and m != "DELETE"
                               else None)] if a != none]
    check("S25 guessing ids: a colleague's class is answered like none", not leaks and
          none[0] == 404, leaks or none)
    check("S26 administration is refused to others",
          all(bob.ask("GET", p)[0] == 403 for p in ("/api/accounts", "/api/audit")))
    doors(s, claire, bob, c)
    claire.ask("POST", f"/api/classes/{c}/staff", {"mail": "bob@example.org"})
    check("a colleague who shares it may", bob.ask("GET", "/api/classes/" + c)[0] == 200)
    status, body = bob.ask("POST", f"/api/classes/{c}/enter")
    check("entering gives a single-use link", status == 200 and len(body["link"]) > 60)
    link = s.link(c)["link"]
    check("the bin takes it", claire.ask("DELETE", "/api/classes/" + c)[0] == 200
          and claire.ask("GET", "/api/classes/" + c)[0] == 404)
    rows = claire.ask("GET", "/api/classes")[1]["classes"]
    check("the list says so", [r for r in rows if r["id"] == c][0]["binned"] > 0)
    code, _, err = s.cli("link", c, "--json")
    check("nobody gets a link into it", code != 0, err)
    check("and out again", claire.ask("POST", f"/api/classes/{c}/restore")[0] == 200
          and s.cli("link", c, "--json")[0] == 0)
    return c, link


def doors(s, claire, bob, c):
    """Address and token of a camera or a player, made on the page of a class."""
    where = f"/api/classes/{c}/links"
    names = [claire.ask("POST", where, {"role": "whip", "name": n})
             for n in ("", "  ", "a\nb", "x" * 81, "é" * 60)]
    check("a camera has a name of 1 to 80 characters",
          all(a == (422, {"error": "name"}) for a in names), names)
    made = {role: claire.ask("POST", where, {"role": role, "name": "Caméra 2"})
            for role in ("whip", "whep")}
    tokens = {role: body.get("link", "") for role, (status, body) in made.items() if status == 200}
    check("the page makes tokens for cameras and players", len(tokens) == 2, made)
    asked = {(door, role): claire.ask("POST", f"/{door}/{c}", "no SDP", {
        "Content-Type": "application/sdp", "Authorization": "Bearer " + tokens[role]})[0]
        for door in ("whip", "whep") for role in tokens}
    check("each opens its own door and no other", asked == {
        ("whip", "whip"): 400, ("whip", "whep"): 403, ("whep", "whip"): 403, ("whep", "whep"): 409},
        asked)
    check("S26 a colleague makes none for a class that is not his",
          bob.ask("POST", where, {"role": "whip", "name": "Bob"})[0] == 404)
    status, body = claire.ask("GET", where)
    listed = {p["role"]: p for p in body["passes"]}
    check("the page lists them by name, without the tokens", status == 200 and
          {r: p["name"] for r, p in listed.items()} == {"whip": "Caméra 2", "whep": "Caméra 2"} and
          listed["whip"]["pass"] == made["whip"][1]["pass"] and
          not any(t in json.dumps(body) for t in tokens.values()), body)
    one = f"{where}/{listed['whip']['pass']}"
    check("S26 a colleague neither sees nor ends them",
          bob.ask("GET", where)[0] == 404 and bob.ask("DELETE", one)[0] == 404)
    check("what is none is not found", [claire.ask("DELETE", f"{where}/{x}")[0]
                                        for x in ("x", "t_" + "a" * 26)] == [404, 404])
    check("and ends one", claire.ask("DELETE", one)[0] == 200 and
          [p["role"] for p in claire.ask("GET", where)[1]["passes"]] == ["whep"])
    again = {role: claire.ask("POST", f"/{role}/{c}", "no SDP", {
        "Content-Type": "application/sdp", "Authorization": "Bearer " + token})[0]
        for role, token in tokens.items()}
    check("which opens nothing any more, the other does", again == {"whip": 401, "whep": 409}, again)


def roster(s, claire, c):
    text = "Nom;Courriel;Rôle;Groupe\nÉmile;emile@example.org;;A\nLéa;lea@example.org;animatrice;B\n"
    status, body = claire.ask("POST", f"/api/classes/{c}/roster", text, CSV)
    check("a roster is shown before it is taken", status == 200 and body["rows"] == 2
          and body["fresh"] == 2 and not claire.ask("GET", f"/api/classes/{c}/people")[1]["people"],
          body)
    bad = "Nom;Courriel\nA;a@example.org\n=1+1;b@example.org\nC;rien\nD;a@example.org\n"
    status, body = claire.ask("POST", f"/api/classes/{c}/roster?apply=1", bad, CSV)
    check("bad rows are named by line, and nothing is half taken",
          status == 422 and [p["line"] for p in body["problems"]] == [3, 4, 5]
          and not claire.ask("GET", f"/api/classes/{c}/people")[1]["people"], body)
    for data, word in [("Nom;Courriel\nÉ;e@x.org\n".encode("latin-1"), "csv_encoding"),
                       ('"A;a@x.org\n', "csv_quote"), ("", "csv_empty"),
                       ("".join(f"P;p{i}@x.org\n" for i in range(5001)), "csv_rows")]:
        status, body = claire.ask("POST", f"/api/classes/{c}/roster", data, CSV)
        if status != 422 or body["error"] != word:
            check("a file that cannot be read is explained", False, (word, status, body))
    check("a roster is taken", claire.ask("POST", f"/api/classes/{c}/roster?apply=1", text,
                                          CSV)[1] == {"taken": 2})
    big = "Nom;Courriel;Groupe\n" + "".join(f"Personne {i};p{i}@example.org;G{i % 20}\n"
                                            for i in range(5000))
    other = claire.ask("POST", "/api/classes", plan(title="Grande"))[1]["classes"][0]
    started = time.monotonic()
    status, body = claire.ask("POST", f"/api/classes/{other}/roster?apply=1", big, CSV)
    check("5,000 people are taken", status == 200 and body["taken"] == 5000,
          f"{time.monotonic() - started:.2f} s")
    pages = [claire.ask("GET", f"/api/classes/{other}/people?from={n}")[1] for n in range(0, 5000, 1000)]
    seen = {p["mail"] for page in pages for p in page["people"]}
    check("and can be read", len(seen) == 5000 and pages[0]["total"] == 5000, len(seen))


def invitations(s, claire, c):
    start = int(time.time() * 1000) + 50 * 60000
    claire.ask("PATCH", "/api/classes/" + c, plan(starts=[start], reminders=3))
    before = len(glob.glob(f"{s.data}/mail/queue/*"))
    status, body = claire.ask("POST", f"/api/classes/{c}/invite", {"since": 1})
    mails = glob.glob(f"{s.data}/mail/queue/*")[before:]
    check("invitations are queued", status == 200 and body == {"sent": 2, "left": 0, "waits": True}
          and len(mails) == 2, body)
    check("who was invited is not invited twice",
          claire.ask("POST", f"/api/classes/{c}/invite", {"since": 1})[1]["sent"] == 0)
    people = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"]
    emile = [p for p in people if p["name"] == "Émile"][0]
    token = claire.ask("POST", f"/api/classes/{c}/people/{emile['person']}/link")[1]["token"]
    guest, bearer = Browser(s), {"Authorization": "Bearer " + token}
    status, body = guest.ask("GET", "/api/invitation", headers=bearer)
    check("the invited person sees the invitation", status == 200 and body["name"] == "Émile"
          and "mail" not in body, body)
    check("will attend", guest.ask("POST", "/api/invitation", {"answer": "yes"}, bearer)[0] == 200)
    status, text = guest.ask("GET", "/api/invitation/calendar", headers=bearer)
    check("takes the appointment", status == 200 and "BEGIN:VCALENDAR" in text)
    people = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"]
    check("the trainer sees the answer",
          [p["answer"] for p in people if p["name"] == "Émile"] == ["yes"])
    dead = 0
    for i in range(0, len(token), 7):
        flip = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:]
        dead += guest.ask("GET", "/api/invitation", headers={"Authorization": "Bearer " + flip})[0] == 401
    check("S25 guessing links: each changed letter is 401", dead == len(range(0, len(token), 7)), dead)
    return emile


def registration(s, claire):
    c = claire.ask("POST", "/api/classes", plan(title="Ouverte", capacity=1, open=True))[1]["classes"][0]
    guest = Browser(s)
    status, body = guest.ask("GET", "/api/registration/" + c)
    check("the registration page shows the class", status == 200 and body["left"] == 1
          and body["host"] == "Claire", body)
    one = guest.ask("POST", "/api/registration/" + c, {"name": "Un", "mail": "un@example.org"})[1]
    two = guest.ask("POST", "/api/registration/" + c, {"name": "Deux", "mail": "deux@example.org"})[1]
    check("the last place, then the waiting list", one["place"] == "in" and
          two["place"] == "waiting", (one["place"], two["place"]))
    again = guest.ask("POST", "/api/registration/" + c, {"name": "Eve", "mail": "un@example.org"})[1]
    check("S25 the address of somebody registered gives no link away", again["token"] == "", again)
    status, body = guest.ask("GET", "/api/invitation",
                             headers={"Authorization": "Bearer " + two["token"]})
    page = Client(s.port)
    page.send("hello", v=1, lang="fr", link=two["token"])
    said = page.wait(lambda m: m["t"] in ("error", "door"), 60)
    check("S25 the link of the waiting list does not open the class", said["t"] == "error", said)
    check("who waits sees his rank", body.get("rank") == 1 and body["place"] == "waiting", body)
    people = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"]
    first = [p for p in people if p["name"] == "Un"][0]["person"]
    claire.ask("DELETE", f"/api/classes/{c}/people/{first}")
    status, body = guest.ask("GET", "/api/invitation",
                             headers={"Authorization": "Bearer " + two["token"]})
    check("a free place goes to who waits longest", body["place"] == "in", body)
    page = Client(s.port)
    page.send("hello", v=1, lang="fr", link=body["token"])
    check("and the invitation enters now", page.type("door", 60)["t"] == "door")
    kinds = [len(glob.glob(f"{s.data}/mail/queue/*{kind}-{c[2:14]}-*")) for kind in
             ("invite", "waiting")]
    check("and is written to them", kinds == [2, 1], kinds)
    closed = claire.ask("POST", "/api/classes", plan(title="Fermée"))[1]["classes"][0]
    check("a class without registration is answered like none",
          guest.ask("GET", "/api/registration/" + closed)
          == guest.ask("GET", "/api/registration/c_aaaaaaaaaaaaaaaaaaaaaaaaaa"))
    before = guest.ask("POST", "/api/my", {"mail": "nobody@example.org"})
    after = guest.ask("POST", "/api/my", {"mail": "deux@example.org"})
    mail = glob.glob(f"{s.data}/mail/queue/*mine-*")
    check("my classes: the same answer for everybody, a mail for who has some",
          before == after == (202, {}) and len(mail) == 1, (before, after))
    return c


def reminders(s, c):
    """At a start of the server the office looks at once; the clock is moved by moving the class."""
    s.stop()
    with sqlite3.connect(s.data + "/people.db") as db:
        db.execute("UPDATE enrolled SET invited = 1, reminded = 0 WHERE mail = 'emile@example.org'")
    db.close()
    s.start()
    found = wait_for(lambda: glob.glob(f"{s.data}/mail/queue/*remind-*"), 60)
    check("a reminder is queued when it is due", found and len(found) == 1, found)
    s.stop()
    s.start()
    ready(s)
    wait_for(lambda: len(glob.glob(f"{s.data}/mail/queue/*remind-*")) != 1, 2)
    check("once, also after a restart", len(glob.glob(f"{s.data}/mail/queue/*remind-*")) == 1)


def knock(s, class_id):
    """Jean waits at the door of a class; the office is made to look."""
    guest = Client(s.port)
    guest.send("hello", v=1, lang="fr", link=s.link(class_id)["link"])
    guest.type("door", 60)
    guest.send("join", name="Jean", mic=False, cam=False)
    guest.type("waiting", 60)
    s.look()
    return guest


def knocks(s, claire):
    """Somebody waits at the door of a permanent class: its trainer is written to, once."""
    c = claire.ask("POST", "/api/classes", plan(title="Permanence", permanent=True, starts=[],
                                                settings={"waiting-room": "manual"}))[1]["classes"][0]
    guest = knock(s, c)
    found = wait_for(lambda: glob.glob(f"{s.data}/mail/queue/*knock-*"), 90, 0.1)
    check("a knock at a permanent class is written to its trainer", found and len(found) == 1, found)


def backup(s):
    folder = s.folder + "/copies"
    code, out, err = s.cli("backup", folder)
    check("a backup holds the accounts", code == 0 and os.path.exists(folder + "/people.db")
          and os.stat(folder + "/people.db").st_mode & 0o777 == 0o600, err)
    other = Server(folder=s.folder + "/again")
    os.makedirs(other.folder, exist_ok=True)
    code, _, err = other.cli("restore", out.strip())
    with sqlite3.connect(other.data + "/people.db") as db:
        names = [r[0] for r in db.execute("SELECT mail FROM account ORDER BY mail")]
    db.close()
    check("and a restore brings them back", code == 0 and "claire@example.org" in names, (err, names))


def media_lag(s):
    """How often the media loop was late by at most so many seconds, from /metrics."""
    rows = re.findall(r'event_loop_lag_seconds_bucket\{loop="media",[^}]*le="([^"]+)"\} (\d+)',
                      s.get("/metrics")[1])
    return {float(le): int(n) for le, n in rows}


def flood(s, claire):
    """The last: this address has no tries left afterwards."""
    lag = media_lag(s)
    def attack(i):
        b = Browser(s)
        return b.sign_in("claire@example.org", f"mauvais mot {i}")[0]

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        pending = [pool.submit(attack, i) for i in range(200)]
        alive = [claire.ask("GET", "/api/classes")[0] for _ in range(10)]
        answers = [p.result() for p in pending]
    tried = answers.count(401)
    check("S39 200 sign-ins at once: few are tried, the others told to wait",
          tried <= 15 and answers.count(429) + answers.count(503) == 200 - tried,
          {k: answers.count(k) for k in set(answers)})
    since = {le: n - lag[le] for le, n in media_lag(s).items()}
    turns = since[float("inf")]
    p99 = min(le for le, n in since.items() if n >= 0.99 * turns)
    # 20 ms on a quiet machine; hashing on that loop would hold it up for seconds.
    check("S39 the media loop turns on meanwhile", turns > 0 and p99 <= 1,
          f"{turns} turns, p99 <= {p99 * 1000:.1f} ms")
    check("S39 a colleague works on meanwhile", alive == [200] * 10, alive)
    check("S29 the victim's session lives", claire.ask("GET", "/api/classes")[0] == 200)
    b = Browser(s)
    status, _ = b.sign_in("claire@example.org", "un autre mot fort")
    check("S39 retry-after says when", status == 429 and int(b.headers["retry-after"]) >= 1,
          b.headers.get("retry-after"))


def many_addresses(s, admin):
    """Guessing one account from many places, while its owner signs in from his own."""
    add_account(s, admin, "Zoé", "zoe@example.org")
    home = Browser(s, source="127.0.2.1")
    check("the owner signs in", home.sign_in("zoe@example.org")[0] == 200)
    answers = [Browser(s, source=f"127.0.3.{i}").sign_in("zoe@example.org", "mauvais mot 12")[0]
               for i in range(1, 40)]
    check("S39 an account guessed from 39 addresses is tried 30 times and few more",
          30 <= answers.count(401) < 39 and answers.count(429) == 39 - answers.count(401),
          answers.count(401))
    again = Browser(s, source="127.0.2.1")
    check("S29 its owner is not locked out by that", again.sign_in("zoe@example.org")[0] == 200)
    with sqlite3.connect(s.data + "/people.db", timeout=60) as db:
        db.execute("UPDATE session SET seen = seen - 86400000")
    db.close()
    check("a session nobody used for a day is over",
          again.ask("GET", "/api/session")[1]["me"] is None
          and again.ask("GET", "/api/classes")[0] == 401)
    admin.sign_in("ada@example.org")


def administration(s, admin):
    accounts = admin.ask("GET", "/api/accounts")[1]["accounts"]
    ada = [a for a in accounts if a["mail"] == "ada@example.org"][0]
    bob = [a for a in accounts if a["mail"] == "bob@example.org"][0]
    check("no account shows a hash", all("hash" not in a for a in accounts))
    check("the last administrator cannot lock himself out",
          admin.ask("PATCH", "/api/accounts/" + ada["id"], {"admin": False})[0] == 409)
    b = Browser(s)
    b.sign_in("bob@example.org")
    admin.ask("PATCH", "/api/accounts/" + bob["id"], {"disabled": True})
    check("a closed account is out at once and cannot come back",
          b.ask("GET", "/api/classes")[0] == 401 and b.sign_in("bob@example.org")[0] == 401)
    entries = admin.ask("GET", "/api/audit")[1]["entries"]
    check("who did what is written down",
          {"roster.read", "class.added", "invited", "account.changed"}
          <= {e["action"] for e in admin.ask("GET", "/api/audit?find=")[1]["entries"]}
          | {e["action"] for e in entries}
          | {e["action"] for e in admin.ask("GET", f"/api/audit?before={entries[-1]['number']}")[1]
             ["entries"]})


def run():
    with Server("--mail.from", "classes@example.org") as s:
        ready(s)
        admin = first_admin(s)
        claire = sessions(s, admin)
        cross_site(s, claire)
        redirects(s, claire)
        dates(s, claire)
        c, _ = classes(s, admin, claire)
        roster(s, claire, c)
        invitations(s, claire, c)
        registration(s, claire)
        many_addresses(s, admin)
        administration(s, admin)
        reminders(s, c)
        ready(s)
        claire.sign_in("claire@example.org", "un autre mot fort")
        knocks(s, claire)
        backup(s)
        flood(s, claire)
