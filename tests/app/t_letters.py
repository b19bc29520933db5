"""Every kind of mail the office writes arrives once, whatever happens on the way: the server killed
between queueing and sending, a mail server that is slow, refuses, hangs up in the middle or loses
its answer. Appointments are read by a calendar program (khal) as a person's computer would."""
import datetime
import os
import re
import signal
import sqlite3
import subprocess
import time

from harness import Server, check, enter, wait_for
from t_accounts import CSV, PASSWORD, Browser, knock, plan, ready, welcome
from t_mail import Mailbox, calendar, names, parsed

MINUTE, HOUR, DAY = 60000, 3600000, 86400000
SUBJECTS = {
    "account": "Votre compte sur", "reset": "Un nouveau mot de passe", "invitation": "Invitation :",
    "moved": "Nouvelle date :",
    "dates": "Nouvelles dates :", "cancellation": "Annulation :", "reminder": "Rappel :",
    "place": "Inscription confirmée :", "waiting": "En liste d’attente :", "mine": "Vos classes sur",
    "knock": "On vous attend :", "certificate": "Votre attestation :"}


class Post:
    """What has arrived, by kind and person."""

    def __init__(self, box):
        self.box, self.read = box, []

    def all(self, kind, to=None, title=""):
        for address, raw in self.box.mails[len(self.read):]:
            mail = parsed(raw)
            self.read.append((address, str(mail["Subject"]), mail))
        return [mail for address, subject, mail in self.read if to in (None, address)
                and subject.startswith(SUBJECTS[kind]) and title in subject]

    def one(self, kind, to, title=""):
        wait_for(lambda: self.all(kind, to, title), 60)
        return (self.all(kind, to, title) or [None])[0]

    def link(self, kind, to, title=""):
        mail = self.one(kind, to, title)
        found = mail and re.search(r"https://\S+#\S+", mail.get_body(("plain",)).get_content())
        return found.group(0) if found else ""

    def count(self):
        return {kind: len(self.all(kind)) for kind in SUBJECTS}


def moment(day, hour):
    """Of March 2027, in UTC: the night before the 28th the clocks change in Paris."""
    return int(datetime.datetime(2027, 3, day, hour, tzinfo=datetime.timezone.utc).timestamp() * 1000)


def people_of(s, sql, *args):
    """The clock of the office is moved by moving its rows."""
    with sqlite3.connect(s.data + "/people.db", timeout=60) as db:
        db.execute(sql, args)
    db.close()


def make(claire, title, **more):
    status, body = claire.ask("POST", "/api/classes", plan(title=title, **more))
    assert status == 201, body
    return body["classes"][0]


def invite(claire, c, *mails):
    roster = "Nom;Courriel\n" + "".join(f"{m.split('@')[0].title()};{m}\n" for m in mails)
    claire.ask("POST", f"/api/classes/{c}/roster?apply=1", roster, CSV)
    return claire.ask("POST", f"/api/classes/{c}/invite", {"since": 1})[1]


def staff(s, post):
    """The first administrator by the file, the trainer by her mail."""
    token = open(s.data + "/keys/first-admin", encoding="utf-8").read()
    admin, (status, _) = welcome(s, token, name="Ada", mail="ada@example.org")
    assert status == 200
    status, body = admin.ask("POST", "/api/accounts", {"name": "Claire", "mail": "claire@example.org"})
    check("an account is made and written to", status == 201 and body["mailed"], body)
    link = post.link("account", "claire@example.org")
    claire, (status, _) = welcome(s, link.split("#")[1])
    check("the link of that mail opens the account", "/welcome#" in link and status == 200, status)
    status, _ = Browser(s).ask("POST", "/api/reset", {"mail": "claire@example.org", "lang": "fr"})
    link = post.link("reset", "claire@example.org")
    again, (status, _) = welcome(s, link.split("#")[1])
    check("a forgotten password is mended by mail", "/welcome#" in link and status == 200, status)
    return again


# ---- appointments in a calendar program

class Calendar:
    """khal, with a calendar of its own in a folder."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(f"{folder}/cal", exist_ok=True)
        self.conf = f"{folder}/khal.conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"[calendars]\n[[one]]\npath = {folder}/cal\n[sqlite]\npath = {folder}/khal.db\n"
                    "[locale]\nlocal_timezone = Europe/Paris\ndefault_timezone = Europe/Paris\n"
                    "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
                    "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n")

    def khal(self, *words):
        done = subprocess.run(["/usr/bin/khal", "-c", self.conf, *words], capture_output=True,
                              text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
        return done.stdout if done.returncode == 0 else done.stderr[-400:]

    def takes(self, mail):
        part = [p for p in mail.walk() if p.get_content_type() == "application/ics"][0]
        path = f"{self.folder}/mail.ics"
        with open(path, "wb") as f:
            f.write(part.get_payload(decode=True))
        return self.khal("import", "--batch", "-a", "one", path)

    def shows(self):
        """[status, start, end, title] of what stands there."""
        text = self.khal("list", "--format", "{status}|{start}|{end}|{title}", "--day-format", "",
                         "2027-01-01", "365d")
        return [line.split("|") for line in text.splitlines() if line.count("|") == 3]


def appointment(s, claire, post):
    """Invited, moved across a change of clocks, moved again, cancelled, taken back."""
    title = "Évaluer; par compétences, un titre long comme on en voit dans les catalogues"
    agenda = Calendar(s.folder + "/agenda")
    c = make(claire, title, starts=[moment(27, 13)], minutes=90)  # 14:00 in Paris
    check("an invitation is queued", invite(claire, c, "lea@example.org") 
          == {"sent": 1, "left": 0, "waits": False})
    first = post.one("invitation", "lea@example.org", "Évaluer")
    agenda.takes(first)
    check("a calendar program takes the invitation",
          [[a[1], a[2], a[3]] for a in agenda.shows()]
          == [["2027-03-27 14:00", "2027-03-27 15:30", title]], agenda.shows())
    token = post.link("invitation", "lea@example.org", "Évaluer").split("#")[1]
    bearer = {"Authorization": "Bearer " + token}
    guest = Browser(s)
    guest.ask("POST", "/api/invitation", {"answer": "yes"}, bearer)
    row = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"][0]
    check("the answer given by the link of the mail is told", row["answer"] == "yes", row)
    same, _ = calendar(first)
    own = guest.ask("GET", "/api/invitation/calendar", headers=bearer)[1]
    check("the page offers the same appointment, not a second one",
          f"UID:{same['uid']}" in own.replace("\r\n ", ""), same["uid"])

    status, body = claire.ask("PATCH", "/api/classes/" + c,
                              plan(title=title, starts=[moment(28, 12)], minutes=60))
    check("a new date is told to who was invited", status == 200 and body["told"] == 1, body)
    moved = post.one("moved", "lea@example.org", "Évaluer")
    agenda.takes(moved)
    event, method = calendar(moved)
    check("the calendar program has the new date instead, after the change of clocks",
          [[a[1], a[2]] for a in agenda.shows()] == [["2027-03-28 14:00", "2027-03-28 15:00"]]
          and method == "REQUEST" and event["uid"] == same["uid"] and event["seq"] > same["seq"],
          (agenda.shows(), event))
    text = moved.get_body(("plain",)).get_content()
    check("the words say the hour of the class, in summer time",
          "Dimanche 28 mars 2027 à 14:00 (60 min, Europe/Paris)" in text, text[:160])
    row = claire.ask("GET", f"/api/classes/{c}/people")[1]["people"][0]
    check("and whether one comes is asked again", row["answer"] == "", row)
    body = claire.ask("PATCH", "/api/classes/" + c,
                      plan(title=title, starts=[moment(28, 12)], minutes=60, note="Bonjour"))[1]
    check("what is not the date is told to nobody", body["told"] == 0, body)

    wait_for(lambda: False, 1.1)  # the sequence counts seconds
    status, body = claire.ask("DELETE", "/api/classes/" + c)
    check("a class in the bin is cancelled", status == 200 and body["told"] == 1, body)
    gone = post.one("cancellation", "lea@example.org", "Évaluer")
    agenda.takes(gone)
    event, method = calendar(gone)
    check("in the calendar program too", [a[0].strip() for a in agenda.shows()] == ["CANCELLED"]
          and method == "CANCEL" and event["uid"] == same["uid"], (agenda.shows(), event))
    wait_for(lambda: False, 1.1)
    claire.ask("POST", f"/api/classes/{c}/restore")
    wait_for(lambda: len(post.all("invitation", "lea@example.org", "Évaluer")) == 2, 60)
    agenda.takes(post.all("invitation", "lea@example.org", "Évaluer")[-1])
    check("taken back from the bin it stands again",
          [[a[0].strip(), a[1]] for a in agenda.shows()] in ([["CONFIRMED", "2027-03-28 14:00"]],
                                                             [["", "2027-03-28 14:00"]]),
          agenda.shows())
    claire.ask("DELETE", f"/api/classes/{c}/people/{row['person']}")
    check("who leaves the roster is told",
          wait_for(lambda: len(post.all("cancellation", "lea@example.org", "Évaluer")) == 2, 60))


# ---- each kind

def reminders(s, claire, post, now):
    """Five distances, one class each; and one class with all of them that is near."""
    for name, bit, before in (("une heure", 1, 50 * MINUTE), ("deux heures", 2, 110 * MINUTE),
                              ("un jour", 4, 23 * HOUR), ("deux jours", 8, 47 * HOUR),
                              ("une semaine", 16, 6 * DAY), ("toutes", 31, 40 * MINUTE)):
        c = make(claire, f"Rappel {name}", starts=[now + before], reminders=bit)
        invite(claire, c, "remi@example.org", "anne@example.org")
    people_of(s, "UPDATE enrolled SET invited = 1 WHERE class IN"
              " (SELECT id FROM class WHERE title LIKE 'Rappel %')")
    people_of(s, "UPDATE enrolled SET answer = 'no' WHERE mail = 'anne@example.org'")
    s.look()


def each_kind(s, claire, now):
    """One of everything that can be caused in one go; the titles say which."""
    soon = make(claire, "Bientôt", starts=[now + 3 * DAY])
    invite(claire, soon, "paul@example.org")
    full = make(claire, "Complet", starts=[now + 3 * DAY], capacity=1, open=True)
    guest = Browser(s)
    for name in ("un", "deux"):
        guest.ask("POST", f"/api/registration/{full}", {"name": name, "mail": f"{name}@example.org"})
    guest.ask("POST", "/api/my", {"mail": "un@example.org", "lang": "fr"})
    door = make(claire, "Permanence", permanent=True, starts=[], settings={"waiting-room": "manual"})
    knock(s, door)
    return soon, full


def held(s, claire, soon, full):
    """A class that took place, its seal, and a promotion from the waiting list; all while nothing is
    sent."""
    day = make(claire, "Journée", starts=[int(time.time() * 1000) + 5 * MINUTE], minutes=5,
               settings={"attendance-share": 1})
    invite(claire, day, "tom@example.org")
    person = claire.ask("GET", f"/api/classes/{day}/people")[1]["people"][0]["person"]
    token = claire.ask("POST", f"/api/classes/{day}/people/{person}/link")[1]["token"]
    host, _ = enter(s, s.link(day, "host")["link"], "Claire")
    host.send("session.start")
    tom, _ = enter(s, token, "Tom")
    present = lambda: any(p["status"] == "present" and p["person"] == person for p in claire.ask(
        "GET", f"/api/classes/{day}/attendance?again=1")[1].get("sheet", {}).get("people", []))
    check("present long enough", wait_for(present, 60, 0.2))
    host.answer(host.send("session.end"))
    tom.wait_closed()
    said = claire.ask("POST", f"/api/classes/{day}/attendance/seal", {})
    check("the sheet is sealed", said[0] == 200, said)
    rows = claire.ask("GET", f"/api/classes/{full}/people")[1]["people"]
    first = next(p["person"] for p in rows if p["mail"] == "un@example.org")
    claire.ask("DELETE", f"/api/classes/{full}/people/{first}")
    claire.ask("PATCH", "/api/classes/" + soon, plan(title="Bientôt", starts=[int(time.time() * 1000) + 4 * DAY]))


WANTED = {
    # kind: who gets it, in the part where everything waits while the server is killed
    ("moved", "paul@example.org", "Bientôt"), ("waiting", "deux@example.org", "Complet"),
    ("place", "deux@example.org", "Complet"), ("cancellation", "un@example.org", "Complet"),
    ("mine", "un@example.org", ""), ("knock", "claire@example.org", "Permanence"),
    ("certificate", "tom@example.org", "Journée"), ("invitation", "tom@example.org", "Journée"),
    ("reminder", "remi@example.org", "une heure"), ("reminder", "remi@example.org", "deux heures"),
    ("reminder", "remi@example.org", "un jour"), ("reminder", "remi@example.org", "deux jours"),
    ("reminder", "remi@example.org", "une semaine"), ("reminder", "remi@example.org", "toutes"),
    ("account", "bob@example.org", ""), ("reset", "bob@example.org", ""),
}


def killed(s, box, post, claire, admin):
    """The mail server takes connections and says nothing; everything is queued; all processes die."""
    box.mood, before = "hold", len(box.mails)
    now = int(time.time() * 1000)
    admin.ask("POST", "/api/accounts", {"name": "Bob", "mail": "bob@example.org"})
    reminders(s, claire, post, now)
    soon, full = each_kind(s, claire, now)
    held(s, claire, soon, full)
    people_of(s, "UPDATE account SET hash = 'x' WHERE mail = 'bob@example.org'")
    Browser(s, source="127.0.4.1").ask("POST", "/api/reset", {"mail": "bob@example.org", "lang": "fr"})

    def queued():
        files = names(s, "queue")
        return all(any(f"-{w}-" in f for f in files) for w in (
            "remind", "knock", "certificate", "waiting", "mine", "account", "reset", "invite"))
    check("every kind waits in the queue", wait_for(queued, 60), names(s, "queue"))
    wait_for(lambda: sum("-remind-" in f for f in names(s, "queue")) == 6, 60)
    check("nothing was sent before the kill", len(box.mails) == before)
    s.stop(signal.SIGKILL)
    box.mood = "ok"
    os.unlink(s.data + "/run/ports.json")  # of the killed one
    s.start()
    box.let_go()  # what the killed server was at may still be at it: nothing is sent twice for that
    ready(s)
    for kind, to, title in sorted(WANTED):
        check(f"after the kill {kind} {title} arrives once",
              wait_for(lambda: len(post.all(kind, to, title)) == 1, 60),
              len(post.all(kind, to, title)))
    attached(s, post)
    wait_for(lambda: not names(s, "queue"), 60)
    s.look()
    return {kind: n for kind, n in post.count().items()}


def attached(s, post):
    """The certificate itself goes with its letter, whole: a PDF that says whose it is."""
    mail = post.all("certificate", "tom@example.org", "Journée")[0]
    papers = [p for p in mail.walk() if p.get_content_type() == "application/pdf"]
    path = s.folder + "/attestation.pdf"
    with open(path, "wb") as f:
        f.write(papers[0].get_payload(decode=True) if papers else b"")
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=False)
    check("the certificate is attached and a whole PDF of this person and class",
          len(papers) == 1 and papers[0].get_filename() == "attestation.pdf" and done.returncode == 0
          and not done.stderr and "Tom" in done.stdout and "Journée" in done.stdout,
          (len(papers), done.stderr, done.stdout[:200]))
    body = mail.get_body(("plain",)).get_content()
    check("its words and its link stand beside it", "/after/c_" in body and "attestation" in body, body[:200])
    check("nothing of it is left in the run folder",
          not [n for n in os.listdir(s.data + "/run") if n.startswith("certificates.")])


def due_now(s):
    """What waits for its next try is due at once: its name says when."""
    folder = os.path.join(s.data, "mail/queue")
    for name in os.listdir(folder):
        tail = name.split("-", 1)[1]
        os.rename(f"{folder}/{name}", f"{folder}/{int(time.time() * 1000):013d}-{tail}")


def troubles(s, box, post, claire):
    c = make(claire, "Difficile", starts=[int(time.time() * 1000) + 3 * DAY])
    for mood, name in (("later", "refuse"), ("drop", "coupe"), ("mute", "muette")):
        box.mood, before = mood, box.tries
        invite(claire, c, f"{name}@example.org")
        check(f"{mood}: it waits for its next try",
              wait_for(lambda: any("-01-invite-" in f for f in names(s, "queue")), 60),
              names(s, "queue"))
        check(f"{mood}: nothing is lost, nothing is sent twice meanwhile", box.tries == before + 1,
              box.tries - before)
        box.mood = "ok"
        due_now(s)
        wait_for(lambda: not names(s, "queue"), 60)
        mails = post.all("invitation", f"{name}@example.org")
        ids = {str(m["Message-ID"]) for m in mails}
        # A server that took the mail and hung up before it said so has it twice: under one id.
        check(f"{mood}: then it arrives, under one Message-ID", len(ids) == 1
              and len(mails) == (2 if mood == "mute" else 1), (len(mails), ids))
    box.mood = "hold"
    invite(claire, c, "lente@example.org")
    wait_for(lambda: box.waiting, 60)
    check("slow: the office works on meanwhile", claire.ask("GET", "/api/classes")[0] == 200)
    box.mood = "ok"
    box.let_go()
    wait_for(lambda: not names(s, "queue"), 60)
    check("slow: it arrives once", len(post.all("invitation", "lente@example.org")) == 1)


def mailing(box):
    """A server that posts to box."""
    return Server("--mail.smtp", f"smtp://127.0.0.1:{box.port}", "--mail.tls", "false", "--mail.from",
                  "classes@example.org")


def run():
    box = Mailbox()
    post = Post(box)
    with mailing(box) as s:
        ready(s)
        claire = staff(s, post)
        appointment(s, claire, post)
        admin = Browser(s)
        admin.sign_in("ada@example.org", PASSWORD)
        before = killed(s, box, post, claire, admin)
        claire.sign_in("claire@example.org", PASSWORD)
        troubles(s, box, post, claire)
        # By now the office has looked several times: no kind has come again.
        after = post.count()
        same = [k for k in SUBJECTS if k != "invitation" and after[k] != before[k]]
        check("no mail came a second time", not same, (before, after))
        check("whoever does not come is not reminded", not post.all("reminder", "anne@example.org"))
        check("nothing was refused", names(s, "failed") == [])
